"""A rule with weights, in memory."""

from __future__ import annotations

from rollout.errors import BadInput
from rollout.seen import ListenerReading
from tests.fakes.faults import Faulty


class FakeRouter(Faulty):
    """Satisfies `ports.TrafficRouter`. `weights` has a key per attached group: slots, or names of foreign groups;
    None means that the rule has no forward action. `writes` counts changes of the rule."""

    def __init__(self, *, live: str = "green", slots: tuple[str, str] = ("blue", "green")) -> None:
        super().__init__()
        self.slots = slots
        self.weights: dict[str, int] | None = {slot: 100 if slot == live else 0 for slot in slots}
        self.stickiness_seconds = 0
        self.stickiness_seconds_max = 450
        self.tagged: tuple[str, str] | None = None
        self.writes = 0

    def read(self, *, stable: str, candidate: str) -> ListenerReading:
        self._asked("read")
        attached = self.weights is not None and {stable, candidate} <= set(self.weights)
        cause = self._cause()
        if cause:
            return ListenerReading(candidate_share=None, attached=attached, error=cause)
        return ListenerReading(candidate_share=self._share(stable, candidate), attached=attached)

    def set_share(self, *, stable: str, candidate: str, share_percent: int) -> None:
        self._asked(f"set_share {candidate} {share_percent}")
        cause = self._cause()
        if self.weights is None or (cause and share_percent > 0):
            raise BadInput(cause, hint="Correct the rule first.")
        if {stable, candidate} <= set(self.weights) and self._share(stable, candidate) == share_percent:
            return
        self.weights |= {stable: 100 - share_percent, candidate: share_percent}
        self.writes += 1

    def roles(self) -> tuple[str, str]:
        self._asked("roles")
        cause = self._cause()
        if cause:
            raise BadInput(cause, hint="Correct the rule first.")
        first, second = self.slots
        share = self._share(first, second)
        if share == 0:
            return first, second
        if share == 100:
            return second, first
        if self.tagged is None:
            raise BadInput("the weights are split and the tags do not tell who is stable", hint="Choose a side.")
        return self.tagged

    def remember_roles(self, *, stable: str, candidate: str) -> None:
        self._asked("remember_roles")
        self.tagged = (stable, candidate)

    def _share(self, stable: str, candidate: str) -> float | None:
        weights = self.weights or {}
        first, second = weights.get(stable, 0), weights.get(candidate, 0)
        return 100 * second / (first + second) if first + second else None

    def _cause(self) -> str:
        if self.weights is None:
            return "the rule has no forward action"
        if not set(self.weights) <= set(self.slots):
            return "the rule forwards to a third group"
        if sum(self.weights.values()) == 0:
            return "all weights are 0, nobody is served"
        if self.stickiness_seconds > self.stickiness_seconds_max:
            return "customers stick to a group for too long"
        return ""
