"""What is wrong with a plan before it runs, although each of its values is allowed. Pure.

An error forbids a start; a warning is about something that will happen; a note is worth knowing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rollout.forecast import forecast, seconds_to_full
from rollout.model import MINUTE_SECONDS, Plan, Stage

# A limit that the guide sets; a plan may only be faster (MET-02).
_DEPLOYMENT_SECONDS_MAX = 1800.0
_DNS_TTL_SECONDS_MAX = 300


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that lint found: a stable name, the sentence with its numbers, and what to do."""

    severity: Severity
    rule: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.severity} {self.rule}: {self.message}. {self.remedy}"


def lint(plan: Plan, *, session_stickiness_seconds: float = 0.0) -> tuple[Finding, ...]:
    """Every finding, worst first. `session_stickiness_seconds` is how long the load balancer keeps a customer."""
    findings = [
        *_deployment_time(plan),
        *_periods(plan),
        *_gates_against_triggers(plan),
        *_trigger_memory(plan),
        *_trigger_speed(plan),
        *_stickiness(plan, session_stickiness_seconds),
        *_requests(plan),
        *_dns(plan),
    ]
    order = list(Severity)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def _found(severity: Severity, rule: str, *, message: str, remedy: str) -> Finding:
    return Finding(severity=severity, rule=rule, message=message, remedy=remedy)


def _minutes(seconds: float) -> str:
    return f"{seconds / MINUTE_SECONDS:g} min"


def _before_full(plan: Plan) -> tuple[Stage, ...]:
    return plan.stages[:-1]


def _deployment_time(plan: Plan) -> Iterator[Finding]:
    limit = min(plan.deployment_seconds_max, _DEPLOYMENT_SECONDS_MAX)
    total, stages = seconds_to_full(plan), _before_full(plan)
    if total >= limit:
        bakes = sum(stage.bake_seconds for stage in stages)
        parts = (
            f"alignment {_minutes(MINUTE_SECONDS * len(stages))}, bakes {_minutes(bakes)}, "
            f"settle {_minutes(plan.settle_seconds * len(stages))}"
        )
        message = f"{len(stages)} stages before 100 % take {_minutes(total)} at worst ({parts}); the limit is under"
        remedy = "Shorten a bake or leave out a stage."
        yield _found(Severity.ERROR, "deployment-time", message=f"{message} {_minutes(limit)}", remedy=remedy)


def _periods(plan: Plan) -> Iterator[Finding]:
    for stage in _before_full(plan):
        if stage.bake_seconds < MINUTE_SECONDS:
            message = f"the {stage.share_percent} % bake of {stage.bake_seconds:g} s is shorter than one metric period"
            yield _found(
                Severity.ERROR, "bake-shorter-than-period", message=message, remedy="Bake for at least 1 minute."
            )


def _gates_against_triggers(plan: Plan) -> Iterator[Finding]:
    gates, triggers = plan.gates, plan.triggers
    pairs = (
        ("error rate", gates.error_rate_percent_max, triggers.error_rate_percent_max, "%"),
        ("p95", gates.p95_milliseconds_max, triggers.latency_milliseconds_max, "ms"),
        ("CPU", gates.cpu_percent_max, triggers.cpu_percent_max, "%"),
        ("memory", gates.memory_percent_max, triggers.memory_percent_max, "%"),
    )
    for name, gate, trigger, unit in pairs:
        if gate > trigger:
            message = f"the {name} gate of {gate:g} {unit} is looser than its trigger of {trigger:g} {unit}"
            remedy = "A gate has to be at least as tight: what takes traffic back must not let a stage grow."
            yield _found(Severity.ERROR, "gate-looser-than-trigger", message=message, remedy=remedy)


def _trigger_minutes(plan: Plan) -> dict[str, int]:
    limits = plan.triggers
    return {
        "TRIG-01": limits.error_rate_minutes,
        "TRIG-02": limits.latency_minutes,
        "TRIG-03": limits.cpu_minutes,
        "TRIG-04": limits.memory_minutes,
        "TRIG-05": limits.unhealthy_minutes,
    }


