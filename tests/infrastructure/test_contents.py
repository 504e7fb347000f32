"""What infrastructure must say whatever else it says: rules that a slip of the pen would break, without Terraform."""

from __future__ import annotations

import json
import re

import pytest
from terraform_tree import ENVIRONMENTS, ROOT, TREE, all_blocks, resources, settings_of

from rollout import deadman, outputs_file
from sandbox import account_names, functions

NAMES = {
    "modules/networking/load_balancer.tf": ['"x-release-token"', "blue = 10", "green = 11", "priority     = 100"],
    "modules/networking/dns.tf": ["current.${var.domain}"],
    "modules/release/state.tf": [f'"{account_names.STATE_TABLE}"', f'"{account_names.ALERT_TOPIC}"'],
    "modules/release/deadman.tf": [
        f'"{account_names.HEARTBEAT_ALARM}"',
        f'"{account_names.HEARTBEAT_NAMESPACE}"',
        f'"{account_names.HEARTBEAT_METRIC}"',
        f'"{account_names.DEADMAN_FUNCTION}"',
    ],
}


def test_every_output_that_the_engine_reads_exists() -> None:
    declared = {block.first for block in all_blocks("output") if block.path == "environments/production/outputs.tf"}
    wanted = {*outputs_file._TEXTS, "target_group_arns", "service_names"}
    optional = {"rule_arn", "hosted_zone_id", "test_hosts", "test_header_name", "test_header_value"}

    assert wanted | optional | {"certificate_arn", "heartbeat_namespace", "load_balancer_dns_name"} <= declared


@pytest.mark.parametrize("path", NAMES)
def test_names_are_the_ones_that_engine_and_sandbox_use(path: str) -> None:
    text = (TREE / path).read_text(encoding="utf-8")

    assert [name for name in NAMES[path] if name not in text] == []


def test_production_is_the_sandboxs_account() -> None:
    given = settings_of(TREE / "environments" / "production" / "terraform.tfvars")

    assert given["account_id"] == f'"{account_names.ACCOUNT_ID}"'
    assert given["region"] == f'"{account_names.REGION}"'
    assert given["domain"] == f'"{account_names.DOMAIN}"'
    assert given["service"] == f'"{account_names.FAMILY}"'


@pytest.mark.parametrize(
    ("type_name", "name", "ignored"),
    [
        ("aws_lb_listener_rule", "public", r"ignore_changes = \[action\]"),
        ("aws_ecs_service", "this", r"ignore_changes = \[desired_count, task_definition\]"),
        ("aws_appautoscaling_target", "slot", r"ignore_changes = \[min_capacity, max_capacity, suspended_state\]"),
        ("aws_route53_record", "live", r"ignore_changes = \[records, ttl\]"),
    ],
)
def test_no_apply_takes_back_what_the_engine_moved(type_name: str, name: str, ignored: str) -> None:
    found = [block for block in resources(type_name) if block.second == name]

    assert len(found) == 1
    assert found[0].has(ignored)


def test_foreign_tags_of_the_engine_are_no_drift() -> None:
    assert 'key_prefixes = ["release-gates:"]' in (TREE / "shared" / "provider.tf").read_text(encoding="utf-8")


def test_images_are_named_by_digest() -> None:
    bodies = "\n".join(block.body for block in resources("aws_ecs_task_definition"))
    named = re.findall(r"^\s+image\s+= (.+)$", bodies, re.MULTILINE)

    assert len(named) == 2
    assert all(name.endswith('@${var.image_digest}"') or name == "var.image" for name in named)
    assert all("@${var.engine_image_digest}" in _main(environment) for environment in ENVIRONMENTS)


def _main(environment: str) -> str:
    return (TREE / "environments" / environment / "main.tf").read_text(encoding="utf-8")


def test_no_container_is_handed_a_secret_by_value() -> None:
    for block in resources("aws_ecs_task_definition"):
        words = re.findall(r'name = "([A-Z_]+)", value =', block.body)
        assert not [word for word in words if re.search(r"PASSWORD|SECRET|TOKEN|KEY", word)], block.name


@pytest.mark.parametrize("role", ["observer", "submitter", "controller", "deadman", "reader"])
def test_every_place_of_a_published_policy_is_filled_in(role: str) -> None:
    """The roles of the engine are the published minimum; a place without a value would fail only when applied."""
    policy = (ROOT / "rollout" / "policies" / f"{role}.json").read_text(encoding="utf-8")
    roles = (TREE / "modules" / "release" / "roles.tf").read_text(encoding="utf-8")
    given = set(re.findall(r"^    (\w+)\s+= ", roles[: roles.index("policy_files")], re.MULTILINE))

    assert json.loads(policy)["Statement"]
    assert set(re.findall(r"\$\{(\w+)\}", policy)) <= given


