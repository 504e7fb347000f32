"""IAC-01, IAC-03, IAC-04 over small trees: what is wrong is named, and nothing is no pass."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from probes.host_report import INPUTS
from rehearsal.findings import hosts, layout, variables
from rollout.model import Basis, Observation, Verdict

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("production", "staging")
MAIN = 'module "networking" {\n  source = "../../modules/networking"\n}\n'
VARIABLES = """variable "account" {
  description = "The account, 12 digits."
  type        = string

  validation {
    condition     = length(var.account) == 12
    error_message = "12 digits."
  }
}

variable "protected" {
  description = "Whether it refuses to be deleted."
  type        = bool
}
"""
OUTPUTS = 'output "region" {\n  description = "Where it is."\n  value       = "us-east-1"\n}\n'
BACKEND = 'bucket = "state-{n}"\nkey = "{n}.tfstate"\nregion = "us-east-1"\nkms_key_id = "alias/state"\n'
SHARED = {"backend.tf": 'terraform {\n  backend "s3" {}\n}\n', "provider.tf": 'provider "aws" {}\n'}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Two environments and a module, all as they should be."""
    files = {f"shared/{name}": text for name, text in SHARED.items()}
    files["modules/networking/main.tf"] = VARIABLES
    for name in NAMES:
        own = {
            "main.tf": MAIN,
            "variables.tf": VARIABLES,
            "outputs.tf": OUTPUTS,
            "terraform.tfvars": f'name = "{name}"\n',
        }
        own |= {**SHARED, "backend.hcl": BACKEND.format(n=name)}
        files |= {f"environments/{name}/{file}": text for file, text in own.items()}
    for path, text in files.items():
        (tmp_path / "infrastructure" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "infrastructure" / path).write_text(text, encoding="utf-8")
    return tmp_path / "infrastructure"


Judge = Callable[[Path], tuple[Observation, ...]]
JUDGES: dict[str, Judge] = {
    "files": lambda code: layout.holds_files(layout.read_layout(code), NAMES),
    "modules": lambda code: layout.uses_modules(layout.read_layout(code), NAMES, ["networking"]),
    "shared": lambda code: layout.shares_files(layout.read_layout(code), NAMES),
    "alike": lambda code: layout.differ_in_variables_only(layout.read_layout(code), NAMES),
    "state": lambda code: layout.own_state(layout.read_layout(code), NAMES),
    "variables": lambda code: variables.say_what_they_take(layout.read_layout(code)),
    "outputs": lambda code: variables.outputs_described(layout.read_layout(code)),
    "addresses": lambda code: variables.no_address_by_hand(layout.read_layout(code), ROOT / "release.toml"),
}


@pytest.mark.parametrize("name", JUDGES)
def test_a_good_tree_passes_and_says_what_was_looked_at(name: str, code: Path) -> None:
    for seen in JUDGES[name](code):
        assert seen.verdict is Verdict.PASS, seen.message
        assert seen.n
        assert seen.basis is Basis.ARTEFACT


@pytest.mark.parametrize(
    ("name", "path", "text", "said"),
    [
        ("files", "environments/staging/outputs.tf", None, "environments/staging/outputs.tf is missing"),
        ("files", "environments/other/main.tf", "", "environments/other is none of the guide's"),
        ("modules", "environments/staging/main.tf", "", "staging lacks the module networking"),
        ("modules", "modules/networking/main.tf", None, "modules/networking holds no Terraform"),
        ("shared", "environments/staging/backend.tf", "terraform {}\n", "staging/backend.tf is not shared/"),
        ("shared", "shared/provider.tf", None, "shared/provider.tf is missing"),
        ("alike", "environments/staging/main.tf", f"{MAIN}\n", "main.tf differs between production, staging"),
        ("alike", "environments/staging/more.tf", "", "more.tf differs"),
        ("state", "environments/staging/backend.hcl", BACKEND.format(n="production"), "staging keeps its state where"),
        ("state", "environments/staging/backend.hcl", "bucket = 1\n", "staging: line 1 of the backend file"),
        (
            "variables",
            "environments/staging/variables.tf",
            'variable "x" {\n  type = string\n}\n',
            "x lacks a description, bounds",
        ),
        (
            "variables",
            "modules/networking/main.tf",
            'variable "x" {}\n',
            "networking x lacks a type, a description, bounds",
        ),
        ("outputs", "environments/staging/outputs.tf", 'output "x" {\n  value = 1\n}\n', "x lacks a description"),
        (
            "addresses",
            "environments/staging/main.tf",
            "# arn:aws:sns:us-east-1:123456789012:alerts\n",
            "main.tf:1 copies arn:",
        ),
        (
            "addresses",
            "modules/networking/main.tf",
            'a = "subnet-0123456789abcdef0"\n',
            "copies subnet-0123456789abcdef0",
        ),
    ],
)
def test_what_is_wrong_is_named(name: str, path: str, text: str | None, said: str, code: Path) -> None:
    place = code / path
    if text is None:
        place.unlink()
    else:
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
    red = [seen for seen in JUDGES[name](code) if seen.verdict is not Verdict.PASS]

    assert [seen.verdict for seen in red] == [Verdict.FAIL]
    assert said in red[0].message


