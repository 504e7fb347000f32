"""The load balancer of the sandbox's account: target groups, listeners and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.account_names import CONTAINER_PORT, PUBLIC_HOST, SLOTS, TAGS, TEST_HEADER, TEST_HOSTS, service_name
from sandbox.account_network import Network
from sandbox.account_spec import AccountSpec

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
DEREGISTRATION_DELAY_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Balancer:
    """What was created; `rule_arn` is the public rule that a rollout drives, group ARNs are by slot."""

    arn: str
    dns_name: str
    zone_id: str
    listener_arn: str
    rule_arn: str
    group_arns: Mapping[str, str]


def create_balancer(elbv2: Any, network: Network, *, certificate_arn: str, spec: AccountSpec) -> Balancer:
    """Create the load balancer with both groups attached; the live slot has all the weight."""
    balancer = elbv2.create_load_balancer(
        Name="shop-api",
        Subnets=list(network.public_subnets),
        SecurityGroups=[network.balancer_security_group],
        Scheme="internet-facing",
        Type="application",
        Tags=TAGS,
    )["LoadBalancers"][0]
    groups = {slot: _create_group(elbv2, network, slot=slot) for slot in SLOTS}
    listener = _create_listeners(elbv2, balancer["LoadBalancerArn"], certificate_arn)
    return Balancer(
        arn=balancer["LoadBalancerArn"],
        dns_name=balancer["DNSName"],
        zone_id=balancer["CanonicalHostedZoneId"],
        listener_arn=listener,
        rule_arn=_create_rules(elbv2, listener, groups=groups, spec=spec),
        group_arns=groups,
    )


def _create_listeners(elbv2: Any, balancer_arn: str, certificate_arn: str) -> str:
    """443 answers 404 to what no rule takes, 80 redirects to it; returns the ARN of the first."""
    not_found = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "not found"}
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer_arn,
        Protocol="HTTPS",
        Port=443,
        SslPolicy=TLS_POLICY,
        Certificates=[{"CertificateArn": certificate_arn}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": not_found}],
    )["Listeners"][0]["ListenerArn"]
    to_https = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    elbv2.create_listener(
        LoadBalancerArn=balancer_arn,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "redirect", "RedirectConfig": to_https}],
    )
    return str(listener)


def _create_group(elbv2: Any, network: Network, *, slot: str) -> str:
    arn = elbv2.create_target_group(
        Name=service_name(slot),
        Protocol="HTTPS",
        Port=CONTAINER_PORT,
        VpcId=network.vpc,
        TargetType="ip",
        HealthCheckProtocol="HTTPS",
        HealthCheckPath="/health",
        HealthCheckIntervalSeconds=20,
        HealthCheckTimeoutSeconds=5,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
        Matcher={"HttpCode": "200"},
        Tags=TAGS,
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=arn,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(DEREGISTRATION_DELAY_SECONDS)}],
    )
    return str(arn)


def _create_rules(elbv2: Any, listener: str, *, groups: Mapping[str, str], spec: AccountSpec) -> str:
    """The two test rules and the public one; returns the ARN of the rule that a rollout drives."""
    header = {"HttpHeaderName": TEST_HEADER, "Values": [spec.test_header_value]}
    for priority, slot in zip((10, 11), SLOTS, strict=True):
        _create_rule(
            elbv2,
            listener,
            priority=priority,
            conditions=[_host(TEST_HOSTS[slot]), {"Field": "http-header", "HttpHeaderConfig": header}],
            weights={groups[slot]: 1},
        )
    weights = {groups[slot]: 100 if slot == spec.live_slot else 0 for slot in SLOTS}
    return _create_rule(elbv2, listener, priority=100, conditions=[_host(PUBLIC_HOST)], weights=weights)


def _create_rule(
    elbv2: Any, listener: str, *, priority: int, conditions: Sequence[Any], weights: Mapping[str, int]
) -> str:
    forward = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]}
    rule = elbv2.create_rule(
        ListenerArn=listener,
        Priority=priority,
        Conditions=conditions,
        Actions=[{"Type": "forward", "ForwardConfig": forward}],
        Tags=TAGS,
    )
    return str(rule["Rules"][0]["RuleArn"])


def _host(name: str) -> Mapping[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": [name]}}
