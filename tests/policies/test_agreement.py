"""Our reading of code against Terraform's own: what plan.json says, which a real Terraform made of the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policies.hcl.files import Library
from policies.hcl.load import load
from policies.plan import Plan, read_plan
from policies.tree import Mode, Resource, Tree
from policies.values import Unknown, Value, decoded, is_known, references

PLACE = Path(__file__).parent / "agreement"


@pytest.fixture(scope="module")
def code() -> Tree:
    library = Library(base=PLACE)
    made = load(PLACE, library)
    assert library.gaps == []
    return made


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan(PLACE / "plan.json", shown="plan.json")


def managed(tree: Tree) -> dict[str, Resource]:
    return {one.address: one for one in tree.resources if one.mode is Mode.MANAGED}


def plain(value: Value) -> Any:
    """Comparable: JSON decoded, sets and lists alike, numbers as the schema may turn them into texts."""
    value = decoded(value) if isinstance(value, str) and value[:1] in ("{", "[") else value
    value = decoded(value) if type(value).__name__ == "Encoded" else value
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if one not in (None, [], "")}
    if isinstance(value, list):
        made = sorted((plain(one) for one in value), key=repr)
        return made[0] if len(made) == 1 and isinstance(made[0], str) else made  # IAM takes either
    return str(value)


def test_the_same_instances_at_the_same_addresses(code: Tree, plan: Plan) -> None:
    assert managed(code).keys() == managed(plan.tree).keys()
    assert len(managed(code)) == 14


def test_every_value_that_we_call_known_is_what_terraform_says(code: Tree, plan: Plan) -> None:
    planned = managed(plan.tree)
    compared = 0
    for address, resource in managed(code).items():
        for name, value in resource.values.items():
            if is_known(value):
                ours, theirs = plain(value), plain(planned[address].values.get(name))
                assert at_least(ours, theirs), f"{address}.{name}: {ours} is not {theirs}"
                compared += 1

    assert compared > 40


def at_least(ours: Any, theirs: Any) -> bool:
    """Terraform adds defaults to blocks; everything that we say must be there."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return all(key in theirs and at_least(one, theirs[key]) for key, one in ours.items())
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(any(at_least(one, other) for other in theirs) for one in ours)
    return bool(ours == theirs)


def test_what_terraform_knows_only_after_the_apply_is_unknown_to_us_too(code: Tree, plan: Plan) -> None:
    ours = managed(code)
    for address, resource in managed(plan.tree).items():
        for name, value in resource.values.items():
            if isinstance(value, Unknown):
                assert not is_known(ours[address].values[name]), (
                    f"{address}.{name} is known to us, but not to Terraform"
                )


def test_both_refer_to_the_same_resources(code: Tree, plan: Plan) -> None:
    """A plan loses locals and the keys of loops; with the code beside it, it refers exactly."""
    exact = read_plan(PLACE / "plan.json", shown="plan.json", code=lambda given: code)
    key = "aws_kms_key.main"
    path = "module.service.aws_cloudwatch_log_group.this[0]"

    assert references(managed(code)[path].values["kms_key_id"]) >= {key}
    assert references(managed(plan.tree)[path].values["kms_key_id"]) == frozenset(), "locals are in no plan"
    assert references(managed(exact.tree)[path].values["kms_key_id"]) >= {key}
    arns = managed(exact.tree)["aws_lb_listener.https"].all("default_action.forward.target_group.arn")
    assert {one.address for arn in arns for one in exact.tree.meant(arn, "aws_lb_target_group")} == {
        'module.service.aws_lb_target_group.this["blue"]',
        'module.service.aws_lb_target_group.this["green"]',
    }


def test_regions_follow_the_providers_in_both(code: Tree, plan: Plan) -> None:
    for tree in (code, plan.tree):
        found = {one.region for one in tree.of("aws_cloudwatch_log_group")}
        assert found == {"us-west-2"}
        assert {one.region for one in tree.of("aws_kms_key")} == {"us-east-1"}


def test_what_a_plan_calls_sensitive_is_known_to_be_so(plan: Plan) -> None:
    assert "not-a-real-one" in plan.sensitive


def test_the_fixture_is_a_plan_of_terraform_itself() -> None:
    document = json.loads((PLACE / "plan.json").read_text(encoding="utf-8"))

    assert document["terraform_version"].startswith("1.")
    assert not document["errored"]