def test_a_policy_of_aws_itself_is_no_address(code: Path) -> None:
    (code / "modules/networking/main.tf").write_text('a = "arn:aws:iam::aws:policy/ReadOnlyAccess"\n', encoding="utf-8")
    (seen,) = JUDGES["addresses"](code)

    assert seen.verdict is Verdict.PASS


def test_what_an_apply_left_is_a_record(code: Path) -> None:
    """Only at the top: a folder of that name in a module is code like any other."""
    for place, verdict in ((code / "recorded", Verdict.PASS), (code / "modules/recorded", Verdict.FAIL)):
        place.mkdir()
        (place / "inventory.json").write_text('["vpc-0123456789abcdef0"]', encoding="utf-8")
        (seen,) = JUDGES["addresses"](code)
        assert seen.verdict is verdict, seen.message


@pytest.mark.parametrize("name", ["files", "variables"])
def test_what_cannot_be_parsed_was_not_judged(name: str, code: Path) -> None:
    (code / "modules/networking/main.tf").write_text("variable {", encoding="utf-8")

    assert JUDGES[name](code)[0].verdict is Verdict.SOURCE_ERROR


@pytest.mark.parametrize("name", ["files", "modules", "alike", "state", "variables", "outputs"])
def test_nothing_at_all_is_no_pass(name: str, tmp_path: Path) -> None:
    (tmp_path / "infrastructure").mkdir()

    assert Verdict.PASS not in {seen.verdict for seen in JUDGES[name](tmp_path / "infrastructure")}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (
            'schema = 1\n[release]\nservice = "a"\nversion = "1"\n[environments.sandbox]\noutputs = "o.json"\n',
            Verdict.PASS,
        ),
        ("schema = 2\n", Verdict.FAIL),
    ],
    ids=["outputs", "refused"],
)
def test_settings_come_from_outputs_or_the_file_is_refused(text: str, verdict: Verdict, tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(text, encoding="utf-8")
    (seen,) = variables.engine_reads_outputs(tmp_path / "release.toml")

    assert seen.verdict is verdict, seen.message


# ------------------------------------------------------------------------------------------------ hosts


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    """The project's own roles, to be spoilt."""
    shutil.copytree(ROOT / "infrastructure/ansible", tmp_path / "ansible")
    return tmp_path


def test_the_roles_write_enough_everywhere(roles: Path) -> None:
    seen = hosts.written_limits(roles, 65536)

    assert len(seen) == len(hosts.TEMPLATES)
    assert {one.verdict for one in seen} == {Verdict.PASS}
    assert {one.value for one in seen} == {65536}


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (
            "base/defaults/main.yml",
            "base_open_files: 65536",
            "base_open_files: 1024",
            "a login as root may open 1024 files",
        ),
        ("runner/defaults/main.yml", "open_files: 65536", "open_files: 1024", "a service may open 1024 files"),
        (
            "base/templates/limits.conf.j2",
            "root hard nofile {{ base_open_files }}\n",
            "",
            "a login as root may open 0 files",
        ),
        (
            "runner/templates/runner.service.j2",
            "LimitNOFILE={{ runner_open_files }}\n",
            "",
            "sets no limit of open files",
        ),
    ],
    ids=["logins", "a service", "one line lost", "no line at all"],
)
def test_a_limit_that_is_too_low_or_lost_is_named(path: str, old: str, new: str, said: str, roles: Path) -> None:
    file = roles / "ansible/roles" / path
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    red = [one for one in hosts.written_limits(roles, 65536) if one.verdict is not Verdict.PASS]

    assert red
    assert {one.verdict for one in red} == {Verdict.FAIL}
    assert said in red[0].message


def test_a_template_that_is_gone_is_no_pass(roles: Path) -> None:
    (roles / "ansible/roles/runner/templates/runner.service.j2").unlink()

    assert Verdict.SOURCE_ERROR in {one.verdict for one in hosts.written_limits(roles, 65536)}


@pytest.mark.parametrize(
    ("environment", "verdict"), [("sandbox", Verdict.NOT_APPLICABLE), ("production", Verdict.NO_DATA)]
)
def test_without_a_report_nothing_passes(environment: str, verdict: Verdict, tmp_path: Path) -> None:
    """The sandbox has no hosts; any other environment has, and nobody verified them."""
    for name in INPUTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    (seen,) = hosts.verified(tmp_path, environment)

    assert seen.verdict is verdict


def test_a_report_is_read_in_the_sandbox_too(tmp_path: Path) -> None:
    for name in INPUTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    place = hosts.place_of(tmp_path, hosts.tree_digest(tmp_path, INPUTS))
    place.parent.mkdir(parents=True)
    place.write_text("{}", encoding="utf-8")

    assert [seen.verdict for seen in hosts.verified(tmp_path, "sandbox")] == [Verdict.SOURCE_ERROR]
