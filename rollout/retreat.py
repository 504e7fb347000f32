"""Actions of holds and returns: traffic first, and never giving up. Pure; see `rows`."""

from __future__ import annotations

import math
from dataclasses import replace

from rollout.forward import may_raise
from rollout.model import Verdict
from rollout.record import (
    ChangeDns,
    Command,
    EnsureStableCapacity,
    Hold,
    ReleaseCapacity,
    Return,
    ScaleDown,
    SetShare,
)
from rollout.rows import Change
from rollout.sight import Event, Found, Sight


def hold(sight: Sight, found: Found) -> Change:
    held = Hold(
        reason=found.reason,
        verdict=found.verdict,
        since=sight.now.wall,
        since_monotonic=sight.now.monotonic,
        epoch=sight.record.epoch,
        seconds_max=sight.plan.hold_seconds_max,
        rule=found.rule,
    )
    return Change(fields={"hold": held, **_forget_early_answer(sight)}, alert="ROLLOUT HOLDS")


def _forget_early_answer(sight: Sight) -> dict[str, None]:
    """Nobody can answer a hold before it exists: a resume from earlier must not wave it through."""
    request = sight.record.request
    return {"request": None} if request is not None and request.kind in ("resume", "extend") else {}


def extend_hold(sight: Sight, found: Found) -> Change:
    held, request = sight.record.hold, sight.record.request
    assert held is not None, "an extension without a hold"
    assert request is not None, "an extension that nobody asked for"
    longer = replace(held, seconds_max=held.seconds_max + request.seconds, reason=f"{held.reason}; {found.reason}")
    return Change(fields={"hold": longer}, alert="HOLD EXTENDED")


def resume(sight: Sight, found: Found) -> Change:
    return Change(fields={"hold": None, "bake": None, "repairs": 0}, alert="ROLLOUT GOES ON")


def repair(sight: Sight, found: Found) -> Change:
    """Once: the next foreign write holds, because a person or another engine means it.

    The bake starts anew once the share is read back. A share that was lowered rises again as any other does: with a
    fresh, sufficient health reading only."""
    wanted, live = sight.record.share_wanted, sight.live_share
    assert live is not None, "a drift that nobody saw"
    fields = {"repairs": sight.record.repairs + 1, "bake": None, "share_verified": math.ceil(live)}
    commands = () if wanted > live and may_raise(sight) else (SetShare(wanted),)
    return Change(fields=fields, commands=commands, alert="LISTENER REPAIRED")


def repair_in_place(sight: Sight, found: Found) -> Change:
    """After the stability time the candidate is the only warm side: nothing is watched anew."""
    fields = {"repairs": sight.record.repairs + 1}
    return Change(fields=fields, commands=(SetShare(sight.record.share_wanted),), alert="LISTENER REPAIRED")


def roll_back(sight: Sight, found: Found) -> Change:
    back = _return(sight, found, external=False)
    fields = {"back": back, "share_wanted": 0, "bake": None, "hold": None}
    return Change(fields=fields, commands=_traffic_commands(sight), alert="ROLLBACK INITIATED")


def accept_foreign_abort(sight: Sight, found: Found) -> Change:
    back = replace(_return(sight, found, external=True), switched_at=sight.now.wall)
    fields = {"back": back, "share_wanted": 0, "share_verified": 0, "bake": None, "hold": None}
    return Change(fields=fields, commands=_capacity_commands(sight), alert="ROLLOUT ABORTED BY SOMEBODY ELSE")


def _return(sight: Sight, found: Found, *, external: bool) -> Return:
    request = sight.record.request
    person = request.by if request is not None and found.event is Event.ABORT_REQUESTED else "engine"
    return Return(
        cause=found.reason,
        rule=found.rule,
        by="unknown" if external else person,
        decided_at=sight.now.wall,
        decided_monotonic=sight.now.monotonic,
        epoch=sight.record.epoch,
        capacity_first=_stable_is_dead(sight),
        external=external,
    )


