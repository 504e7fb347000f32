"""Policies over the infrastructure's code, and live checks of the account that came of it."""

from __future__ import annotations

from pathlib import Path

from pytest_bdd import given, then, when

from gate.observe import Observe
from policies.report import Report
from rehearsal.findings import checks, policies
from rehearsal.findings.checks import LiveAccount


@given("the infrastructure code", target_fixture="code")
def code(infrastructure: Path) -> Path:
    return infrastructure


@when("its policies are judged", target_fixture="report")
def judge(code: Path, judged_code: Report, observe: Observe) -> Report:
    observe.add(*policies.whole(judged_code))
    return judged_code


@then("these policies hold for every resource that they concern")
def policies_hold(report: Report, datatable: list[list[str]], observe: Observe) -> None:
    observe.add(*policies.hold(report, datatable))


@given("the account under release", target_fixture="account")
def account(live_account: LiveAccount) -> LiveAccount:
    return live_account


@when("its resources are looked at")
def look(account: LiveAccount) -> None:
    """Each service is asked once per run, when the first check needs it: a scenario pays for what it names."""


@then("these live checks hold for every resource that they concern")
def checks_hold(account: LiveAccount, datatable: list[list[str]], observe: Observe) -> None:
    observe.add(*checks.hold(account.view, datatable))
