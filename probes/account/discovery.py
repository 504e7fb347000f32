"""Cloud Map: what callers inside find under a name, against the tasks that really run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.balancer import weights
from probes.account.declared import Declared
from probes.account.population import Members, Resource, Seen, Unknown, View, check, known, population, view_of


def view(account: ClientMaker, declared: Declared) -> View:
    """One member per slot: its registry's name and instances, and the ids of its running tasks."""
    source = "servicediscovery ListInstances"
    return view_of(declared, population("slot", source, lambda: _slots(Asker(account), declared)))


def _slots(asker: Asker, declared: Declared) -> Members:
    names = declared.service_names
    if not names:
        return Unread("the outputs name no service")
    rows = asker.field(
        "ecs", "describe_services", "services", cluster=declared.cluster_name, services=sorted(names.values())
    )
    found = {row["serviceName"]: row for row in known(rows) or ()}
    registries = {slot: _registry(found.get(name)) for slot, name in names.items()}
    shares = _shares(asker, declared)
    return tuple(
        Resource(
            name=slot,
            facts={**_facts(asker, declared, slot=slot, registries=registries), "leads": _leads(shares, slot)},
        )
        for slot in sorted(names)
    )


def _registry(service: Mapping[str, Any] | None) -> str:
    """Id of the Cloud Map service that an ECS service registers its tasks with, empty if none."""
    registries = (service or {}).get("serviceRegistries") or ()
    return str(registries[0]["registryArn"]).rsplit("/", 1)[-1] if registries else ""


def _shares(asker: Asker, declared: Declared) -> Mapping[str, int] | Unread:
    """Weight by slot."""
    rules = asker.all("elbv2", "describe_rules", "Rules", RuleArns=[declared.rule_arn])
    if isinstance(rules, Unread):
        return rules
    found = weights(rules[0]) if rules else {}
    return {slot: found.get(arn, 0) for slot, arn in declared.target_group_arns.items()}


def _leads(shares: Mapping[str, int] | Unread, slot: str) -> bool | Unread:
    """The slot has more weight than any other: it is no candidate that somebody still watches."""
    if isinstance(shares, Unread):
        return shares
    return all(shares.get(slot, 0) > share for other, share in shares.items() if other != slot)


def _facts(asker: Asker, declared: Declared, *, slot: str, registries: Mapping[str, str]) -> Mapping[str, Any]:
    registry = registries[slot]
    facts: dict[str, Any] = {"registry": registry, "tasks": _tasks(asker, declared, declared.service_names[slot])}
    facts["shared"] = bool(registry) and list(registries.values()).count(registry) > 1
    if registry:
        service = asker.field("servicediscovery", "get_service", "Service", Id=registry)
        facts["name"] = service if isinstance(service, Unread) else str((service or {})["Name"])
        rows = asker.all("servicediscovery", "list_instances", "Instances", ServiceId=registry)
        facts["instances"] = rows if isinstance(rows, Unread) else frozenset(str(row["Id"]) for row in rows)
    return facts


def _tasks(asker: Asker, declared: Declared, service: str) -> frozenset[str] | Unread:
    """Ids of a service's running tasks; ECS registers each under its id (developer guide, service discovery)."""
    asked = {"cluster": declared.cluster_name, "serviceName": service, "desiredStatus": "RUNNING"}
    arns = asker.all("ecs", "list_tasks", "taskArns", **asked)
    return arns if isinstance(arns, Unread) else frozenset(str(arn).rsplit("/", 1)[-1] for arn in arns)


@check("slot", rule="registers its tasks with Cloud Map")
def registered(one: Resource, _: Declared) -> Seen:
    """CMP-03."""
    return Seen(one["registry"], "" if one["registry"] else "its service is not registered")


@check("slot", rule="has exactly its running tasks as instances")
def instances_match(one: Resource, _: Declared) -> Seen:
    """CMP-03: a task that is missing takes no calls, an instance without a task answers none."""
    if not one["registry"]:
        return Seen(None, "its service is not registered")
    instances, tasks = one["instances"], one["tasks"]
    wrong = [f"{len(tasks - instances)} task(s) not registered"] if tasks - instances else []
    wrong += [f"{len(instances - tasks)} instance(s) without a task"] if instances - tasks else []
    return Seen([len(instances), len(tasks)], ", ".join(wrong))


@check("slot", rule="has a name of its own, and not the one callers use while it is the candidate")
def apart(one: Resource, declared: Declared) -> Seen:
    """CMP-03, design.md 14.18: callers that find the candidate by the public name bypass the canary."""
    if not one["registry"]:
        raise Unknown("its service is not registered, so it has no name")
    name = str(one["name"])
    public = bool(declared.public_service_name) and name == declared.public_service_name and not one["leads"]
    wrong = ["shares its name with the other slot"] if one["shared"] else []
    wrong += [f"is registered under {name}, the name that callers use"] if public else []
    return Seen(name, ", ".join(wrong))
