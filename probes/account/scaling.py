"""Application Auto Scaling of the services that carry customers or are the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.balancer import weights
from probes.account.declared import Declared
from probes.account.population import Resource, Seen, View, check, population, view_of

_SIGNALS = {
    "ECSServiceAverageCPUUtilization": "cpu",
    "ECSServiceAverageMemoryUtilization": "memory",
    "ALBRequestCountPerTarget": "requests",
}


def view(account: ClientMaker, declared: Declared) -> View:
    """One member per slot that carries weight or has tasks; a retired slot (weight 0, desired 0) is left out."""
    asker = Asker(account)
    source = "application-autoscaling DescribeScalableTargets"
    return view_of(declared, population("scaled service", source, lambda: _members(asker, declared)))


def _members(asker: Asker, declared: Declared) -> tuple[Resource, ...] | Unread:
    slots = _slots(asker, declared)
    if isinstance(slots, Unread):
        return slots
    ids = [f"service/{declared.cluster_name}/{declared.service_names[slot]}" for slot in slots]
    return tuple(_member(asker, resource_id) for resource_id in ids)


def _slots(asker: Asker, declared: Declared) -> tuple[str, ...] | Unread:
    """Slots whose scaling matters now (design.md 14.17: the retired slot's is suspended)."""
    if not declared.service_names:
        return Unread("the outputs name no service")
    rules = asker.all("elbv2", "describe_rules", "Rules", RuleArns=[declared.rule_arn])
    if isinstance(rules, Unread):
        return rules
    names = sorted(declared.service_names.values())
    services = asker.field("ecs", "describe_services", "services", cluster=declared.cluster_name, services=names)
    if isinstance(services, Unread):
        return services
    shares = weights(rules[0]) if rules else {}
    desired = {row["serviceName"]: row["desiredCount"] for row in services or ()}
    return tuple(
        slot
        for slot, name in sorted(declared.service_names.items())
        if shares.get(declared.target_group_arns.get(slot, ""), 0) > 0 or desired.get(name, 0) > 0
    )


def _member(asker: Asker, resource_id: str) -> Resource:
    asked = {"ServiceNamespace": "ecs"}
    targets = asker.all(
        "application-autoscaling", "describe_scalable_targets", "ScalableTargets", ResourceIds=[resource_id], **asked
    )
    policies = asker.all(
        "application-autoscaling", "describe_scaling_policies", "ScalingPolicies", ResourceId=resource_id, **asked
    )
    return Resource(name=resource_id.rsplit("/", 1)[-1], facts={"targets": targets, "policies": policies})


def _target(one: Resource) -> Mapping[str, Any] | None:
    targets: tuple[Mapping[str, Any], ...] = one["targets"]
    return targets[0] if targets else None


_ABSENT = Seen(None, "does not scale: it has no scalable target")


@check("scaled service", rule="scales between the declared bounds", limit=lambda d: [d.tasks_min, d.tasks_max])
def bounds(one: Resource, declared: Declared) -> Seen:
    """CMP-02. During a rollout the engine raises the stable side's minimum; it never lowers it."""
    target = _target(one)
    if target is None:
        return _ABSENT
    low, high = int(target["MinCapacity"]), int(target["MaxCapacity"])
    good = declared.tasks_min <= low <= high == declared.tasks_max
    return Seen([low, high], "" if good else f"scales from {low} to {high} tasks")


@check("scaled service", rule="scales on CPU, memory and requests")
def signals(one: Resource, _: Declared) -> Seen:
    """CMP-02: target tracking that may scale out and in, one policy for each signal."""
    found = sorted({name for policy in one["policies"] if (name := _signal(policy))})
    missing = sorted(set(_SIGNALS.values()) - set(found))
    return Seen(found, f"no policy on {', '.join(missing)}" if missing else "")


def _signal(policy: Mapping[str, Any]) -> str:
    tracking: Mapping[str, Any] = policy.get("TargetTrackingScalingPolicyConfiguration") or {}
    metric: Mapping[str, Any] = tracking.get("PredefinedMetricSpecification") or {}
    return _SIGNALS.get(str(metric.get("PredefinedMetricType", "")), "")


@check("scaled service", rule="may scale out")
def awake(one: Resource, _: Declared) -> Seen:
    """CMP-02. The engine holds scale-in during a rollout; nobody may hold scale-out of a slot that serves."""
    target = _target(one)
    if target is None:
        return _ABSENT
    held: Mapping[str, Any] = target.get("SuspendedState") or {}
    stopped = sorted(name for name in ("DynamicScalingOutSuspended", "ScheduledScalingSuspended") if held.get(name))
    asleep = bool(held.get("DynamicScalingOutSuspended"))
    return Seen(stopped, "scaling out is suspended" if asleep else "")
