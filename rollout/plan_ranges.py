"""Which numbers each key of `[plan]` takes.

A limit may be made stricter than the guide's; where the guide or an invariant sets a time, the key can only go to its
strict side.
"""

from __future__ import annotations

from collections.abc import Mapping

from rollout.toml_reader import Range

SHARE = Range(low=1, high=100, whole=True, unit="percent")
# One metric period (60 s) is the least that a bake can be judged by.
BAKE = Range(low=1, high=1440, whole=True, unit="minutes")
STABILITY = Range(low=1, high=1440, whole=True, unit="minutes")
STICKINESS = Range(low=0, high=604800, whole=True, unit="seconds")  # the load balancer's own range
TTL = Range(low=1, high=86400, whole=True, unit="seconds")

_PERCENT = Range(low=0, high=100, above_low=True, unit="percent")
# A trigger at 100 percent can never be exceeded: it would be a trigger that is off.
_BELOW_ALL = Range(low=0, high=99.9, above_low=True, unit="percent")
_MILLISECONDS = Range(low=0, high=60000, above_low=True, unit="milliseconds")
_COUNT = Range(low=1, high=10_000_000, whole=True, unit="requests")
_MINUTES = Range(low=1, high=60, whole=True, unit="minutes")

PLAN: Mapping[str, Range] = {
    "settle_seconds": Range(low=60, high=900, unit="seconds"),
    "settling_seconds": Range(low=60, high=3600, unit="seconds"),
    "blind_minutes_max": Range(low=1, high=15, whole=True, unit="minutes"),
    "extension_seconds_max": Range(low=0, high=3600, whole=True, step=60, unit="seconds"),
    "hold_seconds_max": Range(low=60, high=3600, unit="seconds"),
    "ready_seconds_max": Range(low=60, high=3600, unit="seconds"),
    "healthy_targets_min": Range(low=1, high=1000, whole=True, unit="targets"),
    "health_age_seconds_max": Range(low=10, high=60, unit="seconds"),  # invariant I2
    "rollback_seconds_max": Range(low=30, high=300, unit="seconds"),  # MET-03
    "deployment_seconds_max": Range(low=60, high=1800, unit="seconds"),  # MET-02
    "health_answers_in_a_row": Range(low=1, high=100, whole=True, unit="answers"),
    "health_poll_seconds": Range(low=0.5, high=30, unit="seconds"),
    "desired_tasks": Range(low=1, high=1000, whole=True, unit="tasks"),
    "expected_requests_per_second": Range(low=0, high=10_000_000, unit="requests a second"),
    "deregistration_seconds": Range(low=0, high=3600, unit="seconds"),
}

GATES: Mapping[str, Range] = {
    "error_rate_percent_max": _PERCENT,
    "p95_milliseconds_max": _MILLISECONDS,
    "cpu_percent_max": _PERCENT,
    "memory_percent_max": _PERCENT,
    "balancer_error_rate_percent_max": _PERCENT,
    "requests_min": _COUNT,
    # CloudWatch documents percentiles as insignificant under 10 / (1 - 0.95) = 200 samples.
    "p95_samples_min": Range(low=200, high=10_000_000, whole=True, unit="samples"),
    "requests_point_rule_min": _COUNT,
    "confidence": Range(low=0.5, high=0.9999),
}

TRIGGERS: Mapping[str, Range] = {
    "error_rate_percent_max": _BELOW_ALL,
    "error_rate_minutes": _MINUTES,
    "latency_milliseconds_max": _MILLISECONDS,
    "latency_share_percent_max": _BELOW_ALL,
    "latency_minutes": _MINUTES,
    "cpu_percent_max": _BELOW_ALL,
    "cpu_minutes": _MINUTES,
    "memory_percent_max": _BELOW_ALL,
    "memory_minutes": _MINUTES,
    "unhealthy_percent_max": Range(low=0, high=99.9, unit="percent"),
    "unhealthy_minutes": _MINUTES,
    "requests_per_minute_min": _COUNT,
    "expected_requests_for_silence": Range(low=1, high=1000, unit="requests"),
    "look_back_minutes": Range(low=1, high=120, whole=True, unit="minutes"),
}
