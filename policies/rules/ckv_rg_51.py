"""The default address of an API goes around its own domain, certificate and WAF."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand_true
from policies.settings import Settings
from policies.tree import Tree


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for api in tree.of("aws_apigatewayv2_api", "aws_api_gateway_rest_api"):
        yield demand_true(api, "disable_execute_api_endpoint", "its default endpoint is open")


RULE = Rule(
    id="CKV_RG_51",
    says="The API gateway's default endpoint is off",
    remedy="Set disable_execute_api_endpoint = true and use a domain name of your own.",
    controls=("ARCH-10", "ARCH-01"),
    judge=judge,
)
