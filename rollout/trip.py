"""Triggers: whether minute after minute is over a limit. Pure: minutes and limits in, verdicts with sentences out.

Consecutive means consecutive closed minutes: five bad ones trip, F-S-F-S-F-S never does. A minute with too few
requests, or without data, neither counts nor resets. Every call looks at the last minutes anew, so an error that
arrives late still counts and nothing is forgotten by a takeover.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rollout.model import MINUTE_SECONDS, Observation, Plan, Triggers, Verdict
from rollout.seen import BalancerMinute, SideMinute, Situation, TargetCounts


class Kind(StrEnum):
    """What one closed minute says about one trigger."""

    BAD = "bad"
    GOOD = "good"
    THIN = "thin"  # too few requests to say
    SILENT = "silent"  # past the settle time and still no datapoint: blind
    PENDING = "pending"  # closed, but its data may still arrive


@dataclass(frozen=True)
class Reading:
    """One minute as one trigger sees it; `value` in the trigger's unit, `n` its sample size."""

    start: float
    kind: Kind
    value: float | None = None
    n: int | None = None


@dataclass(frozen=True, kw_only=True)
class Tripwire:
    """A trigger's rule: `minutes` readings over `limit`, no good one between them."""

    name: str
    limit: float
    minutes: int
    unit: str
    rule: str


Read = Callable[[SideMinute | None, float], Reading]


def tripwires(limits: Triggers) -> tuple[Tripwire, ...]:
    """The five triggers of the guide in force, in their order."""
    return (
        _wire("TRIG-01", limits.error_rate_percent_max, limits.error_rate_minutes, "%", "error rate >"),
        _wire("TRIG-02", limits.latency_milliseconds_max, limits.latency_minutes, "ms", "p95 >"),
        _wire("TRIG-03", limits.cpu_percent_max, limits.cpu_minutes, "%", "CPU >"),
        _wire("TRIG-04", limits.memory_percent_max, limits.memory_minutes, "%", "memory >"),
        _wire("TRIG-05", limits.unhealthy_percent_max, limits.unhealthy_minutes, "%", "failing targets >"),
    )


def _wire(name: str, limit: float, minutes: int, unit: str, rule: str) -> Tripwire:
    return Tripwire(name=name, limit=limit, minutes=minutes, unit=unit, rule=rule)


def read_triggers(
    plan: Plan, situation: Situation, *, share: float, since: float, now: float
) -> dict[str, list[Reading]]:
    """Each trigger's readings of the last minutes since the first shift, oldest first."""
    starts = closed_minutes(since=since, now=now, look_back=plan.triggers.look_back_minutes)
    reader = _Reader(
        plan=plan,
        candidate={minute.start: minute for minute in situation.metrics.candidate},
        balancer={minute.start: minute for minute in situation.metrics.balancer},
        health=situation.health_minutes,
        share=share,
        since=since,
        now=now,
    )
    return {
        "TRIG-01": [reader.errors(start) for start in starts],
        "TRIG-02": [reader.latency(start) for start in starts],
        "TRIG-03": [reader.percent(start, "cpu_percent", plan.triggers.cpu_percent_max) for start in starts],
        "TRIG-04": [reader.percent(start, "memory_percent", plan.triggers.memory_percent_max) for start in starts],
        "TRIG-05": [reader.targets(start) for start in starts],
    }


