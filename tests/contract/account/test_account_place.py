"""IAC-04: outputs whose ARNs lead somewhere, foreign and stale ones, and an account that says nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from probes.account import place
from rollout.model import Verdict
from tests.contract.account.account_world import ACCOUNT_ID, REGION, AccountWorld, closed_to

pytest_plugins = ("tests.contract.account.account_fixtures",)

_TRUST = '{"Version": "2012-10-17", "Statement": []}'


@pytest.fixture
def outputs(world: AccountWorld) -> dict[str, Any]:
    """As Terraform would say them: one ARN at each depth, and one of a kind that nobody asks for."""
    topic = world.client("sns").create_topic(Name="alerts")["TopicArn"]
    vpc = world.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = world.client("elbv2").create_target_group(Name="blue", Protocol="HTTPS", Port=8443, VpcId=vpc)
    group = made["TargetGroups"][0]["TargetGroupArn"]
    role = world.client("iam").create_role(RoleName="release", AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"]
    return {
        "region": REGION,
        "alert_topic_arn": topic,
        "target_group_arns": {"blue": group},
        "roles": [role],
        "table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/rollouts",
    }


def test_an_account_that_is_the_declared_one(world: AccountWorld) -> None:
    seen = place.right_account(world.account, world.declared)

    assert (seen.verdict, seen.value, seen.limit) == (Verdict.PASS, ACCOUNT_ID, ACCOUNT_ID)


def test_another_account_is_named(world: AccountWorld) -> None:
    seen = place.right_account(world.account, replace(world.declared, account_id="999988887777"))

    assert seen.verdict is Verdict.FAIL
    assert "the account is 123456789012, the environment names 999988887777" in seen.message


def test_outputs_that_lead_to_resources(world: AccountWorld, outputs: dict[str, Any]) -> None:
    seen = place.outputs_lead(world.account, world.declared, outputs)

    assert (seen.verdict, seen.n) == (Verdict.PASS, 3)
    assert "not looked at: table" in seen.message


@pytest.mark.parametrize(
    ("name", "arn", "said"),
    [
        ("roles", [f"arn:aws:iam::{ACCOUNT_ID}:role/gone"], "roles.0: .* is stale: iam GetRole refused"),
        ("alert_topic_arn", f"arn:aws:sns:{REGION}:999988887777:alerts", "of another account"),
        ("alert_topic_arn", f"arn:aws:sns:ap-south-1:{ACCOUNT_ID}:alerts", "of another region"),
    ],
    ids=["stale", "foreign account", "foreign region"],
)
def test_an_arn_that_leads_elsewhere_is_named(
    world: AccountWorld, outputs: dict[str, Any], name: str, arn: Any, said: str
) -> None:
    seen = place.outputs_lead(world.account, world.declared, {**outputs, name: arn})

    assert seen.verdict is Verdict.FAIL
    assert re.search(said, seen.message)


def test_an_account_that_says_nothing_is_no_pass(world: AccountWorld, outputs: dict[str, Any]) -> None:
    with closed_to(world):
        seen = place.outputs_lead(world.account, world.declared, outputs)

    assert seen.verdict is Verdict.SOURCE_ERROR
    assert "denied (" in seen.message


def test_outputs_without_an_arn_are_no_data(world: AccountWorld) -> None:
    assert place.outputs_lead(world.account, world.declared, {"region": REGION}).verdict is Verdict.NO_DATA
