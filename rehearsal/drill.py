"""One drill: a rollout in a sandbox of its own, with what the catalogue breaks, to the end that it must come to."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rehearsal.account_view import look_at_account
from rehearsal.catalogue import Drill, Faults
from rehearsal.emergency import run_emergency
from rehearsal.planted import NOTHING, Plant
from rehearsal.scene import RehearsalError, Scene, await_condition, end_process
from rollout.record import TERMINAL_STATES, Record

_READY_SECONDS = 60.0
_SHIFT_SECONDS = 30.0
_END_SECONDS = 150.0
_FAREWELL_SECONDS = 30.0


def run_drill(scene: Scene, drill: Drill, planted: Plant = NOTHING) -> int | None:
    """Carry out one drill on the scene's sandbox; answers the exit code of `rollout run`. `planted`: more faults."""
    stable, candidate = scene.live_and_next()
    slots = {"stable": stable, "candidate": candidate}
    scene.change_plan(drill.plan)
    scene.sandbox.clock(scene.factor)
    plant(scene, drill.before, slots)
    plant(scene, planted.before, slots)
    scene.notes.facts["before"] = look_at_account(scene)
    process = scene.start_rollout("--drill", "--hold-before-traffic")
    try:
        scene.await_state("READY", seconds=_READY_SECONDS, process=process)
        with scene.stream(planted.rate or drill.rate):
            scene.confirm()
            _await(
                scene, process, lambda record: record.share_verified > 0, seconds=_SHIFT_SECONDS, what="the first shift"
            )
            plant(scene, drill.at_shift, slots)
            plant(scene, planted.at_shift, slots)
            if drill.emergency:
                run_emergency(scene)
            with _overdue_is_a_finding(scene):
                _to_the_return(scene, drill, process=process, slots=slots)
        with _overdue_is_a_finding(scene):
            _to_the_end(scene, drill, process)
    finally:
        end_process(process)
    scene.notes.facts["after"] = look_at_account(scene)
    return process.returncode


@contextmanager
def _overdue_is_a_finding(scene: Scene) -> Iterator[None]:
    """Once customers met the candidate, a rollout that does not come to its end says something about the release."""
    try:
        yield
    except RehearsalError as error:
        scene.notes.facts.setdefault("overdue", str(error))


def _to_the_return(scene: Scene, drill: Drill, *, process: subprocess.Popen[bytes], slots: dict[str, str]) -> None:
    """Until nothing more can happen to a customer: verified, escalated, or ended."""
    if drill.at_return:
        _await(scene, process, _switched, seconds=_END_SECONDS, what="the customers' return")
        plant(scene, drill.at_return, slots)
    if drill.until_escalated:
        _await(
            scene,
            process,
            lambda r: r.back is not None and r.back.escalated,
            seconds=_END_SECONDS,
            what="an escalation",
        )
        return
    _await(scene, process, _verified, seconds=_END_SECONDS, what="a verified return")
    plant(scene, drill.at_verified, slots)


def _to_the_end(scene: Scene, drill: Drill, process: subprocess.Popen[bytes]) -> None:
    if not drill.until_escalated:
        _await(
            scene,
            process,
            lambda record: record.state in TERMINAL_STATES,
            seconds=_END_SECONDS,
            what="the end of the rollout",
        )
    process.wait(_FAREWELL_SECONDS)


def _switched(record: Record) -> bool:
    return record.back is not None and record.back.switched_at is not None


def _verified(record: Record) -> bool:
    """Or given up as not verified: a drill that must be verified has nothing more to wait for then."""
    back = record.back
    return record.state in TERMINAL_STATES or (back is not None and (back.verified_at is not None or back.escalated))


def _await(
    scene: Scene,
    process: subprocess.Popen[bytes],
    holds: Callable[[Record], bool],
    *,
    seconds: float,
    what: str,
) -> None:
    def look() -> bool:
        ended = process.poll() is not None
        record = scene.record()
        if record is not None and holds(record):
            return True
        if ended:
            state = record.state if record else "nothing on record"
            raise RehearsalError(f"`rollout run` ended with {process.returncode} in {state}: {scene.last_words()}")
        return False

    await_condition(look, seconds=seconds, what=what)


def plant(scene: Scene, faults: Faults, slots: dict[str, str]) -> None:
    """Plant faults; "stable" and "candidate" name whatever slot has that role."""
    for name, values in faults.items():
        scene.sandbox.fault(slots.get(name, name), **values)
