"""The engine's mind: one table of (state, event), and what each row makes of the record. Pure.

`decide(plan, record, situation, now)` answers a Decision: the next record, the commands that must follow it, the
reason. Commands are absolute, so a decision made twice does nothing twice. A row that is missing is an error that
names state and event. `TABLE` is what the documents' diagram is drawn from.
"""

from __future__ import annotations

from collections.abc import Mapping

from rollout import advance, retreat, rows
from rollout.errors import InvariantBroken
from rollout.events import find_event
from rollout.model import Instant, Plan
from rollout.record import Decision, Record, State
from rollout.rows import Row
from rollout.seen import Situation
from rollout.sight import Event, Sight

_NOT_WHILE_HOLDING = frozenset({Event.DRIFT, Event.DRIFT_AGAIN, Event.SHARED_INCIDENT, Event.PAUSE_REQUESTED})
_NOT_AFTER_STABILITY = frozenset({Event.TRIGGER_TRIPPED, Event.BLIND, Event.SHARED_INCIDENT, Event.PAUSE_REQUESTED})

_FORWARD: Mapping[tuple[State, Event], Row] = {
    (State.PREPARING, Event.WAIT): Row(State.PREPARING, advance.prepare),
    (State.PREPARING, Event.CANDIDATE_READY): Row(State.READY, advance.become_ready),
    (State.PREPARING, Event.CANDIDATE_EXPOSED): Row(State.ROLLING_BACK, retreat.roll_back),
    (State.PREPARING, Event.CANDIDATE_FAILED): Row(State.FAILED, advance.give_up),
    (State.PREPARING, Event.ABORT_REQUESTED): Row(State.FAILED, advance.give_up),
    (State.READY, Event.WAIT): Row(State.READY, rows.stay),
    (State.READY, Event.CONFIRMED): Row(State.SHIFTING, advance.start_first_stage),
    (State.READY, Event.CANDIDATE_EXPOSED): Row(State.ROLLING_BACK, retreat.roll_back),
    (State.READY, Event.CONFIRMATION_MISSED): Row(State.FAILED, advance.give_up),
    (State.READY, Event.ABORT_REQUESTED): Row(State.FAILED, advance.give_up),
    (State.SHIFTING, Event.WAIT): Row(State.SHIFTING, advance.shift),
    (State.SHIFTING, Event.SHARE_VERIFIED): Row(State.BAKING, advance.start_bake),
    (State.SHIFTING, Event.FULL_SHARE_VERIFIED): Row(State.STABILIZING, advance.start_stability),
    (State.SHIFTING, Event.SHIFT_IMPOSSIBLE): Row(State.HOLDING, retreat.hold),
    (State.BAKING, Event.WAIT): Row(State.BAKING, advance.watch),
    (State.BAKING, Event.BAKE_RESTARTED): Row(State.BAKING, advance.start_bake),
    (State.BAKING, Event.GATE_READ): Row(State.BAKING, advance.remember_reading),
    (State.BAKING, Event.GATE_THIN): Row(State.BAKING, advance.extend_bake),
    (State.BAKING, Event.GATE_PASSED): Row(State.SHIFTING, advance.start_next_stage),
    (State.BAKING, Event.GATE_FAILED): Row(State.ROLLING_BACK, retreat.roll_back),
    (State.BAKING, Event.GATE_UNDECIDED): Row(State.HOLDING, retreat.hold),
    (State.STABILIZING, Event.WAIT): Row(State.STABILIZING, advance.watch),
    (State.STABILIZING, Event.BAKE_RESTARTED): Row(State.STABILIZING, advance.start_bake),
    (State.STABILIZING, Event.STABLE_SIDE_LOST): Row(State.STABILIZING, advance.restore_way_back),
    (State.STABILIZING, Event.STABLE_LONG_ENOUGH): Row(State.RETIRING, advance.start_retiring),
    (State.RETIRING, Event.WAIT): Row(State.RETIRING, advance.retire),
    (State.RETIRING, Event.DNS_RESOLVED): Row(State.RETIRING, advance.remember_dns),
    (State.RETIRING, Event.DNS_NOT_IN_SYNC): Row(State.HOLDING, retreat.hold),
    (State.RETIRING, Event.RETIRED): Row(State.SETTLING, advance.start_settling),
    (State.SETTLING, Event.WAIT): Row(State.SETTLING, rows.stay),
    (State.SETTLING, Event.SETTLED): Row(State.COMPLETED, advance.complete),
}

_REPAIRED_IN_PLACE: Mapping[State, Row] = {
    state: Row(state, retreat.repair_in_place) for state in (State.RETIRING, State.SETTLING)
}

