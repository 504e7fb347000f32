"""ELBv2 rules as Envoy routes: one example per kind."""

from __future__ import annotations

import re
from typing import Any

import pytest
from edge_examples import BLUE, CLUSTERS, GREEN, forward, host, listener, rule

from sandbox.edge.routes import EdgeFaults, RouteTable, route_table, route_tables, weights_of

NO_FAULTS = EdgeFaults()


def table(*rules: Any, faults: EdgeFaults = NO_FAULTS) -> RouteTable:
    """The routes of an HTTPS listener with these rules."""
    return route_table(listener(*rules), CLUSTERS, faults)


def patterns(route: dict[str, Any]) -> dict[str, str]:
    """Regular expressions by header name."""
    return {one["name"]: one["string_match"]["safe_regex"]["regex"] for one in route["match"]["headers"]}


def test_weighted_forward_names_both_groups_in_order() -> None:
    """90/10 stays 90/10; a group at 0 stays attached."""
    (route,) = table(rule(forward({BLUE: 0, GREEN: 100}), host("api.shop.example"))).routes

    expected = [{"name": "shop-api-blue", "weight": 0}, {"name": "shop-api-green", "weight": 100}]
    assert route["route"]["weighted_clusters"]["clusters"] == expected


def test_all_weights_zero_is_a_503_of_the_load_balancer() -> None:
    """Envoy would reject a weighted route without weight."""
    (route,) = table(rule(forward({BLUE: 0, GREEN: 0}))).routes

    assert route["direct_response"] == {"status": 503}
    assert route["name"] == "empty-rule-100"


def test_single_group_takes_everything_whatever_its_weight() -> None:
    """With one group the weight has no meaning."""
    (route,) = table(rule(forward({BLUE: 0}))).routes

    assert route["route"]["cluster"] == "shop-api-blue"


def test_forward_without_config_is_read_too() -> None:
    """The short form of a forward action has only TargetGroupArn."""
    (route,) = table(rule({"Type": "forward", "TargetGroupArn": GREEN})).routes

    assert route["route"]["cluster"] == "shop-api-green"


@pytest.mark.parametrize(
    ("values", "name", "matches"),
    [
        pytest.param(["api.shop.example"], "api.shop.example", True, id="same"),
        pytest.param(["api.shop.example"], "API.Shop.Example", True, id="other case"),
        pytest.param(["api.shop.example"], "api.shop.example:443", True, id="with port"),
        pytest.param(["api.shop.example"], "apixshop.example", False, id="a dot is a dot"),
        pytest.param(["*.shop.example"], "a.b.shop.example", True, id="asterisk"),
        pytest.param(["ap?.shop.example"], "api.shop.example", True, id="question mark"),
        pytest.param(["a.example", "b.example"], "b.example", True, id="one of two"),
        pytest.param(["a.example", "b.example"], "a.example.b", False, id="whole name"),
    ],
)
def test_host_conditions(values: list[str], name: str, matches: bool) -> None:
    """Host names match whole, without regard to case or port, with ELBv2's wildcards."""
    (route,) = table(rule(forward({BLUE: 1}), host(*values))).routes

    assert bool(re.fullmatch(patterns(route)[":authority"], name)) is matches


def test_header_condition_and_host_condition_both_apply() -> None:
    """Conditions of one rule are joined by and."""
    header = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Release-Token", "Values": ["a+b"]}}
    (route,) = table(rule(forward({BLUE: 1}), host("blue.shop.example"), header)).routes

    assert set(patterns(route)) == {":authority", "x-release-token"}
    assert re.fullmatch(patterns(route)["x-release-token"], "a+b")


def test_path_pattern_replaces_the_prefix() -> None:
    """Paths are case sensitive; * crosses slashes."""
    path = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}
    (route,) = table(rule(forward({BLUE: 1}), path)).routes

    assert "prefix" not in route["match"]
    assert re.fullmatch(route["match"]["safe_regex"]["regex"], "/api/v1/items")
    assert not re.fullmatch(route["match"]["safe_regex"]["regex"], "/API/v1")


def test_source_ip_is_ignored_and_said_so() -> None:
    """Every client comes from loopback, so the condition cannot mean anything."""
    source = {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}
    found = table(rule(forward({BLUE: 1}), source))

    assert len(found.routes) == 1
    assert "source-ip" in found.problems[0]


