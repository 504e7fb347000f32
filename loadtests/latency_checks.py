"""Checks of what customers would have felt: latency, errors, growth. Pure.

A quantile passes only when it is under its limit and its upper confidence bound is, too; it fails when it reaches the
limit itself; between the two more requests decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from loadtests.checks import Check, Verdict, milliseconds, number
from loadtests.figures import P95, P99, Figures
from loadtests.growth import growth_of
from loadtests.histogram import rank_of
from loadtests.measurement import Measurement
from loadtests.thresholds import Thresholds
from rollout.bounds import lower_bound, upper_bound

# A rate at or over the limit of so many requests is no chance: 3,000 clean ones prove 0.1 % (contracts.md 8).
ERROR_REQUESTS_DECISIVE = 3000
# Every name is looked at, so each must be surer than the whole: seven at 95 % would fail a healthy run in three.
NAME_CONFIDENCE = 0.999


def latency_checks(measurement: Measurement, thresholds: Thresholds) -> Iterator[Check]:
    """Of all requests together and of each name."""
    everything = measurement.all
    sure = thresholds.confidence
    yield _quantile("p95", everything, P95, limit=thresholds.p95_milliseconds_max, confidence=sure)
    for name, figures in measurement.names.items():
        if figures.requests:
            limit = thresholds.limits(name).p95_milliseconds_max
            yield _quantile(f"p95 {name}", figures, P95, limit=limit, confidence=sure)
    yield _quantile("p99", everything, P99, limit=thresholds.p99_milliseconds_max, confidence=sure)
    yield _maximum("maximum", everything, thresholds.maximum_milliseconds_max)
    for name, figures in measurement.names.items():
        limits = thresholds.limits(name)
        if figures.requests and limits.p99_milliseconds_max != thresholds.p99_milliseconds_max:
            yield _quantile(f"p99 {name}", figures, P99, limit=limits.p99_milliseconds_max, confidence=sure)
        if figures.requests and limits.maximum_milliseconds_max != thresholds.maximum_milliseconds_max:
            yield _maximum(f"maximum {name}", figures, limits.maximum_milliseconds_max)
    yield _errors(everything, thresholds)
    yield from _errors_of_names(measurement, thresholds)
    yield from _growth(measurement, thresholds)


def _quantile(name: str, figures: Figures, quantile: float, *, limit: float, confidence: float) -> Check:
    n, share = figures.requests, 1 - quantile
    if not n:
        return _unseen(name, limit, unit="ms", rule=_rule(quantile, limit))
    reaching = figures.reaching(limit)
    allowed = n - rank_of(quantile, n)
    value = figures.quantile_milliseconds(quantile)
    low, high = figures.quantile_bounds(quantile, confidence)
    interval = f"[{_bound(low)}, {_bound(high)}] at {confidence * 100:g} %"
    seen = (
        f"{_title(name)} {milliseconds(value)} {interval}, limit under {number(limit)} ms,"
        f" {reaching} of n={n} at or over it, at most {allowed} may be"
    )
    if reaching > allowed:
        verdict, then = Verdict.FAIL, "See the slow names and moments in the report"
        if figures.lost:
            then = f"{figures.lost} of them never had an answer. {then}"
    elif upper_bound(reaching, n, confidence) < share:
        verdict, then = Verdict.PASS, "Nothing to do"
    else:
        verdict, then = Verdict.INCONCLUSIVE, "Too near to the limit for so few requests: run longer"
    return Check(
        name=name,
        verdict=verdict,
        value=value,
        limit=limit,
        unit="ms",
        rule=_rule(quantile, limit),
        n=n,
        message=f"{seen}. {then}.",
    )


def _rule(quantile: float, limit: float) -> str:
    return f"p{quantile * 100:g} and its upper confidence bound strictly under {number(limit)} ms"


def _title(name: str) -> str:
    """ "p95 GET /health" as it begins a sentence."""
    figure, _, what = name.partition(" ")
    return f"{figure} of {what or 'all requests'} is"


def _bound(value: float | None) -> str:
    return "?" if value is None else number(value)


def _unseen(name: str, limit: float, *, unit: str, rule: str) -> Check:
    message = f"{_title(name)} unknown: no request, limit {number(limit)} {unit}, n=0. See why nothing was sent."
    return Check(name=name, verdict=Verdict.FAIL, value=None, limit=limit, unit=unit, rule=rule, n=0, message=message)


def _maximum(name: str, figures: Figures, limit: float) -> Check:
    rule = f"the slowest answer strictly under {number(limit)} ms, and none missing"
    if not figures.requests:
        return _unseen(name, limit, unit="ms", rule=rule)
    answered = figures.requests > figures.lost
    value = figures.maximum_milliseconds if answered else None
    seen = f"{_title(name)} {milliseconds(value)}, limit under {number(limit)} ms, n={figures.requests}"
    good = value is not None and value < limit and not figures.lost
    missing = f"; {figures.lost} had no answer at all" if figures.lost else ""
    return Check(
        name=name,
        verdict=Verdict.PASS if good else Verdict.FAIL,
        value=value,
        limit=limit,
        unit="ms",
        rule=rule,
        n=figures.requests,
        message=f"{seen}{missing}. {'Nothing to do' if good else 'See its moment in the series'}.",
    )


def _errors(figures: Figures, thresholds: Thresholds) -> Check:
    limit, n, k = thresholds.error_rate_percent_max, figures.requests, figures.failures
    rule = f"error rate and its upper confidence bound strictly under {number(limit)} %"
    if not n:
        return _unseen("errors", limit, unit="%", rule=rule)
    rate, low, high = _rate_percent(k, n, confidence=thresholds.confidence)
    reached = k * 100 >= limit * n
    seen = (
        f"errors are {number(rate)} % [{low:.3g}, {high:.3g}] at {thresholds.confidence * 100:g} %,"
        f" limit under {number(limit)} %, {k} of n={n}"
    )
    if low > limit or (reached and n >= ERROR_REQUESTS_DECISIVE):
        verdict, then = Verdict.FAIL, "See the errors grouped in the report"
    elif high < limit:
        verdict, then = Verdict.PASS, "Nothing to do"
    else:
        verdict, then = (
            Verdict.INCONCLUSIVE,
            f"Too few requests to tell: {_proof(k, limit, confidence=thresholds.confidence)}",
        )
    return Check(
        name="errors",
        verdict=verdict,
        value=rate,
        limit=limit,
        unit="%",
        rule=rule,
        n=n,
        message=f"{seen}. {then}.",
    )


def _rate_percent(k: int, n: int, *, confidence: float) -> tuple[float, float, float]:
    return 100 * k / n, 100 * lower_bound(k, n, confidence), 100 * upper_bound(k, n, confidence)


def _proof(k: int, limit_percent: float, *, confidence: float) -> str:
    """How many requests would prove the limit with as many errors."""
    share, n = limit_percent / 100, max(k, 1)
    if share >= 1:
        return "run longer"
    while upper_bound(k, n, confidence) >= share:
        n *= 2
    low, high = n // 2, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if middle > k and upper_bound(k, middle, confidence) < share else (middle, high)
    return f"{high} with {k} errors would prove it, so run longer"


def _errors_of_names(measurement: Measurement, thresholds: Thresholds) -> Iterator[Check]:
    """Only those that surely break the limit: a name has too few requests to prove that it holds it."""
    limit = thresholds.error_rate_percent_max
    for name, figures in measurement.names.items():
        if not figures.requests:
            continue
        rate, low, _ = _rate_percent(figures.failures, figures.requests, confidence=NAME_CONFIDENCE)
        if low <= limit:
            continue
        seen = f"errors of {name} are {number(rate)} %, surely over {low:.3g} %, limit under {number(limit)} %"
        yield Check(
            name=f"errors {name}",
            verdict=Verdict.FAIL,
            value=rate,
            limit=limit,
            unit="%",
            rule=f"lower bound at {NAME_CONFIDENCE * 100:g} % at most the limit of the error rate",
            n=figures.requests,
            message=f"{seen}, {figures.failures} of n={figures.requests}. See its errors in the report.",
        )


def _growth(measurement: Measurement, thresholds: Thresholds) -> Iterator[Check]:
    """Of all requests in any case; of a name where its thirds hold enough to tell."""
    yield _grown("growth", measurement.all, steady=measurement.rate.steady, thresholds=thresholds)
    for name, figures in measurement.names.items():
        if measurement.rate.steady and growth_of(figures.parts):
            yield _grown(f"growth {name}", figures, steady=True, thresholds=thresholds)


def _grown(name: str, figures: Figures, *, steady: bool, thresholds: Thresholds) -> Check:
    percent, least = thresholds.p95_growth_percent_max, thresholds.p95_growth_milliseconds_max
    growth = growth_of(figures.parts)
    value = growth.surely_percent if growth and math.isfinite(growth.surely_percent) else None
    if not steady:
        verdict, said = Verdict.NOT_APPLICABLE, "the rate was not steady, so latency may change with it"
    elif growth is None:
        verdict, said = Verdict.INCONCLUSIVE, "too few requests in a third of the run to compare. Run longer"
    else:
        shown = ", ".join(number(one) if math.isfinite(one) else "without an answer" for one in growth.p95_milliseconds)
        grown = growth.surely_percent > percent and growth.surely_milliseconds > least
        verdict = Verdict.FAIL if grown else Verdict.PASS
        then = "Look for what piles up: memory, connections, rows" if grown else "Nothing to do"
        said = f"p95 by thirds {shown} ms, surely {growth.surely_percent:.3g} % more at the end. {then}"
    what = name.partition(" ")[2] or "all requests"
    return Check(
        name=name,
        verdict=verdict,
        value=value,
        limit=percent,
        unit="%",
        rule=f"p95 of the last third surely at most {number(percent)} % or {number(least)} ms over that of the first",
        n=figures.requests,
        message=f"growth of {what}: {said}; limit {number(percent)} %, n={figures.requests}.",
    )
