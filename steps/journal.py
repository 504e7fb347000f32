"""The journal of a rollout, as an auditor reads it."""

from __future__ import annotations

from pytest_bdd import then, when

from gate.observe import Observe
from rehearsal.findings import journal
from rehearsal.result import Result
from rollout.model import Observation
from steps.observing import dated


@when("its journal is read", target_fixture="chain")
def read(run: Result) -> tuple[Observation, ...]:
    return journal.chained(run)


@then("every entry follows the one before it unchanged")
def chained(run: Result, chain: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*dated(run, chain))


@then("every effect was announced before it happened")
def announced(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, journal.announced(run)))
