"""What the histograms of a load run say about the requests themselves: how long they took, how many failed.

A response time under a limit is decided by counting: p95 < L exactly where at most n - ceil(0.95 n) requests took L or
longer, and it is shown where the upper confidence bound of that share is under 5 % (Clopper and Pearson; the order
statistics of a binomial). Shown wrong is FAIL, not yet shown right is LOW_SAMPLE.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from probes.load_limits import Wanted
from probes.load_report import Kind, LoadReport
from rollout.bounds import lower_bound, upper_bound
from rollout.model import Observation, Verdict

P95 = 0.95
_POINT_RULE_MIN = 3000  # from here on a rate at its limit is one, as in the gates of a rollout


def p95(report: LoadReport, wanted: Wanted) -> Iterator[Observation]:
    limits = wanted.thresholds
    yield response_time(report.all, limits.p95_milliseconds_max, wanted)
    for name, kind in sorted(report.kinds.items()):
        yield response_time(kind, limits.p95_limit(name), wanted)


def response_time(kind: Kind, limit: float, wanted: Wanted) -> Observation:
    """`load.p95 NAME`: whether the p95 of these requests is under `limit` milliseconds, strictly."""
    question = wanted.question(f"p95 {kind.name}", "p95 of the response times <", limit=limit, unit="ms")
    n, slow = kind.requests, _over(kind, limit)
    if n == 0:
        return question.no_data(f"no request of {kind.name}")
    p95 = kind.histogram.quantile_milliseconds(P95, more=kind.untimed)
    high = upper_bound(slow, n, wanted.thresholds.confidence)
    allowed = n - math.ceil(P95 * n - 1e-9)
    if slow > allowed:
        verdict, how = Verdict.FAIL, f"at most {allowed} of them may"
    elif high < 1 - P95:
        verdict, how = Verdict.PASS, f"shown: at most {100 * high:.2f} % do"
    else:
        verdict, how = Verdict.LOW_SAMPLE, f"up to {100 * high:.2f} % could: a longer run is needed"
    message = f"p95 of {kind.name} {p95:.1f} ms, limit {limit:.1f} ms, n={n}: {slow} took as long or longer, {how}"
    return question.answer(verdict, _finite(p95), message=message, n=n)


def _over(kind: Kind, limit: float) -> int:
    """How many requests took `limit` or longer: counted exactly where the run had the same limit, else at most."""
    if kind.limit_milliseconds == limit:
        return kind.at_or_over_limit
    return kind.histogram.at_or_over(limit)[1] + kind.untimed


def _finite(value: float) -> float | None:
    """JSON has no infinity: a request that never ended has no time."""
    return value if math.isfinite(value) else None


def tail(report: LoadReport, wanted: Wanted) -> Iterator[Observation]:
    """Rarer stalls than the p95 can see."""
    limits = wanted.thresholds
    for name, share, limit in (
        ("p99", 0.99, limits.p99_milliseconds_max),
        ("maximum", 1.0, limits.maximum_milliseconds_max),
    ):
        question = wanted.question(name, f"{name} of the response times <", limit=limit, unit="ms")
        n = report.all.requests
        if n == 0:
            yield question.no_data("no request at all")
            continue
        value = report.all.histogram.quantile_milliseconds(share, more=report.all.untimed)
        verdict = Verdict.PASS if value < limit else Verdict.FAIL
        message = f"{name} {value:.1f} ms, limit {limit:g} ms, n={n}"
        yield question.answer(verdict, _finite(value), message=message, n=n)


# ------------------------------------------------------------------------------------------------ errors, counts


def errors(report: LoadReport, wanted: Wanted) -> Iterator[Observation]:
    limit, confidence = wanted.thresholds.error_rate_percent_max, wanted.thresholds.confidence
    question = wanted.question("errors", "failed requests <", limit=limit, unit="%")
    n, k = report.all.requests, report.all.failures
    if n == 0:
        yield question.no_data("no request at all")
        return
    low, high = 100 * lower_bound(k, n, confidence), 100 * upper_bound(k, n, confidence)
    if low > limit or (n >= _POINT_RULE_MIN and 100 * k >= limit * n):
        verdict = Verdict.FAIL
    else:
        verdict = Verdict.PASS if high < limit else Verdict.LOW_SAMPLE
    message = f"{k} of {n} failed, bounds {low:.3f} to {high:.3f} %, limit {limit:g} %"
    yield question.answer(verdict, 100 * k / n, message=message, n=n)


def samples(report: LoadReport, wanted: Wanted) -> Iterator[Observation]:
    limits = wanted.thresholds
    question = wanted.question("samples", "requests in all, and of each kind, at least", limit=limits.requests_min)
    few = [f"{k.name} {k.requests}" for k in report.kinds.values() if k.requests < limits.requests_per_name_min]
    n = report.all.requests
    if n == 0 or not report.kinds:
        yield question.no_data("no request at all")
    elif n < limits.requests_min or few:
        short = f"; fewer than {limits.requests_per_name_min} of {', '.join(few)}" if few else ""
        yield question.answer(Verdict.LOW_SAMPLE, n, message=f"{n} requests, {limits.requests_min} needed{short}", n=n)
    else:
        yield question.passed(n, f"{n} requests of {len(report.kinds)} kinds", n=n)
