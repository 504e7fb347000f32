"""ECS: what a service runs, where, and from which definition; and what every service is held to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account import network
from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.population import NotRead, Resource, Seen, Unknown, View, check, population, view_of
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


# ------------------------------------------------------------------------------------------------ every service

_FARGATE = frozenset({"FARGATE", "FARGATE_SPOT"})


def view(account: ClientMaker, declared: Declared) -> View:
    """The environment's services with the routes of their subnets."""
    asker = Asker(account)
    return view_of(declared, population("service", "ecs DescribeServices", lambda: _members(asker, declared)))


def _members(asker: Asker, declared: Declared) -> tuple[Resource, ...] | Unread:
    if not declared.service_names:
        return Unread("the outputs name no service")
    names = sorted(declared.service_names.values())
    answer = asker.one("ecs", "describe_services", cluster=declared.cluster_name, services=names)
    if isinstance(answer, Unread):
        return answer
    found = {row["serviceName"]: row for row in (answer or {}).get("services", ()) if row.get("status") != "INACTIVE"}
    subnets = network.view(asker.account, declared).populations["private subnet"].members
    private = _closed(subnets)
    # A declared service that does not exist is a member without facts, so that nothing about it can pass.
    return tuple(
        Resource(name=name, facts={**found[name], "private": private} if name in found else {}) for name in names
    )


def _closed(subnets: tuple[Resource, ...] | Unread) -> frozenset[str] | Unread:
    """Private subnets without a route to an internet gateway."""
    if isinstance(subnets, Unread):
        return subnets
    try:
        return frozenset(
            one.name
            for one in subnets
            if not any(str(route.get("GatewayId", "")).startswith("igw-") for route in one["routes"])
        )
    except NotRead as error:
        return Unread(str(error))


@check("service", rule="runs on Fargate")
def on_fargate(one: Resource, _: Declared) -> Seen:
    """CMP-01."""
    providers = [str(row["capacityProvider"]) for row in one.get("capacityProviderStrategy") or ()]
    kinds = providers or [str(one["launchType"])]
    wrong = sorted(set(kinds) - _FARGATE)
    return Seen(kinds, f"runs on {', '.join(wrong)}" if wrong else "")


def _placement(one: Resource) -> Mapping[str, Any]:
    placement: Mapping[str, Any] = one["networkConfiguration"]["awsvpcConfiguration"]
    return placement


@check("service", rule="its tasks have no public address")
def no_public_address(one: Resource, _: Declared) -> Seen:
    """CMP-01. DISABLED is what AWS takes where nothing is said (API reference, AwsVpcConfiguration)."""
    given = str(_placement(one).get("assignPublicIp", "DISABLED"))
    return Seen(given, "" if given == "DISABLED" else "gives its tasks public addresses")


@check("service", rule="its tasks run in private subnets only")
def in_private_subnets(one: Resource, _: Declared) -> Seen:
    """NET-01, NET-05."""
    subnets = sorted(str(name) for name in _placement(one)["subnets"])
    if not subnets:
        raise Unknown("AWS gave no subnet of it")
    outside = [name for name in subnets if name not in one["private"]]
    return Seen(subnets, f"in a subnet that is not private: {', '.join(outside)}" if outside else "")


@check("service", rule="its deployment controller leaves the weights to the engine")
def leaves_weights(one: Resource, _: Declared) -> Seen:
    """CMP-01, design.md 4.9: never two engines on one rule. ECS is the controller where nothing is said."""
    controller = str((one.get("deploymentController") or {}).get("type", "ECS"))
    strategy = str((one["deploymentConfiguration"] or {}).get("strategy", "ROLLING"))
    good = controller == "ECS" and strategy == "ROLLING"
    return Seen([controller, strategy], "" if good else f"{controller} with {strategy} moves traffic itself")
