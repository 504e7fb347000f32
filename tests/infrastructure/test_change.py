"""The apply of an approved plan, with a Terraform that does as told: what is refused, and what the record says."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from infrastructure import apply as command
from infrastructure.backend_file import read_backend
from infrastructure.change import Change, Refused, State, sha256_of
from infrastructure.rollouts import NotKnown, Rollouts
from infrastructure.terraform import Terraform, TerraformFailed
from probes.account.asking import Unread
from probes.account.session import Account
from probes.change_applied import Applied, judge_applied, read_applied, write_applied
from probes.change_files import APPLIED, SAVED, SHOWN
from probes.terraform_plan import lock_digest, read_saved_plan
from rollout.model import Verdict
from tests.unit.probes.attestation_samples import LOCK, NOW, saved_plan

STATE = '{"version": 4, "serial": 7, "lineage": "one", "resources": []}'
# A Terraform of a few lines: what each command prints and ends with lies in files beside it.
SCRIPT = """#!/bin/sh
shift
for last; do :; done
name=$1
[ "$1" = state ] && name=state-$2
echo "$*" >> {place}/calls
case $name in
  apply) cp "$last" {place}/applied.tfplan; cp {place}/state-after {place}/state-pull 2>/dev/null ;;
  show) echo '{{"format_version": "1.2"}}' ;;
