"""Weights have one owner: a deployment controller that moves traffic itself would fight the engine."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand
from policies.settings import Settings
from policies.tree import Resource, Tree
from policies.values import Value


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for service in tree.of("aws_ecs_service"):
        yield demand(service, _launch(service), lambda one: one in ("FARGATE",), "it does not run on Fargate")
        controller = service.one("deployment_controller.type")
        yield demand(service, controller, lambda one: one in (None, "ECS"), f"{controller} would move traffic itself")


def _launch(service: Resource) -> Value:
    """The launch type, or FARGATE where every capacity provider is one of Fargate's."""
    providers = service.all("capacity_provider_strategy.capacity_provider")
    if providers and all(one in ("FARGATE", "FARGATE_SPOT") for one in providers):
        return "FARGATE"
    return service.one("launch_type")


RULE = Rule(
    id="CKV_RG_16",
    says="Services run on Fargate under a deployment controller that leaves weights alone",
    remedy='Set launch_type = "FARGATE" and leave deployment_controller at ECS.',
    controls=("CMP-01",),
    judge=judge,
)
