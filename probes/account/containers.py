"""ECS: what a service runs, where, and from which definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account.session import Account

# What ECS itself adds to a definition; it says nothing about what was declared.
_ASSIGNED = ("taskDefinitionArn", "revision", "status", "registeredAt", "registeredBy", "compatibilities")
_ASSIGNED_TOO = ("requiresAttributes", "deregisteredAt")


def service_view(account: Account, cluster: str, service: str) -> dict[str, Any]:
    """desired, running, task_definition, failed_tasks, zones (one per running task), definition (as declared).

    Raises botocore's ClientError or a LookupError when the service does not exist.
    """
    ecs = account.client("ecs")
    answer = ecs.describe_services(cluster=cluster, services=[service])
    if not answer["services"]:
        raise LookupError(f"no service {service} in {cluster}")
    found = answer["services"][0]
    primary: Mapping[str, Any] = next((d for d in found["deployments"] if d["status"] == "PRIMARY"), {})
    arns = ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="RUNNING")["taskArns"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    definition = ecs.describe_task_definition(taskDefinition=found["taskDefinition"])["taskDefinition"]
    return {
        "desired": found["desiredCount"],
        "running": found["runningCount"],
        "task_definition": found["taskDefinition"],
        "rollout_state": primary.get("rolloutState", ""),
        "failed_tasks": primary.get("failedTasks", 0),
        "zones": [task.get("availabilityZone", "") for task in tasks],
        "definition": declared(definition),
        "images": [container["image"] for container in definition["containerDefinitions"]],
    }


def declared(definition: dict[str, Any]) -> dict[str, Any]:
    """A task definition without what ECS assigns."""
    return {name: value for name, value in definition.items() if name not in (*_ASSIGNED, *_ASSIGNED_TOO)}


def differences(one: Any, other: Any, path: str = "") -> tuple[str, ...]:
    """Dotted paths at which two JSON values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted(set(one) | set(other))
        return tuple(d for n in names for d in differences(one.get(n), other.get(n), f"{path}.{n}".lstrip(".")))
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return tuple(d for i, (a, b) in pairs for d in differences(a, b, f"{path}[{i}]"))
    return () if one == other else (path,)
