"""Exit codes of `rollout` (contracts, 3) and which one a record means. Pure."""

from __future__ import annotations

from enum import IntEnum

from rollout.record import Record, Return, State


class Exit(IntEnum):
    """Why a command ended."""

    DONE = 0
    BAD_INPUT = 2
    HOLDING = 6
    GATE_FAILED = 10
    ROLLED_BACK = 11
    NOT_VERIFIED = 12
    RUNNING = 13
    BUG = 70


def exit_of(record: Record) -> Exit:
    """What a caller should know of where this rollout is."""
    back = record.back
    match record.state:
        case State.COMPLETED:
            return Exit.DONE
        case State.FAILED:
            return Exit.GATE_FAILED
        case State.HOLDING:
            return Exit.HOLDING
        case State.ROLLING_BACK | State.VERIFYING:
            return Exit.NOT_VERIFIED if back is not None and back.escalated else Exit.RUNNING
        case State.CLEANING | State.SETTLING_BACK | State.ROLLED_BACK | State.ABORTED_EXTERNALLY:
            return _back(back)
        case _:
            return Exit.RUNNING


def _back(back: Return | None) -> Exit:
    """The customers are back: from verified health on, whatever is still tidied up."""
    if back is None or back.verified_at is None:
        return Exit.NOT_VERIFIED
    return Exit.GATE_FAILED if back.rule == "gates" else Exit.ROLLED_BACK
