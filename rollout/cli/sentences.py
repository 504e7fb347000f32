"""One sentence per event, for logs and for the lines above the live view. Pure.

A tick that repeats what the tick before it said is silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollout.cli.words import duration, percent
from rollout.engine import Tick
from rollout.model import Verdict
from rollout.record import State


@dataclass(frozen=True, kw_only=True)
class Said:
    """What is said about one event."""

    event: str
    text: str
    verdict: Verdict


_BACK = "Roll back {service}: {reason}"
_HOLD = "Hold {service}: {reason}"
_NOTICE = "Notice {service}: {reason}"
_BY_EVENT: Mapping[str, str] = {
    "CANDIDATE_READY": "Ready {service}: {candidate} has {version}, {reason}",
    "CANDIDATE_EXPOSED": "Roll back {service}: {reason}; the customers are taken back",
    "CANDIDATE_FAILED": "Give up {service}: {reason}; no customer was moved",
    "CONFIRMED": "Start {service}: {wanted} to {candidate}, {reason}",
    "CONFIRMATION_MISSED": "Give up {service}: {reason}; no customer was moved",
    "SHARE_VERIFIED": "Advance {service}: {wanted} to {candidate}, read back; baking {bake}",
    "FULL_SHARE_VERIFIED": "Advance {service}: 100 % to {candidate}, read back; watching for {stability}",
    "SHIFT_IMPOSSIBLE": _HOLD,
    "BAKE_RESTARTED": "Bake again {service}: {reason}",
    "GATE_READ": "Read {service}: gates {verdict}, read once more before it counts",
    "GATE_PASSED": "Pass {service}: the gates hold; on to {wanted}",
    "GATE_FAILED": "Fail {service}: {reason}",
    "GATE_THIN": "Extend {service}: {reason}",
    "GATE_UNDECIDED": _HOLD,
    "STABLE_LONG_ENOUGH": "Retire {service}: {reason}; {stable} may go",
    "STABLE_SIDE_LOST": "Warn {service}: {reason}",
    "DNS_RESOLVED": "Change {service}: {reason}",
    "DNS_NOT_IN_SYNC": _HOLD,
    "RETIRED": "Retire {service}: {reason}",
    "SETTLED": "{ended} {service}: {winner} has all customers, {reason}",
    "SETTLED_EXTERNALLY": "{ended} {service}: {winner} has all customers, {reason}",
    "ABORT_REQUESTED": _BACK,
    "PAUSE_REQUESTED": _HOLD,
    "RESUME_REQUESTED": "Resume {service}: {reason}",
    "EXTENSION_REQUESTED": "Extend {service}: the hold, {reason}",
    "SHARE_TAKEN_AWAY": "Abort {service}: {reason}",
    "TRIGGER_TRIPPED": _BACK,
    "SHARED_INCIDENT": _HOLD,
    "BLIND": _BACK,
    "DRIFT": "Repair {service}: {reason}",
    "DRIFT_AGAIN": _HOLD,
    "HOLD_EXPIRED": _BACK,
    "DATA_BACK": "Resume {service}: {reason}",
    "SWITCHED": "Switch {service}: {reason}",
    "HEALTH_VERIFIED": "Verify {service}: {stable} is healthy with all customers, {reason}",
    "NOT_VERIFIED_IN_TIME": "Alarm {service}: {reason}; it goes on trying",
    "CLEANED": "Clean {service}: {reason}",
    "CLEANING_GIVEN_UP": "Warn {service}: {reason}",
    "INVARIANT_BROKEN": _HOLD,
}


def sentences(tick: Tick, before: Tick | None, service: str) -> tuple[Said, ...]:
    """What is new in `tick` for somebody who was told of `before`."""
    return (*_errors(tick, before, service), *_leading(tick, before, service), *_event(tick, before, service))


def _event(tick: Tick, before: Tick | None, service: str) -> tuple[Said, ...]:
    decision = tick.decision
    if decision is None or decision.event == "WAIT" or _identity(tick) == _identity(before):
        return ()
    text = _BY_EVENT.get(decision.event, _NOTICE).format(**_fields(tick, service))
    return (Said(event=decision.event, text=text, verdict=decision.verdict),)


def _identity(tick: Tick | None) -> tuple[str, str, State] | None:
    if tick is None or tick.decision is None:
        return None
    return tick.decision.event, tick.decision.reason, tick.record.state


def _fields(tick: Tick, service: str) -> dict[str, Any]:
    record, plan, decision = tick.record, tick.plan, tick.decision
    assert decision is not None, "an event without a decision"
    stage = plan.stages[max(record.stage, 0)]
    return {
        "service": service,
        "reason": decision.reason,
        "verdict": decision.verdict,
        "stable": record.stable,
        "candidate": record.candidate,
        "version": record.version_name,
        "wanted": percent(record.share_wanted),
        "bake": duration(stage.bake_seconds),
        "stability": duration(plan.stability_seconds),
        "ended": "Complete" if record.state is State.COMPLETED else "Rolled back",
        "winner": record.candidate if record.state is State.COMPLETED else record.stable,
    }


def _leading(tick: Tick, before: Tick | None, service: str) -> tuple[Said, ...]:
    """Who leads when that changes; what the leader does where this process only watches."""
    record = tick.record
    place = f"{record.rollout_id} is {record.state} with {percent(record.share_verified)} on {record.candidate}"
    if tick.leading:
        known = before is not None and before.leading
        return () if known else (Said(event="LEADS", text=f"Lead {service}: {place}", verdict=Verdict.PASS),)
    same = before is not None and (before.record.state, before.record.stage) == (record.state, record.stage)
    if tick.error or (same and before is not None and not before.leading):
        return ()
    who = f"{record.owner} leads" if record.owner else "nobody leads yet"
    return (Said(event="FOLLOWS", text=f"Follow {service}: {who}; {place}", verdict=Verdict.PASS),)


def _errors(tick: Tick, before: Tick | None, service: str) -> tuple[Said, ...]:
    """A store that does not answer, and commands that did not succeed; each once."""
    failed = [str(outcome) for outcome in tick.outcomes if outcome.error]
    told = {str(outcome) for outcome in before.outcomes if outcome.error} if before is not None else set()
    said = [
        Said(event="RETRIES", text=f"Retry {service}: {text}", verdict=Verdict.SOURCE_ERROR)
        for text in failed
        if text not in told
    ]
    if tick.error and (before is None or tick.error != before.error):
        said.append(Said(event="WAITS", text=f"Wait {service}: {tick.error}", verdict=Verdict.SOURCE_ERROR))
    return tuple(said)
