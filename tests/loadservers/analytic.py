"""The truth of the open model: the latency that arrivals at all times find, stalls included, from the law alone.

A closed loop meets a stall with the few requests that it has in flight; customers keep coming. Averaged over the
moment u of arrival within a period, with service time s of distribution G and start v (u, or the stall's end if u
lies in the stall), a request is over by e = u + x when v + s <= e, or, if e lies in a stall, when v + s was before it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.loadservers.behaviour import Stall
from tests.loadservers.laws import Law

_MOMENTS = 4000
_HALVINGS = 60


@dataclass(frozen=True)
class OpenTruth:
    """What customers who arrive evenly over time wait for."""

    law: Law
    stall: Stall | None = None

    def share_within(self, milliseconds: float) -> float:
        """The share of arrivals that have their answer after so long."""
        if self.stall is None:
            return self.law.share_within(milliseconds)
        step = self.stall.period_seconds / _MOMENTS
        seconds = milliseconds / 1000.0
        return sum(self._within((index + 0.5) * step, seconds) for index in range(_MOMENTS)) / _MOMENTS

    def quantile(self, share: float) -> float:
        """The latency in milliseconds that this share of arrivals stays within, by bisection."""
        low, high = 0.0, 120_000.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.share_within(middle) >= share else (middle, high)
        return high

    def _within(self, arrival: float, seconds: float) -> float:
        """The probability that an arrival at this moment of a period has its answer `seconds` later."""
        stall = self.stall
        assert stall is not None
        length, period = stall.length_seconds, stall.period_seconds
        start = max(arrival, length)
        end = arrival + seconds
        number = end // period
        if end - number * period < length:
            end = number * period
        return self.law.share_within(1000.0 * (end - start)) if end > start else 0.0
