"""Commands are absolute, looked at before they are done, and one that fails keeps no other from its turn."""

from __future__ import annotations

import pytest
from worlds import DNS, record

from rollout.act import Actor, Hands, Outcome
from rollout.errors import SourceError
from rollout.record import (
    ChangeDns,
    Command,
    EnsureStableCapacity,
    HoldStableCapacity,
    PrepareCandidate,
    ReleaseCapacity,
    ScaleDown,
    SetShare,
)
from tests.fakes.sim_ports import SimDns, SimRouter, SimServices
from tests.fakes.sim_world import SimWorld


@pytest.fixture
def world() -> SimWorld:
    return SimWorld()


def carry_out(world: SimWorld, *commands: Command, allowed: bool = True) -> tuple[Outcome, ...]:
    hands = Hands(router=SimRouter(world), services=SimServices(world), dns=SimDns(world))
    return Actor(hands, lambda: allowed).carry_out(record(), commands, DNS)


def test_each_command_does_what_it_says(world: SimWorld) -> None:
    outcomes = carry_out(
        world, PrepareCandidate(2), HoldStableCapacity(3), SetShare(5), ChangeDns("blue"), EnsureStableCapacity(4)
    )

    assert [outcome.error for outcome in outcomes] == [""] * 5
    assert (world.share, world.attached, world.dns_value) == (5, True, "b")
    assert (world.slots["blue"].desired, world.slots["green"].desired) == (2, 4)
    assert world.slots["green"].scaling_minimum == 3
    carry_out(world, ReleaseCapacity(live="green", retired="blue"), ScaleDown("blue"))
    assert (world.slots["green"].scaling_minimum, world.slots["blue"].desired) == (0, 0)


def test_capacity_that_is_there_is_left_alone(world: SimWorld) -> None:
    carry_out(world, EnsureStableCapacity(2))

    assert world.calls == []


def test_twice_is_once(world: SimWorld) -> None:
    """Test case 18 of rollout-peers.md 2.8."""
    carry_out(world, SetShare(25), SetShare(25))

    assert [share for _, share, _ in world.shares] == [25]


def test_a_failed_command_keeps_no_other_from_its_turn(world: SimWorld) -> None:
    world.down.add("ecs")
    outcomes = carry_out(world, EnsureStableCapacity(4), SetShare(0), ScaleDown("blue"))

    assert [bool(outcome.error) for outcome in outcomes] == [True, False, True]
    assert "ecs does not answer" in str(outcomes[0])
    assert str(outcomes[1]) == "SetShare(candidate=0): done"


def test_without_a_lease_nothing_is_touched(world: SimWorld) -> None:
    outcomes = carry_out(world, SetShare(25), allowed=False)

    assert world.shares == []
    assert "not attempted" in outcomes[0].error


def test_a_plan_without_dns_changes_none(world: SimWorld) -> None:
    hands = Hands(router=SimRouter(world), services=SimServices(world))
    outcomes = Actor(hands, lambda: True).carry_out(record(), (ChangeDns("blue"),), None)

    assert (outcomes[0].error, world.dns_value) == ("", "")


def test_an_error_that_is_not_a_source_is_a_bug_and_shows(world: SimWorld) -> None:
    hands = Hands(router=SimRouter(world), services=SimServices(world))
    world.stable, world.candidate = "blue", "green"

    with pytest.raises(AssertionError, match="swapped"):
        Actor(hands, lambda: True).carry_out(record(), (SetShare(5),), None)
    assert not issubclass(AssertionError, SourceError)
