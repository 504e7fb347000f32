"""From the gateway to the load balancer there is no way over the internet."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand
from policies.settings import Settings
from policies.tree import Resource, Tree
from policies.values import Value

_KINDS = ("aws_apigatewayv2_integration", "aws_api_gateway_integration")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for integration in tree.of(*_KINDS):
        yield demand(integration, _connection(integration), lambda one: one == "VPC_LINK", "it leads over the internet")


def _connection(integration: Resource) -> Value:
    """A mock answers by itself: there is no connection that could be public."""
    kind = integration.one("type") or integration.one("integration_type")
    return "VPC_LINK" if kind == "MOCK" else integration.one("connection_type")


RULE = Rule(
    id="CKV_RG_52",
    says="The API gateway reaches the load balancer by a private link",
    remedy='Set connection_type = "VPC_LINK" and connection_id on the integration.',
    controls=("ARCH-10", "ARCH-01"),
    judge=judge,
)
