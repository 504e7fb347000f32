"""PROC-07 and API-01 against real servers: who answers where, and in which shape."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from probes import openapi, routes
from probes.identity import Identity
from rollout.model import Verdict
from tests.contract.probe_world import (
    Asked,
    Reply,
    Serve,
    document,
)

pytest_plugins = ("tests.contract.probe_fixtures",)

BLUE = Identity(slot="blue", version="1.1.0", digest="sha256:0123456789abcdef")
GREEN = Identity(slot="green", version="1.0.0", digest="sha256:fedcba9876543210")


def task(identity: Identity, asked: Asked) -> Reply:
    """An answer of a task: the body names it at /health, the headers do elsewhere."""
    names = {"slot": identity.slot, "version": identity.version}
    if asked.path == "/health":
        return document({"status": "ok", **names, "digest": identity.digest})
    told = (identity.digest or "").removeprefix("sha256:")[:12]
    return Reply(
        200,
        (("x-slot", identity.slot or ""), ("x-version", identity.version or ""), ("x-release-digest", told)),
    )


def test_the_test_route_leads_to_the_candidate(asking: Callable[[Serve], Any]) -> None:
    """Every answer, on every path."""
    with asking(lambda asked: task(BLUE, asked)) as asker:
        (seen,) = routes.leads_to(asker, BLUE, tries=3)

    assert (seen.verdict, seen.n) == (Verdict.PASS, 6)


def test_a_test_route_that_leads_elsewhere_now_and_then_is_found(
    asking: Callable[[Serve], Any], nobody: httpx.Client
) -> None:
    """One stray answer is enough, and so is none."""
    count = itertools.count()
    with asking(lambda asked: task(GREEN if next(count) == 7 else BLUE, asked)) as asker:
        (seen,) = routes.leads_to(asker, BLUE, tries=10)
    (gone,) = routes.leads_to(nobody, BLUE)

    assert (seen.verdict, seen.n) == (Verdict.FAIL, 8)
    assert "slot green instead of blue" in seen.message
    assert gone.verdict is Verdict.FAIL


def test_the_public_name_never_answers_from_the_candidate(asking: Callable[[Serve], Any], nobody: httpx.Client) -> None:
    """Not by slot, not by digest, not on one path only."""
    disguised = Identity(slot="green", version="1.0.0", digest=BLUE.digest)
    leaks: list[Serve] = [
        lambda asked: task(GREEN, asked),
        lambda asked: task(BLUE if asked.path == "/api/v1/status" else GREEN, asked),
        lambda asked: task(disguised, asked),
        lambda _: Reply(200),
    ]
    verdicts = []
    for leak in leaks:
        with asking(leak) as asker:
            verdicts.append(routes.never_answered_by(asker, BLUE, tries=3)[0].verdict)
    verdicts.append(routes.never_answered_by(nobody, BLUE)[0].verdict)

    assert verdicts == [Verdict.PASS, Verdict.FAIL, Verdict.FAIL, Verdict.NO_DATA, Verdict.NO_DATA]


def test_the_test_route_is_closed_without_the_secret(asking: Callable[[Serve], Any], nobody: httpx.Client) -> None:
    """A 404 of the load balancer is what a stranger should see."""

    def door(asked: Asked) -> Reply:
        return task(BLUE, asked) if asked.headers.get("x-release-token") == "secret" else Reply(404)

    with asking(door) as asker:
        (closed,) = routes.closed_to_the_public((asker,), BLUE)
    with asking(lambda asked: task(BLUE, asked)) as asker:
        (opened,) = routes.closed_to_the_public((asker,), BLUE)
    (unknown,) = routes.closed_to_the_public((nobody,), BLUE)

    assert (closed.verdict, opened.verdict, unknown.verdict) == (Verdict.PASS, Verdict.FAIL, Verdict.NO_DATA)
    assert "open to the world" in opened.message


def test_routes_need_something_to_ask(nobody: httpx.Client, asking: Callable[[Serve], Any]) -> None:
    """Wrong use raises."""
    with pytest.raises(ValueError, match="at least one try"):
        routes.leads_to(nobody, BLUE, tries=0)
    with asking(lambda asked: task(GREEN, asked)) as asker, pytest.raises(ValueError, match="named by its slot"):
        routes.never_answered_by(asker, Identity(version="1.1.0"))


DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/api/v1/status": {
            "get": {
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"type": "object", "required": ["time"]}}}}
                }
            }
        }
    },
}


@pytest.mark.parametrize(
    ("reply", "verdict", "says"),
    [
        (document({"time": "now"}), Verdict.PASS, "documented shape"),
        (document({"slot": "blue"}), Verdict.FAIL, "'time' is a required property"),
        (document({}, 500), Verdict.FAIL, "answered 500 instead of 200"),
        (Reply(raw=b""), Verdict.FAIL, "reset"),
    ],
)
def test_the_status_has_its_documented_shape(
    reply: Reply, verdict: Verdict, says: str, asking: Callable[[Serve], Any]
) -> None:
    """A missing field is named."""
    with asking(lambda _: reply) as asker:
        (seen,) = openapi.matches(asker, DOCUMENT, path="/api/v1/status")

    assert (seen.verdict, says in seen.message) == (verdict, True), seen.message


@pytest.mark.parametrize(
    "schema", [{"$ref": "#/components/schemas/Missing"}, {"type": "no such type"}, {}], ids=["lost", "broken", "empty"]
)
def test_a_document_that_does_not_decide_is_no_data(schema: dict[str, str], asking: Callable[[Serve], Any]) -> None:
    """Its fault is not the answer's."""
    responses = {"200": {"content": {"application/json": {"schema": schema}}}}
    written = {"paths": {"/x": {"get": {"responses": responses}}}}
    with asking(lambda _: document({})) as asker:
        (seen,) = openapi.matches(asker, written, path="/x", status=None)

    assert seen.verdict is Verdict.NO_DATA, seen.message
