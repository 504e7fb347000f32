"""A clock that moves when it is told to, or when somebody waits."""

from __future__ import annotations


class FakeClock:
    """Satisfies `ports.Clock`. `factor` is virtual seconds per real second waited; wall and monotonic differ by a
    constant, so that code that mixes them up shows."""

    def __init__(self, wall: float = 1_800_000_000.0, *, monotonic: float = 5_000.0, factor: float = 1.0) -> None:
        self._wall, self._monotonic, self.factor = wall, monotonic, factor
        self.waited_real_seconds = 0.0

    def wall(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    def wait(self, real_seconds: float) -> None:
        self.waited_real_seconds += real_seconds
        self.advance(real_seconds * self.factor)

    def advance(self, seconds: float) -> None:
        assert seconds >= 0, "time does not run backwards"
        self._wall += seconds
        self._monotonic += seconds