def test_the_dead_man_is_told_what_its_code_asks_for() -> None:
    body = (TREE / "modules" / "release" / "deadman.tf").read_text(encoding="utf-8")
    given = re.search(r"DEADMAN_TARGET = jsonencode\(\{[^\n]*\n(.*?)\n\s+\}\)", body, re.DOTALL)

    assert given is not None
    assert set(re.findall(r"^\s+(\w+)\s+= ", given[1], re.MULTILINE)) == deadman._NEEDED
    assert {"environment", *functions.TARGET} == deadman._NEEDED | deadman._OPTIONAL
    assert f'"{deadman.__name__}.{deadman.handler.__name__}"' in body
    assert "/policies/deadman.json" in body


def test_what_each_role_of_the_engine_may() -> None:
    roles = (TREE / "modules" / "release" / "roles.tf").read_text(encoding="utf-8")
    rows = dict(
        re.findall(r"^\s+(observer|reader|submitter|controller)\s+= \{.*policies = \[(.*)\] \}", roles, re.MULTILINE)
    )

    assert rows == {
        "observer": '"observer"',
        "reader": '"observer", "reader"',
        "submitter": '"observer", "submitter"',
        "controller": '"controller"',
    }


def test_no_policy_allows_everything() -> None:
    roles = [block for kind in ("aws_iam_role_policy", "aws_iam_role") for block in resources(kind)]
    wide = [block.name for block in roles if re.search(r'Action\s*=\s*\[?"(\*|[a-z0-9-]+:\*)"', block.body)]

    assert wide == []


def test_only_the_load_balancer_is_open_to_the_world_and_only_where_it_is_public() -> None:
    ingress = resources("aws_vpc_security_group_ingress_rule")
    by_address = [block for block in ingress if block.has(r"cidr_ipv[46]")]

    assert [block.second for block in by_address] == ["world"]
    assert by_address[0].has(r'security_group_id = aws_security_group\.this\["balancer"\]\.id')
    assert by_address[0].has(r"for_each = local\.public_ports")


@pytest.mark.parametrize("group", ["KnownBadInputs", "Common", "SQLi"])
def test_the_firewall_blocks(group: str) -> None:
    (acl,) = resources("aws_wafv2_web_acl")

    assert f'name        = "AWSManagedRules{group}RuleSet"' in acl.body
    assert acl.body.count("none {}") == 3
    assert "count {}" not in acl.body
    assert len(resources("aws_wafv2_web_acl_association")) == 1


def test_every_trigger_is_mirrored_for_both_slots_in_a_row() -> None:
    alarms = [
        block for block in resources("aws_cloudwatch_metric_alarm") if block.path.startswith("modules/monitoring")
    ]
    minutes = [re.search(r"evaluation_periods\s+= (\S+)", block.body) for block in alarms]
    needed = [re.search(r"datapoints_to_alarm\s+= (\S+)", block.body) for block in alarms]

    assert {block.second for block in alarms} == {"error_rate", "latency", "cpu", "memory", "unhealthy"}
    assert all(block.has(r"for_each = var\.slots$") for block in alarms)
    assert all(one and other and one[1] == other[1] for one, other in zip(minutes, needed, strict=True))
    assert all(block.has(r'comparison_operator\s+= "GreaterThanThreshold"') for block in alarms)
    assert all(block.has(r"actions_enabled\s+= true") for block in alarms)


def test_every_log_group_has_a_retention_and_a_key() -> None:
    groups = resources("aws_cloudwatch_log_group")
    bare = [
        block.name for block in groups if not (block.has(r"retention_in_days\s*=") and block.has(r"kms_key_id\s*="))
    ]

    assert len(groups) >= 10
    assert bare == []


def test_every_key_rotates() -> None:
    assert all(block.has(r"enable_key_rotation\s+= true") for block in resources("aws_kms_key"))


def test_the_candidate_is_under_its_own_name_only() -> None:
    """CMP-03: a slot registers under its slot's name; there is no name that both share."""
    (names,) = resources("aws_service_discovery_service")

    assert names.second == "slot"
    assert names.has(r"name\s+= each\.key$")


def test_the_replica_is_elsewhere_under_its_own_key() -> None:
    replica = next(block for block in resources("aws_db_instance") if block.second == "replica")

    assert replica.has(r"provider = aws\.replica")
    assert replica.has(r"kms_key_id\s+= var\.replica\.key_arns\.data")
    for environment in ENVIRONMENTS:
        given = settings_of(TREE / "environments" / environment / "terraform.tfvars")
        assert given["replica_region"] != given["region"]
        assert given["replica_region"] in given["residency_regions"]
