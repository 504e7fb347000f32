"""The candidate while all customers are on the stable side."""

from __future__ import annotations

from pytest_bdd import parsers, then

from gate.observe import Observe
from rehearsal.findings import candidate
from rehearsal.result import Result
from steps.observing import dated


@then("its desired tasks ran the released image")
def runs_image(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, candidate.runs_released_image(run)))


@then(parsers.parse("they were spread over at least {zones:d} zones"))
def spread(run: Result, zones: int, observe: Observe) -> None:
    observe.add(*dated(run, candidate.spread_over_zones(run, zones)))


@then("every health endpoint answered green on the candidate's own address")
@then("every component was healthy on the candidate's own address")
def healthy(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, run.observations("candidate health")))


@then("no request of a customer had reached the candidate")
def nobody_met_it(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, candidate.nobody_met_it_before_the_shift(run)))
    observe.add(*dated(run, run.observations("candidate hidden")))


@then("all targets of both sides were healthy")
def targets_healthy(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, candidate.all_targets_healthy(run)))


@then("its revision differed from the running one in its image only")
def image_only(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, candidate.differs_in_image_only(run)))


@then("the candidate's service alone was updated")
def alone_updated(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, candidate.only_candidate_updated(run)))


@then("none of its tasks died on the way")
def none_died(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, candidate.no_task_died(run)))


@then("its own address answered with the candidate's slot, version and image")
def own_address(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, run.observations("candidate route")))


@then("its own address was closed to the public")
def closed(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, run.observations("candidate closed")))


@then(parsers.parse('both target groups checked "{path}" for status {status:d} alike'))
def checked_alike(run: Result, path: str, status: int, observe: Observe) -> None:
    observe.add(*dated(run, candidate.same_health_check(run, path, status)))


@then("the health check was in force before the first shift")
def in_force(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, candidate.health_check_in_force(run)))
