"""Whatever takes precedence over a state's own progress while customers may be on the candidate. Pure.

The order is the policy: a share taken away by somebody, then customers' harm, then blindness, then drift.
"""

from __future__ import annotations

import math
from dataclasses import replace

from rollout import trip
from rollout.model import Observation, Verdict
from rollout.record import Record, State
from rollout.sight import Event, Found, Sight


def trigger_observations(sight: Sight) -> tuple[tuple[Observation, ...], int]:
    """All five triggers as they stand, and the number of blind minutes up to now."""
    record = sight.record
    if record.first_shift_at is None:
        return (), 0
    readings = trip.read_triggers(
        sight.plan, sight.situation, share=_share_served(record), since=record.first_shift_at, now=sight.now.wall
    )
    wires = trip.tripwires(sight.plan.triggers)
    return (
        tuple(trip.judge_trigger(wire, readings[wire.name], now=sight.now.wall) for wire in wires),
        trip.blind_minutes(readings),
    )


def _share_served(record: Record) -> int:
    """The share that past minutes were served with: a raise that was not read back yet makes none of them silent."""
    return min(record.share_wanted, record.share_verified)


def find_harm(sight: Sight) -> Found | None:
    """Everything that takes precedence over a state's own progress while customers may be on the candidate."""
    record = sight.record
    if record.share_verified > 0 and record.share_wanted > 0 and sight.live_share == 0:
        return Found(
            event=Event.SHARE_TAKEN_AWAY,
            reason=f"the candidate's share was set to 0 by somebody else while {record.share_wanted} % was wanted",
            verdict=Verdict.FAIL,
            rule="foreign write",
        )
    if record.state in (State.RETIRING, State.SETTLING):
        return _drift(sight)
    observations, blind = trigger_observations(sight)
    tripped = _tripped(sight, observations)
    if tripped is not None:
        return tripped
    if blind >= sight.plan.blind_minutes_max:
        reason = f"nobody could see the candidate for {blind} closed minutes; budget {sight.plan.blind_minutes_max}"
        error = sight.situation.metrics.error
        return Found(
            event=Event.BLIND,
            reason=reason + (f"; {error}" if error else ""),
            verdict=Verdict.SOURCE_ERROR if error else Verdict.NO_DATA,
            rule="blind budget",
            observations=observations,
        )
    return _drift(sight)


def _tripped(sight: Sight, observations: tuple[Observation, ...]) -> Found | None:
    """A trigger that tripped; one that the candidate alone trips goes before one that both sides trip."""
    failed = [seen for seen in observations if seen.verdict is Verdict.FAIL]
    alone = [seen for seen in failed if not _is_shared(sight, seen)]
    if not failed or (not alone and sight.record.state is State.HOLDING):
        return None  # a hold is the answer to a shared incident already; it ends as every hold does
    decisive = (alone or failed)[0]
    return Found(
        event=Event.TRIGGER_TRIPPED if alone else Event.SHARED_INCIDENT,
        reason=decisive.message + ("" if alone else "; the stable side trips the same rule"),
        verdict=Verdict.FAIL,
        rule=decisive.name,
        observations=observations,
    )


def _is_shared(sight: Sight, tripped: Observation) -> bool:
    return sight.plan.shared_incident == "hold" and _stable_trips_too(sight, tripped.name)


def _stable_trips_too(sight: Sight, name: str) -> bool:
    mirrored = replace(
        sight.situation, metrics=replace(sight.situation.metrics, candidate=sight.situation.metrics.stable)
    )
    since = sight.record.first_shift_at or sight.now.wall
    readings = trip.read_triggers(sight.plan, mirrored, share=100, since=since, now=sight.now.wall)
    wire = next(wire for wire in trip.tripwires(sight.plan.triggers) if wire.name == name)
    return name in ("TRIG-01", "TRIG-02") and trip.longest_run(readings[name]) >= wire.minutes


def _drift(sight: Sight) -> Found | None:
    """A live share that nobody here asked for. While a shift is under way the last verified share is no drift."""
    record, live = sight.record, sight.live_share
    if live is None or live == record.share_wanted or record.state is State.HOLDING:
        return None
    if record.state is State.SHIFTING and math.ceil(live) == record.share_verified:
        return None
    reason = f"the listener gives the candidate {live:g} % where {record.share_wanted} % is wanted"
    event = Event.DRIFT if record.repairs == 0 else Event.DRIFT_AGAIN
    return Found(event=event, reason=reason, verdict=Verdict.FAIL, rule="foreign write")
