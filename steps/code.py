"""The infrastructure's files: their layout, their variables, and the hosts that they configure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pytest_bdd import given, parsers, then, when

from gate.observe import Observe
from rehearsal.findings import hosts, layout, variables
from rehearsal.findings.layout import Layout
from rollout.model import Observation

ENVIRONMENTS = ("production", "staging", "development")


def _words(text: str) -> list[str]:
    return re.split(r", | and ", text)


@when("its directories are read", target_fixture="tree")
def read(code: Path) -> Layout:
    return layout.read_layout(code)


@then(parsers.re(r"(?P<names>[a-z, ]+) each hold main, variables, outputs and their values"))
def hold_files(tree: Layout, names: str, observe: Observe) -> None:
    observe.add(*layout.holds_files(tree, _words(names)))


@then(parsers.re(r"each uses the modules (?P<names>[a-z, ]+)"))
def use_modules(tree: Layout, names: str, observe: Observe) -> None:
    observe.add(*layout.uses_modules(tree, ENVIRONMENTS, _words(names)))


@then("backend and providers are the shared ones")
def share(tree: Layout, observe: Observe) -> None:
    observe.add(*layout.shares_files(tree, ENVIRONMENTS))


@then("environments differ in their values and the place of their state only")
def differ(tree: Layout, observe: Observe) -> None:
    observe.add(*layout.differ_in_variables_only(tree, ENVIRONMENTS))


@then("each keeps a state of its own")
def own_state(tree: Layout, observe: Observe) -> None:
    observe.add(*layout.own_state(tree, ENVIRONMENTS))


@then("every variable has a type, a description and bounds")
def bounded(tree: Layout, observe: Observe) -> None:
    observe.add(*variables.say_what_they_take(tree))


@then("every output has a description")
def described(tree: Layout, observe: Observe) -> None:
    observe.add(*variables.outputs_described(tree))


@then("no address of a resource is written by hand")
def no_address(tree: Layout, pytestconfig: pytest.Config, observe: Observe) -> None:
    observe.add(*variables.no_address_by_hand(tree, pytestconfig.rootpath / "release.toml"))


@then("the engine's settings come from each environment's outputs")
def from_outputs(pytestconfig: pytest.Config, observe: Observe) -> None:
    observe.add(*variables.engine_reads_outputs(pytestconfig.rootpath / "release.toml"))


@given("the playbooks for hosts that Fargate does not cover", target_fixture="code")
def playbooks(infrastructure: Path) -> Path:
    return infrastructure


@when("their templates are rendered with the roles' own values")
def render(code: Path) -> None:
    assert (code / "ansible").is_dir(), f"{code.name} holds no playbooks"


@then(parsers.parse("logins and services may open at least {minimum:d} files"))
def open_enough(code: Path, minimum: int, observe: Observe) -> None:
    observe.add(*hosts.written_limits(code, minimum))


@when("the report of hosts configured by them is read")
def report(code: Path) -> None:
    assert (code / "ansible").is_dir(), f"{code.name} holds no playbooks"


@then("lint found nothing, a second run changed nothing and every host answered well")
def verified(hosts_verified: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*hosts_verified)
