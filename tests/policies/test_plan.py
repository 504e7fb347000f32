"""Plans: every false FAIL and every false PASS that reading one naively gives, and each plan that shows too little."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plans import plan, resource, saved

from policies.hcl.files import Library
from policies.hcl.load import load
from policies.plan import Plan, read_plan
from policies.registry import load_rules
from policies.rule import combined
from policies.settings import Unusable, read_settings
from policies.values import Unknown, decoded, references

KEY = {"references": ["aws_kms_key.k.arn", "aws_kms_key.k"]}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Plan]:
    return lambda *resources, **more: read_plan(saved(tmp_path, plan(*resources, **more)), shown="plan.json")


def one(made: Plan, address: str) -> Any:
    found = made.tree.at(address)
    assert found is not None
    return found


def test_a_key_made_by_the_same_apply_is_there_though_its_value_is_not(read: Callable[..., Plan]) -> None:
    """checkov alone says FAIL here nine times of fifteen."""
    group = resource(
        "aws_cloudwatch_log_group.l",
        {"name": "l"},
        unknown={"kms_key_id": True, "arn": True},
        expressions={"kms_key_id": KEY},
    )
    made = read(group, resource("aws_kms_key.k", {}))
    value = one(made, "aws_cloudwatch_log_group.l").values["kms_key_id"]

    assert isinstance(value, Unknown)
    assert references(value) == {"aws_kms_key.k"}
    assert made.deferred_paths == ("aws_cloudwatch_log_group.l.kms_key_id",)


def test_what_nobody_configured_stays_absent_though_the_provider_computes_it(read: Callable[..., Plan]) -> None:
    """EVAL_TF_PLAN_AFTER_UNKNOWN turns this true FAIL into a PASS, whatever it is set to."""
    made = read(
        resource("aws_cloudwatch_log_group.l", {"name": "l"}, unknown={"kms_key_id": True}, expressions={"name": {}})
    )

    assert "kms_key_id" not in one(made, "aws_cloudwatch_log_group.l").values
    assert made.deferred_paths == ()


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_blocks_within_blocks_are_followed_to_any_depth(read: Callable[..., Plan], depth: int) -> None:
    """checkov stops after one level."""
    after: Any = {"other": 1}
    unknown: Any = {"key": True, "computed": True}
    told: Any = {"key": KEY}
    for _ in range(depth):
        after, unknown, told = {"block": [after]}, {"block": [unknown]}, {"block": [told]}
    made = read(resource("aws_x.y", after, unknown=unknown, expressions=told))
    path = ".".join(["block"] * depth)

    assert isinstance(one(made, "aws_x.y").one(f"{path}.key"), Unknown)
    assert one(made, "aws_x.y").one(f"{path}.computed") is None
    assert one(made, "aws_x.y").one(f"{path}.other") == 1


@pytest.mark.parametrize("expressions", [{}, None, {"ingress": []}])
def test_a_dynamic_block_has_no_expressions_and_what_is_unknown_in_it_was_set(
    read: Callable[..., Plan], expressions: dict[str, Any] | None
) -> None:
    """Terraform leaves dynamic blocks out of the configuration, some resources with nothing else altogether."""
    after = {"ingress": [{"from_port": 80}, {"from_port": 443}]}
    unknown = {"ingress": [{"security_groups": True}, {"security_groups": [True]}], "id": True}
    made = read(resource("aws_security_group.s", after, unknown=unknown, expressions=expressions))
    found = one(made, "aws_security_group.s").all("ingress.security_groups")

    assert [type(value) for value in found][:1] == [Unknown]
    assert "id" not in one(made, "aws_security_group.s").values or expressions is None


def test_instances_of_a_loop_are_read_by_their_common_configuration(read: Callable[..., Plan]) -> None:
    made = read(
        *[
            resource(
                f'aws_sqs_queue.q["{key}"]',
                {"name": key},
                unknown={"kms_master_key_id": True},
                expressions={"kms_master_key_id": KEY},
            )
            for key in ("a", "b")
        ]
    )

    assert len(made.deferred_paths) == 2


def test_a_replaced_resource_is_judged_by_what_comes_and_listed_by_what_goes(read: Callable[..., Plan]) -> None:
    database = resource(
        "aws_db_instance.d", {"multi_az": True}, actions=["delete", "create"], before={"multi_az": False}
    )
    made = read(database)

    assert one(made, "aws_db_instance.d").values["multi_az"] is True
    assert [(gone.address, gone.values["replaced"]) for gone in made.tree.deletions] == [("aws_db_instance.d", True)]


@pytest.mark.parametrize("order", [["delete", "create"], ["create", "delete"], ["delete"], ["forget"]])
def test_deletions_are_read_from_the_changes_whatever_their_order(read: Callable[..., Plan], order: list[str]) -> None:
    """In planned_values a deleted resource is simply not there: a plan that destroys everything looks clean."""
    gone = resource("aws_s3_bucket.b", None if order == ["delete"] else {}, actions=order, before={"bucket": "b"})
    made = read(gone, resource("aws_sqs_queue.q", {"name": "q"}))
    judged = combined(load_rules().rules["CKV_RG_55"].judge(made.tree, read_settings()))

    assert ("aws_s3_bucket.b", "FAIL") in {(one.resource.address, one.verdict.value) for one in judged}


def test_a_plan_that_only_deletes_is_not_empty_and_not_green(read: Callable[..., Plan]) -> None:
    made = read(resource("aws_db_instance.d", None, actions=["delete"], before={"identifier": "main"}))

    assert made.tree.resources == ()
    assert len(made.tree.deletions) == 1


def test_a_forgotten_resource_has_no_values_and_is_not_judged(read: Callable[..., Plan]) -> None:
    """Terraform lists it among the planned values without any (hashicorp/terraform #38641)."""
    made = read(resource("aws_s3_bucket.b", {}, actions=["forget"], before={"bucket": "b"}))

    assert made.tree.at("aws_s3_bucket.b") is None


def test_sensitive_texts_before_and_after_are_collected_to_be_blackened(read: Callable[..., Plan]) -> None:
    database = resource(
        "aws_db_instance.d",
        {"password": "after-secret", "tags": {"a": "tag-secret"}, "name": "open"},
        actions=["update"],
        before={"password": "before-secret"},
        before_sensitive={"password": True},
        after_sensitive={"password": True, "tags": {"a": True}},
    )

    assert read(database).sensitive == {"after-secret", "before-secret", "tag-secret"}


def test_an_imported_resource_is_judged_like_any_other(read: Callable[..., Plan]) -> None:
    made = read(
        resource(
            "aws_db_instance.d",
            {"multi_az": False},
            actions=["no-op"],
            before={"multi_az": False},
            importing={"id": "main"},
        )
    )

    assert one(made, "aws_db_instance.d").values["multi_az"] is False


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"format_version": "2.0"}, "format 1.x"),
        ({"format_version": ""}, "format 1.x"),
        ({"errored": True}, "run that failed"),
        ({"complete": False}, "later plan"),
        ({"deferred_changes": [{}]}, "later plan"),
    ],
)
def test_a_plan_that_shows_too_little_is_refused(read: Callable[..., Plan], more: dict[str, Any], what: str) -> None:
    with pytest.raises(Unusable, match=what):
        read(resource("aws_x.y", {}), **more)


