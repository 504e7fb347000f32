"""The figures of one name of request, and what they tell about a quantile: exact counts, exact binomial bounds.

A quantile is under a limit exactly when few enough requests reach the limit: p95 < L <=> #(latency >= L) <=
n - ceil(0.95 n). A request without a latency (unfinished, missed) reaches every limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.histogram import Counts, at_or_over, microseconds, rank_of, value_at_rank
from loadtests.tally import Slice, Tally, total
from rollout.bounds import lower_bound, upper_bound

PARTS = 9  # of the measured time, three in each third: they tell whether latency grows
P95, P99 = 0.95, 0.99


@dataclass(frozen=True)
class Part:
    """A ninth of the measured time: `lost` are the requests without a latency."""

    lost: int
    counts: Counts

    @property
    def requests(self) -> int:
        return self.lost + sum(self.counts.values())


@dataclass(frozen=True)
class Figures:
    """What was measured of one name, or of all.

    `requests` are all that were wanted; `failures` and `at_or_over_limit` hold the unfinished and the missed ones too.
    """

    requests: int
    failures: int
    unfinished: int
    missed: int
    at_or_over_limit: int
    limit_milliseconds: float
    maximum_milliseconds: float
    counts: Counts
    parts: Sequence[Part] = ()

    @property
    def lost(self) -> int:
        """Requests without a latency."""
        return self.unfinished + self.missed

    def reaching(self, limit_milliseconds: float) -> int:
        """Requests at or over a limit: exact for the p95 limit, else the whole bucket of the limit counts.

        A bucket is at most a thousandth of its value wide, so this errs on the side of reaching, by that much.
        """
        if limit_milliseconds == self.limit_milliseconds:
            return self.at_or_over_limit
        return at_or_over(self.counts, microseconds(limit_milliseconds / 1000))[1] + self.lost

    def quantile_milliseconds(self, quantile: float) -> float | None:
        """The quantile among all requests; None without requests, or where it falls on one without a latency.

        Three significant digits, but on the right side of the p95 limit in any case.
        """
        return self.at_rank(rank_of(quantile, self.requests)) if self.requests else None

    def at_rank(self, rank: int) -> float | None:
        """Milliseconds of the value of this rank, 1 to n; None where it has no latency."""
        value = value_at_rank(self.counts, rank)
        if value is None:
            return None
        shown = min(value / 1000, self.maximum_milliseconds)
        if self.requests - rank >= self.at_or_over_limit:
            # So many lie above that this one is under the limit, wherever its bucket ends.
            return min(shown, self.limit_milliseconds - 0.001)
        return max(shown, self.limit_milliseconds)

    def quantile_bounds(self, quantile: float, confidence: float) -> tuple[float | None, float | None]:
        """One-sided lower and upper confidence bounds of a quantile in milliseconds, each at `confidence`.

        Order statistics: the quantile is under x unless so many values reach x that a share of 1 - quantile could
        (Clopper and Pearson 1934). None where too few requests bound it on that side.
        """
        n = self.requests
        if not n:
            return None, None
        over_max = most_surely_under(n, 1 - quantile, confidence)
        over_min = least_surely_over(n, 1 - quantile, confidence)
        high = None if over_max is None else self.at_rank(n - over_max)
        low = None if over_min is None else self.at_rank(n - over_min + 1)
        return low, high


def most_surely_under(n: int, share: float, confidence: float) -> int | None:
    """The greatest k of n whose upper bound is under the share; None where not even 0 is."""
    if upper_bound(0, n, confidence) >= share:
        return None
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if upper_bound(middle, n, confidence) < share else (low, middle)
    return low


def least_surely_over(n: int, share: float, confidence: float) -> int | None:
    """The least k of n whose lower bound is over the share; None where not even n is."""
    if lower_bound(n, n, confidence) <= share:
        return None
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if lower_bound(middle, n, confidence) > share else (middle, high)
    return high


def figures_of(tally: Tally, slices: Sequence[Slice], *, limit_milliseconds: float, common: bool = False) -> Figures:
    """The figures of a tally; `common` takes the count against the run's own limit instead of the name's."""
    reached = tally.at_or_over_common_limit if common else tally.at_or_over_limit
    return Figures(
        requests=tally.requests,
        failures=tally.failures + tally.lost,
        unfinished=tally.unfinished,
        missed=tally.missed,
        at_or_over_limit=reached + tally.lost,
        limit_milliseconds=limit_milliseconds,
        maximum_milliseconds=tally.maximum_seconds * 1000,
        counts=tally.counts,
        parts=parts_of(slices),
    )


def parts_of(slices: Sequence[Slice]) -> tuple[Part, ...]:
    """The measured slices in ninths of nearly equal time; nothing where there are fewer slices than ninths."""
    measured = [one for one in slices if one.start_seconds >= 0]
    if not measured:
        return ()
    places = [round(one.start_seconds / one.seconds) for one in measured]
    count = places[-1] + 1
    if count < PARTS:
        return ()
    tallies: list[list[Tally]] = [[] for _ in range(PARTS)]
    for place, one in zip(places, measured, strict=True):
        tallies[place * PARTS // count].append(one.tally)
    return tuple(Part(lost=whole.lost, counts=whole.counts) for whole in map(total, tallies))
