"""Security groups of the environment's VPC: who may talk to whom, on which ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import DIRECT, Declared
from probes.account.network import home
from probes.account.population import Resource, Seen, View, check, known, population, view_of

_WORLD = frozenset({"0.0.0.0/0", "::/0"})
_PUBLIC_PORTS = frozenset({80, 443})
_PORT_LAST = 65_535


def view(account: ClientMaker, declared: Declared) -> View:
    """Every security group of the VPC, with whether it is the load balancer's."""
    asker = Asker(account)
    vpc = home(asker, declared)
    source = "ec2 DescribeSecurityGroups"
    groups = population("security group", source, lambda: _groups(asker, declared, known(vpc)))
    rules = population("security group rule", source, lambda: tuple(_rules(known(groups.members))))
    return view_of(declared, groups, rules)


def _groups(asker: Asker, declared: Declared, vpc: str) -> tuple[Resource, ...] | Unread:
    rows = asker.all("ec2", "describe_security_groups", "SecurityGroups", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    if isinstance(rows, Unread):
        return rows
    found = asker.all(
        "elbv2", "describe_load_balancers", "LoadBalancers", LoadBalancerArns=[declared.load_balancer_arn]
    )
    guards = (
        found if isinstance(found, Unread) else frozenset(g for one in found for g in one.get("SecurityGroups", ()))
    )
    return tuple(
        Resource(
            name=f"{row['GroupId']} ({row['GroupName']})",
            facts={**row, "balancer": guards if isinstance(guards, Unread) else row["GroupId"] in guards},
        )
        for row in rows
    )


def _rules(groups: tuple[Resource, ...]) -> Iterator[Resource]:
    """Every rule by what it allows: one that is added by hand has a name that no inventory holds."""
    for group in groups:
        for way, permissions in (("from", "IpPermissions"), ("to", "IpPermissionsEgress")):
            for rule in group[permissions]:
                for peer in _peers(rule):
                    yield Resource(name=f"{group.name}: {ports(rule)} {way} {peer}", facts=rule)


def _peers(rule: Mapping[str, Any]) -> Iterator[str]:
    """Everybody whom a rule names: addresses, groups, lists of addresses."""
    yield from _ranges(rule)
    yield from (str(row["GroupId"]) for row in rule.get("UserIdGroupPairs", ()))
    yield from (str(row["PrefixListId"]) for row in rule.get("PrefixListIds", ()))


def ports(rule: Mapping[str, Any]) -> str:
    """Protocol and ports of a rule as a person says them: `tcp 443`, `tcp 0-65535`, `everything`."""
    if str(rule["IpProtocol"]) == "-1":
        return "everything"
    first, last = rule.get("FromPort", -1), rule.get("ToPort", -1)
    return f"{rule['IpProtocol']} {first}" if first == last else f"{rule['IpProtocol']} {first}-{last}"


def _ranges(rule: Mapping[str, Any]) -> Iterator[str]:
    """The address ranges that a rule names, IPv4 and IPv6."""
    yield from (str(row["CidrIp"]) for row in rule.get("IpRanges", ()))
    yield from (str(row["CidrIpv6"]) for row in rule.get("Ipv6Ranges", ()))


def _is_public_port(rule: Mapping[str, Any]) -> bool:
    return (
        rule["IpProtocol"] == "tcp" and rule.get("FromPort") == rule.get("ToPort") and rule["FromPort"] in _PUBLIC_PORTS
    )


@check("security group", rule="only the public load balancer is open to the world, on 443 and 80")
def world_ingress(one: Resource, declared: Declared) -> Seen:
    """NET-02. In the gateway topology nothing is open: the load balancer is internal."""
    may = bool(one["balancer"]) and declared.topology == DIRECT
    open_rules = [rule for rule in one["IpPermissions"] if _WORLD & set(_ranges(rule))]
    wrong = [f"{ports(rule)} is open to the world" for rule in open_rules if not (may and _is_public_port(rule))]
    return Seen([ports(rule) for rule in open_rules], ", ".join(wrong))


@check("security group", rule="every other rule names a group, not addresses")
def ingress_names_groups(one: Resource, _: Declared) -> Seen:
    """NET-02. A managed prefix list is a group of addresses that somebody else keeps: the balancer may name one."""
    balancer = bool(one["balancer"])
    wrong = []
    for rule in one["IpPermissions"]:
        addresses = [cidr for cidr in _ranges(rule) if cidr not in _WORLD]
        lists = [] if balancer else [str(row["PrefixListId"]) for row in rule.get("PrefixListIds", ())]
        wrong += [f"{ports(rule)} from {source}" for source in (*addresses, *lists)]
    sources = {pair["GroupId"] for rule in one["IpPermissions"] for pair in rule.get("UserIdGroupPairs", ())}
    return Seen(sorted(sources), ", ".join(wrong))


@check("security group", rule="no rule opens all ports")
def no_all_ports(one: Resource, _: Declared) -> Seen:
    """NET-02, between groups of one environment too: one taken service must not reach every port of the others."""
    rules = [ports(rule) for rule in one["IpPermissions"] if _is_everything(rule)]
    return Seen([ports(rule) for rule in one["IpPermissions"]], f"allows {', '.join(rules)}" if rules else "")


def _is_everything(rule: Mapping[str, Any]) -> bool:
    all_of_one = (rule.get("FromPort", -1) in (0, 1)) and rule.get("ToPort") == _PORT_LAST
    return str(rule["IpProtocol"]) == "-1" or (rule["IpProtocol"] in ("tcp", "udp") and all_of_one)


@check("security group", rule="does not let everything out to the world")
def egress_limited(one: Resource, _: Declared) -> Seen:
    """Design.md 14.19: AWS lets everything out of a group that nobody has limited."""
    rules = [ports(rule) for rule in one["IpPermissionsEgress"] if _WORLD & set(_ranges(rule)) and _is_everything(rule)]
    return Seen(
        [ports(rule) for rule in one["IpPermissionsEgress"]], "lets everything out to the world" if rules else ""
    )
