"""The self-contained report: a pure function of results.json.

It needs neither network nor script (its own policy forbids both), prints, follows light and dark, and stays under
300 KB for a full run: long series are cut with a note, results.json holds them all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from evidence.results import counts
from evidence.summary import colour_of, key_observation, mark_of, observed, titled, void_rollouts, worst_first
from evidence.verdicts import BADNESS, rank
from rollout.model import Basis, Verdict

PAGE_BYTES_MAX = 300_000
# Observations shown per step: as many as the page has room for. Red ones are shown whatever the room.
OBSERVATIONS_SHOWN_MAX = 6
_ROOM = (OBSERVATIONS_SHOWN_MAX, 3, 1, 0)
RED_SHOWN_MIN = 2
TEXT_CHARACTERS_SHOWN_MAX = 300

# What the run did not look at, or only at an imitation of, and the words for it.
_GAPS: Sequence[tuple[Verdict, str]] = (
    (Verdict.BLOCKED, "Blocked by something else"),
    (Verdict.SOURCE_ERROR, "The source could not be asked"),
    (Verdict.NO_DATA, "No data"),
    (Verdict.LOW_SAMPLE, "Too small a sample"),
    (Verdict.DEFERRED, "Deferred to a later day"),
    (Verdict.WAIVED, "Waived by a person"),
    (Verdict.NOT_APPLICABLE, "Declared not applicable"),
)


def render_html(results: Mapping[str, Any]) -> str:
    """The report as one HTML page; every text in it is escaped.

    Shows fewer observations per step where the page would outgrow PAGE_BYTES_MAX.
    """
    page = ""
    for shown_max in _ROOM:
        page = _render(results, shown_max)
        if len(page.encode()) < PAGE_BYTES_MAX:
            break
    return page


def _render(results: Mapping[str, Any], shown_max: int) -> str:
    by_id = {scenario["id"]: scenario for scenario in results["scenarios"]}
    return _template().render(
        results=results,
        anchors={scenario: f"s{number}" for number, scenario in enumerate(by_id, start=1)},
        counts=counts(results),
        clock_note=_clock_note(results["clock"]["factor"]),
        day=results["started"][:10],
        matrix=[_row(control, by_id) for control in worst_first(results["controls"])],
        gaps=_gaps(results),
        features=_features(results, shown_max),
        legend=[verdict.value for verdict in BADNESS],
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["mark"] = lambda verdict: mark_of(verdict, unicode=True)
    environment.filters["colour"] = colour_of
    environment.filters["titled"] = titled
    environment.filters["observed"] = lambda observation: shortened(observed(observation))
    environment.filters["shortened"] = shortened
    environment.filters["moment"] = moment
    return environment.get_template("report.html.j2")


def shortened(text: str) -> str:
    """The text, cut for the page."""
    return text if len(text) <= TEXT_CHARACTERS_SHOWN_MAX else text[: TEXT_CHARACTERS_SHOWN_MAX - 1] + "…"


def moment(seconds: float, day: str) -> str:
    """Epoch seconds as an instant in UTC, without the day where it is the day of the run."""
    instant = datetime.fromtimestamp(seconds, tz=UTC)
    return instant.strftime("%H:%M:%SZ" if instant.date().isoformat() == day else "%Y-%m-%d %H:%M:%SZ")


def _clock_note(factor: float) -> str:
    if factor == 1:
        return "real time"
    return f"bakes, metric minutes and alarms ran {factor:g} times as fast as real time"


def _row(control: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    scenarios = [by_id[scenario] for scenario in control["scenarios"]]
    worst = min(scenarios, key=lambda scenario: rank(scenario["verdict"]))
    return {"control": control, "seen": key_observation(scenarios), "message": worst["message"], "worst": worst}


def _gaps(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was not looked at, each kind with its entries; kinds without any are left out."""
    controls = results["controls"]
    known = {control["id"] for control in controls}
    emulated = [
        {"id": c["id"], "text": c["says"], "why": "the sandbox imitates the service"}
        for c in controls
        if c["basis"] == Basis.EMULATED
    ]
    gaps = [{"title": "Seen only on an imitation of the service (basis: emulated)", "entries": emulated}]
    void = [{"id": "", "text": f"rollout {r['id']}: {r['outcome']}", "why": r["void"]} for r in void_rollouts(results)]
    gaps.append({"title": "Rehearsed while the machine was not there, and therefore repeated", "entries": void})
    for verdict, title in _GAPS:
        entries = [_gap(s, known) for s in results["scenarios"] if s["verdict"] == verdict]
        gaps.append({"title": title, "entries": entries})
    unseen = [
        {"id": c["id"], "text": c["says"], "why": f"built by: {c['built_in']}" if c["built_in"] else ""}
        for c in controls
        if c["verdict"] is None
    ]
    gaps.append({"title": "No scenario of these controls ran: not built yet, or not selected", "entries": unseen})
    return [gap for gap in gaps if gap["entries"]]


def _gap(scenario: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    who = ", ".join(f"{word} {scenario[word]}" for word in ("by", "until") if scenario[word])
    why = scenario["message"] or scenario["reason"] or ""
    place = f"{scenario['feature']}:{scenario['line']}"
    controls = " ".join(tag for tag in scenario["tags"] if tag in known)
    return {"id": controls, "text": titled(scenario), "why": f"{why} ({who or place})"}


def _features(results: Mapping[str, Any], shown_max: int) -> list[dict[str, Any]]:
    told = {feature["path"]: feature for feature in results.get("features", [])}
    found = []
    for path, scenarios in groupby(results["scenarios"], key=lambda scenario: scenario["feature"]):
        feature = told.get(path, {"name": path, "description": ""})
        description = "\n".join(line.strip() for line in feature["description"].splitlines())
        found.append(
            {
                "path": path,
                "name": feature["name"],
                "description": description,
                "scenarios": [{**s, "steps": [_step(step, shown_max) for step in s["steps"]]} for s in scenarios],
            }
        )
    return found


def _step(step: Mapping[str, Any], shown_max: int) -> dict[str, Any]:
    """The step with its text split from its table, and its worst observations first where there are many."""
    first, *rest = step["text"].splitlines() or [""]
    seen = shown = step["observations"]
    if len(seen) > shown_max:
        red = sum(observation["verdict"] != Verdict.PASS for observation in seen)
        room = max(shown_max, min(red, RED_SHOWN_MIN))
        shown = sorted(seen, key=lambda observation: rank(observation["verdict"]))[:room]
    return {**step, "first": first, "rest": "\n".join(rest), "shown": shown, "more": len(seen) - len(shown)}
