"""Counters of requests, summed over seconds and workers, and a series over time that never outgrows its bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loadtests.histogram import Counts, add, value_at_rank


@dataclass
class Tally:
    """Sums of counters; `counts` is the histogram of all that was answered, failed answers included.

    `at_or_over_limit` counts answered latencies against the limit of their name, `at_or_over_common_limit` against the
    limit of the run, exactly; unfinished and missed requests are in neither.
    """

    started: int = 0
    ended: int = 0
    failures: int = 0
    missed: int = 0
    at_or_over_limit: int = 0
    at_or_over_common_limit: int = 0
    maximum_seconds: float = 0.0
    counts: dict[int, int] = field(default_factory=dict)

    @property
    def unfinished(self) -> int:
        """Sent, and neither answered nor failed yet; at the end of a run: bad in every respect."""
        return self.started - self.ended

    @property
    def requests(self) -> int:
        """All that were wanted: sent, and those that could not be."""
        return self.started + self.missed

    @property
    def lost(self) -> int:
        """Those without a latency: over every limit, and failed."""
        return self.unfinished + self.missed

    def quantile_microseconds(self, rank: int) -> int | None:
        """The value of this rank among all requests; None where that is one without a latency."""
        return value_at_rank(self.counts, rank)

    def add(self, other: Tally) -> None:
        """Add the other's counters to these."""
        self.started += other.started
        self.ended += other.ended
        self.failures += other.failures
        self.missed += other.missed
        self.at_or_over_limit += other.at_or_over_limit
        self.at_or_over_common_limit += other.at_or_over_common_limit
        self.maximum_seconds = max(self.maximum_seconds, other.maximum_seconds)
        add(self.counts, other.counts)


def total(tallies: Sequence[Tally]) -> Tally:
    """The sum, a new one."""
    result = Tally()
    for tally in tallies:
        result.add(tally)
    return result


@dataclass(frozen=True)
class Slice:
    """What was intended within [start_seconds, start_seconds + seconds) of the measured time (negative: warm-up)."""

    start_seconds: float
    seconds: float
    tally: Tally


class Timeline:
    """Tallies by time. Past `slices_max` of them neighbours are joined in pairs, so that an hour costs as a minute."""

    def __init__(self, slices_max: int, interval_seconds: float) -> None:
        assert slices_max >= 2
        self._slices_max = slices_max
        self._interval_seconds = interval_seconds
        self._width = 1
        self._tallies: dict[int, Tally] = {}

    def add(self, interval: int, tally: Tally) -> None:
        """Add what happened in this interval; intervals may come in any order."""
        self._tallies.setdefault(interval // self._width, Tally()).add(tally)
        while len(self._tallies) > self._slices_max:
            self._join()

    def _join(self) -> None:
        self._width *= 2
        joined: dict[int, Tally] = {}
        for interval, tally in self._tallies.items():
            # Rounding down keeps the sign: warm-up and measured time never share a slice.
            joined.setdefault(interval // 2, Tally()).add(tally)
        self._tallies = joined

    def slices(self) -> tuple[Slice, ...]:
        """By time, copies, gaps left out."""
        seconds = self._width * self._interval_seconds
        return tuple(Slice(key * seconds, seconds, total([self._tallies[key]])) for key in sorted(self._tallies))


@dataclass(frozen=True)
class Recording:
    """All that was recorded by all workers, exactly; the measured time only, unless it is said.

    Attributes:
        names: by name of request.
        warm_up: all names, what was intended before the measured time.
        series: all names over time, warm-up included (negative seconds).
        series_by_name: likewise for each name, coarser.
        lateness: histogram of the dispatcher's own lateness, one count per arrival.
        errors: (name, kind of error) and how often.
        problems: sentences that name a worker; with any of them the run proves nothing.
        ended: workers whose final parcel arrived.
    """

    names: Mapping[str, Tally]
    warm_up: Tally
    series: Sequence[Slice]
    series_by_name: Mapping[str, Sequence[Slice]]
    lateness: Counts
    lateness_max_seconds: float
    errors: Mapping[tuple[str, str], int]
    workers: Sequence[str]
    ended: Sequence[str]
    problems: Sequence[str]
    warm_up_seconds: float
