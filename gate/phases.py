"""Phases in order: a scenario waits until all earlier phases are decided, and is BLOCKED if one is not green.

The state is a file of JSON lines in the run's work directory. Only the controller (or the only process) appends
to it; xdist workers read it. No deadlock: `gate.workers` forces a scheduler that hands items out in order, so the
earliest undecided scenario is always at the head of its worker's queue and waits for nobody.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from evidence.verdicts import OPENS_A_PHASE
from gate.collect import PHASES
from gate.recorder import SCENARIO, ScenarioFacts
from gate.settings import RUN
from gate.verdicts import NotPassed
from rollout.model import Verdict

FILE_NAME = "phases.jsonl"
POLL_SECONDS = 0.02
STOPPED = "the run stopped"


class PhaseFile:
    """The verdicts so far, in a file shared by the workers of one run."""

    def __init__(self, work: Path) -> None:
        """`work` is the run's shared directory; it exists."""
        self._path = work / FILE_NAME

    def decide(self, scenario: Mapping[str, Any]) -> None:
        """Append one scenario's id, verdict and blocked_by (controller only)."""
        self._append({name: scenario[name] for name in ("id", "verdict", "blocked_by")})

    def stop(self) -> None:
        """Append that nothing more will be decided: whoever waits, gives up (controller only)."""
        self._append({"stop": True})

    def read(self) -> tuple[dict[str, dict[str, Any]], bool]:
        """All decided scenarios by id, and whether the run stopped. A line half written is left for later."""
        if not self._path.exists():
            return {}, False
        text = self._path.read_text(encoding="utf-8")
        entries = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return {entry["id"]: entry for entry in entries if "id" in entry}, any("stop" in entry for entry in entries)

    def _append(self, entry: Mapping[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def earlier(selected: Sequence[ScenarioFacts], phase: str) -> list[ScenarioFacts]:
    """The selected scenarios of all earlier phases; a phase that was not selected contributes none."""
    before = PHASES[: PHASES.index(phase)]
    return [facts for facts in selected if facts.phase in before]


def first_blocker(
    before: Sequence[ScenarioFacts], decided: Mapping[str, Mapping[str, Any]]
) -> tuple[ScenarioFacts, Verdict] | None:
    """The first scenario of earlier phases that opens nothing and is not itself a consequence, with its verdict."""
    closed = [facts for facts in before if Verdict(decided[facts.id]["verdict"]) not in OPENS_A_PHASE]
    roots = [facts for facts in closed if decided[facts.id]["blocked_by"] not in decided]
    chosen = (roots or closed)[:1]
    return (chosen[0], Verdict(decided[chosen[0].id]["verdict"])) if chosen else None


def wait_for(state: PhaseFile, before: Sequence[ScenarioFacts], deadline_seconds: float) -> dict[str, dict[str, Any]]:
    """Wait until every scenario of `before` is decided; the verdicts by id.

    Raises NotPassed(NO_DATA) when the run stopped or the deadline passed first.
    """
    give_up = time.monotonic() + deadline_seconds
    pause = threading.Event()
    while True:
        decided, stopped = state.read()
        still_open = [facts for facts in before if facts.id not in decided]
        if not still_open:
            return decided
        if stopped:
            message = f"{STOPPED} before {still_open[0].name!r} was decided"
            raise NotPassed(Verdict.NO_DATA, message, reason=STOPPED)
        if time.monotonic() > give_up:
            message = f"{still_open[0].name!r} of an earlier phase was not decided within {deadline_seconds:g} s"
            raise NotPassed(Verdict.NO_DATA, f"{message}; raise --phase-deadline-seconds or look why it hangs")
        pause.wait(POLL_SECONDS)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold a scenario until its turn, before any fixture is made. Raises NotPassed (BLOCKED or NO_DATA)."""
    facts = item.stash.get(SCENARIO, None)
    run = item.config.stash.get(RUN, None)
    if facts is None or run is None:
        return
    if item.config.option.phase_blocking:
        _await_turn(item, facts, run.work)
    if "drill" in facts.tags and not run.release.allows_drills(run.environment):
        message = f"drills do not run in {run.environment}; a signed bundle of the same digest is needed"
        raise NotPassed(Verdict.NO_DATA, message, reason="drill outside the sandbox")


def _await_turn(item: pytest.Item, facts: ScenarioFacts, work: Path) -> None:
    selected = [other.stash[SCENARIO] for other in item.session.items if SCENARIO in other.stash]
    before = earlier(selected, facts.phase)
    decided = wait_for(PhaseFile(work), before, item.config.option.phase_deadline_seconds)
    blocker = first_blocker(before, decided)
    if blocker:
        first, verdict = blocker
        message = f"blocked by the {first.phase} phase: {first.control} {first.name!r} is {verdict.value}"
        raise NotPassed(Verdict.BLOCKED, message, blocked_by=first.id)