_HARM: Mapping[tuple[State, Event], Row] = {
    (state, event): row
    for state in (State.SHIFTING, State.BAKING, State.STABILIZING, State.HOLDING, State.RETIRING, State.SETTLING)
    for event, row in {
        Event.ABORT_REQUESTED: Row(State.ROLLING_BACK, retreat.roll_back),
        Event.TRIGGER_TRIPPED: Row(State.ROLLING_BACK, retreat.roll_back),
        Event.BLIND: Row(State.ROLLING_BACK, retreat.roll_back),
        Event.SHARE_TAKEN_AWAY: Row(State.VERIFYING, retreat.accept_foreign_abort),
        Event.DRIFT: _REPAIRED_IN_PLACE.get(state, Row(State.SHIFTING, retreat.repair)),
        Event.DRIFT_AGAIN: Row(State.HOLDING, retreat.hold),
        Event.SHARED_INCIDENT: Row(State.HOLDING, retreat.hold),
        Event.PAUSE_REQUESTED: Row(State.HOLDING, retreat.hold),
    }.items()
    # These cannot be found there: a hold neither repairs nor holds again, the triggers end with the stability time.
    if not (state is State.HOLDING and event in _NOT_WHILE_HOLDING)
    and not (state in (State.RETIRING, State.SETTLING) and event in _NOT_AFTER_STABILITY)
}

_BACKWARD: Mapping[tuple[State, Event], Row] = {
    (State.HOLDING, Event.WAIT): Row(State.HOLDING, advance.watch),
    (State.HOLDING, Event.RESUME_REQUESTED): Row(State.SHIFTING, retreat.resume),
    (State.HOLDING, Event.DATA_BACK): Row(State.SHIFTING, retreat.resume),
    (State.HOLDING, Event.EXTENSION_REQUESTED): Row(State.HOLDING, retreat.extend_hold),
    (State.HOLDING, Event.HOLD_EXPIRED): Row(State.ROLLING_BACK, retreat.roll_back),
    (State.ROLLING_BACK, Event.WAIT): Row(State.ROLLING_BACK, retreat.take_traffic_back),
    (State.ROLLING_BACK, Event.NOT_VERIFIED_IN_TIME): Row(State.ROLLING_BACK, retreat.escalate_switch),
    (State.ROLLING_BACK, Event.SWITCHED): Row(State.VERIFYING, retreat.start_verifying),
    (State.VERIFYING, Event.WAIT): Row(State.VERIFYING, retreat.verify),
    (State.VERIFYING, Event.NOT_VERIFIED_IN_TIME): Row(State.VERIFYING, retreat.escalate),
    (State.VERIFYING, Event.HEALTH_VERIFIED): Row(State.CLEANING, retreat.start_cleaning),
    (State.CLEANING, Event.WAIT): Row(State.CLEANING, retreat.clean),
    (State.CLEANING, Event.CLEANED): Row(State.SETTLING_BACK, retreat.start_settling_back),
    (State.CLEANING, Event.CLEANING_GIVEN_UP): Row(State.SETTLING_BACK, retreat.start_settling_back),
    (State.SETTLING_BACK, Event.WAIT): Row(State.SETTLING_BACK, retreat.keep_traffic_back),
    (State.SETTLING_BACK, Event.SETTLED): Row(State.ROLLED_BACK, retreat.end_rolled_back),
    (State.SETTLING_BACK, Event.SETTLED_EXTERNALLY): Row(State.ABORTED_EXTERNALLY, retreat.end_rolled_back),
}

_ENDS: Mapping[tuple[State, Event], Row] = {
    (state, Event.WAIT): Row(state, rows.stay)
    for state in (State.COMPLETED, State.ROLLED_BACK, State.ABORTED_EXTERNALLY, State.FAILED)
}

TABLE: Mapping[tuple[State, Event], Row] = {**_FORWARD, **_HARM, **_BACKWARD, **_ENDS}


def decide(plan: Plan, record: Record, situation: Situation, now: Instant) -> Decision:
    """What the engine must do now. Raises InvariantBroken when the table has no row for what was found."""
    sight = Sight(plan, record, situation, now)
    found = find_event(sight)
    row = TABLE.get((record.state, found.event))
    if row is None:
        raise InvariantBroken(
            f"no transition for {found.event} in {record.state}: {found.reason}",
            target=record.rollout_id,
            hint="This is a bug of the engine; take traffic back with `rollout rollback`.",
        )
    return row.apply(sight, found)
