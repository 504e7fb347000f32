"""VPC: zones, routes, gateways, endpoints, flow logs and network ACLs of the network that the environment lives in.

A subnet is public by purpose when it holds a NAT gateway or a load balancer that faces the internet; every other
subnet is private, whatever its routes say: a route to the internet gateway makes it wrong, not public.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.population import Population, Resource, Seen, Unknown, View, check, listed, population, view_of

Row = Mapping[str, Any]

_WORLD = ("0.0.0.0/0", "::/0")


def view(account: ClientMaker, declared: Declared) -> View:
    """The VPC of the load balancer, its subnets and the network ACLs that they use."""
    asker = Asker(account)
    vpc = home(asker, declared)
    rows = {name: _rows(asker, name, vpc) for name in _LISTS}
    subnets = population("subnet", "", lambda: _subnets(rows)).members
    return view_of(
        declared,
        population("VPC", "elbv2 DescribeLoadBalancers", lambda: _vpcs(vpc, subnets, rows=rows)),
        Population(kind="subnet", source="ec2 DescribeSubnets", members=subnets),
        population("private subnet", "ec2 DescribeSubnets", lambda: _private(subnets)),
        listed("network ACL", "ec2 DescribeNetworkAcls", rows["acls"], name=lambda row: str(row["NetworkAclId"])),
    )


def home(asker: Asker, declared: Declared) -> str | Unread:
    """Id of the VPC that the declared load balancer stands in."""
    if not declared.load_balancer_arn:
        return Unread("the outputs name no load balancer, so the environment's VPC is unknown")
    found = asker.all(
        "elbv2", "describe_load_balancers", "LoadBalancers", LoadBalancerArns=[declared.load_balancer_arn]
    )
    if isinstance(found, Unread):
        return found
    return str(found[0]["VpcId"]) if found else Unread(f"no load balancer {declared.load_balancer_arn}")


# Name here -> (operation of ec2 or elbv2, key of the answer, name of the filter by VPC)
_LISTS = {
    "subnets": ("describe_subnets", "Subnets", "vpc-id"),
    "tables": ("describe_route_tables", "RouteTables", "vpc-id"),
    "nats": ("describe_nat_gateways", "NatGateways", "vpc-id"),
    "endpoints": ("describe_vpc_endpoints", "VpcEndpoints", "vpc-id"),
    "acls": ("describe_network_acls", "NetworkAcls", "vpc-id"),
    "flow_logs": ("describe_flow_logs", "FlowLogs", "resource-id"),
    "balancers": ("describe_load_balancers", "LoadBalancers", ""),
}


def _rows(asker: Asker, name: str, vpc: str | Unread) -> tuple[Row, ...] | Unread:
    if isinstance(vpc, Unread):
        return vpc
    operation, key, condition = _LISTS[name]
    if not condition:
        found = asker.all("elbv2", operation, key)
        return found if isinstance(found, Unread) else tuple(row for row in found if row.get("VpcId") == vpc)
    # EC2 spells the parameter of two operations differently.
    spelled = "Filter" if name in ("nats", "flow_logs") else "Filters"
    return asker.all("ec2", operation, key, **{spelled: [{"Name": condition, "Values": [vpc]}]})


def _subnets(rows: Mapping[str, tuple[Row, ...] | Unread]) -> tuple[Resource, ...] | Unread:
    """Every subnet with its purpose, the routes that hold for it, and its network ACL."""
    subnets = rows["subnets"]
    if isinstance(subnets, Unread):
        return subnets
    public = _public_ids(rows["nats"], rows["balancers"])
    return tuple(
        Resource(
            name=subnet["SubnetId"],
            facts={
                "zone": subnet["AvailabilityZone"],
                "public": public if isinstance(public, Unread) else subnet["SubnetId"] in public,
                "routes": _routes(rows["tables"], subnet["SubnetId"]),
                "acl": _acl(rows["acls"], subnet["SubnetId"]),
            },
        )
        for subnet in subnets
    )


def _public_ids(nats: tuple[Row, ...] | Unread, balancers: tuple[Row, ...] | Unread) -> frozenset[str] | Unread:
    if isinstance(nats, Unread):
        return nats
    if isinstance(balancers, Unread):
        return balancers
    facing = [one for one in balancers if one.get("Scheme") == "internet-facing"]
    return frozenset(
        [nat["SubnetId"] for nat in nats] + [zone["SubnetId"] for one in facing for zone in one["AvailabilityZones"]]
    )


def _routes(tables: tuple[Row, ...] | Unread, subnet: str) -> tuple[Row, ...] | Unread:
    """Routes of the table that is associated with the subnet, else of the VPC's main table."""
    if isinstance(tables, Unread):
        return tables
    own = [table for table in tables if any(a.get("SubnetId") == subnet for a in table.get("Associations", ()))]
    main = [table for table in tables if any(a.get("Main") for a in table.get("Associations", ()))]
    return tuple(route for table in (own or main)[:1] for route in table["Routes"])


def _acl(acls: tuple[Row, ...] | Unread, subnet: str) -> Row | Unread:
    if isinstance(acls, Unread):
        return acls
    for acl in acls:
        if any(one.get("SubnetId") == subnet for one in acl.get("Associations", ())):
            return {"id": acl["NetworkAclId"], "default": acl["IsDefault"]}
    return Unread(f"no network ACL is associated with {subnet}")


