"""What one tick saw of the world: readings of the ports, as frozen values.

A part that was not asked, or did not answer, is None; silence is never a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class SideMinute:
    """One closed minute of one side. None means that the source had no datapoint for it.

    `requests` None with `healthy` present is a minute without traffic; with nothing present it is silence.
    """

    start: float
    requests: int | None = None
    target_errors: int = 0
    connection_errors: int = 0
    slow: int | None = None
    p95_milliseconds: float | None = None
    cpu_percent: float | None = None
    memory_percent: float | None = None
    memory_percent_highest: float | None = None
    healthy: int | None = None
    unhealthy: int | None = None

    @property
    def failures(self) -> int:
        """Target 5xx and connection errors, at most the requests (contracts: candidate errors)."""
        return min(self.target_errors + self.connection_errors, self.requests or 0)


@dataclass(frozen=True, kw_only=True)
class BalancerMinute:
    """One closed minute of the whole load balancer: all requests, and its own 5xx answers."""

    start: float
    requests: int | None = None
    own_errors: int = 0


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """What the metric source answered for the minutes from `first` on; `error` names why it could not answer."""

    candidate: tuple[SideMinute, ...] = ()
    stable: tuple[SideMinute, ...] = ()
    balancer: tuple[BalancerMinute, ...] = ()
    before: tuple[BalancerMinute, ...] = ()
    bake_p95_milliseconds: float | None = None
    bake_samples: int = 0
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class TargetCounts:
    """Target health of one side at `read_at` (wall clock): draining targets are not registered."""

    registered: int
    healthy: int
    failing: int
    read_at: float
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class ServiceReading:
    """An ECS service as DescribeServices answers it."""

    desired: int
    running: int
    pending: int
    task_definition: str
    rollout_state: str = ""
    failed_tasks: int = 0
    zones: tuple[str, ...] = ()
    image: str = ""


@dataclass(frozen=True, kw_only=True)
class ListenerReading:
    """The live rule: the candidate's share of the weights in percent, or why it cannot be told."""

    candidate_share: float | None
    attached: bool = False
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class PublicReading:
    """Consecutive answers of the public health endpoint by the wanted slot and version."""

    in_a_row: int
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class OperatorRequest:
    """What a person asked for. `kind`: confirm, abort, pause, resume, extend (by `seconds`)."""

    kind: str
    by: str
    reason: str
    at: float
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class DnsReading:
    """The declared record's value, whether the last change is INSYNC, and since when resolvers answer it."""

    value: str | None
    in_sync: bool
    resolved_value: str | None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything one tick saw. A part that was not asked, or did not answer, is None."""

    listener: ListenerReading
    metrics: Metrics = field(default_factory=Metrics)
    candidate_targets: TargetCounts | None = None
    stable_targets: TargetCounts | None = None
    health_minutes: Mapping[float, TargetCounts] = field(default_factory=dict)
    candidate_service: ServiceReading | None = None
    stable_service: ServiceReading | None = None
    public: PublicReading | None = None
    dns: DnsReading | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MetricQuery:
    """Which minutes to read: starts `first` to `last` of both sides and the balancer, all closed; the bake's minutes
    (None without a bake) whose p95 is asked as one window; and the 30 minutes before the first shift."""

    stable: str
    candidate: str
    first: float
    last: float
    bake_first: float | None = None
    bake_last: float | None = None
    before_first: float | None = None
    before_last: float | None = None
    slow_milliseconds: float = 500.0
