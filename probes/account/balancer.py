"""ELBv2: listener, rule, target groups, as they are now, and what every load balancer is held to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import DIRECT, Declared
from probes.account.population import Resource, Seen, Unknown, View, check, known, population, view_of
from probes.account.session import Account

_HEALTH_CHECK = (
    "HealthCheckPath",
    "HealthCheckPort",
    "HealthCheckProtocol",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
)
_ATTRIBUTES = ("deregistration_delay.timeout_seconds", "slow_start.duration_seconds")


def target_group_view(account: Account, arn: str) -> dict[str, Any]:
    """The health check and the drain settings of a group, and the health of its targets."""
    elb = account.client("elbv2")
    group = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    rows = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    attributes = {row["Key"]: row["Value"] for row in rows}
    health = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return {
        "check": {name: group.get(name) for name in _HEALTH_CHECK} | {"Matcher": group.get("Matcher", {})},
        "attributes": {name: attributes.get(name) for name in _ATTRIBUTES},
        "targets": [row["TargetHealth"]["State"] for row in health],
    }


def rule_view(account: Account, arn: str) -> dict[str, Any]:
    """The rule as DescribeRules answers it."""
    rules = account.client("elbv2").describe_rules(RuleArns=[arn])["Rules"]
    return dict(rules[0])


def weights(rule: Mapping[str, Any]) -> dict[str, int]:
    """Weights by target group ARN of a rule's forward action."""
    action = next(action for action in rule["Actions"] if action["Type"] == "forward")
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}


def listener_certificate(account: Account, listener_arn: str) -> str:
    """ARN of the certificate that the listener declares. Raises LookupError when it declares none."""
    listeners = account.client("elbv2").describe_listeners(ListenerArns=[listener_arn])["Listeners"]
    for certificate in listeners[0].get("Certificates", []):
        return str(certificate["CertificateArn"])
    raise LookupError(f"the listener {listener_arn} declares no certificate")


def certificate_pem(account: Account, arn: str) -> bytes:
    """The leaf that ACM holds under this ARN, PEM."""
    return str(account.client("acm").get_certificate(CertificateArn=arn)["Certificate"]).encode()


# ------------------------------------------------------------------------------------------------ every balancer

_PROTOCOLS_OLD = frozenset({"SSLv3", "TLSv1", "TLSv1.1"})
# Ciphers with forward secrecy: the prefix of all TLS 1.3 suites, and ephemeral Diffie-Hellman of TLS 1.2.
_FORWARD_SECRET = ("TLS_", "ECDHE-", "DHE-")


def view(account: ClientMaker, declared: Declared) -> View:
    """Every application load balancer of the region, every listener, and the rule that a rollout drives."""
    asker = Asker(account)
    found = asker.all("elbv2", "describe_load_balancers", "LoadBalancers")
    rows = found if isinstance(found, Unread) else tuple(one for one in found if one["Type"] == "application")
    return view_of(
        declared,
        population(
            "load balancer", "elbv2 DescribeLoadBalancers", lambda: tuple(_balancer(asker, r) for r in known(rows))
        ),
        population("listener", "elbv2 DescribeListeners", lambda: _listeners(asker, rows)),
        population("target group", "elbv2 DescribeTargetGroups", lambda: _target_groups(asker)),
        population("public rule", "elbv2 DescribeRules", lambda: _public_rule(asker, declared)),
    )


def _balancer(asker: Asker, row: Mapping[str, Any]) -> Resource:
    arn = row["LoadBalancerArn"]
    attributes = asker.field("elbv2", "describe_load_balancer_attributes", "Attributes", LoadBalancerArn=arn)
    if not isinstance(attributes, Unread):
        attributes = {one["Key"]: one.get("Value", "") for one in attributes or ()}
    return Resource(name=row["LoadBalancerName"], facts={**row, "attributes": attributes})


