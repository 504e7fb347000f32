"""From ELBv2 listener rules to Envoy routes: a pure function, so that each rule kind has its example in a test.

Rules are tried in the order of their priority across all hosts, as an Application Load Balancer does, so all routes
share one virtual host and the host name is a condition like any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.contracts import ListenerView, RuleView
from sandbox.edge.firewall import refusals

Route = dict[str, Any]

REQUEST_TIMEOUT = "60s"  # the load balancer's idle timeout; a target that takes longer is a 504
STICKY_COOKIE = "AWSALBTG"
_SECURITY_HEADERS = (
    "strict-transport-security",
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "permissions-policy",
)
_DROP_FIRST_REQUEST = """
local dropped = false
function envoy_on_request(handle)
  if not dropped then
    dropped = true
    handle:respond({[":status"] = "502"}, "")
  end
end
"""


@dataclass(frozen=True, kw_only=True)
class EdgeFaults:
    """What is planted in the load balancer; see `sandbox.faults`. `leaking_host` is "" unless candidate_leak is on."""

    redirect_off: bool = False
    leaking_host: str = ""
    security_headers_strip: bool = False
    drop_next_request: bool = False


@dataclass(frozen=True, kw_only=True)
class RouteTable:
    """Routes of one listener, and what of its rules could not be imitated (each a sentence)."""

    routes: Sequence[Route]
    problems: Sequence[str] = ()


class UnsupportedRule(Exception):
    """A rule that this edge cannot imitate; the message says which part."""


def route_tables(
    listeners: Sequence[ListenerView], clusters: Mapping[str, str], faults: EdgeFaults
) -> Mapping[str, RouteTable]:
    """Route tables by listener protocol ("HTTPS", "HTTP").

    `clusters` names the Envoy cluster of each target group ARN. With two listeners of one protocol the first wins."""
    by_protocol: dict[str, ListenerView] = {}
    for listener in listeners:
        by_protocol.setdefault(listener.protocol, listener)
    if faults.redirect_off and "HTTPS" in by_protocol:
        by_protocol["HTTP"] = by_protocol["HTTPS"]
    return {protocol: route_table(listener, clusters, faults) for protocol, listener in by_protocol.items()}


def route_table(listener: ListenerView, clusters: Mapping[str, str], faults: EdgeFaults) -> RouteTable:
    """The routes of one listener in order of priority."""
    routes: list[Route] = refusals(listener.blocking_groups)
    problems: list[str] = []
    if faults.leaking_host:
        routes += _leak(listener, clusters, faults.leaking_host)
    for rule in listener.rules:
        try:
            routes.append(_route(rule, clusters, problems))
        except UnsupportedRule as error:
            problems.append(f"rule {rule.priority or 'default'} of port {listener.port}: {error}")
    for route in routes:
        _plant(route, faults)
    return RouteTable(routes=routes, problems=problems)


def weights_of(listener: ListenerView, host: str) -> Mapping[str, int]:
    """Weights by target group ARN of the rule that serves `host` without any other condition; empty when none does."""
    for rule in listener.rules:
        fields = [condition.get("Field") for condition in rule.conditions]
        if fields == ["host-header"] and host in _values(rule.conditions[0], "HostHeaderConfig"):
            return dict(_targets(_last_action(rule)))
    return {}


def _route(rule: RuleView, clusters: Mapping[str, str], problems: list[str]) -> Route:
    match: dict[str, Any] = {"prefix": "/"}
    headers: list[dict[str, Any]] = []
    for condition in rule.conditions:
        _add_condition(condition, match, headers, problems)
    if headers:
        match["headers"] = headers
    if "safe_regex" in match:
        del match["prefix"]
    action = _action(_last_action(rule), clusters)
    return {"name": f"{_kind(action)}-rule-{rule.priority or 'default'}", "match": match, **action}


def _kind(action: Route) -> str:
    """What the access log says of a request on this route; `empty` is a forward whose weights are all 0."""
    if "direct_response" in action:
        return "fixed" if "body" in action["direct_response"] else "empty"
    return "redirect" if "redirect" in action else "forward"


def _add_condition(
    condition: Mapping[str, Any], match: dict[str, Any], headers: list[dict[str, Any]], problems: list[str]
) -> None:
    kind = condition.get("Field")
    if kind == "host-header":
        pattern = f"(?i)(?:{_any_of(_values(condition, 'HostHeaderConfig'))})(?::[0-9]+)?"
        headers.append({"name": ":authority", "string_match": {"safe_regex": {"regex": pattern}}})
    elif kind == "http-header":
        name = condition["HttpHeaderConfig"]["HttpHeaderName"].lower()
        pattern = f"(?i)(?:{_any_of(_values(condition, 'HttpHeaderConfig'))})"
        headers.append({"name": name, "string_match": {"safe_regex": {"regex": pattern}}})
    elif kind == "path-pattern":
        match["safe_regex"] = {"regex": _any_of(_values(condition, "PathPatternConfig"))}
    elif kind == "http-request-method":
        pattern = _any_of(_values(condition, "HttpRequestMethodConfig"))
        headers.append({"name": ":method", "string_match": {"safe_regex": {"regex": pattern}}})
    elif kind == "source-ip":
        problems.append("a source-ip condition is ignored: every client of the sandbox comes from loopback")
    else:
        raise UnsupportedRule(f"the condition {kind!r} is not imitated by the sandbox")


def _values(condition: Mapping[str, Any], config: str) -> Sequence[str]:
    """Values in the typed or in the old untyped form."""
    typed = condition.get(config) or {}
    return list(typed.get("Values") or condition.get("Values") or [])


def _any_of(patterns: Sequence[str]) -> str:
    """A regular expression for ELBv2 wildcards: * is any run of characters, ? is one."""
    if not patterns:
        raise UnsupportedRule("a condition without values")
    parts = [re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") for pattern in patterns]
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"


def _last_action(rule: RuleView) -> Mapping[str, Any]:
    """The routing action; actions before it can only authenticate."""
    if not rule.actions:
        raise UnsupportedRule("a rule without actions")
    return sorted(rule.actions, key=lambda action: int(action.get("Order") or 1))[-1]


def _targets(action: Mapping[str, Any]) -> Sequence[tuple[str, int]]:
    """(target group ARN, weight) of a forward action, in the order of the rule."""
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if not groups and action.get("TargetGroupArn"):
        return [(action["TargetGroupArn"], 1)]
    return [(group["TargetGroupArn"], int(group.get("Weight", 1))) for group in groups]


def _action(action: Mapping[str, Any], clusters: Mapping[str, str]) -> Route:
    kind = action.get("Type")
    if kind == "forward":
        return _forward(action, clusters)
    if kind == "fixed-response":
        return _fixed_response(action["FixedResponseConfig"])
    if kind == "redirect":
        return _redirect(action["RedirectConfig"])
    raise UnsupportedRule(f"the action {kind!r} is not imitated by the sandbox")


def _forward(action: Mapping[str, Any], clusters: Mapping[str, str]) -> Route:
    targets = [(clusters[arn], weight) for arn, weight in _targets(action) if arn in clusters]
    if len(targets) == 1:
        return {"route": {"cluster": targets[0][0], "timeout": REQUEST_TIMEOUT}}
    if sum(weight for _, weight in targets) == 0:
        # All weights 0: the load balancer answers 503 itself. Envoy would reject such a route.
        return {"direct_response": {"status": 503}}
    weighted: dict[str, Any] = {"clusters": [{"name": name, "weight": weight} for name, weight in targets]}
    route: dict[str, Any] = {"weighted_clusters": weighted, "timeout": REQUEST_TIMEOUT}
    sticky = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    if sticky.get("Enabled"):
        weighted["use_hash_policy"] = True
        seconds = int(sticky.get("DurationSeconds") or 3600)
        route["hash_policy"] = [{"cookie": {"name": STICKY_COOKIE, "ttl": f"{seconds}s", "path": "/"}}]
    return {"route": route}


def _fixed_response(config: Mapping[str, Any]) -> Route:
    content_type = config.get("ContentType") or "text/plain"
    return {
        "direct_response": {
            "status": int(config["StatusCode"]),
            "body": {"inline_string": config.get("MessageBody") or ""},
        },
        "response_headers_to_add": [
            {"header": {"key": "content-type", "value": content_type}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        ],
    }


def _redirect(config: Mapping[str, Any]) -> Route:
    """Whole placeholders (#{host}, /#{path}, ...) keep a part, literals replace it; mixtures are not imitated."""
    answer: dict[str, Any] = {
        "response_code": "MOVED_PERMANENTLY" if config.get("StatusCode") == "HTTP_301" else "FOUND"
    }
    protocol = config.get("Protocol") or "#{protocol}"
    if protocol != "#{protocol}":
        answer["scheme_redirect"] = protocol.lower()
    port = str(config.get("Port") or "#{port}")
    if port != "#{port}":
        answer["port_redirect"] = int(port)
    host = config.get("Host") or "#{host}"
    if host != "#{host}":
        answer["host_redirect"] = _literal(host)
    path = config.get("Path") or "/#{path}"
    if path != "/#{path}":
        answer["path_redirect"] = _literal(path)
    query = config.get("Query", "#{query}")
    if query != "#{query}":
        answer["strip_query"] = True
        if query:
            raise UnsupportedRule("a redirect that sets a query is not imitated by the sandbox")
    return {"redirect": answer}


def _literal(text: str) -> str:
    if "#{" in text:
        raise UnsupportedRule(f"a redirect to {text!r} mixes text and placeholders, not imitated")
    return text


def _leak(listener: ListenerView, clusters: Mapping[str, str], host: str) -> list[Route]:
    """A forgotten rule: the public host's status page is served by the side with the smaller share."""
    weights = weights_of(listener, host)
    if len(weights) < 2:
        return []
    hidden = min(weights, key=lambda arn: weights[arn])
    pattern = f"(?i){re.escape(host)}(?::[0-9]+)?"
    match = {"path": "/api/v1/status", "headers": [{"name": ":authority", "string_match": _regex(pattern)}]}
    route = {"cluster": clusters[hidden], "timeout": REQUEST_TIMEOUT}
    return [{"name": "forward-leak", "match": match, "route": route}]


def _regex(pattern: str) -> dict[str, Any]:
    return {"safe_regex": {"regex": pattern}}


def _plant(route: Route, faults: EdgeFaults) -> None:
    if faults.security_headers_strip:
        route["response_headers_to_remove"] = list(_SECURITY_HEADERS)
    if faults.drop_next_request and "route" in route:
        lua = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute"
        code = {"inline_string": _DROP_FIRST_REQUEST}
        route["typed_per_filter_config"] = {"lua": {"@type": lua, "source_code": code}}
