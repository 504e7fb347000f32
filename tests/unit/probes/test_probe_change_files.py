"""The files of a change: each that is missing or broken has its own word, and the plan is held to the code."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from probes.account.inventory import Inventory
from probes.change_applied import Applied, write_applied
from probes.change_files import APPLIED, APPROVALS, APPROVERS, AUTHORS, INVENTORY, SAVED, SHOWN, ChangeFiles
from probes.change_review import judge_code
from probes.strict_json import Unparsable
from probes.terraform_plan import SavedPlan, read_saved_plan
from rollout.model import Observation, Verdict
from tests.unit.probes.attestation_samples import (
    ADA,
    AUTHOR,
    KEYS,
    NOW,
    change,
    envelope,
    line_of,
    proposal,
    saved_plan,
    shown_plan,
    statement,
)

MAIN, MODULE = b'module "compute" {\n  source = "../../modules/compute"\n}\n', b'resource "aws_ecs_cluster" "this" {}\n'


def plan_of(code: Mapping[str, bytes], modules: object = None) -> bytes:
    """A saved plan with the configuration that it was made of, laid out as Terraform does."""
    listed = [{"Key": "", "Dir": "."}, {"Key": "compute", "Dir": "../../modules/compute", "Source": "x"}]
    buffer = io.BytesIO(saved_plan())
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in code.items():
            archive.writestr(f"tfconfig/{name}", content)
        if modules != "none":
            archive.writestr("tfconfig/modules.json", json.dumps(listed if modules is None else modules))
    return buffer.getvalue()


WHOLE = {"m-/main.tf": MAIN, "m-compute/main.tf": MODULE}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The root module, in a tree as the plan knows it."""
    root = tmp_path / "infrastructure" / "environments" / "production"
    module = tmp_path / "infrastructure" / "modules" / "compute"
    for directory, content in ((root, MAIN), (module, MODULE)):
        directory.mkdir(parents=True)
        (directory / "main.tf").write_bytes(content)
    return root


@pytest.fixture
def files(tmp_path: Path) -> ChangeFiles:
    """An approved change that was applied."""
    place = tmp_path / "change"
    (place / APPROVALS).mkdir(parents=True)
    (place / SAVED).write_bytes(plan_of(WHOLE))
    (place / SHOWN).write_bytes(shown_plan(change("aws_ecs_service.blue", "update")))
    (place / AUTHORS).write_text(f"{AUTHOR}\n")
    subject = proposal(plan=plan_of(WHOLE)).subject
    (place / APPROVALS / "review.dsse.json").write_bytes(envelope(statement(subject)).content)
    saved = read_saved_plan(plan_of(WHOLE))
    applied = Applied(
        environment="production",
        started=NOW,
        plan_sha256=saved.sha256,
        lock_sha256=saved.lock_sha256,
        state_before=saved.state,
        lock_id="8d1f",
        rollouts_active=0,
        exit_code=0,
        ended=NOW + timedelta(minutes=4),
        replan_exit_code=0,
    )
    (place / APPLIED).write_bytes(write_applied(applied))
    (place / INVENTORY).write_text(
        '{"schema": 1, "environment": "production", "taken": "2026-11-24T12:00:00Z", "kinds": {"bucket": ["logs"]}}'
    )
    list_of = (
        f'schema = 1\n[[approver]]\nidentity = "{ADA}"\nroles = ["infrastructure"]\nkey = "{line_of(KEYS[ADA])}"\n'
    )
    (tmp_path / APPROVERS).write_text(list_of)
    return ChangeFiles(place=place, approvers=tmp_path / APPROVERS)


def test_an_approved_change_of_this_code_that_was_applied_holds(files: ChangeFiles, tree: Path) -> None:
    seen = (*files.review(now=NOW), *files.code(tree), *files.applied())

    assert {one.name: one.verdict for one in seen if one.verdict is not Verdict.PASS} == {}
    assert {one.name for one in seen} >= {
        "change.approval",
        "change.whole",
        "change.losses",
        "change.code",
        "apply.plan",
    }
    found = files.inventory()
    assert isinstance(found, Inventory)
    assert found.kinds == {"bucket": ["logs"]}


def test_a_change_without_any_file_is_no_data(tmp_path: Path, tree: Path) -> None:
    empty = ChangeFiles(place=tmp_path / "nowhere", approvers=tmp_path / "nobody.toml")
    found = empty.inventory()

    assert isinstance(found, Observation)
    assert {one.verdict for one in (*empty.review(now=NOW), *empty.code(tree), *empty.applied(), found)} == {
        Verdict.NO_DATA
    }


