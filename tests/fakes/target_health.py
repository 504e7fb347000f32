"""Targets of two groups with states that tests set."""

from __future__ import annotations

from rollout.ports import Clock
from rollout.seen import TargetCounts
from tests.fakes.faults import Faulty


class FakeTargetHealth(Faulty):
    """Satisfies `ports.TargetHealthReader`. `states[slot][name]` is a target's state as ELBv2 names it."""

    def __init__(self, clock: Clock, *, initial_grace_seconds: float = 120.0) -> None:
        super().__init__()
        self._clock, self._initial_grace_seconds = clock, initial_grace_seconds
        self.states: dict[str, dict[str, str]] = {"blue": {}, "green": {}}
        self._initial_since: dict[tuple[str, str], float] = {}

    def set(self, slot: str, *states: str) -> None:
        """Replace the slot's targets."""
        self.states[slot] = {f"{slot}-{number}": state for number, state in enumerate(states)}

    def targets(self, slot: str) -> TargetCounts:
        self._asked(f"targets {slot}")
        present = {
            name: state for name, state in self.states[slot].items() if state not in ("draining", "unhealthy.draining")
        }
        failing = [name for name, state in present.items() if self._fails(slot, name, state)]
        return TargetCounts(
            registered=len(present),
            healthy=sum(state == "healthy" for state in present.values()),
            failing=len(failing),
            read_at=self._clock.wall(),
            detail="; ".join(f"{name} {state}" for name, state in present.items() if state != "healthy"),
        )

    def _fails(self, slot: str, name: str, state: str) -> bool:
        if state != "initial":
            self._initial_since.pop((slot, name), None)
            return state in ("unhealthy", "unavailable")
        since = self._initial_since.setdefault((slot, name), self._clock.monotonic())
        return self._clock.monotonic() - since > self._initial_grace_seconds