def _private(subnets: tuple[Resource, ...] | Unread) -> tuple[Resource, ...] | Unread:
    if isinstance(subnets, Unread):
        return subnets
    unread = next((one.facts["public"] for one in subnets if isinstance(one.facts["public"], Unread)), None)
    return unread or tuple(one for one in subnets if not one.facts["public"])


def _vpcs(
    vpc: str | Unread, subnets: tuple[Resource, ...] | Unread, *, rows: Mapping[str, tuple[Row, ...] | Unread]
) -> tuple[Resource, ...] | Unread:
    if isinstance(vpc, Unread):
        return vpc
    facts = {name: rows[name] for name in ("nats", "endpoints", "flow_logs")}
    return (Resource(name=vpc, facts={**facts, "subnets": subnets, "zones": _nat_zones(rows)}),)


def _nat_zones(rows: Mapping[str, tuple[Row, ...] | Unread]) -> tuple[str, ...] | Unread:
    """Zones of the NAT gateways that work."""
    nats, subnets = rows["nats"], rows["subnets"]
    if isinstance(nats, Unread):
        return nats
    if isinstance(subnets, Unread):
        return subnets
    zones = {row["SubnetId"]: row["AvailabilityZone"] for row in subnets}
    return tuple(sorted(zones[nat["SubnetId"]] for nat in nats if nat["State"] == "available"))


# ------------------------------------------------------------------------------------------------ judgements


@check("VPC", rule="private and public subnets in enough zones", limit=lambda declared: declared.zones_min)
def zones(one: Resource, declared: Declared) -> Seen:
    """NET-01: a zone can be lost, on both sides of the load balancer. An internal one has no public side."""
    found = {
        kind: sorted({subnet["zone"] for subnet in one["subnets"] if subnet["public"] is public})
        for kind, public in (("public", True), ("private", False))
    }
    few = [
        f"{kind} subnets in {len(names)} zone(s)" for kind, names in found.items() if len(names) < declared.zones_min
    ]
    return Seen([*found["public"], *found["private"]], " and ".join(few))


@check("private subnet", rule="no way to the internet but a NAT gateway")
def private_routes(one: Resource, _: Declared) -> Seen:
    """NET-05. An egress-only gateway (eigw-) lets nothing in; an internet gateway (igw-) does."""
    routes: Sequence[Row] = one["routes"]
    if not routes:
        raise Unknown("AWS gave no route table for it")
    ways = sorted({str(route.get("GatewayId") or "") for route in routes} - {"", "local"})
    open_ways = [way for way in ways if way.startswith("igw-")]
    nats = sorted({str(route["NatGatewayId"]) for route in routes if route.get("NatGatewayId")})
    return Seen([*ways, *nats], f"routes to the internet gateway {', '.join(open_ways)}" if open_ways else "")


@check("VPC", rule="a working NAT gateway in each zone of a private subnet")
def nat_per_zone(one: Resource, declared: Declared) -> Seen:
    """NET-05: with one for all zones, losing its zone cuts off the others. Outside of production one is enough."""
    have = set(one["zones"])
    need = {subnet["zone"] for subnet in one["subnets"] if not subnet["public"]}
    missing = sorted(need - have) if declared.nat_per_zone else [] if have else sorted(need)
    return Seen(
        sorted(have), f"no NAT gateway in {', '.join(missing)}" if missing else "" if need else "no private subnet"
    )


@check("VPC", rule="VPC endpoints for the services that are used", limit=lambda declared: sorted(declared.endpoints))
def endpoints(one: Resource, declared: Declared) -> Seen:
    """NET-05, design.md 14.19: health data does not leave by NAT for what has an endpoint."""
    rows = [row for row in one["endpoints"] if str(row["State"]).lower() == "available"]
    have = {str(row["ServiceName"]).split(".", 3)[-1] for row in rows}
    missing = sorted(declared.endpoints - have)
    return Seen(sorted(have), f"no endpoint for {', '.join(missing)}" if missing else "")


@check("VPC", rule="its traffic is recorded")
def flow_logs(one: Resource, _: Declared) -> Seen:
    """SEC, HIPAA 164.312(b): who talked to whom can be told afterwards; traffic type ALL or REJECT."""
    active = [row for row in one["flow_logs"] if row.get("FlowLogStatus") == "ACTIVE"]
    return Seen([str(row.get("TrafficType")) for row in active], "" if active else "no active flow log")


@check("subnet", rule="a network ACL of its own, not the VPC's default one")
def acl_explicit(one: Resource, _: Declared) -> Seen:
    """NET-03: the default ACL allows everything and is nobody's decision."""
    acl = one["acl"]
    return Seen(acl["id"], "its network ACL is the default one" if acl["default"] else "")


@check("network ACL", rule="allows no traffic of every protocol from or to everywhere")
def acl_limits(one: Resource, _: Declared) -> Seen:
    """NET-03. A default ACL that no subnet uses guards nothing and is left out of the judgement."""
    if not one["Associations"]:
        return Seen("no subnet uses it")
    open_ways = [
        f"{'egress' if entry['Egress'] else 'ingress'} rule {entry['RuleNumber']}"
        for entry in one["Entries"]
        if entry["RuleAction"] == "allow"
        and str(entry["Protocol"]) == "-1"
        and (entry.get("CidrBlock") in _WORLD or entry.get("Ipv6CidrBlock") in _WORLD)
    ]
    return Seen(open_ways, f"allows everything by {', '.join(open_ways)}" if open_ways else "")
