"""The IAM policies allow what the adapters call, and nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

ROOT = Path(__file__).parents[3]
POLICIES = ROOT / "rollout" / "policies"

# Attribute of `Clients` -> (botocore's name of the service, IAM's prefix)
SERVICES = {
    "elbv2": ("elbv2", "elasticloadbalancing"),
    "ecs": ("ecs", "ecs"),
    "scaling": ("application-autoscaling", "application-autoscaling"),
    "cloudwatch": ("cloudwatch", "cloudwatch"),
    "dynamodb": ("dynamodb", "dynamodb"),
    "sns": ("sns", "sns"),
    "route53": ("route53", "route53"),
}
# A transaction needs the permission of each of its parts. Source: DynamoDB developer guide, "IAM for transactions".
TRANSACTION_PARTS = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
# Actions that no call names: RegisterTaskDefinition hands the tasks' roles on.
IMPLIED = {"iam:PassRole"}
# Without support of single resources. Source: service authorization reference.
EVERYWHERE = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:ListTagsForResource",
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricData",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:ListTaskDefinitions",
    "ecs:ListTasks",
    "ecs:RegisterTaskDefinition",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetHealth",
}


def called_actions() -> set[str]:
    """Every `<clients>.<service>.<operation>(...)` of the adapters, as IAM actions."""
    session = botocore.session.get_session()
    actions: set[str] = set()
    for path in sorted((ROOT / "rollout" / "adapters").glob("*.py")):
        tree = ast.parse(path.read_text())
        for service, method in _calls(tree):
            name, prefix = SERVICES[service]
            operations = {xform_name(one): one for one in session.get_service_model(name).operation_names}
            actions.add(f"{prefix}:{operations[method]}")
        if path.stem == "dynamodb_items":
            keys = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            actions |= {action for part, action in TRANSACTION_PARTS.items() if part in keys}
    return actions - {"dynamodb:TransactWriteItems"}


def _calls(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Attribute)
            and node.func.value.attr in SERVICES
        ):
            yield node.func.value.attr, node.func.attr


def statements(name: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = json.loads((POLICIES / f"{name}.json").read_text())["Statement"]
    return found


def allowed(name: str) -> set[str]:
    return {action for one in statements(name) if one["Effect"] == "Allow" for action in one["Action"]}


def test_the_controller_may_do_exactly_what_the_adapters_call() -> None:
    assert allowed("controller") - IMPLIED == called_actions()


def test_the_observer_only_reads() -> None:
    reading = {action for action in called_actions() if re.match(r"[\w-]+:(Describe|List|Get|Query)", action)}

    assert allowed("observer") == reading


def test_the_submitter_writes_requests_and_new_rollouts_only() -> None:
    """Never traffic, tasks, alerts; attached beside the observer's policy."""
    writes = {"dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"}

    assert allowed("submitter") - allowed("observer") == writes


def test_the_dead_man_may_nothing_that_a_controller_may_not() -> None:
    """Of changes only what gives traffic back. tests/contract/test_deadman_on_plane.py shows that it does all of it."""
    changes = {action for action in allowed("deadman") if not re.match(r"[\w-]+:(Describe|List|Get|Query)", action)}

    assert allowed("deadman") < allowed("controller")
    assert changes == {
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "ecs:UpdateService",
        "elasticloadbalancing:ModifyRule",
        "sns:Publish",
    }


@pytest.mark.parametrize("name", ["submitter", "controller", "deadman"])
def test_the_past_cannot_be_changed(name: str) -> None:
    """Journal, plan and history are only added to; what IAM cannot forbid, PutItem over one, the hash chain shows."""
    denied = next(one for one in statements(name) if one["Effect"] == "Deny")

    assert set(denied["Action"]) == {"dynamodb:UpdateItem", "dynamodb:DeleteItem"}
    assert denied["Condition"] == {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["rollout#*", "history#*"]}}


@pytest.mark.parametrize("name", ["observer", "submitter", "controller", "deadman"])
def test_no_action_and_no_resource_is_wider_than_it_must_be(name: str) -> None:
    for one in statements(name):
        assert not any("*" in action for action in one["Action"]), one["Sid"]
        if one["Resource"] == "*":
            assert set(one["Action"]) <= EVERYWHERE, one["Sid"]


@pytest.mark.parametrize("name", ["observer", "submitter", "controller", "deadman"])
def test_sids_are_unique_and_every_place_is_filled_in_by_name(name: str) -> None:
    sids = [one["Sid"] for one in statements(name)]
    places = set(re.findall(r"\$\{(\w+)\}", (POLICIES / f"{name}.json").read_text()))

    assert len(sids) == len(set(sids))
    assert places <= {
        "account_id",
        "alert_topic_arn",
        "cluster_name",
        "execution_role_arn",
        "heartbeat_namespace",
        "hosted_zone_id",
        "listener_arn",
        "region",
        "rule_arn",
        "service_name_blue",
        "service_name_green",
        "state_table",
        "target_group_arn_blue",
        "target_group_arn_green",
        "task_role_arn",
    }
