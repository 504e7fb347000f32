"""PRE-16 and PROC-01: the plan that is applied is the plan that was approved, and each way to be otherwise is named."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from probes.change_applied import Applied, judge_applied
from probes.change_review import Proposal, judge_review
from probes.question import worst
from probes.stateful import STATEFUL, STATELESS, what_is_lost
from probes.terraform_plan import State, read_saved_plan, read_shown_plan
from rollout.model import Observation, Verdict
from tests.unit.probes.attestation_samples import (
    ADA,
    APPROVERS,
    BOB,
    DATABASE,
    NOW,
    SAVED,
    change,
    envelope,
    proposal,
    saved_plan,
    shown_plan,
    statement,
)

APPROVED = read_saved_plan(SAVED)
APPLIED = Applied(
    environment="production",
    started=NOW,
    plan_sha256=APPROVED.sha256,
    lock_sha256=APPROVED.lock_sha256,
    state_before=APPROVED.state,
    lock_id="8d1f",
    rollouts_active=0,
    exit_code=0,
    ended=NOW + timedelta(minutes=4),
    replan_exit_code=0,
)


def reviewed(wanted: Proposal, *approvers: str, destroys: tuple[str, ...] = (), about: Proposal | None = None) -> Any:
    """`wanted` judged with an approval by each of `approvers`, of the same plan unless told otherwise."""
    documents = [
        envelope(statement((about or wanted).subject, name, destroys=destroys), name=f"{name}.dsse.json")
        for name in approvers
    ]
    return {
        seen.name: seen for seen in judge_review(wanted, documents, APPROVERS, now=NOW, source="build/plan/production")
    }


# ------------------------------------------------------------------------------------------------ PRE-16


def test_an_approved_plan_that_loses_nothing_passes() -> None:
    seen = reviewed(proposal(), ADA)

    assert {name: observation.verdict for name, observation in seen.items()} == {
        "change.approval": Verdict.PASS,
        "change.whole": Verdict.PASS,
        "change.losses": Verdict.PASS,
    }


def test_a_plan_changed_after_approval_is_another_plan() -> None:
    """One byte of the saved plan is another one: PRE-16's first break."""
    seen = reviewed(proposal(plan=saved_plan(plan=b"plan!")), ADA, about=proposal())

    assert seen["change.approval"].verdict is Verdict.FAIL
    assert "attestation for another plan" in seen["change.approval"].message


def test_the_approver_saw_another_list_of_changes() -> None:
    """The saved plan is the same, but what was shown to the approver is not what it shows."""
    seen = reviewed(proposal(change(DATABASE, "delete")), ADA, about=proposal())

    assert seen["change.approval"].verdict is Verdict.FAIL
    assert "what was shown to the approver" in seen["change.approval"].message


def test_nobody_reviewed_it() -> None:
    seen = reviewed(proposal())

    assert seen["change.approval"].verdict is Verdict.NO_DATA


@pytest.mark.parametrize(
    ("actions", "verb"),
    [
        (("delete", "create"), "replaces"),
        (("create", "delete"), "replaces"),
        (("delete",), "destroys"),
        (("forget",), "forgets"),
        (("create", "forget"), "forgets"),
    ],
    ids=str,
)
def test_an_unnamed_loss_of_the_database_fails(actions: tuple[str, ...], verb: str) -> None:
    """PRE-16's second break, in every way to lose a thing."""
    seen = reviewed(proposal(change(DATABASE, *actions)), ADA)["change.losses"]

    assert (seen.verdict, seen.value) == (Verdict.FAIL, [DATABASE])
    assert f"the plan {verb} the database {DATABASE}, which the approver did not name" in seen.message


def test_a_named_loss_passes() -> None:
    seen = reviewed(proposal(change(DATABASE, "delete", "create")), ADA, destroys=(DATABASE,))

    assert worst(seen.values()) is Verdict.PASS
    assert f"named by every approver: {DATABASE}" in seen["change.losses"].message


def test_every_approver_has_to_name_it() -> None:
    wanted = proposal(change(DATABASE, "delete"), approvers_min=2)
    one = statement(wanted.subject, ADA, destroys=(DATABASE,))
    documents = [envelope(one, name="a.dsse.json"), envelope(statement(wanted.subject, BOB), name="b.dsse.json")]

    seen = judge_review(wanted, documents, APPROVERS, now=NOW, source="plan")

    assert [observation.verdict for observation in seen] == [Verdict.PASS, Verdict.PASS, Verdict.FAIL]
    assert "not every approver named" in seen[2].message


def test_naming_the_object_does_not_name_what_was_left_of_it() -> None:
    """A deposed object is another object, with data of its own."""
    seen = reviewed(proposal(change(DATABASE, "delete", deposed="00a1b2c3")), ADA, destroys=(DATABASE,))

    assert seen["change.losses"].verdict is Verdict.FAIL
    assert "(deposed object 00a1b2c3)" in seen["change.losses"].message


def test_a_name_that_nobody_validly_signed_names_nothing() -> None:
    """An expired approval names the database; losing it is still not approved."""
    wanted = proposal(change(DATABASE, "delete"))
    late = envelope(statement(wanted.subject, destroys=(DATABASE,), expires=NOW))

    seen = judge_review(wanted, [late], APPROVERS, now=NOW, source="plan")

    assert seen[2].verdict is Verdict.FAIL
    assert "which no approval names" in seen[2].message


