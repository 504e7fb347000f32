"""The world reaches the load balancer on 443 (and 80, which only redirects), and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds, number
from policies.settings import Settings
from policies.shapes import Opening, openings
from policies.tree import Tree

_OPEN_PORTS = (80, 443)


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    balancers = tree.of("aws_lb")
    public = {
        group.address
        for balancer in balancers
        if balancer.one("internal") is not True
        for group in tree.meant(balancer.values.get("security_groups"), "aws_security_group")
    }
    for opening in openings(tree):
        if opening.ingress:
            yield _judge(tree, opening, public)


def _judge(tree: Tree, opening: Opening, public: set[str]) -> Judged:
    if not opening.to_world:
        unknown = opening.unknown
        return deferred(opening.resource, unknown, "to whom it opens") if unknown else holds(opening.resource)
    if opening.unknown:
        return deferred(opening.resource, opening.unknown, "which ports it opens to the world")
    low, high = (number(port) for port in opening.ports)
    if low != high or low not in _OPEN_PORTS or str(opening.protocol) != "tcp":
        return fails(opening.resource, f"it opens {opening.protocol} {_shown(low)}-{_shown(high)} to the world")
    groups = tree.meant(opening.group, "aws_security_group")
    if not any(group.address in public for group in groups):
        return fails(
            opening.resource, f"it opens {_shown(low)} to the world on a group that is no public load balancer's"
        )
    return holds(opening.resource)


def _shown(port: float | None) -> str:
    return "every port" if port is None else f"{port:g}"


RULE = Rule(
    id="CKV_RG_18",
    says="Only the load balancer is open to the world, on 443 and 80",
    remedy="Name a security group instead of 0.0.0.0/0; keep world access on the load balancer's own group.",
    controls=("NET-02",),
    judge=judge,
)
