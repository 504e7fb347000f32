"""What holds data or runs the service has no route from the internet."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, fails, holds
from policies.settings import Settings
from policies.shapes import routes, tables_of
from policies.tree import Resource, Tree

_USERS = {
    "aws_ecs_service": "network_configuration.subnets",
    "aws_db_subnet_group": "subnet_ids",
    "aws_elasticache_subnet_group": "subnet_ids",
}


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    public = {route.table.address: route for route in routes(tree) if route.gateways}
    for subnet in _private(tree):
        open_tables = [table for table in tables_of(tree, subnet) if table.address in public]
        if open_tables:
            yield fails(subnet, f"{open_tables[0].address} leads to an internet gateway")
        else:
            yield holds(subnet)


def _private(tree: Tree) -> list[Resource]:
    """Subnets in which services, databases and caches live."""
    used = [
        subnet
        for kind, path in _USERS.items()
        for user in tree.of(kind)
        for value in user.all(path)
        for subnet in tree.meant(value, "aws_subnet")
    ]
    return list({subnet.address: subnet for subnet in used}.values())


RULE = Rule(
    id="CKV_RG_23",
    says="Subnets of services, databases and caches have no route to an internet gateway",
    remedy="Route them to a NAT gateway, or nowhere.",
    controls=("NET-05", "NET-01"),
    judge=judge,
)
