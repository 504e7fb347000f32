"""What must never happen is refused with its number (design.md 4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from worlds import BACK, HOLD, SHIFTED, counts, record, sight, situation

from rollout import ledger
from rollout.errors import InvariantBroken
from rollout.invariants import check
from rollout.model import Verdict
from rollout.record import Command, Decision, Record, ScaleDown, SetShare, StagePass, State
from rollout.seen import Situation

PROOF = StagePass(share_percent=5, first_minute=0, last_minute=1, sentences=())
SHIFTING = record(State.SHIFTING, **{**SHIFTED, "stage": 1, "share_wanted": 25, "passes": (PROOF,)})


def checked(rec: Record, sit: Situation, *commands: Command, **after: Any) -> None:
    decision = Decision(
        record=replace(rec, **after), event="E", reason="r", verdict=Verdict.PASS, commands=tuple(commands)
    )
    check(sight(rec, sit), decision)


def test_a_proven_raise_is_allowed() -> None:
    checked(SHIFTING, situation(5), SetShare(25))


@pytest.mark.parametrize("share", [0, 5])
def test_falling_is_always_allowed(share: int) -> None:
    checked(replace(SHIFTING, passes=()), situation(5, candidate_targets=None), SetShare(share))


@pytest.mark.parametrize(
    ("number", "rec", "sit", "share"),
    [
        pytest.param("I2", SHIFTING, situation(5, candidate_targets=counts(1)), 25, id="unhealthy"),
        pytest.param("I2", SHIFTING, situation(5, candidate_targets=None), 25, id="health-unknown"),
        pytest.param("I2", SHIFTING, situation(5, candidate_targets=counts(read_at=1.0)), 25, id="old-health"),
        pytest.param("I10", replace(SHIFTING, passes=()), situation(5), 25, id="no-pass"),
        pytest.param("I10", SHIFTING, situation(5), 50, id="stage-skipped"),
        pytest.param("I13", replace(SHIFTING, back=BACK), situation(5), 25, id="after-a-rollback"),
        pytest.param("I13", replace(SHIFTING, state=State.VERIFYING), situation(5), 25, id="while-going-back"),
    ],
)
def test_a_raise_that_must_not_be(number: str, rec: Record, sit: Situation, share: int) -> None:
    with pytest.raises(InvariantBroken, match=number):
        checked(rec, sit, SetShare(share))


def test_a_repair_that_raises_is_a_raise() -> None:
    drifted = replace(SHIFTING, share_verified=25)

    with pytest.raises(InvariantBroken, match="I2"):
        checked(drifted, situation(10, candidate_targets=None), SetShare(25), share_verified=10)


def test_the_plan_is_constant() -> None:
    with pytest.raises(InvariantBroken, match="I17"):
        checked(SHIFTING, situation(5), plan_sha256="another")


@pytest.mark.parametrize(
    ("state", "share", "slot", "allowed"),
    [
        (State.RETIRING, 100, "green", True),
        (State.RETIRING, 99, "green", False),
        (State.RETIRING, None, "green", False),
        (State.STABILIZING, 100, "green", False),
        (State.CLEANING, 0, "blue", True),
        (State.CLEANING, 5, "blue", False),
        (State.CLEANING, None, "blue", False),
    ],
)
def test_who_may_be_scaled_down(state: State, share: float | None, slot: str, allowed: bool) -> None:
    """I16, RB-05: nobody who answers customers, or may have to."""
    if allowed:
        checked(record(state), situation(share), ScaleDown(slot))
        return
    with pytest.raises(InvariantBroken, match="I16"):
        checked(record(state), situation(share), ScaleDown(slot))


def test_a_broken_invariant_holds_and_pages() -> None:
    decision = ledger.hold_for(sight(SHIFTING, situation(5)), InvariantBroken("I2: so"))

    assert decision.record.state is State.HOLDING
    assert decision.record.hold is not None
    assert decision.record.hold.rule == "invariant"
    assert "INVARIANT" in decision.record.outbox[0].identity
    assert decision.commands == ()


@pytest.mark.parametrize(
    "rec",
    [record(State.HOLDING, hold=HOLD), record(State.VERIFYING, back=BACK), record(State.COMPLETED)],
    ids=["holding", "going-back", "ended"],
)
def test_a_broken_invariant_pages_once_where_holding_would_do_harm(rec: Record) -> None:
    first = ledger.hold_for(sight(rec, situation(5)), InvariantBroken("I2: so")).record
    again = ledger.hold_for(sight(first, situation(5)), InvariantBroken("I2: so")).record

    assert (first.state, first.hold, len(first.outbox)) == (rec.state, rec.hold, 1)
    assert again == first
