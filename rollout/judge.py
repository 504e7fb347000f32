"""Gates: whether what a bake showed lets a stage grow. Pure: samples and limits in, verdicts with sentences out.

A gate may FAIL on partial data; it passes only on complete, settled, sufficient data. Limits are strict: a value
equal to its limit fails. Rules: contracts, "Judging, exactly".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from rollout.bounds import lower_bound, upper_bound
from rollout.completeness import unseen_minutes
from rollout.model import MINUTE_SECONDS, Gates, Observation, Verdict
from rollout.seen import BalancerMinute, Metrics, SideMinute
from rollout.trend import sure_slope

_SOURCE = "CloudWatch"
# Worst first: what stands in the way of a PASS, by how much it says.
_ORDER = (Verdict.FAIL, Verdict.SOURCE_ERROR, Verdict.NO_DATA, Verdict.LOW_SAMPLE, Verdict.PASS)
# 4.5 standard deviations, two-sided: a correct share is refused less than once in 100,000 bakes.
_SHARE_DEVIATIONS = 4.5


@dataclass(frozen=True, kw_only=True)
class BakeWindow:
    """Which minutes a gate reads: the bake's, and all settled ones since the first shift; and what comes next."""

    first: float
    last: float  # start of the last minute of the bake
    since_first_shift: float
    share_percent: int
    next_share_percent: int
    remaining_seconds: float
    now: float
    idle_cpu_percent: float = 0.0
    expected_requests_for_silence: float = 7.0

    @property
    def proving(self) -> bool:
        """The gate before all customers has to prove the error limit, the earlier ones only not to refute it."""
        return self.next_share_percent == 100

    @property
    def minutes(self) -> int:
        return round((self.last - self.first) / MINUTE_SECONDS) + 1


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of several; NO_DATA of none."""
    present = set(verdicts)
    return next((verdict for verdict in _ORDER if verdict in present), Verdict.NO_DATA)


def between(minutes: Sequence[SideMinute], first: float, last: float) -> list[SideMinute]:
    return [minute for minute in minutes if first <= minute.start <= last]


def judge_gates(metrics: Metrics, limits: Gates, window: BakeWindow) -> tuple[Observation, ...]:
    """All gates of a bake, one observation each; a source that did not answer makes each SOURCE_ERROR."""
    if metrics.error is not None:
        names = ("GATE-01", "GATE-02", "GATE-03", "GATE-04", "SHARE", "BALANCER")
        return tuple(_seen(window, name, None, Verdict.SOURCE_ERROR, metrics.error) for name in names)
    return (
        error_gate(metrics, limits, window),
        latency_gate(metrics, limits, window),
        cpu_gate(metrics, limits, window),
        memory_gate(metrics, limits, window),
        share_check(metrics, window),
        balancer_check(metrics, limits, window),
    )


def error_gate(metrics: Metrics, limits: Gates, window: BakeWindow) -> Observation:
    """GATE-01 over all settled minutes since the first shift, the bake's own requests as the minimum."""
    settled = between(metrics.candidate, window.since_first_shift, window.last)
    baked = between(metrics.candidate, window.first, window.last)
    n = sum(m.requests or 0 for m in settled)
    k = sum(m.failures for m in settled)
    n_bake = sum(m.requests or 0 for m in baked)
    judged = judge_error_rate(k, n, n_bake, limits, window)
    unseen = _unseen(metrics, window)
    if unseen and judged.verdict is not Verdict.FAIL:  # what was seen may suffice to fail, never to pass
        return _seen(window, "GATE-01", None, Verdict.NO_DATA, f"{unseen} minutes of the bake without any datapoint")
    return judged


def _unseen(metrics: Metrics, window: BakeWindow, *, stable: bool = False) -> int:
    side, share = (metrics.stable, 100 - window.share_percent) if stable else (metrics.candidate, window.share_percent)
    per_request = share / 100 / window.expected_requests_for_silence
    return unseen_minutes(side, metrics.balancer, first=window.first, last=window.last, silence_share=per_request)


