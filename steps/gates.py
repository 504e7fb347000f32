"""Gates at their boundaries, judged by the engine on a virtual clock."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from gate.observe import Observe
from rehearsal.findings import boundaries
from rollout.model import Observation, Plan


@given(parsers.parse("a candidate that serves {share:d}% of customers"), target_fixture="share")
def serves(plan_in_force: Plan, share: int) -> int:
    return share


@when(parsers.parse("{requests:d} requests bring {errors:d} errors by the end of the bake"), target_fixture="judged")
def judge_errors(plan_in_force: Plan, share: int, requests: int, errors: int) -> Observation:
    return boundaries.error_gate(plan_in_force, share, requests=requests, errors=errors)


@when(parsers.parse("{samples:d} samples have a 95th percentile of {p95:g} ms"), target_fixture="judged")
def judge_latency(plan_in_force: Plan, share: int, samples: int, p95: float) -> Observation:
    return boundaries.latency_gate(plan_in_force, share, samples=samples, p95=p95)


@when(parsers.parse("it uses {cpu:g}% CPU in every minute of the bake"), target_fixture="judged")
def judge_cpu(plan_in_force: Plan, share: int, cpu: float) -> Observation:
    return boundaries.cpu_gate(plan_in_force, share, cpu=cpu)


@when(parsers.parse("it uses memory of {first:g}% rising by {growth:g}% a minute"), target_fixture="judged")
def judge_memory(plan_in_force: Plan, share: int, first: float, growth: float) -> Observation:
    return boundaries.memory_gate(plan_in_force, share, first=first, growth=growth)


@then(parsers.parse("the error gate says {verdict:w}"))
@then(parsers.parse("the response time gate says {verdict:w}"))
@then(parsers.parse("the CPU gate says {verdict:w}"))
@then(parsers.parse("the memory gate says {verdict:w}"))
def gate_says(judged: Observation, verdict: str, observe: Observe) -> None:
    observe.add(*boundaries.gate_says(judged, verdict))
