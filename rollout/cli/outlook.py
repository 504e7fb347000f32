"""Where a rollout is, how long that still lasts, and what happens next, in words. Pure."""

from __future__ import annotations

from rollout.cli.words import duration, moment, percent
from rollout.model import Instant, Plan
from rollout.record import TERMINAL_STATES, Record, State


def stage_text(record: Record, plan: Plan) -> str:
    """2 of 4; 0 of 4 before the first shift."""
    return f"{max(record.stage + 1, 0)} of {len(plan.stages)}"


def ends_at(record: Record, plan: Plan) -> float | None:
    """When the present state can end at the earliest (wall clock); None where that depends on something else."""
    bake = record.bake
    if record.state is State.BAKING and bake is not None:
        seconds = plan.stages[record.stage].bake_seconds + bake.extended_seconds
        return bake.first_minute + seconds + plan.settle_seconds
    if record.state is State.STABILIZING and bake is not None:
        return bake.first_minute + plan.stability_seconds + plan.settle_seconds
    if record.state in (State.SETTLING, State.SETTLING_BACK):
        return record.entered_at + plan.settling_seconds
    if record.state is State.HOLDING and record.hold is not None:
        return record.hold.since + record.hold.seconds_max
    return None


def seconds_left(record: Record, plan: Plan, now: Instant) -> float | None:
    """Until `ends_at`; a hold is measured on the leader's own monotonic clock while that is known."""
    hold = record.hold
    if record.state is State.HOLDING and hold is not None and hold.epoch == record.epoch:
        return max(0.0, hold.seconds_max - (now.monotonic - hold.since_monotonic))
    end = ends_at(record, plan)
    return None if end is None else max(0.0, end - now.wall)


def where(record: Record) -> str:
    """One sentence on the present."""
    live, stable = percent(record.share_verified), record.stable
    match record.state:
        case State.COMPLETED:
            return f"Completed: {record.candidate} runs {record.version_name} and has all customers"
        case State.FAILED:
            return f"Ended before any customer was moved: {record.reason}"
        case State.ROLLED_BACK | State.ABORTED_EXTERNALLY:
            by = " by somebody else" if record.state is State.ABORTED_EXTERNALLY else ""
            return f"Rolled back{by}, {stable} has all customers: {_cause(record)}"
        case State.HOLDING:
            why = record.hold.reason if record.hold is not None else record.reason
            return f"Holding with {live} of the customers on {record.candidate}: {why}"
        case State.ROLLING_BACK | State.VERIFYING:
            return f"Taking traffic back to {stable}: {_cause(record)}"
        case State.CLEANING | State.SETTLING_BACK:
            return f"{stable} has all customers again and its health was verified: {_cause(record)}"
        case State.PREPARING | State.READY:
            return f"Preparing {record.candidate}; no customer was moved"
        case _:
            return f"{live} of the customers are on {record.candidate}, {percent(record.share_wanted)} wanted"


def _cause(record: Record) -> str:
    return record.back.cause if record.back is not None else record.reason


def what_next(record: Record, plan: Plan) -> str:
    """One sentence on what happens next if nobody does anything; empty after the end."""
    if record.state in TERMINAL_STATES:
        return ""
    end = ends_at(record, plan)
    at = f"at {moment(end)} at the earliest"
    following = plan.stages[min(record.stage + 1, len(plan.stages) - 1)].share_percent
    texts = {
        State.PREPARING: f"when {record.candidate} is healthy, {plan.stages[0].share_percent} % of the customers move",
        State.READY: "it waits for `rollout confirm`" if record.confirm else "the first shift follows",
        State.SHIFTING: f"{record.share_wanted} % has to be read back from the listener",
        State.BAKING: f"the gates are read {at}; a PASS moves {following} %",
        State.STABILIZING: f"the old side is retired {at}, if no trigger trips",
        State.RETIRING: f"{record.stable} is scaled down when nothing leads to it any more",
        State.SETTLING: f"it ends {at}",
        State.HOLDING: f"without an answer it is rolled back at {moment(end)}; `rollout resume` goes on",
        State.ROLLING_BACK: f"{record.stable} has to be read back with all customers",
        State.VERIFYING: f"the health of {record.stable} has to be verified through the public address",
        State.CLEANING: f"{record.candidate} is scaled down",
        State.SETTLING_BACK: f"it ends {at}",
    }
    return texts[record.state]


def leader(record: Record) -> str:
    """Who leads, as far as the record says."""
    if record.state in TERMINAL_STATES:
        return ""
    if record.owner:
        return f"led by {record.owner}"
    return "nobody leads it"


def hold_text(record: Record, left: float | None) -> str:
    """Why it holds and for how long still; empty when it does not."""
    if record.state is not State.HOLDING or record.hold is None:
        return ""
    return f"{record.hold.reason} (rolled back in {duration(left or 0.0)} unless answered)"
