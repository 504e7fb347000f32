"""Does latency grow over the run? A leak does not cross a limit in a minute; it shows as a p95 that rises. Pure.

The first and the last third of a run at a steady rate are compared by their exact order statistics: the last third's
p95 has surely grown when its lower bound lies over the first third's upper bound by more than what is allowed, both in
percent and in milliseconds, and the middle third lies between. Requests of one moment are not independent of each
other, which such bounds take for granted; therefore every ninth of the last third must also be slower than every ninth
of the first. A burst is no growth: it does not fill a third.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.figures import P95, PARTS, Figures, Part
from loadtests.histogram import merged

# Each of the two bounds; the false alarm needs both to be wrong at once.
CONFIDENCE = 0.9995
# 148 requests are the fewest whose p95 has an upper bound at that confidence; below 200 CloudWatch, too, gives none.
REQUESTS_PER_THIRD_MIN = 200
_NINTHS = PARTS // 3  # in a third


@dataclass(frozen=True)
class Growth:
    """Milliseconds: the p95 of each third, and by how much the last has surely grown (0: not surely).

    `surely_percent` is relative to the first third's upper bound. A third whose p95 has no latency counts as infinite.
    """

    p95_milliseconds: tuple[float, ...]
    surely_milliseconds: float
    surely_percent: float


def growth_of(parts: Sequence[Part]) -> Growth | None:
    """The growth from the first to the last third; None where any third holds too few requests to tell."""
    if len(parts) != PARTS or not all(part.requests for part in parts):
        return None
    figures = [_figures(parts[start : start + _NINTHS]) for start in range(0, PARTS, _NINTHS)]
    if any(third.requests < REQUESTS_PER_THIRD_MIN for third in figures):
        return None
    ninths = [_or_infinite(_figures([part]).quantile_milliseconds(P95)) for part in parts]
    apart = max(ninths[:_NINTHS]) < min(ninths[-_NINTHS:])
    points = tuple(_or_infinite(one.quantile_milliseconds(P95)) for one in figures)
    _, first_high = figures[0].quantile_bounds(P95, CONFIDENCE)
    last_low, _ = figures[-1].quantile_bounds(P95, CONFIDENCE)
    first, last = _or_infinite(first_high), _or_infinite(last_low)
    if not apart or math.isinf(first) or not points[0] < points[1] < points[2] or last <= first:
        return Growth(points, 0.0, 0.0)
    return Growth(points, last - first, (last / first - 1) * 100)


def _figures(parts: Sequence[Part]) -> Figures:
    """The parts together, by their histograms alone: no limit is judged here."""
    lost = sum(part.lost for part in parts)
    counts = merged(part.counts for part in parts)
    return Figures(
        requests=lost + sum(counts.values()),
        failures=0,
        unfinished=lost,
        missed=0,
        at_or_over_limit=lost,
        limit_milliseconds=math.inf,
        maximum_milliseconds=math.inf,
        counts=counts,
    )


def _or_infinite(value: float | None) -> float:
    return math.inf if value is None else value
