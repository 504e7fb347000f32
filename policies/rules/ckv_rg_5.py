"""A slot that scales on one signal only starves on the others."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.scaling import policies_of
from policies.settings import Settings
from policies.shapes import slot_services
from policies.tree import Resource, Tree
from policies.values import Unknown

# Predefined metrics of Application Auto Scaling for ECS.
_SIGNALS = {
    "ECSServiceAverageCPUUtilization": "CPU",
    "ECSServiceAverageMemoryUtilization": "memory",
    "ALBRequestCountPerTarget": "requests",
}
_PATH = "target_tracking_scaling_policy_configuration.predefined_metric_specification.predefined_metric_type"


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for service in slot_services(tree):
        yield _judge(tree, service)


def _judge(tree: Tree, service: Resource) -> Judged:
    metrics = [metric for policy in policies_of(tree, service) for metric in policy.all(_PATH)]
    missing = [signal for metric, signal in _SIGNALS.items() if metric not in metrics]
    unknown = [metric for metric in metrics if isinstance(metric, Unknown)]
    if missing and unknown:
        return deferred(service, unknown, "by which signals it scales")
    return fails(service, f"it does not scale on {', '.join(missing)}") if missing else holds(service)


RULE = Rule(
    id="CKV_RG_5",
    says="Every slot scales on CPU, memory and requests",
    remedy="Add a target tracking aws_appautoscaling_policy for each of the three predefined metrics.",
    controls=("CMP-02", "ARCH-04"),
    judge=judge,
)
