"""A task with a public address can be reached around the load balancer and its WAF."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, demand, fails, is_true
from policies.settings import Settings
from policies.shapes import routes, tables_of
from policies.tree import Resource, Tree
from policies.values import Unknown, Value


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    public = {route.table.address for route in routes(tree) if route.gateways}
    for service in tree.of("aws_ecs_service"):
        address = service.one("network_configuration.assign_public_ip")
        yield demand(service, address, lambda one: not is_true(one), "its tasks get public addresses")
        subnets = service.all("network_configuration.subnets")
        if not subnets:
            yield fails(service, "it names no subnets")
        for subnet in subnets:
            yield from _judge(tree, service, subnet, public)


def _judge(tree: Tree, service: Resource, value: Value, public: set[str]) -> Iterator[Judged]:
    found = tree.meant(value, "aws_subnet")
    if not found:
        unseen = value if isinstance(value, Unknown) else Unknown(f"the subnet {value}")
        yield deferred(service, unseen, "whether it is private")
    for subnet in found:
        assigns = subnet.one("map_public_ip_on_launch")
        yield demand(service, assigns, lambda one: not is_true(one), f"{subnet.address} gives public addresses")
        if public & {table.address for table in tables_of(tree, subnet)}:
            yield fails(service, f"{subnet.address} is a public subnet: its routes lead to an internet gateway")


RULE = Rule(
    id="CKV_RG_15",
    says="Services run in private subnets, without public addresses",
    remedy="Name private subnets in network_configuration and set assign_public_ip = false.",
    controls=("NET-01", "CMP-01", "ARCH-01"),
    judge=judge,
)