def _listeners(asker: Asker, balancers: tuple[Mapping[str, Any], ...] | Unread) -> tuple[Resource, ...] | Unread:
    if isinstance(balancers, Unread):
        return balancers
    members: list[Resource] = []
    for balancer in balancers:
        rows = asker.all("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer["LoadBalancerArn"])
        if isinstance(rows, Unread):
            return rows
        members += [_listener(asker, balancer["LoadBalancerName"], row=row) for row in rows]
    return tuple(members)


def _listener(asker: Asker, balancer: str, *, row: Mapping[str, Any]) -> Resource:
    rules = asker.all("elbv2", "describe_rules", "Rules", ListenerArn=row["ListenerArn"])
    facts = {**row, "rules": rules}
    if row.get("SslPolicy"):
        policies = asker.field("elbv2", "describe_ssl_policies", "SslPolicies", Names=[row["SslPolicy"]])
        facts["policies"] = policies
    return Resource(name=f"{balancer}:{row['Port']}", facts=facts)


def _target_groups(asker: Asker) -> tuple[Resource, ...]:
    rows = known(asker.all("elbv2", "describe_target_groups", "TargetGroups"))
    return tuple(Resource(name=row["TargetGroupName"], facts=row) for row in rows)


def _public_rule(asker: Asker, declared: Declared) -> tuple[Resource, ...] | Unread:
    if not declared.rule_arn:
        return ()
    rows = asker.all("elbv2", "describe_rules", "Rules", RuleArns=[declared.rule_arn])
    if isinstance(rows, Unread):
        return rows
    return tuple(Resource(name=declared.rule_arn.rsplit("/", 1)[-1], facts=row) for row in rows)


@check("listener", rule="speaks TLS 1.2 or later, with forward secrecy only, where it speaks TLS")
def tls_policy(one: Resource, _: Declared) -> Seen:
    """NET-04. Judged by what the policy holds, not by its name: AWS has fifty names and adds more."""
    if one["Protocol"] == "HTTP":
        return Seen("HTTP, see redirects")
    policies = one["policies"]
    if not policies:
        raise Unknown(f"AWS does not know the policy {one['SslPolicy']}")
    old = sorted(_PROTOCOLS_OLD & set(policies[0]["SslProtocols"]))
    names = [str(cipher["Name"]) for cipher in policies[0]["Ciphers"]]
    weak = [name for name in names if not name.startswith(_FORWARD_SECRET)]
    if not names:
        raise Unknown(f"AWS did not say which ciphers {one['SslPolicy']} has")
    return Seen(one["SslPolicy"], f"{one['SslPolicy']} allows {', '.join((*old, *weak[:3]))}" if old or weak else "")


@check("listener", rule="does nothing but redirect to HTTPS where it speaks HTTP")
def http_redirects(one: Resource, _: Declared) -> Seen:
    """NET-04: a rule that forwards is as bad as a default action that does."""
    if one["Protocol"] != "HTTP":
        return Seen(one["Protocol"])
    actions = [action for rule in one["rules"] for action in rule["Actions"]]
    if not actions:
        raise Unknown("AWS gave no action of the listener")
    kinds = [str(action["Type"]) for action in actions]
    away = [a for a in actions if a["Type"] != "redirect" or a["RedirectConfig"].get("Protocol") != "HTTPS"]
    return Seen(kinds, f"{', '.join(str(a['Type']) for a in away)} over plain HTTP" if away else "")


def _attribute(one: Resource, key: str, wrong: str) -> Seen:
    attributes = one["attributes"]
    if key not in attributes:
        raise Unknown(f"AWS did not say {key}")
    return Seen(attributes[key], "" if attributes[key] == "true" else wrong)


@check("load balancer", rule="drops headers that HTTP does not allow")
def drops_invalid_headers(one: Resource, _: Declared) -> Seen:
    """NET-04: what two parsers read differently is how requests are smuggled."""
    return _attribute(one, "routing.http.drop_invalid_header_fields.enabled", "passes invalid headers on")


@check("load balancer", rule="writes an access log")
def access_logs(one: Resource, _: Declared) -> Seen:
    """NET-04."""
    return _attribute(one, "access_logs.s3.enabled", "writes no access log")


@check("load balancer", rule="cannot be deleted by mistake")
def deletion_protection(one: Resource, _: Declared) -> Seen:
    """NET-04."""
    return _attribute(one, "deletion_protection.enabled", "may be deleted by one call")


@check("load balancer", rule="faces the side that the topology says", limit=lambda declared: declared.topology)
def exposure(one: Resource, declared: Declared) -> Seen:
    """ARCH-01: public where the WAF is on it, internal behind a gateway: else there is a way around the WAF."""
    wanted = "internet-facing" if declared.topology == DIRECT else "internal"
    scheme = str(one["Scheme"])
    return Seen(scheme, "" if scheme == wanted else f"is {scheme} in the {declared.topology} topology")


@check("public rule", rule="forwards to both slots, whatever their weights")
def both_groups(one: Resource, declared: Declared) -> Seen:
    """PRE-01, design.md 14.6: a group that is detached has no checked target and the way back is cold."""
    if len(declared.target_group_arns) < 2:
        raise Unknown("the outputs do not name two target groups")
    found = weights(one.facts)
    missing = [slot for slot, arn in sorted(declared.target_group_arns.items()) if arn not in found]
    values = {slot: found.get(arn) for slot, arn in declared.target_group_arns.items()}
    return Seen(values, f"does not forward to {', '.join(missing)}" if missing else "")
