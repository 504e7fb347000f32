"""One NAT gateway for all zones takes every zone's way out with it."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.shapes import routes, tables_of
from policies.tree import Resource, Tree
from policies.values import Unknown, Value


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    leads = [(route.table.address, nat) for route in routes(tree) for nat in route.nats]
    for subnet in tree.of("aws_subnet"):
        tables = {table.address for table in tables_of(tree, subnet)}
        for nat in {nat.address: nat for table, nat in leads if table in tables}.values():
            yield _judge(tree, subnet, nat)


def _judge(tree: Tree, subnet: Resource, nat: Resource) -> Judged:
    here, there = _zone(subnet), [_zone(one) for one in tree.meant(nat.values.get("subnet_id"), "aws_subnet")]
    if isinstance(here, Unknown) or not there or isinstance(there[0], Unknown):
        return deferred(subnet, [here, *there, Unknown(nat.address)], "whether its NAT gateway is in its zone")
    if there[0] != here and tree.is_production:
        return fails(subnet, f"it goes out through {nat.address}, which is in another zone")
    return holds(subnet)


def _zone(subnet: Resource) -> Value:
    zone = subnet.values.get("availability_zone", subnet.values.get("availability_zone_id"))
    return Unknown(f"{subnet.address}.availability_zone") if zone is None else zone


RULE = Rule(
    id="CKV_RG_22",
    says="In production every private subnet goes out through a NAT gateway of its own zone",
    remedy="Make one NAT gateway per zone and route each private subnet to that of its zone.",
    controls=("NET-05",),
    judge=judge,
)
