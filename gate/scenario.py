"""Turns what happened to a scenario into its record: one JSON object as in results.json, carried by the report.

The record travels in an attribute of pytest's own report, which xdist hands on as it is.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd.parser import Feature, Scenario, Step

from evidence.verdicts import OPENS_A_PHASE
from gate.collect import step_text
from gate.recorder import RECORDER, SCENARIO, Recorder, ScenarioFacts
from gate.settings import RUN, Waiver
from gate.verdicts import NotPassed
from rollout.model import Verdict

MESSAGE_CHARACTERS_MAX = 2000
_SKIPPED_FOR_PYTEST = frozenset({Verdict.NOT_APPLICABLE, Verdict.WAIVED, Verdict.DEFERRED})
_NOT_WAIVABLE = OPENS_A_PHASE | {Verdict.BLOCKED, Verdict.DEFERRED}


def pytest_bdd_before_scenario(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario) -> None:
    """A scenario begins: give it its recorder."""
    facts = request.node.stash.get(SCENARIO, None)
    run = request.config.stash.get(RUN, None)
    if facts is not None and run is not None:
        request.node.stash[RECORDER] = Recorder(facts, environment=run.environment)


def pytest_bdd_before_step(request: pytest.FixtureRequest, step: Step) -> None:
    """A step begins."""
    recorder = request.node.stash.get(RECORDER, None)
    if recorder is not None:
        recorder.begin_step(step.type, step_text(step))


def pytest_bdd_after_step(request: pytest.FixtureRequest) -> None:
    """A step returned. Raises NotPassed for a Then without an observation."""
    recorder = request.node.stash.get(RECORDER, None)
    if recorder is not None:
        recorder.end_step()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Attach the record to the report of the call, or of a setup that failed; shape it for pytest's own readers."""
    report = yield
    facts = item.stash.get(SCENARIO, None)
    if facts is None:
        return report
    if call.when == "teardown":
        if call.excinfo is not None:
            report.gate_teardown = f"cleaning up failed: {_told(call.excinfo, item.config.rootpath)}"
    elif call.when == "call" or call.excinfo is not None:
        record = scenario_record(item, facts, call)
        report.gate_record = json.dumps(record)
        _shape(report, record, call)
    return report


def scenario_record(item: pytest.Item, facts: ScenarioFacts, call: pytest.CallInfo[None]) -> dict[str, Any]:
    """The scenario as results.json holds it."""
    recorder = item.stash.get(RECORDER, None) or Recorder(facts)
    end = ended(call.excinfo, item.config.rootpath)
    if end is not None:
        recorder.close_step(end.verdict)
    waiver = item.config.stash[RUN].release.waivers.get(facts.control)
    final = _with_waiver(end, waiver)
    verdict = final.verdict if final else Verdict.PASS
    return {
        "id": facts.id,
        "feature": facts.feature,
        "line": facts.line,
        "name": facts.name,
        "example": facts.example,
        "tags": list(facts.tags),
        "phase": facts.phase,
        "verdict": verdict.value,
        "reason": final.reason if final else None,
        "message": final.message[:MESSAGE_CHARACTERS_MAX] if final else None,
        "by": final.by if final else None,
        "until": final.until if final else None,
        "blocked_by": final.blocked_by if final else None,
        "seconds": round(call.duration, 3) if call.when == "call" else 0.0,
        "steps": recorder.all_steps(end.verdict if end else Verdict.PASS),
    }


def ended(excinfo: pytest.ExceptionInfo[BaseException] | None, root: Path) -> NotPassed | None:
    """How the scenario ended; None where every step returned.

    An assertion is FAIL. A skip is NO_DATA: it looked at nothing. Any other exception means that the check itself
    broke, so nobody knows: SOURCE_ERROR.
    """
    if excinfo is None:
        return None
    error = excinfo.value
    if isinstance(error, NotPassed):
        return error
    if isinstance(error, pytest.skip.Exception):
        return NotPassed(Verdict.NO_DATA, f"skipped, which is no evidence: {error.msg}", reason=error.msg)
    if isinstance(error, AssertionError | pytest.fail.Exception):
        return NotPassed(Verdict.FAIL, str(error) or f"an assertion without a message{_place(error, root)}")
    return NotPassed(Verdict.SOURCE_ERROR, f"the check itself broke: {_told(excinfo, root)}")


def _told(excinfo: pytest.ExceptionInfo[BaseException], root: Path) -> str:
    return f"{type(excinfo.value).__name__}: {excinfo.value}{_place(excinfo.value, root)}"


def _place(error: BaseException, root: Path) -> str:
    """The innermost line of the repository's own code that the exception passed."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(root) and "site-packages" not in path.parts:
            return f" ({path.relative_to(root)}:{frame.lineno})"
    return ""


def _with_waiver(end: NotPassed | None, waiver: Waiver | None) -> NotPassed | None:
    """What a person decided about this control; an expired waiver has no effect and is named."""
    if end is None or waiver is None or end.verdict in _NOT_WAIVABLE:
        return end
    until = waiver.until.isoformat()
    if waiver.expired(datetime.now(tz=UTC).date()):
        message = f"{end.message} (the waiver by {waiver.by} expired on {until} and has no effect)"
        return NotPassed(end.verdict, message, reason=end.reason)
    message = f"waived by {waiver.by} until {until}: {waiver.reason} (it is {end.verdict.value}: {end.message})"
    return NotPassed(Verdict.WAIVED, message, reason=waiver.reason, by=waiver.by, until=until)


def _shape(report: Any, record: dict[str, Any], call: pytest.CallInfo[None]) -> None:
    """Let pytest, JUnit and --lf see the verdict: decided by people is skipped, what is not green failed."""
    verdict = Verdict(record["verdict"])
    place = (record["feature"], record["line"])
    report.user_properties.append(("verdict", verdict.value))
    if verdict is Verdict.PASS:
        return
    line = f"{place[0]}:{place[1]}: {verdict.value}: {record['message']}"
    if verdict in _SKIPPED_FOR_PYTEST:
        report.outcome = "skipped"
        report.longrepr = (*place, f"{verdict.value}: {record['message']}")
        return
    report.outcome = "failed"
    if call.excinfo is None or isinstance(call.excinfo.value, NotPassed | pytest.skip.Exception):
        report.longrepr = line
