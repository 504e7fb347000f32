"""The catalogue of controls, and what code, account and people say of each."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from gate.observe import Observe
from probes.compliance import Evidence, Exemption, judge_exceptions, judge_framework, judge_gaps
from rehearsal.compliance import Examinations
from rehearsal.findings.compliance import mapping


@given("the catalogue of controls", target_fixture="examined")
def catalogue(examinations: Examinations) -> Examinations:
    return examinations


@when("code, account and people are asked about every control", target_fixture="evidence")
def ask(examined: Examinations) -> Evidence:
    return examined.before


@when("code, account and people are asked again", target_fixture="evidence")
def ask_again(examined: Examinations) -> Evidence:
    return examined.after


@then(parsers.parse("every {framework} control is supported by all that it names"))
def supported(examined: Examinations, evidence: Evidence, framework: str, observe: Observe) -> None:
    observe.add(*judge_framework(examined.catalogue.controls, framework, evidence))


@then("every accepted finding has an owner, a reason, an approver and an end to come")
def accepted(examined: Examinations, accepted_findings: tuple[Exemption, ...], observe: Observe) -> None:
    observe.add(judge_exceptions(accepted_findings, examined.report.problems))


@then("every check that a control names exists and means what was agreed")
def mapped(examined: Examinations, observe: Observe) -> None:
    observe.add(mapping(examined.catalogue))


@then("what nobody checks is told with its control")
def gaps(examined: Examinations, observe: Observe) -> None:
    observe.add(judge_gaps(examined.catalogue.controls))
