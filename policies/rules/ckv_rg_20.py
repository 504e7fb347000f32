"""The default network ACL allows everything; only an explicit one is a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.shapes import WORLD
from policies.tree import Resource, Tree
from policies.values import Unknown, Value


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    lists = tree.of("aws_network_acl")
    links = tree.of("aws_network_acl_association")
    named = [acl.values.get("subnet_ids") for acl in lists] + [link.values.get("subnet_id") for link in links]
    covered = {subnet.address for value in named for subnet in tree.meant(value, "aws_subnet")}
    for subnet in tree.of("aws_subnet"):
        explicit = subnet.address in covered
        yield holds(subnet) if explicit else fails(subnet, "it has the default network ACL, which allows everything")
    for acl in lists:
        for rule in _rules(tree, acl):
            yield _judge(acl, rule)


def _rules(tree: Tree, acl: Resource) -> Iterator[Value]:
    for direction in ("ingress", "egress"):
        yield from acl.blocks(direction)
    for rule in tree.of("aws_network_acl_rule"):
        if acl in tree.meant(rule.values.get("network_acl_id"), "aws_network_acl"):
            yield {**rule.values, "action": rule.values.get("rule_action")}


def _judge(acl: Resource, rule: Value) -> Judged:
    if not isinstance(rule, Mapping):
        return deferred(acl, rule, "what it allows")
    parts = [rule.get(key) for key in ("action", "protocol", "cidr_block", "ipv6_cidr_block")]
    action, protocol, *ranges = parts
    if action == "allow" and str(protocol) in ("-1", "all") and any(one in WORLD for one in ranges):
        return fails(acl, "it allows every protocol from and to everywhere")
    unknown = [part for part in parts if isinstance(part, Unknown)]
    return deferred(acl, unknown, "what it allows") if unknown else holds(acl)


RULE = Rule(
    id="CKV_RG_20",
    says="Every subnet has an explicit network ACL that does not allow everything",
    remedy="Declare an aws_network_acl for the subnet, and name protocol and ports in its rules.",
    controls=("NET-03",),
    judge=judge,
)
