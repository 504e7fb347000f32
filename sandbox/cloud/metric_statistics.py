"""CloudWatch statistics over stored values: exact, weighted by counts.

moto 5.2.5 knows Sum, Average, Minimum, Maximum and SampleCount only; a percentile makes its server answer 500.
Definitions: CloudWatch user guide, "CloudWatch statistics definitions". Lower bounds of TC, TS, TM and PR are
exclusive, upper bounds inclusive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

_PERCENTILE = re.compile(r"^p(?P<percent>\d{1,2}(?:\.\d{1,10})?|100)$")
_SHORT_TRIM = re.compile(r"^(?P<kind>tm|tc|ts)(?P<percent>\d{1,2}(?:\.\d{1,10})?|100)$")
_RANGE = re.compile(r"^(?P<kind>TM|TC|TS|PR)\((?P<low>[^:()]*):(?P<high>[^:()]*)\)$")
_BOUND = re.compile(r"^(?P<number>\d+(?:\.\d+)?)(?P<percent>%?)$")
_EPSILON = 1e-9


class StatisticError(ValueError):
    """A statistic that CloudWatch (or this emulation of it) does not know."""


@dataclass(frozen=True, slots=True)
class Datum:
    """One stored datapoint: values with counts, or a statistic set (then `values` is empty)."""

    values: tuple[float, ...]
    counts: tuple[float, ...]
    count: float
    total: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bound:
    """An end of a trimmed range: a value, or a percentage of the samples."""

    number: float
    is_percent: bool


Compute = Callable[[Sequence[Datum]], float | None]


def datum_of_values(values: Sequence[float], counts: Sequence[float]) -> Datum:
    """A datum of raw values; `counts` weighs them one by one."""
    pairs = [(float(value), float(count)) for value, count in zip(values, counts, strict=True) if count > 0]
    kept, weights = tuple(value for value, _ in pairs), tuple(count for _, count in pairs)
    total = sum(value * count for value, count in pairs)
    low, high = (min(kept), max(kept)) if kept else (0.0, 0.0)
    return Datum(kept, weights, sum(weights), total, low, high)


def datum_of_set(*, count: float, total: float, low: float, high: float) -> Datum:
    """A datum of a statistic set; it answers percentiles only if all its samples are equal, as CloudWatch says."""
    if count > 0 and low == high:
        return Datum((low,), (count,), count, total, low, high)
    return Datum((), (), count, total, low, high)


@lru_cache(maxsize=256)
def compute_of(statistic: str) -> Compute:
    """The function that computes `statistic` over one period's data. Raises StatisticError for an unknown one."""
    if statistic in _SIMPLE:
        return _SIMPLE[statistic]
    if found := _PERCENTILE.match(statistic):
        share = float(found["percent"]) / 100
        return lambda data: _percentile(_sorted_samples(data), share)
    if found := _SHORT_TRIM.match(statistic):
        return _trimmed(found["kind"].upper(), Bound(0, True), high=Bound(float(found["percent"]), True))
    if statistic == "IQM":
        return _trimmed("TM", Bound(25, True), high=Bound(75, True))
    if found := _RANGE.match(statistic):
        return _trimmed(found["kind"], _bound(found["low"], statistic), high=_bound(found["high"], statistic))
    raise StatisticError(f"The value {statistic} for parameter Stat is not supported")


def _count(data: Sequence[Datum]) -> float:
    return sum(datum.count for datum in data)


def _sum(data: Sequence[Datum]) -> float:
    return sum(datum.total for datum in data)


_SIMPLE: dict[str, Compute] = {
    "Sum": _sum,
    "SampleCount": _count,
    "Average": lambda data: _sum(data) / _count(data),
    "Minimum": lambda data: min(datum.low for datum in data),
    "Maximum": lambda data: max(datum.high for datum in data),
}


def _sorted_samples(data: Sequence[Datum]) -> list[tuple[float, float]]:
    """Every distinct value with its count, ascending; empty if a statistic set hides some of the values."""
    weights: dict[float, float] = {}
    for datum in data:
        if not datum.values:
            return []
        if len(datum.values) == 1:  # the usual case of 100,000 datapoints
            value = datum.values[0]
            weights[value] = weights.get(value, 0.0) + datum.count
            continue
        for value, count in zip(datum.values, datum.counts, strict=True):
            weights[value] = weights.get(value, 0.0) + count
    return [(value, weights[value]) for value in sorted(weights)]


def _percentile(samples: Sequence[tuple[float, float]], share: float) -> float | None:
    """The smallest value that at least `share` of all samples do not exceed."""
    if not samples:
        return None
    wanted = share * sum(count for _, count in samples) - _EPSILON
    reached = 0.0
    for value, count in samples:
        reached += count
        if reached >= wanted and reached > 0:
            return value
    return samples[-1][0]


def _bound(text: str, statistic: str) -> Bound | None:
    if not text.strip():
        return None
    found = _BOUND.match(text.strip())
    if found is None:
        raise StatisticError(f"The value {statistic} for parameter Stat is not supported: bound {text!r}")
    return Bound(float(found["number"]), bool(found["percent"]))


def _trimmed(kind: str, low: Bound | None, *, high: Bound | None) -> Compute:
    def compute(data: Sequence[Datum]) -> float | None:
        samples = _sorted_samples(data)
        if not samples:
            return None
        inside = _inside(samples, low, high=high)
        number = sum(count for _, count in inside)
        if kind == "TC":
            return number
        if kind == "PR":
            return 100 * number / sum(count for _, count in samples)
        total = sum(value * count for value, count in inside)
        if kind == "TS":
            return total
        return total / number if number else None

    return compute


def _inside(
    samples: Sequence[tuple[float, float]], low: Bound | None, *, high: Bound | None
) -> list[tuple[float, float]]:
    """Samples above `low` and up to `high`; a percentage bound may cut through the samples of one value."""
    everything = sum(count for _, count in samples)
    kept: list[tuple[float, float]] = []
    before = 0.0
    for value, count in samples:
        first, last = before, before + count
        before = last
        if low is not None:
            if low.is_percent:
                first = max(first, everything * low.number / 100)
            elif value <= low.number:
                continue
        if high is not None:
            if high.is_percent:
                last = min(last, everything * high.number / 100)
            elif value > high.number:
                continue
        if last > first:
            kept.append((value, last - first))
    return kept
