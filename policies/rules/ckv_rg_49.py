"""Without a limit one client takes what all others need."""

from __future__ import annotations

from collections.abc import Iterator

from policies.gateways import settings_of
from policies.rule import Judged, Rule, demand, fails, number
from policies.settings import Settings
from policies.tree import Resource, Tree
from policies.values import Value


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for stage in tree.of("aws_apigatewayv2_stage"):
        yield from _judge(stage, stage, "default_route_settings")
    for stage in tree.of("aws_api_gateway_stage"):
        found = [one for one in settings_of(tree, stage) if one.one("method_path") == "*/*"]
        if not found:
            yield fails(stage, "no throttling is set for all of its methods")
        for one in found:
            yield from _judge(stage, one, "settings")


def _judge(stage: Resource, holder: Resource, path: str) -> Iterator[Judged]:
    for key in ("throttling_rate_limit", "throttling_burst_limit"):
        yield demand(stage, holder.one(f"{path}.{key}"), _limits, f"{key} sets no limit")


def _limits(value: Value) -> bool:
    limit = number(value)  # -1 switches throttling off (aws_api_gateway_method_settings)
    return limit is not None and limit > 0


RULE = Rule(
    id="CKV_RG_49",
    says="Every stage of the API gateway is throttled",
    remedy="Set throttling_rate_limit and throttling_burst_limit (default_route_settings, or method settings of */*).",
    controls=("ARCH-10",),
    judge=judge,
)