@pytest.mark.parametrize(
    "more",
    [{"errored": True}, {"complete": False}, {"deferred_changes": [{"reason": "unknown"}]}],
    ids=["errored", "incomplete", "deferred"],
)
def test_a_plan_that_shows_a_part_fails(more: dict[str, Any]) -> None:
    shown = read_shown_plan(shown_plan(**more))
    seen = judge_review(replace(proposal(), shown=shown), [], APPROVERS, now=NOW, source="plan")

    assert seen[1].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        ("aws_db_instance", "database"),
        ("aws_db_subnet_group", ""),
        ("aws_rds_cluster_instance", "database"),
        ("aws_s3_bucket", "bucket"),
        ("aws_s3_bucket_policy", ""),
        ("aws_s3_bucket_versioning", "bucket"),
        ("aws_dynamodb_table", "table"),
        ("aws_kms_key", "key"),
        ("aws_kms_alias", ""),
        ("aws_sqs_queue", "queue"),
        ("aws_ebs_volume", "volume"),
        ("aws_lb_listener_rule", ""),
        ("aws_ecs_service", ""),
        ("aws_route", ""),
        ("aws_route53_zone", "zone of names"),
        ("aws_route53_delegation_set", "resource of a kind that may hold data"),
        ("datadog_monitor", "resource of a kind that may hold data"),
    ],
)
def test_what_goes_with_a_type_is_known_or_taken_for_data(kind: str, lost: str) -> None:
    assert what_is_lost(kind) == lost


def test_no_type_is_on_both_lists() -> None:
    assert STATEFUL.keys() & STATELESS == set()
    assert all(what_is_lost(prefix) for prefix in STATEFUL)
    assert not any(what_is_lost(name) for name in STATELESS)


# ------------------------------------------------------------------------------------------------ PROC-01


def applied(**more: Any) -> dict[str, Observation]:
    return {
        seen.name.removeprefix("apply."): seen
        for seen in judge_applied(replace(APPLIED, **more), APPROVED, source="apply.json")
    }


def test_the_approved_plan_applied_to_its_end_passes() -> None:
    seen = applied()

    assert set(seen) == {"plan", "providers", "state", "lock", "rollouts", "end", "settled"}
    assert {observation.verdict for observation in seen.values()} == {Verdict.PASS}


BROKEN = [
    ("apply without a saved plan", {"plan_sha256": ""}, "plan", Verdict.FAIL, "apply without a saved plan"),
    ("another plan", {"plan_sha256": "f" * 64}, "plan", Verdict.FAIL, "another plan was applied: ffffffffffff"),
    (
        "state changed between plan and apply",
        {"state_before": State(lineage="one", serial=8)},
        "state",
        Verdict.FAIL,
        "the state changed between plan and apply: planned on state one no. 7, applied on state one no. 8",
    ),
    ("another state", {"state_before": State(lineage="two", serial=7)}, "state", Verdict.FAIL, "on state two no. 7"),
    ("apply failed half-way", {"exit_code": 1}, "end", Verdict.FAIL, "the apply failed half-way with exit code 1"),
    ("apply never ended", {"exit_code": None, "ended": None}, "end", Verdict.NO_DATA, "no end on record"),
    ("lock file differs", {"lock_sha256": "e" * 64}, "providers", Verdict.FAIL, "the provider lock file differs: eeee"),
    ("lock file not looked at", {"lock_sha256": None}, "providers", Verdict.NO_DATA, "was not recorded"),
    ("state not looked at", {"state_before": None}, "state", Verdict.NO_DATA, "was not recorded"),
    ("not locked", {"lock_id": ""}, "lock", Verdict.FAIL, "the state was not locked"),
    ("lock not looked at", {"lock_id": None}, "lock", Verdict.NO_DATA, "was not recorded"),
    ("a rollout active", {"rollouts_active": 1}, "rollouts", Verdict.FAIL, "1 active: infrastructure must not"),
    ("rollouts not looked at", {"rollouts_active": None}, "rollouts", Verdict.NO_DATA, "was not looked at"),
    ("not empty afterwards", {"replan_exit_code": 2}, "settled", Verdict.FAIL, "would change something again"),
    ("plan afterwards failed", {"replan_exit_code": 1}, "settled", Verdict.SOURCE_ERROR, "afterwards failed"),
    ("no plan afterwards", {"replan_exit_code": None}, "settled", Verdict.NO_DATA, "no plan was made afterwards"),
]


@pytest.mark.parametrize(
    ("more", "name", "verdict", "says"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_each_break_is_red_alone_and_named(more: dict[str, Any], name: str, verdict: Verdict, says: str) -> None:
    """Exactly the observation that it concerns is not PASS."""
    seen = applied(**more)

    assert {key for key, observation in seen.items() if observation.verdict is not Verdict.PASS} == {name}
    assert seen[name].verdict is verdict
    assert says in seen[name].message


def test_the_digest_is_of_the_file_that_is_applied() -> None:
    assert APPROVED.sha256 == hashlib.sha256(SAVED).hexdigest()
