"""IAC-01, IAC-02 and IAC-04: the guide's layout, environments that differ in variables only, bounded variables."""

from __future__ import annotations

import re
import tomllib

import pytest
from terraform_tree import ENVIRONMENTS, MODULES, ROOT, TREE, all_blocks, configuration_files, settings_of

from infrastructure.backend_file import BackendError, parse_backend, read_backend

ALIKE = ("main.tf", "variables.tf", "outputs.tf", "backend.tf", "provider.tf", ".terraform.lock.hcl")
OWN = ("terraform.tfvars", "backend.hcl")
SECRET = re.compile(
    r"password|secret_value|private_key|api_key|AKIA[0-9A-Z]{16}|BEGIN [A-Z ]*PRIVATE KEY", re.IGNORECASE
)
# From the pipeline, never from a file.
FROM_THE_PIPELINE = {"test_header_value", "service_image_digest", "engine_image_digest"}
WITH_DEFAULT = {"offline", "deletion_protection"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_holds_exactly_the_files_of_the_layout(environment: str) -> None:
    present = {path.name for path in (TREE / "environments" / environment).iterdir() if path.name != ".terraform"}

    assert present == {*ALIKE, *OWN}


@pytest.mark.parametrize("name", ALIKE)
def test_environments_differ_in_variables_only(name: str) -> None:
    texts = {environment: (TREE / "environments" / environment / name).read_bytes() for environment in ENVIRONMENTS}

    assert len(set(texts.values())) == 1, f"{name} is not the same in {', '.join(ENVIRONMENTS)}"


@pytest.mark.parametrize("name", ["backend.tf", "provider.tf"])
def test_the_copies_equal_the_shared_file(name: str) -> None:
    assert (TREE / "environments" / "production" / name).read_bytes() == (TREE / "shared" / name).read_bytes()


def test_no_file_is_a_symbolic_link() -> None:
    links = [str(path) for path in TREE.rglob("*") if path.is_symlink()]

    assert links == []


@pytest.mark.parametrize("module", MODULES)
def test_every_environment_uses_every_module(module: str) -> None:
    directory = TREE / "modules" / module
    used = [block for block in all_blocks("module") if block.has(rf'source\s*= "\.\./\.\./modules/{module}"$')]

    assert (directory / "variables.tf").is_file()
    assert (directory / "outputs.tf").is_file()
    assert {block.path.split("/")[1] for block in used} == set(ENVIRONMENTS)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_sets_exactly_its_variables(environment: str) -> None:
    declared = {
        block.first for block in all_blocks("variable") if block.path.startswith(f"environments/{environment}/")
    }
    given = settings_of(TREE / "environments" / environment / "terraform.tfvars")

    assert set(given) == declared - FROM_THE_PIPELINE - WITH_DEFAULT
    assert given["environment"] == f'"{environment}"'


def test_every_variable_is_typed_described_and_bounded() -> None:
    variables = all_blocks("variable")
    faults = [
        block.name
        for block in variables
        if not block.has(r'description\s+= ".{5,}"')
        or not block.has(r"type\s+=")
        or not (block.has(r"type\s+= bool") or block.has(r"validation \{"))
    ]

    assert len(variables) > 60
    assert faults == []


def test_every_output_is_described() -> None:
    outputs = all_blocks("output")

    assert len(outputs) > 40
    assert [block.name for block in outputs if not block.has(r'description\s*= ".{5,}"')] == []


@pytest.mark.parametrize("kind", ["variable", "output"])
def test_the_secret_is_marked_wherever_it_passes(kind: str) -> None:
    passing = [block for block in all_blocks(kind) if block.first == "test_header_value"]

    assert len(passing) >= len(ENVIRONMENTS)
    assert [block.name for block in passing if not block.has(r"sensitive\s+= true")] == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_secret_stands_in_a_file_of_variables(environment: str) -> None:
    directory = TREE / "environments" / environment
    found = [name for name in OWN if SECRET.search((directory / name).read_text(encoding="utf-8"))]

    assert found == []


def test_the_password_of_the_database_is_made_by_rds() -> None:
    text = (TREE / "modules" / "database" / "main.tf").read_text(encoding="utf-8")

    assert "manage_master_user_password = true" in text
    assert not re.search(r"^\s*password\s*=", text, re.MULTILINE)


def test_providers_are_pinned_and_locked() -> None:
    lock = (TREE / "environments" / "production" / ".terraform.lock.hcl").read_text(encoding="utf-8")
    pinned = [path for path in configuration_files() if path.name in ("versions.tf", "provider.tf")]

    assert re.findall(r'provider "([^"]+)"', lock) == ["registry.terraform.io/hashicorp/aws"]
    assert re.search(r'^\s+"(h1|zh):', lock, re.MULTILINE)
    assert len(pinned) >= len(MODULES) + len(ENVIRONMENTS)
    assert all(re.search(r'version\s*= "5\.100\.0"', path.read_text(encoding="utf-8")) for path in pinned)


def test_account_and_region_are_asserted() -> None:
    provider = (TREE / "shared" / "provider.tf").read_text(encoding="utf-8")
    main = (TREE / "environments" / "production" / "main.tf").read_text(encoding="utf-8")

    assert provider.count("allowed_account_ids         = var.offline ? null : [var.account_id]") == 2
    assert main.count("precondition {") == 3


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_state_is_remote_locked_encrypted_and_its_own(environment: str) -> None:
    backend = read_backend(environment)
    shared = (TREE / "shared" / "backend.tf").read_text(encoding="utf-8")
    account = settings_of(TREE / "environments" / environment / "terraform.tfvars")["account_id"].strip('"')

    assert 'backend "s3" {' in shared
    assert re.search(r"^\s+encrypt\s+= true$", shared, re.MULTILINE)
    assert re.search(r"^\s+use_lockfile\s+= true\b", shared, re.MULTILINE)
    assert backend.account_id == account
    assert backend.key == f"{environment}/terraform.tfstate"


@pytest.mark.parametrize(
    "text",
    [
        'bucket = "a"',
        'bucket = "a"\nbucket = "b"\nkey = "k"\nregion = "r"\nkms_key_id = "x"',
        'bucket = "a"\nkey = "k"\nregion = "r"\nkms_key_id = "x"\npath = "p"',
        "bucket = a",
        "",
    ],
    ids=["something is missing", "twice", "something unknown", "no quotes", "empty"],
)
def test_a_backend_file_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(BackendError):
        parse_backend(text)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_alarms_limits_are_the_plans_own(environment: str) -> None:
    """TRIG-01 to 05 are said in release.toml and mirrored by alarms: the same numbers, in every environment."""
    plan = tomllib.loads((ROOT / "release.toml").read_text(encoding="utf-8"))["plan"]["triggers"]
    given = settings_of(TREE / "environments" / environment / "terraform.tfvars")["triggers"]
    mirrored = {name: float(value) for name, value in re.findall(r"(\w+)\s*= ([0-9.]+)", given)}

    assert mirrored == {name: float(value) for name, value in plan.items()}
