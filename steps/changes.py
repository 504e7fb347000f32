"""The change that made the environment what it is: plan, approval, apply, and what was done by hand since."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pytest_bdd import given, then, when

from gate.observe import Observe
from rehearsal.compliance import Papers
from rehearsal.findings import inventory
from rehearsal.findings.checks import LiveAccount
from rollout.model import Observation
from steps.observing import named


@given("the change of the infrastructure", target_fixture="change")
def change(papers: Papers) -> Papers:
    return papers


@when("its plan is held against what was approved", target_fixture="reviewed")
def review(change: Papers, infrastructure: Path) -> tuple[Observation, ...]:
    return change.review(infrastructure, now=datetime.now(UTC))


@then("it is the very plan that people approved who did not write it")
def approved(reviewed: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(reviewed, "change.approval"))


@then("the plan is whole and was made of the code under release")
def whole(reviewed: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(reviewed, "change.whole", "change.code"))


@then("nothing that holds data is destroyed or replaced but what the approval names")
def losses(reviewed: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(reviewed, "change.losses"))


@then("somebody else than its author approved the change")
def approved_by_another(change: Papers, infrastructure: Path, observe: Observe) -> None:
    observe.add(*named(change.review(infrastructure, now=datetime.now(UTC)), "change.approval"))


@when("the record of its apply is held against the approved plan", target_fixture="applied")
def apply(change: Papers) -> tuple[Observation, ...]:
    return change.change.applied()


@then("the approved plan was applied with the providers it was made with")
def applied_plan(applied: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(applied, "apply.plan", "apply.providers"))


@then("the state was locked and had not changed since the plan")
def state(applied: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(applied, "apply.state", "apply.lock"))


@then("no rollout was active")
def no_rollout(applied: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(applied, "apply.rollouts"))


@then("it ended without error and left nothing to change")
def ended(applied: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*named(applied, "apply.end", "apply.settled"))


@then("every kind of resource that the environment declares exists")
def exists(account: LiveAccount, papers: Papers, observe: Observe) -> None:
    observe.add(*inventory.present(account, papers.change.inventory()))


@then("exactly what was applied exists, but for what the engine registers")
def unchanged(account: LiveAccount, papers: Papers, observe: Observe) -> None:
    observe.add(*inventory.unchanged(account, papers.change.inventory()))