def closed_minutes(*, since: float, now: float, look_back: int) -> list[float]:
    """Starts of the last closed minutes, from the one that holds `since` on."""
    last = int(now // MINUTE_SECONDS) * MINUTE_SECONDS - MINUTE_SECONDS
    first = max(int(since // MINUTE_SECONDS) * MINUTE_SECONDS, last - (look_back - 1) * MINUTE_SECONDS)
    return [float(start) for start in range(int(first), int(last) + 1, MINUTE_SECONDS)]


def longest_run(readings: Sequence[Reading]) -> int:
    """Bad readings in a row that reach the most: a good one ends the row, thin, silent and pending ones do not."""
    longest = run = 0
    for reading in readings:
        if reading.kind is Kind.BAD:
            run += 1
        elif reading.kind is Kind.GOOD:
            run = 0
        longest = max(longest, run)
    return longest


def blind_minutes(readings: dict[str, list[Reading]]) -> int:
    """Closed minutes in a row, up to the newest settled one, in which at least one trigger saw nothing."""
    count = 0
    for column in reversed(list(zip(*readings.values(), strict=True))):
        if any(reading.kind is Kind.SILENT for reading in column):
            count += 1
        elif not all(reading.kind is Kind.PENDING for reading in column):
            settled_and_seen = all(reading.kind is not Kind.PENDING for reading in column)
            if settled_and_seen:
                break
    return count


def judge_trigger(wire: Tripwire, readings: Sequence[Reading], *, now: float) -> Observation:
    """FAIL when the trigger trips; else PASS when it could read the newest settled minute, or why it could not."""
    run = longest_run(readings)
    known = [reading for reading in readings if reading.kind in (Kind.BAD, Kind.GOOD)]
    latest = known[-1] if known else None
    verdict = Verdict.FAIL if run >= wire.minutes else _quiet(readings)
    value = "no value yet" if latest is None or latest.value is None else f"{latest.value:.4g} {wire.unit}"
    sample = f", n={latest.n}" if latest is not None and latest.n is not None else ""
    return Observation(
        name=wire.name,
        value=None if latest is None else latest.value,
        verdict=verdict,
        time=now,
        limit=wire.limit,
        unit=wire.unit,
        rule=wire.rule,
        source="CloudWatch" if wire.name != "TRIG-05" else "target health",
        n=None if latest is None else latest.n,
        clock="virtual",
        window_seconds=wire.minutes * MINUTE_SECONDS,
        message=(
            f"{verdict} {wire.name} {value}, {wire.rule} {wire.limit:g} {wire.unit}{sample}, "
            f"{run} of {wire.minutes} consecutive minutes over"
        ),
    )


def _quiet(readings: Sequence[Reading]) -> Verdict:
    kinds = [reading.kind for reading in readings if reading.kind is not Kind.PENDING]
    if not kinds or kinds[-1] is Kind.SILENT:
        return Verdict.NO_DATA
    return Verdict.LOW_SAMPLE if kinds[-1] is Kind.THIN else Verdict.PASS


@dataclass(frozen=True, kw_only=True)
class _Reader:
    plan: Plan
    candidate: Mapping[float, SideMinute]
    balancer: Mapping[float, BalancerMinute]
    health: Mapping[float, TargetCounts]
    share: float
    since: float
    now: float

    def errors(self, start: float) -> Reading:
        minute = self.candidate.get(start)
        thin = self._without_sample(minute, start)
        if thin is not None or minute is None:
            return thin or Reading(start, Kind.PENDING)
        return _over(start, minute.failures, minute.requests or 0, self.plan.triggers.error_rate_percent_max)

    def latency(self, start: float) -> Reading:
        minute = self.candidate.get(start)
        thin = self._without_sample(minute, start)
        if thin is not None or minute is None:
            return thin or Reading(start, Kind.PENDING)
        limits, n = self.plan.triggers, minute.requests or 0
        if minute.slow is not None:
            # p95 > limit means that more than 5 % of the requests took longer than the limit.
            kind = _over(start, minute.slow, n, limits.latency_share_percent_max).kind
            return Reading(start, kind, minute.p95_milliseconds, n)
        if minute.p95_milliseconds is None:
            return Reading(start, self._missing(start))
        bad = minute.p95_milliseconds > limits.latency_milliseconds_max
        return Reading(start, Kind.BAD if bad else Kind.GOOD, minute.p95_milliseconds, n)

    def percent(self, start: float, name: str, limit: float) -> Reading:
        minute = self.candidate.get(start)
        value = None if minute is None else getattr(minute, name)
        if value is None:
            return Reading(start, self._missing(start))
        return Reading(start, Kind.BAD if value > limit else Kind.GOOD, value)

    def targets(self, start: float) -> Reading:
        counts = self.health.get(start) or self._counts_from_metric(start)
        if counts is None:
            return Reading(start, self._missing(start))
        # No registered target serves nobody: 100 % failing.
        value = 100.0 if counts.registered == 0 else 100.0 * counts.failing / counts.registered
        bad = value > self.plan.triggers.unhealthy_percent_max
        return Reading(start, Kind.BAD if bad else Kind.GOOD, value, counts.registered)

    def _counts_from_metric(self, start: float) -> TargetCounts | None:
        minute = self.candidate.get(start)
        if minute is None or minute.healthy is None:
            return None
        failing = minute.unhealthy or 0
        return TargetCounts(registered=minute.healthy + failing, healthy=minute.healthy, failing=failing, read_at=start)

    def _without_sample(self, minute: SideMinute | None, start: float) -> Reading | None:
        """A reading for a minute whose requests cannot be judged, else None."""
        limits = self.plan.triggers
        if minute is not None and minute.requests is not None:
            enough = minute.requests >= limits.requests_per_minute_min
            return None if enough else Reading(start, Kind.THIN, n=minute.requests)
        if start < self.since:
            return Reading(start, Kind.THIN, n=0)  # the minute of the shift itself: exposed for a part of it only
        balancer = self.balancer.get(start)
        if balancer is not None and balancer.requests is not None:
            expected = balancer.requests * self.share / 100
            if expected < limits.expected_requests_for_silence:
                return Reading(start, Kind.THIN, n=0)
            return Reading(start, self._missing(start))
        # Without the balancer's own count a minute is empty only if the source is known to have spoken.
        if minute is not None and minute.healthy is not None and self._settled(start):
            return Reading(start, Kind.THIN, n=0)
        return Reading(start, self._missing(start))

    def _missing(self, start: float) -> Kind:
        return Kind.SILENT if self._settled(start) else Kind.PENDING

    def _settled(self, start: float) -> bool:
        return start + MINUTE_SECONDS + self.plan.settle_seconds <= self.now


def _over(start: float, k: int, n: int, limit_percent: float) -> Reading:
    # Whole numbers on one side: exactly 1 % of 1,000 is 10, and 10 * 100 > 1 * 1000 is false.
    return Reading(start, Kind.BAD if k * 100 > limit_percent * n else Kind.GOOD, 100.0 * k / n, n)
