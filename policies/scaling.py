"""Autoscaling of ECS services: targets and policies that belong to a service."""

from __future__ import annotations

from policies.tree import Resource, Tree
from policies.values import Value, references


def targets(tree: Tree, service: Resource) -> list[Resource]:
    """Scalable targets whose resource id names the service."""
    return [
        target for target in tree.of("aws_appautoscaling_target") if names(target.values.get("resource_id"), service)
    ]


def names(resource_id: Value, service: Resource) -> bool:
    """`service/<cluster>/<name>` is about this service: by reference, or by its name in text."""
    if service.address in references(resource_id):
        return True
    name = service.values.get("name")
    return isinstance(resource_id, str) and isinstance(name, str) and resource_id.rpartition("/")[2] == name


def policies_of(tree: Tree, service: Resource) -> list[Resource]:
    """Scaling policies of a service, by its own id or by its target's."""
    made = {target.address for target in targets(tree, service)}
    return [
        policy
        for policy in tree.of("aws_appautoscaling_policy")
        if names(policy.values.get("resource_id"), service) or made & references(policy.values.get("resource_id"))
    ]
