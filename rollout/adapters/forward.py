"""A forward action as weights, and back: pure, on the shapes that Describe* answers. See `elbv2`.

Weights are relative, 0 to 999; 5/95 and 50/950 are the same share. Source: ELBv2 API reference, TargetGroupTuple.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Action = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Forward:
    """The forward action of a rule: weight per target group ARN, and for how long a customer sticks to a group."""

    weights: Mapping[str, int]
    stickiness_seconds: int = 0


def forward_of(actions: Sequence[Mapping[str, Any]]) -> Forward | None:
    """The forward action; None without one. A single group without a weight has all of it."""
    action = next((action for action in actions if action.get("Type") == "forward"), None)
    if action is None:
        return None
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or []
    if not groups:
        return Forward(weights={action["TargetGroupArn"]: 1} if action.get("TargetGroupArn") else {})
    stickiness = config.get("TargetGroupStickinessConfig") or {}
    return Forward(
        weights={group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups},
        stickiness_seconds=int(stickiness.get("DurationSeconds", 0)) if stickiness.get("Enabled") else 0,
    )


def with_weights(actions: Sequence[Mapping[str, Any]], weights: Mapping[str, int]) -> list[Action]:
    """The same actions with these weights: known groups keep their place, new ones are added behind.

    All else stays, in a shape that Modify* takes: the client secret of `authenticate-oidc` is never shown by Describe*
    and must be declared unchanged; `TargetGroupArn` must not stand beside two groups.
    """
    changed: list[Action] = [copy.deepcopy(dict(action)) for action in actions]
    for action in changed:
        if action.get("Type") == "forward":
            _set_weights(action, weights)
        if action.get("Type") == "authenticate-oidc":
            config = action["AuthenticateOidcConfig"]
            config.pop("ClientSecret", None)
            config["UseExistingClientSecret"] = True
    return changed


def _set_weights(action: Action, weights: Mapping[str, int]) -> None:
    config = action.setdefault("ForwardConfig", {})
    groups = config.get("TargetGroups") or []
    if not groups and action.get("TargetGroupArn"):
        groups = [{"TargetGroupArn": action["TargetGroupArn"]}]
    known = {group["TargetGroupArn"] for group in groups}
    config["TargetGroups"] = [
        {**group, "Weight": weights.get(group["TargetGroupArn"], group.get("Weight", 1))} for group in groups
    ] + [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items() if arn not in known]
    action.pop("TargetGroupArn", None)


def share_of(first: int, second: int) -> float | None:
    """The second weight's share of both, percent; None if nobody is served. Exact for whole percentages."""
    return 100 * second / (first + second) if first + second else None