esac
[ -e {place}/$name ] && cat {place}/$name
[ -e {place}/$name.code ] && exit "$(cat {place}/$name.code)"
exit 0
"""


class Counted:
    """Rollouts that are active, or the reason why nobody knows."""

    def __init__(self, answer: int | NotKnown) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def active(self, outputs: str) -> int:
        self.asked.append(outputs)
        if isinstance(self.answer, NotKnown):
            raise self.answer
        return self.answer


@dataclass(frozen=True)
class Locks(State):
    """The state's bucket without a bucket: which lock an apply has held."""

    held: str | None = "8d1f"

    def locks(self) -> frozenset[str] | Unread:
        return frozenset()

    def held_since(self, before: frozenset[str] | Unread) -> str | None:
        return self.held


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the saved plan, and a Terraform on PATH that works in it."""
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(SCRIPT.format(place=tmp_path), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    (tmp_path / "state-pull").write_text(STATE)
    (tmp_path / "state-after").write_text(STATE.replace("7", "8"))
    (tmp_path / "output").write_text("{}")
    (tmp_path / "apply").write_text("Resources: 3 added, 0 changed, 0 destroyed.\n")
    (tmp_path / SAVED).write_bytes(saved_plan())
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / ".terraform.lock.hcl").write_bytes(LOCK)
    (tmp_path / "scratch").mkdir()
    return tmp_path


def change_in(place: Path, *, held: str | None = "8d1f") -> Change:
    backend = read_backend("production")
    return Change(
        terraform=Terraform(directory=place / "root", scratch=place / "scratch"),
        environment="production",
        place=place,
        state=Locks(Account(region="us-east-1"), backend, held),
        commit="a" * 40,
    )


def record_in(place: Path) -> Applied:
    return read_applied((place / APPLIED).read_bytes())


def verdicts(place: Path) -> dict[str, Verdict]:
    saved = read_saved_plan((place / SAVED).read_bytes())
    return {one.name: one.verdict for one in judge_applied(record_in(place), saved, source="test")}


def test_the_approved_plan_is_applied_and_the_record_holds(place: Path) -> None:
    rollouts = Counted(0)
    said = change_in(place).apply(sha256_of(place / SAVED), rollouts)

    assert said == "Resources: 3 added, 0 changed, 0 destroyed"
    assert set(verdicts(place).values()) == {Verdict.PASS}
    assert (place / "applied.tfplan").read_bytes() == (place / SAVED).read_bytes()
    assert rollouts.asked == ["{}"]
    record = record_in(place)
    assert (record.commit, record.lock_id, record.lock_sha256) == ("a" * 40, "8d1f", lock_digest(LOCK))
    assert (record.state_before and record.state_before.serial, record.state_after and record.state_after.serial) == (
        7,
        8,
    )


@contextmanager
def refused(place: Path, says: str) -> Iterator[None]:
    """Refused, and Terraform was never told to apply."""
    with pytest.raises(Refused, match=says):
        yield
    calls = (place / "calls").read_text() if (place / "calls").exists() else ""
    assert "apply" not in calls


def test_another_plan_than_the_approved_one(place: Path) -> None:
    with refused(place, "approved is 000"):
        change_in(place).apply("0" * 64, Counted(0))

    assert not (place / APPLIED).exists(), "nothing was begun, so nothing is on record"


def test_a_file_that_is_no_plan(place: Path) -> None:
    (place / SAVED).write_bytes(b"not a plan")

    with refused(place, r"saved\.tfplan: no saved plan"):
        change_in(place).apply(sha256_of(place / SAVED), Counted(0))


def test_another_provider_lock_file(place: Path) -> None:
    (place / "root" / ".terraform.lock.hcl").write_bytes(LOCK.replace(b"5.100.0", b"5.101.0"))

    with refused(place, "is not the one that the plan was made with"):
        change_in(place).apply(sha256_of(place / SAVED), Counted(0))
    assert verdicts(place)["apply.providers"] is Verdict.FAIL


@pytest.mark.parametrize(
    ("state", "says", "expected"),
    [
        (STATE.replace("7", "9"), "the state is state one no. 9, the plan was made on state one no. 7", Verdict.FAIL),
        ("", "the state is state none yet no. 0", Verdict.FAIL),
        ("not a state", "the state is not readable", Verdict.NO_DATA),
    ],
    ids=["newer", "none", "unreadable"],
)
def test_another_state(place: Path, state: str, says: str, expected: Verdict) -> None:
    (place / "state-pull").write_text(state)

    with refused(place, says):
        change_in(place).apply(sha256_of(place / SAVED), Counted(0))
    assert verdicts(place)["apply.state"] is expected


@pytest.mark.parametrize(
    ("rollouts", "says", "expected"),
    [
        (Counted(1), "a rollout is active", Verdict.FAIL),
        (Counted(NotKnown("the table does not answer")), "is not known: the table does not answer", Verdict.NO_DATA),
    ],
    ids=["active", "unknown"],
)
def test_a_rollout(place: Path, rollouts: Counted, says: str, expected: Verdict) -> None:
    with refused(place, says):
        change_in(place).apply(sha256_of(place / SAVED), rollouts)
    assert verdicts(place)["apply.rollouts"] is expected


def test_an_apply_that_fails_half_way_leaves_its_exit_code(place: Path) -> None:
    (place / "apply.code").write_text("1")

    with pytest.raises(TerraformFailed, match="ended with 1, half-way"):
        change_in(place).apply(sha256_of(place / SAVED), Counted(0))
    found = verdicts(place)
    assert found["apply.end"] is Verdict.FAIL
    assert found["apply.settled"] is Verdict.NO_DATA, "nobody planned again"


@pytest.mark.parametrize(("code", "expected"), [("2", Verdict.FAIL), ("1", Verdict.SOURCE_ERROR)])
def test_what_is_left_afterwards_is_on_record(place: Path, code: str, expected: Verdict) -> None:
    (place / "plan.code").write_text(code)

    with pytest.raises(TerraformFailed):
        change_in(place).apply(sha256_of(place / SAVED), Counted(0))
    assert verdicts(place)["apply.settled"] is expected


@pytest.mark.parametrize(("held", "expected"), [("", Verdict.FAIL), (None, Verdict.NO_DATA)])
def test_the_lock_that_was_held(place: Path, held: str | None, expected: Verdict) -> None:
    change_in(place, held=held).apply(sha256_of(place / SAVED), Counted(0))

    assert verdicts(place)["apply.lock"] is expected


def test_the_plan_and_what_it_shows_are_kept(place: Path) -> None:
    (place / "plan").write_text("Plan: 3 to add, 0 to change, 0 to destroy.\n")
    (place / "plan.code").write_text("2")

    assert change_in(place).plan() == "Plan: 3 to add, 0 to change, 0 to destroy"
    assert json.loads((place / SHOWN).read_text()) == {"format_version": "1.2"}
    assert f"-out={place / SAVED}" in (place / "calls").read_text()


# ------------------------------------------------------------------------------------------------ the record


def test_a_record_is_read_as_it_was_written() -> None:
    saved = read_saved_plan(saved_plan())
    whole = Applied(
        environment="production",
        started=NOW,
        plan_sha256=saved.sha256,
        commit="b" * 40,
        lock_sha256=saved.lock_sha256,
        state_before=saved.state,
        lock_id="",
        rollouts_active=0,
        exit_code=0,
        ended=NOW,
        state_after=replace(saved.state, serial=8),
        replan_exit_code=0,
    )
    begun = Applied(environment="staging", started=NOW, plan_sha256="")

    assert read_applied(write_applied(whole)) == whole
    assert read_applied(write_applied(begun)) == begun


# ------------------------------------------------------------------------------------------------ rollouts, commands


@pytest.fixture
def table() -> Iterator[Any]:
    """Of rollouts, in an account that holds nothing else."""
    key = [("pk", "HASH"), ("sk", "RANGE")]
    with mock_aws():
        made = boto3.resource("dynamodb", region_name="us-east-1").create_table(
            TableName="rollouts",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in key],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in key],
        )
        yield made


def rollouts_of(tmp_path: Path) -> Rollouts:
    (tmp_path / "release.toml").write_text("schema = 1\n", encoding="utf-8")
    account = Account(region="us-east-1")
    return Rollouts(environment="production", release_file=tmp_path / "release.toml", scratch=tmp_path, account=account)


HALF_MADE = '{"region": {"value": "us-east-1"}}'  # as after the registries, or after an apply that broke off


@pytest.mark.parametrize("outputs", ["{}", HALF_MADE])
def test_where_nothing_was_ever_recorded_no_rollout_is_active(tmp_path: Path, table: Any, outputs: str) -> None:
    asked = rollouts_of(tmp_path)
    assert asked.active(outputs) == 0, "the table is empty"

    table.delete()
    assert asked.active(outputs) == 0, "there is no table"


@pytest.mark.parametrize(
    ("outputs", "says"), [("", "no JSON"), ("no json", "no JSON"), (HALF_MADE, "is not declared|is missing")]
)
def test_an_engine_that_cannot_answer_is_not_none(tmp_path: Path, table: Any, outputs: str, says: str) -> None:
    table.put_item(Item={"pk": "rollout#1", "sk": "record"})

    with pytest.raises(NotKnown, match=says):
        rollouts_of(tmp_path).active(outputs)


def test_a_table_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    asked = replace(rollouts_of(tmp_path), account=Account(region="us-east-1", endpoint_url="http://127.0.0.1:9"))

    with pytest.raises(NotKnown, match="the table of rollouts cannot be read"):
        asked.active("{}")


def test_without_terraform_the_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for arguments in (["plan"], ["apply", "--approved", "0" * 64]):
        options = ["--environment", "production", "--place", str(tmp_path / "change")]
        ran = CliRunner().invoke(command.application, [*arguments, *options])

        assert ran.exit_code == command.MISSING
        assert "terraform is not on PATH" in ran.output


def test_who_wrote_the_tree_cannot_approve_it(tmp_path: Path) -> None:
    assert command.authors_of(tmp_path, "") == [], "no repository: nobody is known, which the gate reads as no data"
    assert command.commit_of(tmp_path) == ""
