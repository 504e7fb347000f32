"""Waiting for the world: a condition with a deadline, the one place of `probes` that sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Tries:
    """Iterates until `deadline_seconds` have passed: at least once, every `interval_seconds`, counted from the starts.

    `pause` and `monotonic` are arguments so that tests need no time.
    """

    deadline_seconds: float
    interval_seconds: float
    pause: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    started: float = field(init=False, default=0.0)

    def __iter__(self) -> Iterator[int]:
        self.started = self.monotonic()
        number = 0
        while True:
            yield number
            number += 1
            next_start = self.started + number * self.interval_seconds
            now = self.monotonic()
            if max(next_start, now) >= self.started + self.deadline_seconds:
                return
            if next_start > now:
                self.pause(next_start - now)

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the first try."""
        return self.monotonic() - self.started
