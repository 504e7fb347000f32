"""The recording of production's apply: of this very tree, complete, without a secret, and what a real apply makes."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from terraform_tree import resources

from infrastructure.record import record
from rollout.outputs_file import read_outputs
from sandbox.errors import SandboxError
from sandbox.recorded.recording import RECORDING, Recording, read_recording, staleness, tree_digest

COMMAND = "python -m infrastructure.record"
PLACEHOLDERS = {"test_header_value", "service_image_digest", "engine_image_digest"}
# What AWS calls things that must not be read: none has a value in a recording. (A switch is no secret.)
SECRET = re.compile(
    r'"[^"]*(?:Password|SecretString|SecretBinary|PrivateKey|AuthToken|AccessKey)[^"]*": "(?!(?:true|false)")[^"]'
)
TIME = re.compile(r"\b20[2-9]\d-[01]\d-[0-3]\d[T ]|\b20[2-9]\d[01]\d[0-3]\dT\d{6}Z|(?:terraform-|tf)20[2-9]\d{15}")


@pytest.fixture(scope="module")
def recording() -> Recording:
    return read_recording()


def test_it_was_made_from_this_tree(recording: Recording) -> None:
    """A changed .tf needs a new recording, or sandboxes show an account that nobody declares any more."""
    assert recording.infrastructure_sha256 == tree_digest(), (
        f"infrastructure/ has changed since it was recorded; where Terraform is present: {COMMAND}"
    )


def test_a_sandbox_says_when_its_account_is_of_another_tree(recording: Recording, tmp_path: Path) -> None:
    """`python -m sandbox status` shows it, beside what else is wrong."""
    assert staleness(recording) == []
    assert COMMAND in staleness(recording, tmp_path)[0]


def test_it_was_made_with_this_moto(recording: Recording) -> None:
    """Ids are drawn as this version draws them."""
    assert recording.moto == importlib.metadata.version("moto"), COMMAND


def test_writing_what_was_read_gives_the_same_file(recording: Recording) -> None:
    assert recording.text() == RECORDING.read_text(encoding="utf-8")


def test_nothing_secret_and_no_time_stands_in_it(recording: Recording) -> None:
    found = [line for line in recording.text().splitlines() if SECRET.search(line) or TIME.search(line)]

    assert [line[:160] for line in found] == []


def test_its_placeholders_are_those_that_are_filled(recording: Recording) -> None:
    assert set(re.findall(r"\$\{([a-z_]+)\}", recording.text())) == PLACEHOLDERS


def test_the_state_is_not_in_it(recording: Recording) -> None:
    """That it was locked and written is; its content is every secret of the environment."""
    written = [one for one in recording.requests if "terraform.tfstate" in one.path]

    assert [(one.method, one.body) for one in written] == [("PUT", ""), ("DELETE", ""), ("PUT", "")]


@pytest.mark.parametrize(
    ("type_name", "operation"),
    [
        ("aws_iam_role_policy", "PutRolePolicy"),
        ("aws_cloudwatch_metric_alarm", "PutMetricAlarm"),
        ("aws_db_instance", "CreateDBInstance|CreateDBInstanceReadReplica"),
        ("aws_wafv2_web_acl", "CreateWebACL"),
        ("aws_guardduty_detector", "POST /detector"),
    ],
)
def test_what_the_tree_declares_was_asked_for(recording: Recording, type_name: str, operation: str) -> None:
    asked = [one for one in recording.requests if re.fullmatch(operation, one.operation)]

    assert len(asked) >= len(resources(type_name)) > 0


def test_its_outputs_are_what_the_engine_reads(recording: Recording, tmp_path: Path) -> None:
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(recording.outputs_with({"test_header_value": "made up"})), encoding="utf-8")

    target = read_outputs(path, environment="production").target

    assert (target.public_host, target.test_header_value) == ("api.shop.example", "made up")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[: len(text) // 2].rsplit("\n", 1)[0], "is cut"),
        (lambda text: text.replace('{"recording": 1', '{"recording": 2', 1), "another format"),
        (lambda text: text.replace('{"service": "kms"', '{"servic": "kms"', 1), "is no request"),
        (lambda text: "", "cannot be read"),
    ],
    ids=["cut", "of another format", "with a line that is no request", "empty"],
)
def test_a_damaged_recording_is_refused(tmp_path: Path, change: object, said: str) -> None:
    assert callable(change)
    path = tmp_path / "damaged.jsonl"
    path.write_text(change(RECORDING.read_text(encoding="utf-8")), encoding="utf-8")

    with pytest.raises(SandboxError, match=f"{said}.*infrastructure.record|is no request"):
        read_recording(path)


def test_the_digest_sees_every_change_and_nothing_else(tmp_path: Path) -> None:
    """A module, the environment, a policy that a module reads, the state's bucket; not another environment."""
    for name in (
        "infrastructure/modules/compute/main.tf",
        "infrastructure/environments/production/terraform.tfvars",
        "infrastructure/environments/staging/terraform.tfvars",
        "infrastructure/environments/production/.terraform/modules/modules.json",
        "infrastructure/state_bucket.py",
        "rollout/policies/controller.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before", encoding="utf-8")
    before = tree_digest(tmp_path)
    changed = []
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        path.write_text("after", encoding="utf-8")
        if tree_digest(tmp_path) != before:
            changed.append(str(path.relative_to(tmp_path)))
        path.write_text("before", encoding="utf-8")

    assert changed == [
        "infrastructure/environments/production/terraform.tfvars",
        "infrastructure/modules/compute/main.tf",
        "infrastructure/state_bucket.py",
        "rollout/policies/controller.json",
    ]


@pytest.mark.terraform_apply
@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed (owner: the platform team)")
def test_a_real_apply_is_what_was_recorded(recording: Recording, tmp_path: Path) -> None:
    """Same requests with the same ids, in whatever order they arrived, and the same outputs: so the same account."""
    applied = record(tmp_path, tmp_path / "change")

    now, then = (Counter(one.line() for one in each.requests) for each in (applied, recording))

    assert (sorted((now - then).elements()), sorted((then - now).elements())) == ([], [])
    assert applied.outputs == recording.outputs
    assert applied.infrastructure_sha256 == recording.infrastructure_sha256
