"""Datapoints in virtual time, with the delay at which CloudWatch shows a load balancer's metrics.

moto 5.2.5 keeps one list of all datapoints and walks it per query and period (44 s for 50,000 points at 1 s), never
forgets one, stamps them with the real clock, and ignores the namespace when dimensions are given.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.cloud.metric_statistics import Datum, compute_of, datum_of_set, datum_of_values
from sandbox.contracts import Clock

MINUTE_SECONDS = 60
RETENTION_SECONDS = 15 * 24 * 3600.0  # what CloudWatch keeps of one-minute datapoints
_DATA_PER_SERIES_MAX = 200_000
_PRUNE_EVERY = 256

Dimensions = tuple[tuple[str, str], ...]
SeriesKey = tuple[str, str, Dimensions]  # namespace, metric name, sorted dimensions
Points = dict[float, float]  # period start (virtual epoch seconds) -> value


class _Series:
    """Datapoints by time, and what was computed of them: an engine asks for the same closed minutes at every tick."""

    __slots__ = ("computed", "data", "inserted", "times", "unit")

    def __init__(self) -> None:
        self.times: list[float] = []
        self.data: list[Datum] = []
        self.unit: str | None = None
        self.inserted = 0
        self.computed: dict[tuple[int, str], dict[float, float | None]] = {}

    def insert(self, time: float, datum: Datum, *, oldest: float) -> None:
        index = len(self.times) if not self.times or time >= self.times[-1] else bisect_right(self.times, time)
        self.times.insert(index, time)
        self.data.insert(index, datum)
        self.inserted += 1
        for (period, _), values in self.computed.items():
            values.pop(aligned(time, period), None)
        if self.inserted % _PRUNE_EVERY == 0:
            cut = max(bisect_left(self.times, oldest), len(self.times) - _DATA_PER_SERIES_MAX)
            if cut > 0:
                del self.times[:cut], self.data[:cut]
                self.computed.clear()

    def points(self, start: float, end: float, *, period: int, statistic: str) -> Points:
        """The statistic per period of [start, end); `start` is the start of a period. Raises StatisticError."""
        compute = compute_of(statistic)
        # Longer periods begin wherever a query does, so that their values are those of one query only.
        known = self.computed.setdefault((period, statistic), {}) if period <= MINUTE_SECONDS else {}
        points: Points = {}
        low, size = bisect_left(self.times, start), bisect_left(self.times, end)
        while low < size:
            first = start + math.floor((self.times[low] - start) / period) * period
            high = bisect_left(self.times, first + period, low, size)
            whole = first + period <= end  # the last period may be cut short by the query's end
            if whole and first in known:
                value = known[first]
            else:
                counted = [datum for datum in self.data[low:high] if datum.count > 0]
                value = compute(counted) if counted else None
                if whole:
                    known[first] = value
            if value is not None:
                points[first] = value
            low = high
        return points


class MetricStore:
    """Thread-safe. `version` grows whenever a query could answer differently, so evaluators can skip work."""

    def __init__(self, clock: Clock, publish_delay_seconds: Callable[[], float]) -> None:
        self._clock = clock
        self._publish_delay_seconds = publish_delay_seconds
        self._lock = threading.Lock()
        self._series: dict[SeriesKey, _Series] = {}
        self._pending: list[tuple[float, int, SeriesKey, float, Datum, str | None]] = []
        self._order = itertools.count()
        self._version = 0

    def put(self, namespace: str, data: Sequence[Mapping[str, Any]], *, delayed: bool) -> None:
        """Store PutMetricData's MetricData (Timestamp: datetime or virtual epoch seconds, default now).

        `delayed` datapoints become visible when their minute has closed and the publish delay has passed.
        """
        now = self._clock.now()
        with self._lock:
            for row in data:
                time = _timestamp(row.get("Timestamp"), now)
                key = series_key(namespace, row["MetricName"], dimensions=row.get("Dimensions"))
                datum, unit = datum_of(row), row.get("Unit")
                if delayed:
                    closed = (math.floor(time / MINUTE_SECONDS) + 1) * MINUTE_SECONDS
                    heapq.heappush(self._pending, (closed, next(self._order), key, time, datum, unit))
                else:
                    self._insert(key, time, datum=datum, unit=unit)

    def forget(self, namespace: str, name: str, *, dimensions: Sequence[Mapping[str, str]]) -> None:
        """Remove a series whose datapoints were not delayed, as if nobody had ever put one."""
        with self._lock:
            if self._series.pop(series_key(namespace, name, dimensions=dimensions), None) is not None:
                self._version += 1

    def version(self) -> int:
        """Changes with every datapoint that becomes visible."""
        with self._lock:
            self._publish()
            return self._version

    def query(self, key: SeriesKey, *, start: float, end: float, period: int, statistic: str) -> Points:
        """The statistic per period of [start, end), keyed by the period's start.

        Periods are aligned: start is rounded down to the whole minute (to the period if that is shorter), as
        GetMetricData documents; moto aligns to an unrounded start. Raises StatisticError.
        """
        compute_of(statistic)  # an unknown one is an error for a series without data too
        with self._lock:
            self._publish()
            series = self._series.get(key)
            return series.points(aligned(start, period), end, period=period, statistic=statistic) if series else {}

    def series(self) -> Sequence[SeriesKey]:
        """Every series with a visible datapoint, sorted."""
        with self._lock:
            self._publish()
            return sorted(self._series)

    def unit(self, key: SeriesKey) -> str | None:
        """The unit its datapoints came with."""
        series = self._series.get(key)
        return series.unit if series else None

    def _publish(self) -> None:
        ready = self._clock.now() - self._publish_delay_seconds()
        while self._pending and self._pending[0][0] <= ready:
            _, _, key, time, datum, unit = heapq.heappop(self._pending)
            self._insert(key, time, datum=datum, unit=unit)

    def _insert(self, key: SeriesKey, time: float, *, datum: Datum, unit: str | None) -> None:
        series = self._series.setdefault(key, _Series())
        series.insert(time, datum, oldest=self._clock.now() - RETENTION_SECONDS)
        series.unit = unit or series.unit
        self._version += 1


def series_key(namespace: str, name: str, *, dimensions: Sequence[Mapping[str, str]] | None) -> SeriesKey:
    """The identity of a series: dimensions are a set."""
    return namespace, name, tuple(sorted((one["Name"], one["Value"]) for one in dimensions or ()))


def aligned(start: float, period: int) -> float:
    """Where the first period of a query begins."""
    unit = min(period, MINUTE_SECONDS)
    return math.floor(start / unit) * unit


def datum_of(row: Mapping[str, Any]) -> Datum:
    """The datum of one MetricDatum: Values with Counts, StatisticValues, or Value."""
    if row.get("Values"):
        values = row["Values"]
        return datum_of_values(values, row.get("Counts") or [1.0] * len(values))
    if row.get("StatisticValues"):
        given = row["StatisticValues"]
        return datum_of_set(
            count=float(given["SampleCount"]),
            total=float(given["Sum"]),
            low=float(given["Minimum"]),
            high=float(given["Maximum"]),
        )
    return datum_of_values([float(row.get("Value", 0.0))], [1.0])


def _timestamp(given: Any, now: float) -> float:
    if given is None:
        return now
    return float(given.timestamp()) if hasattr(given, "timestamp") else float(given)