def _trigger_memory(plan: Plan) -> Iterator[Finding]:
    for name, minutes in _trigger_minutes(plan).items():
        if minutes > plan.triggers.look_back_minutes:
            message = f"{name} needs {minutes} minutes and only {plan.triggers.look_back_minutes} are looked at"
            yield _found(Severity.ERROR, "trigger-never-trips", message=message, remedy="Raise look_back_minutes.")
        elif minutes * MINUTE_SECONDS > plan.stability_seconds:
            stability = _minutes(plan.stability_seconds)
            message = f"{name} needs {minutes} minutes; harm that begins at 100 % is not seen within {stability}"
            yield _found(Severity.ERROR, "trigger-never-trips", message=message, remedy="Raise stability_minutes.")


def _trigger_speed(plan: Plan) -> Iterator[Finding]:
    for stage in _before_full(plan):
        seconds = stage.bake_seconds + plan.settle_seconds
        slow = [
            f"{name} ({minutes} min)"
            for name, minutes in _trigger_minutes(plan).items()
            if minutes * MINUTE_SECONDS > seconds
        ]
        if slow:
            lasts = f"the {stage.share_percent} % stage lasts {_minutes(seconds)}"
            message = f"{lasts}: {', '.join(slow)} cannot trip within it"
            remedy = "Harm that begins there is stopped by its gate, or later by the trigger."
            yield _found(Severity.NOTE, "trigger-slower-than-stage", message=message, remedy=remedy)


def _stickiness(plan: Plan, seconds: float) -> Iterator[Finding]:
    if seconds <= 0:
        return
    message = f"customers stay {seconds:g} s on their side: shares follow a change of weights late"
    if seconds >= plan.rollback_seconds_max:
        message += f", and a rollback cannot reach all of them within {plan.rollback_seconds_max:g} s"
        yield _found(
            Severity.ERROR, "sticky-sessions", message=message, remedy="Turn stickiness off, or make it shorter."
        )
    else:
        yield _found(
            Severity.WARNING,
            "sticky-sessions",
            message=message,
            remedy="Turn stickiness off for the time of a rollout.",
        )


def _requests(plan: Plan) -> Iterator[Finding]:
    rate = plan.expected_requests_per_second
    if rate <= 0:
        message = "how many requests are expected is not said, so what can be decided is not known"
        yield _found(
            Severity.NOTE, "expected-requests", message=message, remedy="Set plan.expected_requests_per_second."
        )
        return
    expected = forecast(plan, rate)
    for stage in expected.stages:
        if not stage.decidable:
            yield _found(
                Severity.ERROR,
                "expected-requests",
                message=stage.sentences[0],
                remedy="Bake longer, or at a larger share.",
            )
        elif stage.extension_seconds:
            yield _found(
                Severity.NOTE,
                "expected-requests",
                message=stage.sentences[0],
                remedy="A longer bake needs no extension.",
            )
        if not stage.trigger_armed:
            yield _found(
                Severity.WARNING, "trigger-blind", message=stage.sentences[-1], remedy="Begin with a larger share."
            )
    total = expected.deployment_seconds
    limit = min(plan.deployment_seconds_max, _DEPLOYMENT_SECONDS_MAX)
    if total is not None and seconds_to_full(plan) < limit <= total:
        message = f"with the extensions that the proof needs, 100 % is reached after {_minutes(total)} at worst"
        remedy = f"It would be late (the limit is under {_minutes(limit)}), never under-proven."
        yield _found(Severity.WARNING, "deployment-time", message=message, remedy=remedy)


def _dns(plan: Plan) -> Iterator[Finding]:
    if plan.dns is not None and plan.dns.ttl_seconds > _DNS_TTL_SECONDS_MAX:
        message = f"{plan.dns.name} is cached for {plan.dns.ttl_seconds} s, and so long the old side has to stay"
        yield _found(Severity.WARNING, "dns-ttl", message=message, remedy=f"Use at most {_DNS_TTL_SECONDS_MAX} s.")
