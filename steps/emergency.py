"""The emergency command beside a live engine."""

from __future__ import annotations

from pytest_bdd import then

from gate.observe import Observe
from rehearsal.findings import emergency
from rehearsal.result import Result
from steps.observing import dated


@then("the command changed nothing but the two weights")
def weights_only(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, emergency.emergency_worked(run, 0)))
    observe.add(*dated(run, emergency.emergency_changed_weights_only(run)))


@then("it succeeded and changed nothing")
def nothing_changed(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, emergency.emergency_changed_nothing(run, 1)))


@then("the engine recorded that somebody else took the share away")
def recorded(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, emergency.abort_recorded(run)))


@then("the candidate's share never rose again")
def never_rose(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, emergency.never_rose_again(run)))
