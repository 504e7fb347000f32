"""Where the release goes, the plan in force, and the rehearsals that scenarios read."""

from __future__ import annotations

import pytest
from pytest_bdd import given, parsers, when

from gate.observe import Observe
from rehearsal.catalogue import RELEASE
from rehearsal.findings import candidate, retreat
from rehearsal.plugin import Rehearsals, World
from rehearsal.result import Result
from rollout.model import Plan
from steps.observing import dated


@given("the environment under release", target_fixture="place")
def environment(world: World) -> World:
    return world


@given("the plan in force", target_fixture="plan")
def plan(plan_in_force: Plan) -> Plan:
    return plan_in_force


@given("the rehearsed release", target_fixture="run")
def release(rehearsals: Rehearsals, world: World) -> Result:
    return rehearsals.result(RELEASE)


@given(parsers.parse('the drill "{name}"'), target_fixture="run")
def drill(rehearsals: Rehearsals, name: str) -> Result:
    return rehearsals.result(name)


@when("it has ended")
@when("the rollout was left to itself")
@when("customers were answered by both sides")
@when("the emergency command was run")
@when("the emergency command was run again")
@when("the database was stopped and started again")
@when("the database refused writes")
@when("the cache was stopped and started again")
@when("an external dependency hung")
def happened(run: Result) -> None:
    """The rehearsal carried it out; a rehearsal that broke has already ended the scenario."""
    if not run.directory.exists():
        pytest.fail("the rehearsal left nothing behind")


@when("the candidate was ready")
def ready(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, candidate.became_ready(run)))


@when("the rollout has ended")
def ended(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.ended(run)))
