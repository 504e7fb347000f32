"""locust's web UI gains a tab and a page with the gate's checks as they stand.

The tab uses what locust documents for extensions (docs, "Extending the Web UI"): `extended_tabs` and `extended_tables`
among the arguments of its page, and `extended_stats` in the answer of /stats/requests, which it asks every two seconds.
Its page shows them as text. `/gate` is a page without script of its own for those who want only this, and `/gate.json`
the same for programs; both ask for the login where locust does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flask import Blueprint, Response, request

from loadtests.checks import Check
from loadtests.page import figure, templates

KEY, TITLE = "p95-gate", "p95 gate"
NAMES_SHOWN_MAX = 200  # locust's page slows down with the number of rows
_COLUMNS = (
    ("verdict", "Verdict"),
    ("check", "Check"),
    ("value", "Value"),
    ("limit", "Limit"),
    ("says", "What it says"),
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@dataclass(frozen=True)
class State:
    """What the panel shows: a sentence ("so far" or the verdict), and the checks."""

    sentence: str
    checks: Sequence[Check]
    final: bool = False


def install(web_ui: Any, state: Callable[[], State]) -> None:
    """Add tab and pages to a locust WebUI; `state` is asked for every answer, so it must be cheap.

    Call it once, in locust's `init` event.
    """
    web_ui.template_args["extended_tabs"] = [{"title": TITLE, "key": KEY}]
    structure = [{"key": key, "title": title} for key, title in _COLUMNS]
    web_ui.template_args["extended_tables"] = [{"key": KEY, "structure": structure}]
    web_ui.app.register_blueprint(_pages(web_ui, state))

    def with_rows(response: Response) -> Response:
        if not request.path.endswith("/stats/requests") or not response.is_json:
            return response
        answer = response.get_json()
        if isinstance(answer, dict):
            extended = [*answer.get("extended_stats", []), {"key": KEY, "data": rows(state())}]
            response.set_data(json.dumps({**answer, "extended_stats": extended}))
        return response

    web_ui.app.after_request(with_rows)


def _pages(web_ui: Any, state: Callable[[], State]) -> Blueprint:
    # Below the same path as locust's own pages (--web-base-path).
    blueprint = Blueprint("gate", __name__, url_prefix=web_ui.app.blueprints["locust"].url_prefix)

    def page() -> Response:
        response = Response(render(state()), mimetype="text/html")
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-store"
        return response

    def document() -> Response:
        now = state()
        checks = [{**asdict(check), "verdict": check.verdict.value} for check in now.checks]
        text = json.dumps({"sentence": now.sentence, "final": now.final, "checks": checks})
        response = Response(text, mimetype="application/json")
        response.headers["Cache-Control"] = "no-store"
        return response

    for path, view in (("/gate", page), ("/gate.json", document)):
        blueprint.add_url_rule(path, view_func=web_ui.auth_required_if_enabled(view))
    return blueprint


def rows(state: State) -> list[dict[str, str]]:
    """The checks as rows of locust's table; what locust sorts by is `safe_name`."""
    return [
        {
            "verdict": check.verdict.value,
            "check": check.name,
            "safe_name": check.name,
            "value": figure(check.value, check.unit),
            "limit": figure(check.limit, check.unit),
            "says": check.message,
        }
        for check in state.checks[:NAMES_SHOWN_MAX]
    ]


def render(state: State) -> str:
    """The page: it asks for itself again every two seconds until the verdict is there."""
    return templates().get_template("gate.html.j2").render(state=state, checks=state.checks[:NAMES_SHOWN_MAX])
