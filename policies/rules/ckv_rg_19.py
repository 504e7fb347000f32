"""Least privilege between groups: one port, one neighbour."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.shapes import Opening, openings
from policies.tree import Tree


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for opening in openings(tree):
        yield _judge(opening)


def _judge(opening: Opening) -> Judged:
    if opening.every_port:
        return fails(opening.resource, f"it opens every port {'from' if opening.ingress else 'to'} {_whom(opening)}")
    if opening.unknown:
        return deferred(opening.resource, opening.unknown, "what it opens")
    if opening.ingress and opening.ranges and not opening.to_world:
        return fails(opening.resource, f"it lets in addresses ({_whom(opening)}) instead of a group")
    return holds(opening.resource)


def _whom(opening: Opening) -> str:
    return ", ".join(map(str, [*opening.ranges, *opening.groups])) or "nobody"


RULE = Rule(
    id="CKV_RG_19",
    says="Every rule of a security group opens single ports, and lets in groups instead of addresses",
    remedy="Write the port that is used, and referenced_security_group_id instead of a CIDR range.",
    controls=("NET-02",),
    judge=judge,
)