def _stable_is_dead(sight: Sight) -> bool:
    targets, service = sight.situation.stable_targets, sight.situation.stable_service
    if service is not None and service.desired == 0:
        return True  # its targets may still look healthy for a moment
    return targets is not None and targets.healthy == 0


def _traffic_commands(sight: Sight) -> tuple[Command, ...]:
    """Traffic first, unless nobody is there to take it: then capacity first."""
    if _stable_is_dead(sight):
        return (EnsureStableCapacity(_needed(sight)),)
    return (SetShare(0),)


def _needed(sight: Sight) -> int:
    """The recorded size, or what the demand of now needs: the candidate's tasks carry its share of it."""
    candidate = sight.situation.candidate_service
    present = candidate.desired if candidate is not None and sight.record.share_verified >= 50 else 0
    return max(sight.record.stable_size, present, sight.plan.healthy_targets_min)


def _capacity_commands(sight: Sight) -> tuple[Command, ...]:
    service, needed = sight.situation.stable_service, _needed(sight)
    return (EnsureStableCapacity(needed),) if service is not None and service.desired < needed else ()


def take_traffic_back(sight: Sight, found: Found) -> Change:
    return Change(fields={}, commands=_traffic_commands(sight))


def start_verifying(sight: Sight, found: Found) -> Change:
    back = sight.record.back
    assert back is not None, "a switch without a rollback"
    fields = {"back": replace(back, switched_at=sight.now.wall), "share_verified": 0}
    return Change(fields=fields, commands=_capacity_commands(sight))


def verify(sight: Sight, found: Found) -> Change:
    return Change(fields={}, commands=_keep_back(sight) + _capacity_commands(sight))


def _keep_back(sight: Sight) -> tuple[Command, ...]:
    return (SetShare(0),) if sight.live_share not in (0, None) else ()


def escalate(sight: Sight, found: Found) -> Change:
    assert sight.record.back is not None, "an escalation without a rollback"
    fields = {"back": replace(sight.record.back, escalated=True)}
    return Change(fields=fields, commands=verify(sight, found).commands, alert="ROLLBACK NOT VERIFIED")


def escalate_switch(sight: Sight, found: Found) -> Change:
    return replace(escalate(sight, found), commands=_traffic_commands(sight))


def start_cleaning(sight: Sight, found: Found) -> Change:
    assert sight.record.back is not None, "a verification without a rollback"
    fields = {"back": replace(sight.record.back, verified_at=sight.now.wall)}
    return Change(fields=fields, commands=_clean_commands(sight), alert="ROLLBACK VERIFIED")


def clean(sight: Sight, found: Found) -> Change:
    return Change(fields={}, commands=_keep_back(sight) + _clean_commands(sight))


def _clean_commands(sight: Sight) -> tuple[Command, ...]:
    """Only with the customers back and seen back: nothing may be taken from a side that still answers them."""
    record = sight.record
    if sight.live_share != 0:
        return ()
    # The change may have been asked for without ever being seen INSYNC; only a full share leads there.
    may_have_changed = sight.plan.dns is not None and record.reached_full_at is not None
    dns = (ChangeDns(record.stable),) if may_have_changed else ()
    release = ReleaseCapacity(live=record.stable, retired=record.candidate)
    return (*dns, release, ScaleDown(record.candidate))


def start_settling_back(sight: Sight, found: Found) -> Change:
    alert = "CANDIDATE NOT SCALED DOWN" if found.verdict is Verdict.SOURCE_ERROR else ""
    return Change(fields={}, alert=alert)


def keep_traffic_back(sight: Sight, found: Found) -> Change:
    return Change(fields={}, commands=_keep_back(sight))


def end_rolled_back(sight: Sight, found: Found) -> Change:
    return Change(fields={"finished_at": sight.now.wall}, alert="ROLLBACK COMPLETED")
