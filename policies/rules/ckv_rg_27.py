"""A WAF protects what it is attached to."""

from __future__ import annotations

from collections.abc import Iterator

from policies.gateways import behind_http_apis
from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.tree import Resource, Tree
from policies.values import Unknown


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    protected = [link.values.get("resource_arn") for link in tree.of("aws_wafv2_web_acl_association")]
    for door in _doors(tree):
        if any(door in tree.meant(arn, door.kind) for arn in protected):
            yield holds(door)
        elif isinstance(door.one("internal"), Unknown):
            yield deferred(door, door.one("internal"), "whether it is public")
        else:
            yield fails(door, "the world reaches it, and no web ACL is attached to it")


def _doors(tree: Tree) -> list[Resource]:
    """Where the world comes in and a web ACL can stand.

    Public application load balancers, stages of REST APIs, and internal load balancers behind an HTTP API: WAF knows no
    HTTP APIs (AWS WAF developer guide, "resources that you can protect"), so their first door is the load balancer.
    """
    behind = behind_http_apis(tree)
    balancers = [
        one
        for one in tree.of("aws_lb")
        if one.one("load_balancer_type") in (None, "application")
        and (one.one("internal") is not True or one.address in behind)
    ]
    return [*balancers, *tree.of("aws_api_gateway_stage")]


RULE = Rule(
    id="CKV_RG_27",
    says="A web ACL is attached to every public door",
    remedy="Add an aws_wafv2_web_acl_association with the load balancer's (or the stage's) ARN.",
    controls=("SEC-04", "ARCH-01"),
    judge=judge,
)
