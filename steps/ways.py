"""Ways to the service and to its account: the declared one, and those that must not exist."""

from __future__ import annotations

from pytest_bdd import then, when

from gate.observe import Observe
from probes.account import place as places
from rehearsal.direct_way import past_the_balancer
from rehearsal.findings.checks import LiveAccount
from rehearsal.plugin import World
from rollout.model import Observation


@when("a stranger connects to every healthy task itself", target_fixture="strangers")
def strangers(place: World) -> tuple[Observation, ...]:
    return past_the_balancer(place)


@then("no task serves the stranger")
def refused(strangers: tuple[Observation, ...], observe: Observe) -> None:
    observe.add(*strangers)


@then("it is the account that the environment names")
def right_account(account: LiveAccount, observe: Observe) -> None:
    observe.add(places.right_account(account.account, account.declared))


@then("every address in the environment's outputs leads to a resource of it")
def outputs_lead(account: LiveAccount, world: World, observe: Observe) -> None:
    observe.add(places.outputs_lead(account.account, account.declared, world.outputs))
