"""What the findings share: how one is worded, and how the operation log and the journal are searched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.result import Result, observation_from
from rollout.model import Basis, Observation, Verdict

_EFFECTS = {
    "elbv2": ("ModifyRule", "ModifyListener", "CreateRule", "DeleteRule"),
    "ecs": ("UpdateService",),
    "application-autoscaling": ("RegisterScalableTarget",),
    "route53": ("ChangeResourceRecordSets",),
}


def finding(name: str, holds: bool | None, message: str, **more: Any) -> Observation:
    """An observation of a rehearsal. `holds` None: it could not be observed. `more`: value, limit, unit, n, rule."""
    verdict = Verdict.NO_DATA if holds is None else Verdict.PASS if holds else Verdict.FAIL
    more.setdefault("value", holds)
    more.setdefault("time", 0.0)
    return Observation(
        name=name, verdict=verdict, clock="virtual", source="rehearsal", basis=Basis.LIVE, message=message, **more
    )


def stable_of(result: Result) -> str:
    return str(result.record["stable"])


def candidate_of(result: Result) -> str:
    return str(result.record["candidate"])


def service_name(result: Result, slot: str) -> str:
    return f"shop-api-{slot}" if not result.facts.get("service_names") else str(result.facts["service_names"][slot])


def effects(result: Result, *, since: float = 0.0, until: float = float("inf")) -> list[Mapping[str, Any]]:
    """Every successful AWS call in a span of virtual time that changed traffic, capacity, scaling or names."""
    return [
        call
        for call in result.operations
        if call["operation"] in _EFFECTS.get(call["service"], ())
        and since <= call["time_virtual"] <= until
        and call["status"] < 300
    ]


def updates_of(result: Result, slot: str, calls: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """UpdateService calls for one slot."""
    name = service_name(result, slot)
    return [
        call
        for call in calls
        if call["operation"] == "UpdateService" and str(call["parameters"].get("service", "")).endswith(name)
    ]


def weights_in(call: Mapping[str, Any]) -> dict[str, int]:
    """Weights by target group ARN that a ModifyRule or ModifyListener call set."""
    actions = call["parameters"].get("Actions") or call["parameters"].get("DefaultActions") or []
    rows = [row for action in actions for row in action.get("ForwardConfig", {}).get("TargetGroups", [])]
    return {str(row["TargetGroupArn"]): int(row["Weight"]) for row in rows}


def share_in(call: Mapping[str, Any], slot: str) -> int | None:
    """The share of a slot that a listener call set; None if it names no group of that slot."""
    weights = weights_in(call)
    ours = [weight for arn, weight in weights.items() if f"-{slot}/" in arn]
    return round(100 * ours[0] / sum(weights.values())) if ours and sum(weights.values()) else None


def journalled(decision: Mapping[str, Any]) -> tuple[Observation, ...]:
    """The observations of a journalled decision."""
    return tuple(observation_from({"value": None, **row}) for row in decision.get("observations", []))
