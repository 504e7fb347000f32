"""What AWS checks and answers about rules and actions, where moto 5.2.5 does not."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from moto.elbv2.exceptions import ActionTargetGroupNotFoundError
from moto.elbv2.exceptions import ELBClientError as ElbError

WEIGHT_MAX = 999
TARGET_GROUPS_MAX = 5

Action = Mapping[str, Any]


def check_actions(actions: Iterable[Action], known_groups: Container[str]) -> None:
    """Refuse what ELBv2 refuses in an action.

    moto accepts any weight, any number of groups and, in ModifyListener, groups that do not exist. Weights may all be
    zero: ELBv2 allows it and then answers 503. Source: ELBv2 API reference, TargetGroupTuple and ForwardActionConfig.
    """
    for action in actions:
        groups = forward_groups(action)
        if len(groups) > TARGET_GROUPS_MAX:
            raise ElbError(
                "TooManyTargetGroups", f"A forward action can have at most {TARGET_GROUPS_MAX} target groups"
            )
        for group in groups:
            _check_weight(group.get("Weight"))
            if group["TargetGroupArn"] not in known_groups:
                raise ActionTargetGroupNotFoundError(group["TargetGroupArn"])


def _check_weight(weight: object) -> None:
    if weight is None:
        return
    if not 0 <= int(str(weight)) <= WEIGHT_MAX:
        raise ElbError("ValidationError", f"Target group weight '{weight}' must be between 0 and {WEIGHT_MAX}")


def forward_groups(action: Action) -> Sequence[Mapping[str, Any]]:
    """The target groups of a forward action, however it was written; empty for other actions."""
    config = action.get("ForwardConfig")
    if config and config.get("TargetGroups"):
        return list(config["TargetGroups"])
    if action.get("TargetGroupArn"):
        return [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
    return []


def complete_action(action: Action) -> dict[str, Any]:
    """The action as Describe* answers it: a forward to one group always shows both spellings (moto: as given)."""
    complete = dict(action)
    groups = [dict(group) for group in forward_groups(action)]
    if not groups:
        return complete
    config = dict(complete.get("ForwardConfig") or {})
    config["TargetGroups"] = [{**group, "Weight": int(group.get("Weight", 1))} for group in groups]
    config.setdefault("TargetGroupStickinessConfig", {"Enabled": False})
    complete["ForwardConfig"] = config
    if len(groups) == 1:
        complete["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    return complete


_VALUE_CONFIGS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}


def complete_condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    """The condition as DescribeRules answers it: host and path conditions show both spellings (moto: as given)."""
    complete = dict(condition)
    config = _VALUE_CONFIGS.get(str(complete.get("Field")))
    if config is None:
        return complete
    values = list((complete.get(config) or {}).get("Values") or complete.get("Values") or [])
    return {**complete, "Values": values, config: {**(complete.get(config) or {}), "Values": values}}
