"""Whether response times grew over a load run at the same traffic: a leak, which crosses no limit in a minute.

The p95 of the last third is held against that of the first, each by its order statistics: what it surely was, at least
and at most. Requests of one moment share their fate, which such bounds do not know; so every ninth of the last third
has to be slower than every ninth of the first as well, which one burst never is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from probes.load_histogram import merged
from probes.load_limits import Wanted
from probes.load_report import PARTS, LoadReport, Part
from rollout.bounds import lower_bound, upper_bound
from rollout.model import Observation, Verdict

_CONFIDENCE = 0.9995  # of each of the two bounds
_P95 = 0.95
_THIRD = PARTS // 3
_REQUESTS_MIN = 200  # of a third; fewer have no p95 that CloudWatch would tell either


@dataclass(frozen=True)
class _Span:
    """The p95 of some parts together, and the least and the most that it surely was; milliseconds."""

    p95: float
    least: float
    most: float


def growth(report: LoadReport, wanted: Wanted) -> Iterator[Observation]:
    """`load.growth`: FAIL where the sure growth of the p95 exceeds both limits, in milliseconds and in percent."""
    limit, percent = wanted.thresholds.p95_growth_milliseconds_max, wanted.thresholds.p95_growth_percent_max
    rule = f"growth of the p95 from the first third to the last, where it is over {percent:g} % too, <="
    question = wanted.question("growth", rule, limit=limit, unit="ms")
    parts = report.all.parts
    if len(parts) != PARTS or any(_requests(parts[i : i + _THIRD]) < _REQUESTS_MIN for i in range(0, PARTS, _THIRD)):
        yield question.no_data(f"fewer than {_REQUESTS_MIN} requests in a third of the run, or no thirds at all")
        return
    first, middle, last = (_span(parts[i : i + _THIRD]) for i in range(0, PARTS, _THIRD))
    ninths = [_span([part]).p95 for part in parts]
    apart = max(ninths[:_THIRD]) < min(ninths[-_THIRD:]) and first.p95 < middle.p95 < last.p95
    surely = max(0.0, last.least - first.most) if apart and math.isfinite(first.most) else 0.0
    verdict = Verdict.FAIL if surely > limit and 100 * surely > percent * first.most else Verdict.PASS
    said = f"surely grew by {surely:.0f} ms" if surely else "did not surely grow"
    thirds = ", ".join(f"{span.p95:.0f}" for span in (first, middle, last))
    message = f"the p95 {said}: {thirds} ms in the thirds of the run, limits {limit:g} ms and {percent:g} %"
    value = round(surely, 3) if math.isfinite(surely) else None
    yield question.answer(verdict, value, message=message, n=report.all.requests)


def _requests(parts: Sequence[Part]) -> int:
    return sum(part.histogram.total + part.untimed for part in parts)


def _span(parts: Sequence[Part]) -> _Span:
    """Ranks of the p95: so many values may lie at or over it that their share could be, or surely is, a twentieth."""
    whole, n = merged(part.histogram for part in parts), _requests(parts)
    untimed = sum(part.untimed for part in parts)
    if not n:
        return _Span(math.inf, 0.0, math.inf)
    few = _most(n, lambda k: upper_bound(k, n, _CONFIDENCE) < 1 - _P95)
    many = _most(n, lambda k: lower_bound(k, n, _CONFIDENCE) <= 1 - _P95)
    most = math.inf if few is None else whole.at_rank(n - few)
    least = 0.0 if many is None or many >= n else whole.at_rank(n - many)
    return _Span(whole.quantile_milliseconds(_P95, more=untimed), least, most)


def _most(n: int, holds: Callable[[int], bool]) -> int | None:
    """The greatest k of 0 to n for which a condition holds that holds below it, too; None where not even 0 does."""
    if not holds(0):
        return None
    low, high = 0, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
