"""Callers that find both slots under one Cloud Map name meet the candidate whatever its weight is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.shapes import slot_services
from policies.tree import Resource, Tree
from policies.values import Unknown


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    registries = {service.address: _registries(tree, service) for service in slot_services(tree)}
    shared = Counter(name for names in registries.values() for name in set(names))
    for service in slot_services(tree):
        arns = service.all("service_registries.registry_arn")
        names = registries[service.address]
        both = [name for name in names if shared[name] > 1]
        if not arns:
            yield fails(service, "it is not registered in Cloud Map")
        elif both:
            yield fails(service, f"both slots register under {both[0]}: callers would bypass the canary")
        elif not names:
            yield deferred(service, [one for one in arns if isinstance(one, Unknown)], "under which name it registers")
        else:
            yield holds(service)


def _registries(tree: Tree, service: Resource) -> list[str]:
    """The Cloud Map services that it registers with, by address, or by plain ARN."""
    found = []
    for arn in service.all("service_registries.registry_arn"):
        meant = tree.meant(arn, "aws_service_discovery_service")
        found += [one.address for one in meant] or ([] if isinstance(arn, Unknown) else [str(arn)])
    return found


RULE = Rule(
    id="CKV_RG_17",
    says="Every slot is registered in Cloud Map, each under a name of its own",
    remedy="Give each service service_registries with an aws_service_discovery_service of its own.",
    controls=("CMP-03",),
    judge=judge,
)