def judge_error_rate(k: int, n: int, n_bake: int, limits: Gates, window: BakeWindow) -> Observation:
    """k failures of n requests since the first shift, n_bake of them in this bake (contracts, error gate)."""
    limit = limits.error_rate_percent_max / 100
    if n == 0:
        return _seen(window, "GATE-01", None, Verdict.LOW_SAMPLE, "no request reached the candidate", n=0)
    low, high = lower_bound(k, n, limits.confidence), upper_bound(k, n, limits.confidence)
    if low > limit:
        verdict, which = Verdict.FAIL, "decided by the lower bound"
    elif n >= limits.requests_point_rule_min and k >= limit * n - 1e-12:
        verdict, which = Verdict.FAIL, "decided by the point value"
    elif window.proving:
        verdict = Verdict.PASS if high < limit else Verdict.LOW_SAMPLE
        which = "decided by the upper bound"
    else:
        verdict = Verdict.PASS if n_bake >= limits.requests_min else Verdict.LOW_SAMPLE
        which = f"not shown bad, {n_bake} requests in this bake, at least {limits.requests_min} needed"
    return _seen(
        window,
        "GATE-01",
        100 * k / n,
        verdict,
        f"{k} of {n} failed, 95 % bounds {100 * low:.3f} to {100 * high:.3f} %, {which}",
        limit=limits.error_rate_percent_max,
        unit="%",
        rule="error rate <",
        n=n,
    )


def latency_gate(metrics: Metrics, limits: Gates, window: BakeWindow) -> Observation:
    """GATE-02: p95 of the whole bake, asked as one window and not rounded."""
    if metrics.bake_samples == 0 and not _unseen(metrics, window):
        requests = sum(m.requests or 0 for m in between(metrics.candidate, window.first, window.last))
        if requests == 0:
            return _seen(window, "GATE-02", None, Verdict.LOW_SAMPLE, "no request reached the candidate", n=0)
    return judge_p95(metrics.bake_p95_milliseconds, metrics.bake_samples, limits, window)


def judge_p95(p95: float | None, samples: int, limits: Gates, window: BakeWindow) -> Observation:
    if p95 is None or samples == 0:
        return _seen(window, "GATE-02", None, Verdict.NO_DATA, "no response time in the bake", n=samples)
    if samples < limits.p95_samples_min:
        verdict, text = Verdict.LOW_SAMPLE, f"{samples} samples, {limits.p95_samples_min} needed"
    else:
        verdict, text = (Verdict.PASS if p95 < limits.p95_milliseconds_max else Verdict.FAIL), "one window"
    return _seen(
        window, "GATE-02", p95, verdict, text, limit=limits.p95_milliseconds_max, unit="ms", rule="p95 <", n=samples
    )


def cpu_gate(metrics: Metrics, limits: Gates, window: BakeWindow) -> Observation:
    """GATE-03: mean of the bake and its projection to the next share; idle use does not grow with traffic."""
    values = [m.cpu_percent for m in between(metrics.candidate, window.first, window.last)]
    present = [value for value in values if value is not None]
    if len(present) < window.minutes:
        return _seen(window, "GATE-03", None, Verdict.NO_DATA, f"{len(present)} of {window.minutes} minutes have CPU")
    return judge_cpu(sum(present) / len(present), max(present), limits, window)


def judge_cpu(mean: float, highest: float, limits: Gates, window: BakeWindow) -> Observation:
    idle = min(window.idle_cpu_percent, mean)
    projected = idle + (mean - idle) * window.next_share_percent / max(window.share_percent, 1)
    value = max(mean, projected)
    return _seen(
        window,
        "GATE-03",
        value,
        Verdict.PASS if value < limits.cpu_percent_max else Verdict.FAIL,
        f"mean {mean:.1f} %, highest minute {highest:.1f} %, "
        f"projected {projected:.1f} % at a share of {window.next_share_percent} %",
        limit=limits.cpu_percent_max,
        unit="%",
        rule="CPU <",
    )


def memory_gate(metrics: Metrics, limits: Gates, window: BakeWindow) -> Observation:
    """GATE-04: the highest minute, and where a sure upward trend leads by the end of the plan."""
    values = [m.memory_percent for m in between(metrics.candidate, window.first, window.last)]
    present = [value for value in values if value is not None]
    conclusive = bool(present) and max(present) >= limits.memory_percent_max
    if len(present) < window.minutes and not conclusive:
        return _seen(
            window, "GATE-04", None, Verdict.NO_DATA, f"{len(present)} of {window.minutes} minutes have memory"
        )
    return judge_memory(present, limits, window)


