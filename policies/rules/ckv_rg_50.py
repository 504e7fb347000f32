"""One route without an authorizer is the one that is found."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand, holds
from policies.settings import Settings
from policies.tree import Tree

_NONE = (None, "", "NONE")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for route in tree.of("aws_apigatewayv2_route"):
        if route.one("route_key") in settings.open_routes:
            yield holds(route, "open by policy")
            continue
        yield demand(
            route, route.one("authorization_type"), lambda one: one not in _NONE, "it asks for no authorization"
        )
        if route.one("authorization_type") in ("JWT", "CUSTOM"):
            yield demand(route, route.one("authorizer_id") is not None, bool, "it names no authorizer")
    for method in tree.of("aws_api_gateway_method"):
        if method.one("http_method") != "OPTIONS":  # a browser's preflight carries no credentials (Fetch standard)
            yield demand(
                method, method.one("authorization"), lambda one: one not in _NONE, "it asks for no authorization"
            )
            if method.one("authorization") in ("CUSTOM", "COGNITO_USER_POOLS"):
                yield demand(method, method.one("authorizer_id") is not None, bool, "it names no authorizer")


RULE = Rule(
    id="CKV_RG_50",
    says="Every route of the API gateway has an authorizer, but those that are open by policy",
    remedy="Set authorization (authorization_type) and authorizer_id on the route or method.",
    controls=("ARCH-10",),
    judge=judge,
)
