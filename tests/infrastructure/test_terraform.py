"""The runner: bounded, without the caller's credentials; and, where Terraform is present, what it says of the tree."""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from pathlib import Path

import pytest
from terraform_tree import ENVIRONMENTS, TREE

from infrastructure.backend_file import copy_of_environment
from infrastructure.drill import demand_provider
from infrastructure.terraform import Terraform, TerraformFailed, TerraformMissing
from sandbox.processes import is_running, wait_until

OWNER = "owner: the platform team"
needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None, reason=f"terraform is not installed on this machine ({OWNER})"
)


def _program(directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = directory / "terraform"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")


def _terraform(scratch: Path, **more: dict[str, str]) -> Terraform:
    return Terraform(directory=scratch, scratch=scratch, **more)


def test_nothing_of_the_callers_reaches_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTPS_PROXY", "TF_VAR_account_id", "TF_LOG"):
        monkeypatch.setenv(name, "the caller's")
    _program(tmp_path, "env", monkeypatch)
    terraform = _terraform(tmp_path, variables={"domain": "shop.example"}, environment={"AWS_ACCESS_KEY_ID": "drill"})

    seen = terraform.run("plan", timeout_seconds=10).output

    assert "the caller's" not in seen
    assert "TF_VAR_domain=shop.example" in seen
    assert "AWS_ACCESS_KEY_ID=drill" in seen
    assert f"TF_DATA_DIR={tmp_path}/data" in seen


def test_plugins_come_from_where_the_caller_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERRAFORM_PLUGINS", str(tmp_path / "mirror"))
    _program(tmp_path, 'cat "$TF_CLI_CONFIG_FILE"', monkeypatch)

    assert f'path = "{tmp_path}/mirror"' in _terraform(tmp_path).run("init", timeout_seconds=10).output


def test_a_command_that_fails_says_what_terraform_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path, "echo fine; echo 'Error: no such bucket'; exit 1", monkeypatch)

    with pytest.raises(TerraformFailed, match=r"terraform apply ended with 1:\nError: no such bucket"):
        _terraform(tmp_path).run("apply", timeout_seconds=10)


def test_an_exit_code_that_was_asked_for_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path, "exit 2", monkeypatch)

    assert _terraform(tmp_path).run("plan", timeout_seconds=10, allowed=(0, 2)).code == 2


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path, f"sleep 600 & echo $! > {tmp_path}/child; wait", monkeypatch)
    started = time.monotonic()

    with pytest.raises(TerraformFailed, match=r"did not end within 0\.5 s"):
        _terraform(tmp_path).run("apply", timeout_seconds=0.5)

    assert time.monotonic() - started < 15
    child = int((tmp_path / "child").read_text())
    assert wait_until(lambda: not is_running(child), 5, "the end of the child's child")


def test_a_machine_without_terraform_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(TerraformMissing, match="not on PATH"):
        _terraform(tmp_path).run("plan", timeout_seconds=10)


def test_a_machine_without_the_provider_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path, "echo 'Error: Failed to query available provider packages'; exit 1", monkeypatch)

    with pytest.raises(TerraformMissing, match="TERRAFORM_PLUGINS"):
        demand_provider(_terraform(tmp_path))


def test_a_try_out_runs_in_a_copy(tmp_path: Path) -> None:
    directory = copy_of_environment("staging", tmp_path)

    assert directory == tmp_path / "infrastructure" / "environments" / "staging"
    assert (directory / "main.tf").read_bytes() == (TREE / "environments" / "staging" / "main.tf").read_bytes()
    assert (tmp_path / "rollout" / "policies" / "controller.json").is_file()
    assert not list(tmp_path.rglob("*.py"))


# ---------------------------------------------------------------------------------------------- with Terraform


@needs_terraform
def test_the_tree_is_formatted(tmp_path: Path) -> None:
    terraform = Terraform(directory=TREE, scratch=tmp_path)

    finished = terraform.run("fmt", "-recursive", "-check", "-diff", timeout_seconds=60, allowed=(0, 3))

    assert finished.output == ""
    assert finished.code == 0


def _initialised(environment: str, scratch: Path) -> Terraform:
    """A copy, whose state is local: nothing of an environment is touched, and nothing is asked of AWS."""
    directory = copy_of_environment(environment, scratch / "tree")
    (directory / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
    variables = {
        "offline": "true",
        "test_header_value": "a" * 32,
        "service_image_digest": f"sha256:{'a' * 64}",
        "engine_image_digest": f"sha256:{'b' * 64}",
    }
    terraform = Terraform(directory=directory, scratch=scratch, variables=variables)
    try:
        demand_provider(terraform)
    except TerraformMissing as missing:
        pytest.skip(f"{missing} ({OWNER})")
    terraform.run("init", "-input=false", "-no-color", "-lockfile=readonly", timeout_seconds=120)
    return terraform


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    return _initialised("production", tmp_path_factory.mktemp("production"))


@needs_terraform
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_is_valid_and_can_be_planned_without_aws(environment: str, tmp_path: Path) -> None:
    terraform = _initialised(environment, tmp_path)

    valid = terraform.run("validate", "-no-color", timeout_seconds=120).output
    plan = terraform.run("plan", "-refresh=false", "-input=false", "-no-color", timeout_seconds=300).output

    assert "Success!" in valid
    planned = re.search(r"Plan: (\d+) to add, 0 to change, 0 to destroy", plan)
    assert planned is not None
    assert int(planned[1]) > 200


@needs_terraform
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"region": "eu-central-1"}, "not on the residency list"),
        ({"replica_region": "us-east-1"}, "replica_region has to differ"),
        ({"environment": "staging"}, "variables of another environment"),
        ({"nat_gateway_per_zone": "false"}, "one NAT gateway per zone"),
        ({"availability_zones": '["a"]'}, "2 to 4 different letters"),
        ({"live_tasks": "1"}, "from 2 to 20"),
        ({"backup_retention_days": "0"}, "from 7 to 35"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_variable_out_of_bounds_is_refused(variables: dict[str, str], said: str, production: Terraform) -> None:
    given = [f"-var={name}={value}" for name, value in variables.items()]

    with pytest.raises(TerraformFailed) as refused:
        production.run("plan", "-refresh=false", "-input=false", "-no-color", *given, timeout_seconds=300)

    assert said in re.sub(r"[\s│]+", " ", str(refused.value))
