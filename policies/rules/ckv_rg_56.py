"""A public load balancer behind an API gateway is a second door, without the gateway's tokens and throttling."""

from __future__ import annotations

from collections.abc import Iterator

from policies.gateways import behind_http_apis
from policies.rule import Judged, Rule, demand_true, holds
from policies.settings import Settings
from policies.tree import Tree


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    behind = behind_http_apis(tree)
    for balancer in tree.of("aws_lb"):
        if balancer.address in behind:
            yield demand_true(balancer, "internal", "the world reaches it past the API gateway")
        else:
            yield holds(balancer, "no API gateway stands before it")


RULE = Rule(
    id="CKV_RG_56",
    says="The world reaches a load balancer only where no API gateway stands before it",
    remedy="Set internal = true on the load balancer, and name private subnets.",
    controls=("ARCH-01", "ARCH-10"),
    judge=judge,
)
