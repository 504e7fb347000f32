"""Components that fail and return, in a sandbox without a rollout: each is taken away, asked about, given back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

import httpx

from probes import health
from probes.http import client
from rehearsal.scene import RehearsalError, Scene, await_condition
from rollout.model import Observation, Verdict

_TURN_SECONDS = 20.0


def fail_and_return(scene: Scene) -> None:
    """Database stopped and read-only, cache stopped, a dependency that hangs; each seen red, then green again."""
    asker = client(scene.endpoint)
    _turn(scene, asker, name="database", fault={"stopped": True}, topic="stopped")
    _turn(scene, asker, name="database", fault={"read_only": True}, topic="read-only")
    _turn(scene, asker, name="cache", fault={"stopped": True}, topic="stopped")
    _turn(scene, asker, name="external", fault={"hang": True}, topic="hanging")


def _turn(scene: Scene, asker: httpx.Client, *, name: str, fault: dict[str, object], topic: str) -> None:
    scene.sandbox.fault(name, **fault)
    red = _until(lambda: health.component(asker, name), green=False, what=f"/health/{name} to turn red")
    in_time = health.answers_in_time(asker, f"/health/{name}", limit_seconds=1.0)
    scene.sandbox.fault(name, **dict.fromkeys(fault, False))
    green = _until(lambda: health.component(asker, name), green=True, what=f"/health/{name} to turn green")
    scene.notes.see(f"{name} {topic}", *(_as_expected(seen) for seen in red))
    scene.notes.see(f"{name} {topic} in time", *in_time)
    scene.notes.see(f"{name} back", *green)


def _until(ask: Callable[[], tuple[Observation, ...]], *, green: bool, what: str) -> tuple[Observation, ...]:
    """The first answers that are as wanted; the last ones if they never are, so that the scenario shows them."""
    last: list[tuple[Observation, ...]] = []

    def look() -> bool:
        last.append(ask())
        return all(seen.verdict is Verdict.PASS for seen in last[-1]) is green

    with contextlib.suppress(RehearsalError):
        await_condition(look, seconds=_TURN_SECONDS, what=what)
    return last[-1]


def _as_expected(seen: Observation) -> Observation:
    """Red is what the drill wants to see: the same fact, held against the opposite rule."""
    red = seen.verdict is Verdict.FAIL
    return replace(
        seen,
        verdict=Verdict.PASS if red else Verdict.FAIL,
        rule="the endpoint is red while its component fails",
        message=f"{'red as it must be' if red else 'still green although its component fails'}: {seen.message}",
    )
