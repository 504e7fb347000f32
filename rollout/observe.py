"""Looks at the world for one tick: which reading a state needs, how old one may be, what a failure leaves out.

A source that does not answer leaves its part of the Situation empty and its sentence in `errors`; it never stops the
tick, because a rollback may need to happen while half of the account is down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from rollout.errors import BadInput, SourceError
from rollout.forward import bake_length_seconds
from rollout.model import MINUTE_SECONDS, Instant, Plan
from rollout.ports import Dns, MetricSource, PublicHealth, ServiceController, TargetHealthReader, TrafficRouter
from rollout.record import Record, State
from rollout.seen import (
    DnsReading,
    ListenerReading,
    MetricQuery,
    Metrics,
    PublicReading,
    ServiceReading,
    Situation,
    TargetCounts,
)

T = TypeVar("T")

_LEVEL_MINUTES = 30  # how far back the balancer's own errors before the rollout are looked at
# What decides these states is in the services; elsewhere once a minute is enough, and a shift waits for nothing.
_MOVING = frozenset({State.PREPARING, State.ROLLING_BACK, State.VERIFYING, State.CLEANING, State.RETIRING})
# Whether the stable side can take the customers back may change within a minute here: it is going, or coming back.
_NEEDS_STABLE = frozenset({State.RETIRING, State.SETTLING, State.ROLLING_BACK, State.VERIFYING})
_MEASURED = frozenset({State.READY, State.SHIFTING, State.BAKING, State.STABILIZING, State.HOLDING})


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The ports that answer questions."""

    router: TrafficRouter
    targets: TargetHealthReader
    services: ServiceController
    metrics: MetricSource
    public: PublicHealth
    dns: Dns | None = None


@dataclass
class _Memory:
    """What was read last, and for which minute: readings are shared by the ticks of one minute."""

    minute: float = -1.0
    metrics: Metrics = field(default_factory=Metrics)
    metrics_read_at: float = float("-inf")
    services: dict[str, ServiceReading | None] = field(default_factory=dict)
    stable_targets: TargetCounts | None = None
    health_minutes: dict[float, TargetCounts] = field(default_factory=dict)


