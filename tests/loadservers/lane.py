"""One port of a known server and what it truly did there: arrivals and answers, each to the microsecond."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from tests.loadservers.behaviour import Behaviour, Percentiles
from tests.loadservers.laws import law_of
from tests.loadservers.planned import ANSWER, HANG, endless, fates, latencies

LIMITS_MILLISECONDS = (200.0, 500.0, 1000.0)


class Lane:
    """The plan of one port, so that several clients may be served at the same time and each finds the exact law."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self._law = law_of(behaviour.law)
        self.at_once = behaviour.law == "constant:0" and behaviour.stall is None
        self.reset()

    def reset(self) -> None:
        """Begin the plan anew and forget what was."""
        self._latencies = endless(latencies(self._law, self.behaviour.seed))
        self._fates = fates(self.behaviour)
        self.requests = 0
        self.hung = 0
        self.errors = 0
        self.first_at = 0.0
        self.arrivals = array("d")
        self.taken = array("d")
        self.planned = array("d")

    def fate(self, arrived: float) -> int:
        """Count a request that arrived at this moment (seconds since the server's start); ANSWER, HANG or ERROR."""
        if not self.requests:
            self.first_at = arrived
        fate = self._fates[self.requests % len(self._fates)]
        self.requests += 1
        if fate != ANSWER:
            self.hung += fate == HANG
            self.errors += fate != HANG
        return fate

    def due(self, arrived: float) -> float:
        """When the request that arrived at this moment is to be answered."""
        behaviour = self.behaviour
        milliseconds = next(self._latencies) + behaviour.leak_milliseconds_per_second * (arrived - self.first_at)
        if behaviour.stall is None:
            return arrived + milliseconds / 1000.0
        return behaviour.stall.end_if_within(behaviour.stall.end_if_within(arrived) + milliseconds / 1000.0)

    def answered(self, arrived: float, due: float, now: float) -> None:
        """Note that an answer left now."""
        self.arrivals.append(arrived)
        self.taken.append(now - arrived)
        self.planned.append(due - arrived)

    def truth(self, *, skip_seconds: float = 0.0) -> dict[str, object]:
        """Counts, and percentiles of what was done and planned for arrivals at least so long after the first."""
        start = self.first_at + skip_seconds
        chosen = [index for index, arrived in enumerate(self.arrivals) if arrived >= start]
        return {
            "requests": self.requests,
            "hung": self.hung,
            "errors": self.errors,
            "seconds": max(self.arrivals, default=0.0) - self.first_at,
            "taken": vars(percentiles([self.taken[index] for index in chosen])),
            "planned": vars(percentiles([self.planned[index] for index in chosen])),
        }


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """Exact percentiles of latencies in seconds, by nearest rank; NaN of none."""
    ordered = sorted(seconds)
    n = len(ordered)
    if not n:
        return Percentiles(0, math.nan, math.nan, math.nan, math.nan)
    p50, p95, p99 = (1000.0 * ordered[math.ceil(share * n) - 1] for share in (0.5, 0.95, 0.99))
    over = {f"{limit:g}": sum(1000.0 * value >= limit for value in ordered) for limit in LIMITS_MILLISECONDS}
    return Percentiles(n, p50, p95, p99, 1000.0 * ordered[-1], over)
