"""Parts of resources that several rules look at: containers, statements, openings of security groups, routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.rule import number
from policies.tree import Resource, Tree, listed_deep
from policies.values import Unknown, Value, decoded, listed

WORLD = ("0.0.0.0/0", "::/0")
PORTS = (0, 65535)


def containers(task: Resource) -> list[Value]:
    """The container definitions of a task definition: objects, or one Unknown where they cannot be read."""
    found = decoded(task.values.get("container_definitions"))
    return found if isinstance(found, list) else [found if isinstance(found, Unknown) else Unknown("no containers")]


def statements(value: Value) -> list[Value]:
    """The statements of an IAM document in any of its forms; one Unknown where it cannot be read."""
    document = decoded(value)
    if isinstance(document, Mapping):
        return listed(document.get("Statement"))
    return [document if isinstance(document, Unknown) else Unknown("no policy document")]


def policies(tree: Tree) -> Iterator[tuple[Resource, Value]]:
    """Every identity policy with its document: managed ones, inline ones of roles, users and groups."""
    kinds = ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy")
    for resource in tree.of(*kinds):
        yield resource, resource.values.get("policy")
    for role in tree.of("aws_iam_role"):
        for inline in role.blocks("inline_policy"):
            yield role, inline if isinstance(inline, Unknown) else inline.get("policy")


def in_statement(statement: Mapping[str, Value], key: str) -> list[Value]:
    """Actions, resources or principals of a statement as a flat list."""
    value = statement.get(key)
    return listed_deep(list(value.values())) if isinstance(value, Mapping) else listed_deep(listed(value))


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One permission of a security group: who may come (or be gone to) at which ports (inclusive)."""

    resource: Resource
    group: Value
    ingress: bool
    protocol: Value
    ports: tuple[Value, Value]
    ranges: list[Value]
    groups: list[Value]

    @property
    def unknown(self) -> Unknown | None:
        """The first of its parts that is not known and decides what it opens."""
        parts = [self.protocol, *self.ports, *self.ranges]
        return next((part for part in parts if isinstance(part, Unknown)), None)

    @property
    def to_world(self) -> bool:
        return any(str(one) in WORLD for one in self.ranges if not isinstance(one, Unknown))

    @property
    def every_port(self) -> bool:
        low, high = (number(port) for port in self.ports)
        return str(self.protocol) in ("-1", "all") or (
            low is not None and high is not None and low <= 1 and high >= 65535
        )


def openings(tree: Tree) -> Iterator[Opening]:
    """Openings in each of the three ways in which Terraform can write them."""
    for group in tree.of("aws_security_group", "aws_default_security_group"):
        for direction in ("ingress", "egress"):
            for block in group.blocks(direction):
                yield _inline(group, block, ingress=direction == "ingress")
    for rule in tree.of("aws_security_group_rule"):
        yield _opening(
            rule, rule.values, group=rule.values.get("security_group_id"), ingress=rule.one("type") == "ingress"
        )
    kinds = {"aws_vpc_security_group_ingress_rule": True, "aws_vpc_security_group_egress_rule": False}
    for kind, ingress in kinds.items():
        for rule in tree.of(kind):
            yield _opening(rule, rule.values, group=rule.values.get("security_group_id"), ingress=ingress)


def _inline(group: Resource, block: Value, *, ingress: bool) -> Opening:
    values = {"protocol": block, "from_port": block} if isinstance(block, Unknown) else block
    owner = Unknown(f"{group.address}.id", frozenset({group.address}))
    return _opening(group, values, group=owner, ingress=ingress)


def _opening(resource: Resource, values: Mapping[str, Value], *, group: Value, ingress: bool) -> Opening:
    protocol = values.get("ip_protocol", values.get("protocol"))
    keys = ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6")
    named = (
        "source_security_group_id",
        "security_groups",
        "referenced_security_group_id",
        "prefix_list_ids",
        "prefix_list_id",
    )
    groups = listed_deep([values[key] for key in named if values.get(key)])
    return Opening(
        resource=resource,
        group=group,
        ingress=ingress,
        protocol=protocol,
        ports=(values.get("from_port"), values.get("to_port")),
        ranges=listed_deep([values[key] for key in keys if values.get(key)]),
        groups=[*groups, *(["self"] if values.get("self") is True else [])],
    )


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route of a route table and where it leads."""

    table: Resource
    to: Value
    gateways: list[Resource]
    nats: list[Resource]


def routes(tree: Tree) -> Iterator[Route]:
    """Routes written within tables and beside them."""
    for table in tree.of("aws_route_table", "aws_default_route_table"):
        for block in table.blocks("route"):
            values = {"gateway_id": block} if isinstance(block, Unknown) else block
            yield _route(tree, table, values, to=values.get("cidr_block", values.get("ipv6_cidr_block")))
    for route in tree.of("aws_route"):
        destination = route.values.get("destination_cidr_block", route.values.get("destination_ipv6_cidr_block"))
        for table in tree.meant(route.values.get("route_table_id"), "aws_route_table", "aws_default_route_table"):
            yield _route(tree, table, route.values, to=destination)


def _route(tree: Tree, table: Resource, values: Mapping[str, Value], *, to: Value) -> Route:
    gateways = tree.meant(values.get("gateway_id"), "aws_internet_gateway")
    nats = tree.meant(values.get("nat_gateway_id"), "aws_nat_gateway")
    return Route(table=table, to=to, gateways=gateways, nats=nats)


def tables_of(tree: Tree, subnet: Resource) -> list[Resource]:
    """The route tables that are associated with a subnet."""
    return [
        table
        for link in tree.of("aws_route_table_association")
        if subnet in tree.meant(link.values.get("subnet_id"), "aws_subnet")
        for table in tree.meant(link.values.get("route_table_id"), "aws_route_table")
    ]


def attached(tree: Tree, subject: Resource, kind: str, by: str) -> list[Resource]:
    """Resources of a kind whose attribute `by` names the subject."""
    return [one for one in tree.of(kind) if subject in tree.meant(one.values.get(by), subject.kind)]


def slot_services(tree: Tree) -> list[Resource]:
    """ECS services that stand behind a load balancer."""
    return [service for service in tree.of("aws_ecs_service") if service.blocks("load_balancer")]


def slot_groups(tree: Tree) -> list[Resource]:
    """Target groups behind which ECS services of slots stand."""
    arns = [arn for service in slot_services(tree) for arn in service.all("load_balancer.target_group_arn")]
    found = {group.address: group for arn in arns for group in tree.meant(arn, "aws_lb_target_group")}
    return list(found.values())
