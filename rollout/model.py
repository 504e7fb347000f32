"""The words of a rollout: frozen data without behaviour.

Words that everybody uses, and the plan. What a tick saw is in `seen`, where a rollout is in `record`.
Everything here is a value. `judge` and `decide` turn values into values; `engine` and the adapters do the rest.
Times are epoch seconds of the engine's wall clock unless a name says `monotonic`; a *minute* is named by its start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MINUTE_SECONDS = 60


class Verdict(StrEnum):
    """What an observation, a step, a scenario or a control came to. No other words exist."""

    PASS = "PASS"
    FAIL = "FAIL"
    LOW_SAMPLE = "LOW_SAMPLE"
    NO_DATA = "NO_DATA"
    SOURCE_ERROR = "SOURCE_ERROR"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    WAIVED = "WAIVED"
    DEFERRED = "DEFERRED"
    BLOCKED = "BLOCKED"


class Basis(StrEnum):
    """Where an observation comes from: a running part, a real file, or an imitation of a service."""

    LIVE = "live"
    ARTEFACT = "artefact"
    EMULATED = "emulated"


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One measured fact with the rule it was held against.

    `time` is epoch seconds on the clock that `clock` names; `message` is the sentence an auditor wants:
    rule, value, limit, window, sample size, source.
    """

    name: str
    value: object
    verdict: Verdict
    time: float
    limit: object = None
    unit: str = ""
    rule: str = ""
    source: str = ""
    n: int | None = None
    clock: str = "real"
    window_seconds: float | None = None
    basis: Basis = Basis.LIVE
    message: str = ""


@dataclass(frozen=True)
class Instant:
    """One reading of the engine's clock: `wall` names minutes, `monotonic` measures how long something lasted."""

    wall: float
    monotonic: float


# ------------------------------------------------------------------------------------------------ the plan


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A share of the customers' requests for the candidate, and how long it is watched there."""

    share_percent: int
    bake_seconds: float


@dataclass(frozen=True, kw_only=True)
class Gates:
    """Limits that must hold, strictly, before a stage may grow (GATE-01 to GATE-04)."""

    error_rate_percent_max: float = 0.1
    p95_milliseconds_max: float = 200.0
    cpu_percent_max: float = 70.0
    memory_percent_max: float = 80.0
    balancer_error_rate_percent_max: float = 0.1
    requests_min: int = 200
    p95_samples_min: int = 200
    requests_point_rule_min: int = 3000
    confidence: float = 0.95


@dataclass(frozen=True, kw_only=True)
class Triggers:
    """Limits that take traffic back when a minute after minute is over them (TRIG-01 to TRIG-05)."""

    error_rate_percent_max: float = 1.0
    error_rate_minutes: int = 5
    latency_milliseconds_max: float = 500.0
    latency_share_percent_max: float = 5.0
    latency_minutes: int = 5
    cpu_percent_max: float = 90.0
    cpu_minutes: int = 10
    memory_percent_max: float = 95.0
    memory_minutes: int = 5
    unhealthy_percent_max: float = 50.0
    unhealthy_minutes: int = 3
    requests_per_minute_min: int = 20
    expected_requests_for_silence: float = 7.0
    look_back_minutes: int = 15


@dataclass(frozen=True, kw_only=True)
class DnsChange:
    """A record that names the live slot, changed before the old side is scaled down."""

    name: str
    record_type: str
    ttl_seconds: int
    values: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a rollout will do; frozen by its SHA-256 when the rollout starts."""

    stages: tuple[Stage, ...]
    stability_seconds: float = 1800.0
    settle_seconds: float = 120.0
    settling_seconds: float = 300.0
    gates: Gates = field(default_factory=Gates)
    triggers: Triggers = field(default_factory=Triggers)
    blind_minutes_max: int = 3
    extension_seconds_max: float = 600.0
    hold_seconds_max: float = 900.0
    shared_incident: str = "rollback"
    ready_seconds_max: float = 900.0
    healthy_targets_min: int = 2
    health_age_seconds_max: float = 60.0
    rollback_seconds_max: float = 300.0
    deployment_seconds_max: float = 1800.0
    health_answers_in_a_row: int = 5
    health_poll_seconds: float = 2.0
    desired_tasks: int = 2
    expected_requests_per_second: float = 0.0
    deregistration_seconds: float = 60.0
    dns: DnsChange | None = None
