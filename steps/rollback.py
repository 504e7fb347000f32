"""Rollbacks: order, verification, alerts."""

from __future__ import annotations

from pytest_bdd import parsers, then

from gate.observe import Observe
from rehearsal.findings import retreat
from rehearsal.result import Result
from steps.observing import dated


@then("the listener was the first thing that the rollback changed")
def listener_first(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.listener_first(run)))


@then(parsers.parse("the candidate served its last request within {seconds:g} second of the decision"))
def quiet(run: Result, seconds: float, observe: Observe) -> None:
    observe.add(*dated(run, retreat.quiet_within(run, seconds)))


@then("all customers were back on the stable side")
def customers_back(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.customers_back(run)))


@then("the rollback was verified")
def verified(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.verified(run)))


@then("the stable side got capacity before it got customers")
def capacity_first(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.capacity_before_customers(run)))


@then("the reason for the order was recorded")
def order_explained(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.order_explained(run)))


@then("the stable side ran at least its recorded number of tasks")
def at_size(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.stable_at_size(run)))


@then("its scale-in was released only after that")
def released_late(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.released_after_verified(run)))


@then("the public address was answered by the stable side several times in a row")
def in_a_row(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.answered_in_a_row(run)))


@then("every target of the stable side was healthy")
def targets_healthy(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.stable_targets_healthy(run)))


@then("the rollback was reported as not verified")
def not_verified(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.reported_not_verified(run)))


@then("people were told that it is not verified")
def told_not_verified(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.told(run, "ROLLBACK NOT VERIFIED")))


@then("nothing said that it succeeded")
def no_success(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.nothing_says_success(run)))


@then("alerts told the start, the rollback with its figures and its outcome")
def told(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.told(run, "ROLLOUT STARTED", "ROLLBACK INITIATED", "ROLLBACK VERIFIED")))
    observe.add(*dated(run, retreat.figures_told(run)))


@then("the undelivered alerts are on record")
def undelivered(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.undelivered_on_record(run)))


@then("the candidate was scaled down after the verification")
def cleaned(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.cleaned_after_verified(run)))


@then("no weight led to it and its revision is kept")
def revision_kept(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.revision_kept(run)))


@then("the candidate was not scaled down")
def kept(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.candidate_left_whole(run)))


@then(parsers.parse("decision to verified health took under {minutes:g} minutes"))
def in_time(run: Result, minutes: float, observe: Observe) -> None:
    observe.add(*dated(run, retreat.returned_in(run, minutes)))


@then("only requests that the candidate itself answered with an error failed")
def planted_only(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.only_planted_failures(run)))


@then("each of them is in the candidate's own log")
def logged(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.failures_in_own_log(run)))
