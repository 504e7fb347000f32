"""Listeners, rules and groups as the tests of the edge need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.contracts import ListenerView, RuleView, TargetGroupView, TargetView

BLUE, GREEN = "arn:group/blue", "arn:group/green"
CLUSTERS = {BLUE: "shop-api-blue", GREEN: "shop-api-green"}


def host(*names: str) -> dict[str, Any]:
    """A host-header condition."""
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(names)}}


def forward(weights: Mapping[str, int], **config: Any) -> dict[str, Any]:
    """A forward action."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return {"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups, **config}}


def rule(action: Mapping[str, Any], *conditions: Mapping[str, Any], priority: int | None = 100) -> RuleView:
    """A rule with one action."""
    return RuleView(arn=f"arn:rule/{priority}", priority=priority, conditions=conditions, actions=[action])


def listener(*rules: RuleView, protocol: str = "HTTPS", groups: Sequence[str] = ()) -> ListenerView:
    """A listener."""
    return ListenerView(
        arn=f"arn:listener/{protocol}",
        port=443 if protocol == "HTTPS" else 80,
        protocol=protocol,
        ssl_policy=None,
        certificate_arn=None,
        rules=rules,
        blocking_groups=groups,
    )


def group(targets: Sequence[TargetView] = (), **changes: Any) -> TargetGroupView:
    """The blue target group."""
    values: dict[str, Any] = {
        "arn": BLUE,
        "name": "shop-api-blue",
        "health_check_path": "/health",
        "health_check_matcher": "200",
        "health_check_interval_seconds": 10.0,
        "health_check_timeout_seconds": 5.0,
        "healthy_threshold": 2,
        "unhealthy_threshold": 2,
        "targets": targets,
        "referenced": True,
    }
    return TargetGroupView(**(values | changes))
