"""The plan's stages, and how customers moved through them."""

from __future__ import annotations

import re

from pytest_bdd import parsers, then, when

from gate.observe import Observe
from rehearsal.findings import canary
from rehearsal.findings import plan as plans
from rehearsal.result import Result
from rollout.model import Plan
from steps.observing import dated


def _shares(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


@when("its stages are read")
@when("its times are added up")
def read_plan(plan: Plan) -> None:
    """The plan was read, and refused if it was wrong, when the scenario began."""


@then(parsers.re(r"customers move in shares of (?P<shares>[\d%, and]+)"))
def planned_shares(plan: Plan, shares: str, observe: Observe) -> None:
    observe.add(*plans.has_shares(plan, _shares(shares)))


@then(parsers.parse("the first stage is watched for at least {minutes:g} minutes"))
def first_bake(plan: Plan, minutes: float, observe: Observe) -> None:
    observe.add(*plans.first_bake(plan, minutes))


@then(parsers.parse("every later stage is watched for at least {minutes:g} minutes"))
def later_bakes(plan: Plan, minutes: float, observe: Observe) -> None:
    observe.add(*plans.later_bakes(plan, minutes))


@then(parsers.parse("all customers are watched for at least {minutes:g} minutes"))
def planned_stability(plan: Plan, minutes: float, observe: Observe) -> None:
    observe.add(*plans.stability(plan, minutes))


@then(parsers.parse("all customers are reached in under {minutes:g} minutes"))
def planned_time(plan: Plan, minutes: float, observe: Observe) -> None:
    observe.add(*plans.reaches_all_in(plan, minutes))


@then("each growth had a stored PASS of the stage before")
def proven(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, canary.proven_growth(run)))


@then(parsers.re(r"the observed shares were (?P<shares>[\d%, and]+) in this order"))
def observed(run: Result, shares: str, observe: Observe) -> None:
    observe.add(*dated(run, canary.observed_shares(run, _shares(shares))))


@then("error rate, response time, CPU and memory passed at every stage")
def all_passed(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, canary.all_gates_passed(run)))


@then(parsers.parse("all customers were reached in under {minutes:g} minutes"))
def reached(run: Result, minutes: float, observe: Observe) -> None:
    observe.add(*dated(run, canary.reached_in_time(run, minutes)))


@then("no request failed from the first shift to the end")
def nobody_failed(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, canary.nobody_failed(run)))


@then("the stream was sent as intended")
def steady(run: Result, observe: Observe) -> None:
    observe.add(*dated(run, canary.stream_covered(run)))


@then(parsers.parse('the gate "{gate}" passed at every stage with its {what} shown'))
def gate_passed(run: Result, gate: str, what: str, observe: Observe) -> None:
    word = {"bounds": "95 % bounds", "projection": "projected", "trend": "trend"}[what]
    observe.add(*dated(run, canary.gate_passed_everywhere(run, gate, says=word)))


@then(parsers.parse('the gate "{gate}" passed at every stage with at least {samples:d} samples'))
def gate_sampled(run: Result, gate: str, samples: int, observe: Observe) -> None:
    observe.add(*dated(run, canary.gate_passed_everywhere(run, gate, n_min=samples)))
