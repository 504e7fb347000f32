"""What the imitated web ACL refuses: one signature for each managed group, and nothing else."""

from __future__ import annotations

import re

import pytest
from edge_examples import BLUE, CLUSTERS, forward, host, listener, rule

from sandbox.edge.firewall import refusals
from sandbox.edge.routes import EdgeFaults, route_table

GROUPS = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesSQLiRuleSet")


def refused_by(path: str) -> list[str]:
    """Groups whose route matches a path with its query, as Envoy matches: the whole of it."""
    return [
        route["name"].removeprefix("fixed-firewall-")
        for route in refusals(GROUPS)
        if re.fullmatch(route["match"]["headers"][0]["string_match"]["safe_regex"]["regex"], path)
    ]


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("/health?query=<script>alert(1)</script>", GROUPS[0]),
        ("/health?query=%3CScript%3E", GROUPS[0]),
        ("/%24%7Bjndi%3Aldap%3A//release-check.invalid/a", GROUPS[1]),
        ("/?a=${jndi:ldap://release-check.invalid/a}", GROUPS[1]),
        ("/items?name=release-check%27%20OR%20%271%27%3D%271", GROUPS[2]),
        ("/items?name=x'+or+1=1", GROUPS[2]),
    ],
)
def test_an_attack_is_refused_by_its_group(path: str, group: str) -> None:
    assert refused_by(path) == [group]


@pytest.mark.parametrize("path", ["/health", "/api/v1/items?name=O%27Reilly", "/scripts/app.js", "/?q=this+or+that"])
def test_what_customers_ask_is_let_in(path: str) -> None:
    assert refused_by(path) == []


def test_a_web_acl_is_looked_at_before_every_rule() -> None:
    """Also where no rule would have matched; groups that only count, or are not imitated, refuse nothing."""
    one = listener(rule(forward({BLUE: 1}), host("api.shop.example")), groups=[GROUPS[0], "AWSManagedRulesBotControl"])
    names = [route["name"] for route in route_table(one, CLUSTERS, EdgeFaults()).routes]

    assert names == [f"fixed-firewall-{GROUPS[0]}", "forward-rule-100"]
