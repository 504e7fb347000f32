"""The lease is watched by its version, on the watcher's own clock (design.md 4.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from worlds import record

from rollout.lease import Lease, LeaseSettings
from rollout.record import State


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def lease(clock: Stopwatch) -> Lease:
    return Lease("me", LeaseSettings(), clock)


HELD = record(State.BAKING, owner="other", epoch=3, revision=7, lease_revision=2)


def test_a_lease_that_moves_is_never_taken(lease: Lease, clock: Stopwatch) -> None:
    for revision in range(10):
        assert not lease.may_take(replace(HELD, lease_revision=revision))
        clock.seconds += 29


@pytest.mark.parametrize(("waited", "expected"), [(29.9, False), (30.0, True)])
def test_a_lease_that_stands_still_for_its_whole_length_is_free(
    lease: Lease, clock: Stopwatch, waited: float, expected: bool
) -> None:
    lease.may_take(HELD)
    clock.seconds += waited

    assert lease.may_take(HELD) is expected


def test_an_unowned_or_ended_record_is_free_at_once(lease: Lease) -> None:
    assert lease.may_take(replace(HELD, owner=""))
    assert lease.may_take(replace(HELD, state=State.COMPLETED))


def test_leading_needs_the_name_and_a_proof(lease: Lease) -> None:
    mine = replace(HELD, owner="me")
    assert not lease.leads(mine)
    lease.proven()
    assert lease.leads(mine)
    assert not lease.leads(HELD)
    lease.lost()

    assert not lease.leads(mine)


def test_what_is_left_of_a_lease(lease: Lease, clock: Stopwatch) -> None:
    assert (lease.left_seconds, lease.guards, lease.needs_renewal) == (0.0, False, True)
    lease.proven()
    assert (lease.left_seconds, lease.guards, lease.needs_renewal) == (30.0, True, False)
    clock.seconds += 10
    assert not lease.needs_renewal
    clock.seconds += 0.1
    assert lease.needs_renewal
    clock.seconds += 11.9
    assert lease.guards
    clock.seconds += 0.1

    assert not lease.guards