class Observer:
    """Answers a Situation per tick for one rollout; `metric_seconds` is the real time between two metric readings."""

    def __init__(self, sources: Sources, *, metric_seconds: float, real_seconds: Callable[[], float]) -> None:
        self._sources, self._metric_seconds, self._real_seconds = sources, metric_seconds, real_seconds
        self._memory = _Memory()
        self._errors: list[str] = []

    def look(self, plan: Plan, record: Record, now: Instant) -> Situation:
        """One look at everything that `record.state` needs."""
        self._errors = []
        new_minute = now.wall // MINUTE_SECONDS != self._memory.minute
        self._memory.minute = now.wall // MINUTE_SECONDS
        moving = record.state in _MOVING
        if new_minute or moving:
            self._read_services(record)
        metrics = self._metrics(plan, record, now)
        candidate = self._candidate_targets(record, now, metrics)
        if new_minute or record.state in _NEEDS_STABLE:
            self._memory.stable_targets = self._ask(lambda: self._sources.targets.targets(record.stable))
        return Situation(
            listener=self._listener(record),
            metrics=metrics,
            candidate_targets=candidate,
            stable_targets=self._memory.stable_targets,
            health_minutes=dict(self._memory.health_minutes),
            candidate_service=self._memory.services.get(record.candidate),
            stable_service=self._memory.services.get(record.stable),
            public=self._public(plan, record),
            dns=self._dns(plan, record),
            errors=tuple(self._errors),
        )

    def _ask(self, question: Callable[[], T]) -> T | None:
        try:
            return question()
        except (SourceError, BadInput) as error:
            self._errors.append(str(error))
            return None

    def _listener(self, record: Record) -> ListenerReading:
        reading = self._ask(lambda: self._sources.router.read(stable=record.stable, candidate=record.candidate))
        return reading if reading is not None else ListenerReading(candidate_share=None, error=self._errors[-1])

    def _read_services(self, record: Record) -> None:
        for slot in (record.candidate, record.stable):
            self._memory.services[slot] = self._ask(lambda slot=slot: self._sources.services.read(slot))  # type: ignore[misc]

    def _public(self, plan: Plan, record: Record) -> PublicReading | None:
        if record.state is not State.VERIFYING:
            return None
        return self._ask(
            lambda: self._sources.public.in_a_row(
                slot=record.stable, version=record.stable_version, wanted=plan.health_answers_in_a_row
            )
        )

    def _dns(self, plan: Plan, record: Record) -> DnsReading | None:
        change, dns = plan.dns, self._sources.dns
        if record.state is not State.RETIRING or change is None or dns is None:
            return None
        return self._ask(lambda: dns.read(change))

    # ---------------------------------------------------------------------------------------- metrics

    def _metrics(self, plan: Plan, record: Record, now: Instant) -> Metrics:
        """Read again after `metric_seconds`, and always for a gate's second reading."""
        if record.state not in _MEASURED:
            return self._memory.metrics
        again = record.bake is not None and record.bake.reading != ""
        due = self._real_seconds() - self._memory.metrics_read_at >= self._metric_seconds
        if due or again:
            self._memory.metrics_read_at = self._real_seconds()
            self._memory.metrics = self._read_metrics(plan, record, now)
        return self._memory.metrics

    def _read_metrics(self, plan: Plan, record: Record, now: Instant) -> Metrics:
        answer = self._ask(lambda: self._sources.metrics.read(metric_query(plan, record, now)))
        if answer is not None:
            return answer
        # What was known stays known, so that blindness is counted from the minutes that are missing.
        return replace(self._memory.metrics, error=self._errors[-1])

    # ----------------------------------------------------------------------------------------- health

    def _candidate_targets(self, record: Record, now: Instant, metrics: Metrics) -> TargetCounts | None:
        """Asked before every raise, and once in each minute whose metric is missing or shows a failing target."""
        before_raise = record.state in (State.PREPARING, State.READY, State.SHIFTING)
        minute = now.wall // MINUTE_SECONDS * MINUTE_SECONDS
        doubtful = record.state in _MEASURED and minute not in self._memory.health_minutes and _doubtful(metrics, now)
        if not before_raise and not doubtful:
            return self._memory.health_minutes.get(minute)
        counts = self._ask(lambda: self._sources.targets.targets(record.candidate))
        if counts is not None and record.first_shift_at is not None:
            self._memory.health_minutes[minute] = counts
            for old in [m for m in self._memory.health_minutes if m < minute - 60 * MINUTE_SECONDS]:
                del self._memory.health_minutes[old]
        return counts


def _doubtful(metrics: Metrics, now: Instant) -> bool:
    """The newest minutes' health metric is missing, or shows a failing or no target at all."""
    expected = now.wall // MINUTE_SECONDS * MINUTE_SECONDS - 2 * MINUTE_SECONDS
    recent = [m for m in metrics.candidate if m.start >= expected and m.healthy is not None]
    return not recent or any(m.unhealthy or not m.healthy for m in recent)


def metric_query(plan: Plan, record: Record, now: Instant) -> MetricQuery:
    """The minutes that the triggers, the running bake and its error gate need; closed ones only."""
    last = now.wall // MINUTE_SECONDS * MINUTE_SECONDS - MINUTE_SECONDS
    earliest = last - (plan.triggers.look_back_minutes - 1) * MINUTE_SECONDS
    shift = record.first_shift_at
    if shift is not None:
        earliest = min(earliest, shift // MINUTE_SECONDS * MINUTE_SECONDS)
    bake = record.bake
    bake_last = None
    if bake is not None and record.state in (State.BAKING, State.STABILIZING):
        seconds = bake_length_seconds(plan, record, bake)
        bake_last = min(bake.first_minute + seconds - MINUTE_SECONDS, last)
    ran = bake is not None and bake_last is not None and bake_last >= bake.first_minute
    before_last = None if shift is None else shift // MINUTE_SECONDS * MINUTE_SECONDS - MINUTE_SECONDS
    return MetricQuery(
        stable=record.stable,
        candidate=record.candidate,
        first=earliest,
        last=last,
        bake_first=bake.first_minute if ran and bake is not None else None,
        bake_last=bake_last if ran else None,
        before_first=None if before_last is None else before_last - (_LEVEL_MINUTES - 1) * MINUTE_SECONDS,
        before_last=before_last,
        slow_milliseconds=plan.triggers.latency_milliseconds_max,
    )
