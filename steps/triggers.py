"""Triggers at their boundaries on a virtual clock, and as drills on real traffic."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from gate.observe import Observe
from rehearsal.findings import boundaries, retreat
from rehearsal.result import Result
from rehearsal.virtual import Ending, VirtualRollout
from rollout.model import Plan
from steps.observing import dated


@when(parsers.parse("minutes of 1000 requests bring these errors: {errors}"), target_fixture="ending")
def errors(plan_in_force: Plan, share: int, errors: str) -> Ending:
    return VirtualRollout(plan_in_force, share).minutes(boundaries.error_minutes(errors))


@when(parsers.parse("minutes have these 95th percentiles in ms: {p95}"), target_fixture="ending")
def percentiles(plan_in_force: Plan, share: int, p95: str) -> Ending:
    return VirtualRollout(plan_in_force, share).minutes(boundaries.p95_minutes(p95))


@when(parsers.parse("minutes of 1000 requests have these over 500 ms: {slow}"), target_fixture="ending")
def slow(plan_in_force: Plan, share: int, slow: str) -> Ending:
    return VirtualRollout(plan_in_force, share).minutes(boundaries.slow_minutes(slow))


@when(parsers.parse("minutes have these CPU percentages: {cpu}"), target_fixture="ending")
def cpu(plan_in_force: Plan, share: int, cpu: str) -> Ending:
    return VirtualRollout(plan_in_force, share).minutes(boundaries.percent_minutes(cpu, "cpu_percent"))


@when(parsers.parse("minutes have these memory percentages: {memory}"), target_fixture="ending")
def memory(plan_in_force: Plan, share: int, memory: str) -> Ending:
    return VirtualRollout(plan_in_force, share).minutes(boundaries.percent_minutes(memory, "memory_percent"))


@when(parsers.parse("minutes show these failing of registered targets: {targets}"), target_fixture="ending")
def targets(plan_in_force: Plan, share: int, targets: str) -> Ending:
    return VirtualRollout(plan_in_force, share).minutes(boundaries.target_minutes(targets))


@when(parsers.parse("it is {state} and five minutes bring 11 errors of 1000 requests each"), target_fixture="ending")
def waiting(plan_in_force: Plan, share: int, state: str) -> Ending:
    rollout = boundaries.waiting(VirtualRollout(plan_in_force, share), state)
    return rollout.minutes(boundaries.error_minutes("11 11 11 11 11"))


@then(parsers.re(r"the rollout (?P<outcome>goes on|rolls back.*)"))
def ends(ending: Ending, outcome: str, observe: Observe) -> None:
    observe.add(*boundaries.ends_as(ending, outcome))


@then(parsers.parse('it was taken back by "{rule}" at the first stage'))
def taken_back(run: Result, rule: str, observe: Observe) -> None:
    observe.add(*dated(run, retreat.taken_back_by(run, rule)))


@then(parsers.re(r"the trigger saw (?P<minutes>\d+) consecutive minutes over (?P<limit>\d+) ?(%|ms)"))
def counted(run: Result, minutes: str, limit: str, observe: Observe) -> None:
    observe.add(*dated(run, retreat.trigger_counted(run, int(minutes), float(limit))))


@then("the number of tasks is shown beside it")
def tasks_shown(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, retreat.tasks_shown(run)))