def test_an_empty_plan_is_never_green(read: Callable[..., Plan]) -> None:
    with pytest.raises(Unusable, match="holds no resource"):
        read()


@pytest.mark.parametrize(("text", "what"), [("", "is no JSON"), ("[]", "is no plan"), ('{"a": 1}', "is no plan")])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")

    with pytest.raises(Unusable, match=what):
        read_plan(tmp_path / "plan.json", shown="plan.json")


def test_a_missing_plan_is_refused_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"does not exist.*terraform show -json"):
        read_plan(tmp_path / "plan.json", shown="plan.json")


CODE = """
variable "key" {
  default = null
}

variable "days" {
  default = 1
}

resource "aws_kms_key" "k" {}

resource "aws_ecs_task_definition" "t" {
  container_definitions = jsonencode([{ name = "app", user = "10001", log = aws_kms_key.k.arn, days = var.days }])
}

resource "aws_s3_bucket_server_side_encryption_configuration" "s" {
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = aws_kms_key.k.arn == null ? "AES256" : "aws:kms"
    }
  }
}
"""


@pytest.fixture
def beside_code(tmp_path: Path) -> Callable[..., Plan]:
    (tmp_path / "main.tf").write_text(CODE, encoding="utf-8")

    def read(*resources: dict[str, Any], **more: Any) -> Plan:
        library = Library(base=tmp_path)
        file = saved(tmp_path, plan(*resources, **more))
        return read_plan(file, shown="plan.json", code=lambda given: load(tmp_path, library, variables=given))

    return read


def test_of_a_text_that_is_unknown_as_a_whole_the_code_knows_the_rest(beside_code: Callable[..., Plan]) -> None:
    """One ARN in a task definition makes a plan call all of it unknown: whether it runs as root would be deferred."""
    task = resource(
        "aws_ecs_task_definition.t",
        {},
        unknown={"container_definitions": True},
        expressions={"container_definitions": KEY},
    )
    made = beside_code(task, variables={"days": {"value": 7}})
    (container,) = decoded(one(made, "aws_ecs_task_definition.t").values["container_definitions"])

    assert container["user"] == "10001"
    assert container["days"] == 7, "the variables of the plan, not those of the files"
    assert isinstance(container["log"], Unknown)


def test_of_a_nested_value_too_where_only_one_can_be_meant(beside_code: Callable[..., Plan]) -> None:
    kind = "aws_s3_bucket_server_side_encryption_configuration.s"
    inner = "apply_server_side_encryption_by_default"
    made = beside_code(
        resource(
            kind,
            {"rule": [{inner: [{}]}]},
            unknown={"rule": [{inner: [{"sse_algorithm": True}]}]},
            expressions={"rule": [{inner: [{"sse_algorithm": KEY}]}]},
        )
    )

    assert one(made, kind).one(f"rule.{inner}.sse_algorithm") == "aws:kms"


def test_a_plan_of_other_code_is_refused(beside_code: Callable[..., Plan]) -> None:
    with pytest.raises(Unusable, match=r"holds aws_sqs_queue\.gone, which \S+ does not declare\. Plan this root again"):
        beside_code(resource("aws_sqs_queue.gone", {}))