@pytest.mark.parametrize("name", [SAVED, SHOWN, AUTHORS])
def test_a_file_of_the_review_that_is_missing(files: ChangeFiles, name: str) -> None:
    (files.place / name).unlink()
    (found,) = files.review(now=NOW)

    assert found.verdict is Verdict.NO_DATA
    assert name in found.message


@pytest.mark.parametrize("name", [SAVED, SHOWN])
def test_a_file_of_the_review_that_is_broken(files: ChangeFiles, name: str) -> None:
    (files.place / name).write_bytes(b"{")
    (found,) = files.review(now=NOW)

    assert found.verdict is Verdict.SOURCE_ERROR
    assert name in found.message


def test_nobody_is_known_to_have_written_it(files: ChangeFiles) -> None:
    """Then anybody may be the author, and an approval by them none."""
    (files.place / AUTHORS).write_text("\n")

    assert files.review(now=NOW)[0].verdict is Verdict.NO_DATA


def test_a_list_of_approvers_that_is_gone(files: ChangeFiles) -> None:
    files.approvers.unlink()

    assert [one.verdict for one in files.review(now=NOW)] == [Verdict.NO_DATA]


def test_an_approval_that_was_taken_away(files: ChangeFiles) -> None:
    (files.place / APPROVALS / "review.dsse.json").unlink()

    assert files.review(now=NOW)[0].verdict is Verdict.NO_DATA


def test_something_else_among_the_approvals(files: ChangeFiles) -> None:
    (files.place / APPROVALS / "note.txt").write_text("looks good")

    assert [one.verdict for one in files.review(now=NOW)] == [Verdict.SOURCE_ERROR]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda root: (root / "main.tf").write_bytes(MAIN + b"# more\n"), "changed: main.tf"),
        (lambda root: (root / "more.tf").write_bytes(b""), "new: more.tf"),
        (lambda root: (root.parents[1] / "modules/compute/main.tf").unlink(), "gone: ../../modules/compute/main.tf"),
    ],
    ids=["changed", "new", "gone"],
)
def test_a_plan_of_other_code(files: ChangeFiles, tree: Path, spoil: object, says: str) -> None:
    assert callable(spoil)
    spoil(tree)
    (found,) = files.code(tree)

    assert found.verdict is Verdict.FAIL
    assert says in found.message


def test_a_plan_that_names_places_outside_is_not_followed(files: ChangeFiles, tree: Path) -> None:
    modules = [{"Key": "", "Dir": "."}, {"Key": "compute", "Dir": "../../../../../etc"}]
    (files.place / SAVED).write_bytes(plan_of(WHOLE, modules))
    (found,) = files.code(tree)

    assert found.verdict is Verdict.SOURCE_ERROR
    assert "lies outside" in found.message


@pytest.mark.parametrize(
    ("modules", "says"),
    [
        ("none", "no tfconfig/modules.json"),
        ([{"Key": "", "Dir": "."}], "belongs to no module"),
        ({"Key": ""}, "belongs to no module"),
        ([{"Key": 3, "Dir": "."}], "Key"),
    ],
    ids=["no list", "module not listed", "no array", "no text"],
)
def test_a_plan_whose_modules_are_not_understood(modules: object, says: str) -> None:
    with pytest.raises(Unparsable, match=says):
        read_saved_plan(plan_of(WHOLE, modules))


def test_a_plan_that_does_not_say_of_what_it_was_made() -> None:
    saved = read_saved_plan(saved_plan())

    assert judge_code(saved, {"main.tf": "0"}, source="x").verdict is Verdict.NO_DATA
    named = SavedPlan(sha256="0", lock_sha256="0", state=saved.state, code={"main.tf": "0"})
    assert judge_code(named, {}, source="x").verdict is Verdict.NO_DATA
    assert judge_code(replace(named, code={"main.tf": "1"}), {"main.tf": "1"}, source="x").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, Verdict.NO_DATA),
        ("{}", Verdict.SOURCE_ERROR),
        ('{"schema": 1, "environment": "x", "taken": "2026-11-24T12:00:00Z", "kinds": {}}', Verdict.SOURCE_ERROR),
        ('{"schema": 1, "environment": "x", "taken": "2026-11-24T12:00:00Z", "kinds": {"a": 3}}', Verdict.SOURCE_ERROR),
    ],
    ids=["missing", "empty", "no kinds", "no names"],
)
def test_an_inventory_that_declares_nothing(files: ChangeFiles, content: str | None, expected: Verdict) -> None:
    (files.place / INVENTORY).unlink()
    if content is not None:
        (files.place / INVENTORY).write_text(content)
    found = files.inventory()

    assert isinstance(found, Observation)
    assert found.verdict is expected
