"""ELBv2: listener, rule, target groups, as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