def judge_memory(values: Sequence[float], limits: Gates, window: BakeWindow) -> Observation:
    highest = max(values)
    slope = sure_slope(values)
    projected = values[-1] + slope * window.remaining_seconds / MINUTE_SECONDS
    value = max(highest, projected)
    trend = f"sure trend {slope:+.2f} % a minute leads to {projected:.1f} % by the end of the plan"
    return _seen(
        window,
        "GATE-04",
        value,
        Verdict.PASS if value < limits.memory_percent_max else Verdict.FAIL,
        f"highest minute {highest:.1f} %, {trend if slope else 'no sure upward trend'}",
        limit=limits.memory_percent_max,
        unit="%",
        rule="memory <",
    )


def share_check(metrics: Metrics, window: BakeWindow) -> Observation:
    """The observed share of requests follows the weight, within the tolerance of a random split."""
    baked = between(metrics.candidate, window.first, window.last)
    ours = sum(m.requests or 0 for m in baked)
    theirs = sum(m.requests or 0 for m in between(metrics.stable, window.first, window.last))
    if _unseen(metrics, window) or _unseen(metrics, window, stable=True):
        return _seen(window, "SHARE", None, Verdict.NO_DATA, "minutes of the bake in which one side was not seen")
    if ours + theirs == 0:
        return _seen(window, "SHARE", None, Verdict.LOW_SAMPLE, "no request in the bake", n=0)
    return judge_share(ours, ours + theirs, window)


def judge_share(ours: int, total: int, window: BakeWindow) -> Observation:
    wanted = window.share_percent / 100
    tolerance = _SHARE_DEVIATIONS * math.sqrt(wanted * (1 - wanted) / total)
    observed = ours / total
    return _seen(
        window,
        "SHARE",
        100 * observed,
        Verdict.PASS if abs(observed - wanted) <= tolerance else Verdict.FAIL,
        f"{ours} of {total} requests, tolerance {100 * tolerance:.2f} points",
        limit=window.share_percent,
        unit="%",
        rule="observed share =",
        n=total,
    )


def balancer_check(metrics: Metrics, limits: Gates, window: BakeWindow) -> Observation:
    """The load balancer's own 5xx over the whole listener, less their level before the rollout."""
    during = [m for m in metrics.balancer if window.first <= m.start <= window.last]
    requests, errors = _totals(during)
    counted = {m.start for m in during if m.requests is not None}
    if any(m.requests and m.start not in counted for m in between(metrics.candidate, window.first, window.last)):
        return _seen(window, "BALANCER", None, Verdict.NO_DATA, "minutes of the bake without the listener's own count")
    if requests == 0:
        return _seen(window, "BALANCER", None, Verdict.LOW_SAMPLE, "no request on the listener in the bake", n=0)
    n_before, errors_before = _totals(metrics.before)
    level = errors_before / n_before if n_before else 0.0
    value = max(0.0, 100 * (errors / requests - level))
    return _seen(
        window,
        "BALANCER",
        value,
        Verdict.PASS if value < limits.balancer_error_rate_percent_max else Verdict.FAIL,
        f"{errors} own errors of {requests}; {100 * level:.3f} % before the rollout (n={n_before})",
        limit=limits.balancer_error_rate_percent_max,
        unit="%",
        rule="load balancer errors above their level before <",
        n=requests,
    )


def _totals(minutes: Iterable[BalancerMinute]) -> tuple[int, int]:
    rows = list(minutes)
    return sum(m.requests or 0 for m in rows), sum(m.own_errors for m in rows)


class _Shown(TypedDict, total=False):
    """What a gate says beside its value."""

    limit: float | None
    unit: str
    rule: str
    n: int | None


def _seen(
    window: BakeWindow,
    name: str,
    value: float | None,
    verdict: Verdict,
    text: str,
    **shown: Unpack[_Shown],
) -> Observation:
    limit, unit, rule, n = shown.get("limit"), shown.get("unit", ""), shown.get("rule", ""), shown.get("n")
    figure = "no value" if value is None else f"{value:.4g} {unit}".rstrip()
    against = f", {rule} {limit:g} {unit}".rstrip() if limit is not None else ""
    sample = f", n={n}" if n is not None else ""
    return Observation(
        name=name,
        value=value,
        verdict=verdict,
        time=window.now,
        limit=limit,
        unit=unit,
        rule=rule,
        source=_SOURCE,
        n=n,
        clock="virtual",
        window_seconds=window.minutes * MINUTE_SECONDS,
        message=f"{verdict} {name} {figure}{against}{sample}, {window.minutes} min, {_SOURCE}: {text}",
    )
