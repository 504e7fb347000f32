"""What the checks of the account ask for is what the environments say: names on both sides, without Terraform."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

import pytest
from terraform_tree import ENVIRONMENTS, ROOT, TREE, all_blocks

from infrastructure.declaration import (
    FROM_FILES,
    FROM_OUTPUTS,
    KEY_ACTIONS,
    STANDING,
    DeclarationError,
    declaration,
    published_actions,
)
from probes.account.declared import Declared
from probes.account.gateway import KINDS

OUTPUTS: dict[str, Any] = {
    **dict.fromkeys(("load_balancer_arn", "listener_arn", "rule_arn", "cluster_name", "engine_role"), "a name"),
    **{key: ["one", "two"] for key in ("residency", "session_tables", "public_routes", "pull_roles", "deploy_roles")},
    "target_group_arns": {"blue": "b", "green": "g"},
    "service_names": {"blue": "b", "green": "g"},
    "region": "us-east-1",
    "account_id": "123456789012",
    "topology": "direct",
    "nat_per_zone": False,
    "backup_days_min": 14,
    "replica_lag_seconds_max": 60,
}


def test_every_field_of_a_declaration_has_exactly_one_source() -> None:
    """A new field of Declared is red here until somebody says where it comes from."""
    parts = (FROM_OUTPUTS, FROM_FILES, STANDING)

    assert sum(map(len, parts)) == len(frozenset().union(*parts))
    assert frozenset().union(*parts) == {one.name for one in fields(Declared)}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_name_that_is_asked_for_is_an_output(environment: str) -> None:
    path = f"environments/{environment}/outputs.tf"

    assert FROM_OUTPUTS - {block.first for block in all_blocks("output") if block.path == path} == frozenset()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_declaration_says_what_outputs_and_files_say(environment: str) -> None:
    found = declaration(environment, OUTPUTS | {"test_header_value": "not asked for"})

    assert found.backup_days_min == 14
    assert found.nat_per_zone is False
    assert found.residency == {"one", "two"}
    assert found.state_key == f"{environment}/terraform.tfstate"
    assert found.state_bucket.startswith("shop-api-terraform-state-")
    assert "elasticloadbalancing:ModifyRule" in found.engine_actions
    assert set(found.not_applicable) == set(KINDS)


def test_behind_a_gateway_nothing_is_excused() -> None:
    assert declaration("production", OUTPUTS | {"topology": "gateway"}).not_applicable == {}


@pytest.mark.parametrize("name", sorted(FROM_OUTPUTS))
def test_a_missing_output_is_named_and_never_a_default(name: str) -> None:
    with pytest.raises(DeclarationError, match=rf"lack {name}:"):
        declaration("production", {key: value for key, value in OUTPUTS.items() if key != name})


def test_the_controllers_role_may_what_is_published_and_use_its_keys() -> None:
    roles = (TREE / "modules" / "release" / "roles.tf").read_text(encoding="utf-8")
    keys = roles[roles.index('resource "aws_iam_role_policy" "keys"') :]
    published = json.loads((ROOT / "rollout" / "policies" / "controller.json").read_text(encoding="utf-8"))

    assert set(re.findall(r'"(kms:\w+)"', keys)) == KEY_ACTIONS
    assert {name for one in published["Statement"] for name in one["Action"]} == published_actions()