def test_what_cannot_be_imitated_is_left_out_and_named() -> None:
    """An authenticating action or an unknown condition must not become an open route."""
    query = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "a"}]}}
    found = table(rule({"Type": "authenticate-oidc"}, priority=1), rule(forward({BLUE: 1}), query, priority=2))

    assert found.routes == []
    assert [problem.split(":")[0] for problem in found.problems] == ["rule 1 of port 443", "rule 2 of port 443"]


def test_fixed_response() -> None:
    """Status, text and content type."""
    config = {"StatusCode": "404", "MessageBody": "no", "ContentType": "text/html"}
    (route,) = table(rule({"Type": "fixed-response", "FixedResponseConfig": config}, priority=None)).routes

    assert route["direct_response"] == {"status": 404, "body": {"inline_string": "no"}}
    assert route["response_headers_to_add"][0]["header"] == {"key": "content-type", "value": "text/html"}
    assert route["name"] == "fixed-rule-default"


def test_redirect_to_https_keeps_host_path_and_query() -> None:
    """Whole placeholders keep what was asked."""
    config = {
        "Protocol": "HTTPS",
        "Port": "443",
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
        "StatusCode": "HTTP_301",
    }
    (route,) = table(rule({"Type": "redirect", "RedirectConfig": config}, priority=None)).routes

    expected = {"response_code": "MOVED_PERMANENTLY", "scheme_redirect": "https", "port_redirect": 443}
    assert route["redirect"] == expected


def test_stickiness_hashes_a_cookie_over_the_groups() -> None:
    """Target group stickiness becomes Envoy's hash policy with ALB's cookie name and duration."""
    sticky = {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 600}}
    (route,) = table(rule(forward({BLUE: 50, GREEN: 50}, **sticky))).routes

    assert route["route"]["weighted_clusters"]["use_hash_policy"] is True
    assert route["route"]["hash_policy"] == [{"cookie": {"name": "AWSALBTG", "ttl": "600s", "path": "/"}}]


def test_weights_are_read_from_the_rule_of_the_host_alone() -> None:
    """A test rule with a second condition is not the customers' rule."""
    header = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "x", "Values": ["y"]}}
    view = listener(
        rule(forward({BLUE: 1}), host("api.shop.example"), header, priority=1),
        rule(forward({BLUE: 25, GREEN: 75}), host("api.shop.example"), priority=2),
    )

    assert weights_of(view, "api.shop.example") == {BLUE: 25, GREEN: 75}
    assert weights_of(view, "other.example") == {}


def test_redirect_off_serves_customers_without_tls() -> None:
    """The HTTP listener gets the routes of the HTTPS one."""
    secure = listener(rule(forward({BLUE: 1}), host("api.shop.example")))
    plain = listener(rule({"Type": "redirect", "RedirectConfig": {}}, priority=None), protocol="HTTP")
    tables = route_tables([plain, secure], CLUSTERS, EdgeFaults(redirect_off=True))

    assert tables["HTTP"].routes == tables["HTTPS"].routes


def test_leak_sends_the_status_page_to_the_side_with_the_smaller_share() -> None:
    """The forgotten rule stands before all others."""
    faults = EdgeFaults(leaking_host="api.shop.example")
    found = table(rule(forward({BLUE: 0, GREEN: 100}), host("api.shop.example")), faults=faults)

    assert found.routes[0]["match"]["path"] == "/api/v1/status"
    assert found.routes[0]["route"]["cluster"] == "shop-api-blue"


def test_stripping_removes_security_headers_from_every_route() -> None:
    """HSTS among them."""
    (route,) = table(rule(forward({BLUE: 1})), faults=EdgeFaults(security_headers_strip=True)).routes

    assert "strict-transport-security" in route["response_headers_to_remove"]


def test_drop_is_planted_in_forwarding_routes_only() -> None:
    """A fixed response has no customer to hurt."""
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    rules = (rule(forward({BLUE: 1}), priority=1), rule(fixed, priority=None))
    forwarding, answering = table(*rules, faults=EdgeFaults(drop_next_request=True)).routes

    assert "lua" in forwarding["typed_per_filter_config"]
    assert "typed_per_filter_config" not in answering
