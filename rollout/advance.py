"""Actions on the way forward. Pure; see `rows`."""

from __future__ import annotations

import math
from dataclasses import replace

from rollout.forward import bake_window, idle_minutes, may_raise, may_retire
from rollout.harm import trigger_observations
from rollout.judge import judge_gates
from rollout.model import MINUTE_SECONDS, Observation
from rollout.record import (
    Bake,
    ChangeDns,
    Command,
    EnsureStableCapacity,
    HoldStableCapacity,
    PrepareCandidate,
    ReleaseCapacity,
    ScaleDown,
    SetShare,
    StagePass,
    State,
)
from rollout.rows import Change
from rollout.sight import Found, Sight


def prepare(sight: Sight, found: Found) -> Change:
    service, record = sight.situation.candidate_service, sight.record
    deployed = service is not None and service.image == record.image and service.desired >= sight.plan.desired_tasks
    if deployed and sight.situation.listener.attached:
        return Change(fields={})
    return Change(fields={}, commands=(PrepareCandidate(sight.plan.desired_tasks),))


def become_ready(sight: Sight, found: Found) -> Change:
    service, stable = sight.situation.candidate_service, sight.situation.stable_service
    assert service is not None, "ready without a service"
    size = max(sight.record.stable_size, stable.desired if stable else 0, sight.plan.healthy_targets_min)
    fields = {
        "candidate_task_definition": service.task_definition,
        "stable_size": size,
        "stable_task_definition": stable.task_definition if stable else sight.record.stable_task_definition,
    }
    return Change(fields=fields, commands=(HoldStableCapacity(size),))


def give_up(sight: Sight, found: Found) -> Change:
    """The candidate goes only if it was seen without customers; a listener that cannot be read keeps it."""
    record = sight.record
    release = ReleaseCapacity(live=record.stable, retired=record.candidate)
    commands = (release, ScaleDown(record.candidate)) if sight.live_share == 0 else ()
    fields = {"finished_at": sight.now.wall}
    return Change(fields=fields, commands=commands, alert="ROLLOUT FAILED BEFORE TRAFFIC")


def start_first_stage(sight: Sight, found: Found) -> Change:
    idle = idle_minutes(sight)
    fields = {
        "stage": 0,
        "share_wanted": sight.plan.stages[0].share_percent,
        "submitted_at": sight.now.wall,
        "idle_cpu_percent": idle[-1] if idle else 0.0,
    }
    return Change(fields=fields, alert="ROLLOUT STARTED")


def shift(sight: Sight, found: Found) -> Change:
    """The first shift is dated before its effect: a customer may meet the candidate from here on.

    The way back is held again before every shift: an earlier attempt may have failed."""
    record = sight.record
    if record.share_wanted > record.share_verified and may_raise(sight):
        return Change(fields={})
    fields = {"first_shift_at": sight.now.wall} if record.first_shift_at is None else {}
    return Change(fields=fields, commands=(HoldStableCapacity(record.stable_size), SetShare(record.share_wanted)))


def start_bake(sight: Sight, found: Found) -> Change:
    bake = Bake(
        first_minute=math.ceil(sight.now.wall / MINUTE_SECONDS) * MINUTE_SECONDS,
        verified_monotonic=sight.now.monotonic,
        epoch=sight.record.epoch,
    )
    return Change(fields={"bake": bake, "share_verified": sight.record.share_wanted})


def start_stability(sight: Sight, found: Found) -> Change:
    reached = sight.record.reached_full_at if sight.record.reached_full_at is not None else sight.now.wall
    fields = {**start_bake(sight, found).fields, "reached_full_at": reached}
    return Change(fields=fields, alert="ALL TRAFFIC SHIFTED, WATCHING")


def watch(sight: Sight, found: Found) -> Change:
    """Nothing changes; the triggers and gates as they stand are shown, and journalled once a minute."""
    observations, _ = trigger_observations(sight)
    minute = sight.now.wall // MINUTE_SECONDS * MINUTE_SECONDS
    fields = {"minute_journalled": minute} if minute > sight.record.minute_journalled else {}
    return Change(fields=fields, observations=observations + _gates_so_far(sight))


def _gates_so_far(sight: Sight) -> tuple[Observation, ...]:
    bake = sight.record.bake
    if bake is None or sight.record.state is State.HOLDING:
        return ()
    window = bake_window(sight, bake)
    # The newest closed minute is not published yet when its entry is due: what is not there is not judged missing.
    known = [m.start for m in sight.situation.metrics.candidate if m.requests is not None or m.healthy is not None]
    last = min(window.last, max(known, default=0.0))
    if last < window.first:
        return ()
    return judge_gates(sight.situation.metrics, sight.plan.gates, replace(window, last=last))


def remember_reading(sight: Sight, found: Found) -> Change:
    assert sight.record.bake is not None, "a gate was read without a bake"
    return Change(fields={"bake": replace(sight.record.bake, reading=str(found.verdict))})


def extend_bake(sight: Sight, found: Found) -> Change:
    bake = sight.record.bake
    assert bake is not None, "an extension without a bake"
    return Change(fields={"bake": replace(bake, extended_seconds=bake.extended_seconds + MINUTE_SECONDS, reading="")})


def start_next_stage(sight: Sight, found: Found) -> Change:
    record = sight.record
    assert record.bake is not None, "a PASS without a bake"
    window = bake_window(sight, record.bake)
    proof = StagePass(
        share_percent=sight.stage.share_percent,
        first_minute=window.first,
        last_minute=window.last,
        sentences=tuple(seen.message for seen in found.observations),
    )
    following = sight.plan.stages[record.stage + 1]
    fields = {
        "stage": record.stage + 1,
        "share_wanted": following.share_percent,
        "passes": (*record.passes, proof),
        "bake": None,
    }
    return Change(fields=fields)


def restore_way_back(sight: Sight, found: Found) -> Change:
    """Once alerted, the engine keeps restoring: stable's size, and both groups on the rule."""
    alert = "" if sight.record.reason == found.reason else "THE WAY BACK IS NOT WARM"
    commands: tuple[Command, ...] = (EnsureStableCapacity(sight.record.stable_size),)
    if not sight.situation.listener.attached:
        commands = (SetShare(sight.record.share_wanted), *commands)
    return Change(fields={"reason": found.reason}, commands=commands, alert=alert)


def start_retiring(sight: Sight, found: Found) -> Change:
    return Change(fields={"bake": None})


def retire(sight: Sight, found: Found) -> Change:
    plan, record = sight.plan, sight.record
    if plan.dns is not None and record.dns_changed_at is None:
        reading, wanted = sight.situation.dns, plan.dns.values[record.candidate]
        changed = reading is not None and reading.value == wanted
        return Change(fields={}, commands=() if changed else (ChangeDns(record.candidate),))
    service = sight.situation.stable_service
    if not may_retire(sight) or (service is not None and service.desired == 0):
        return Change(fields={})
    commands = (ReleaseCapacity(live=record.candidate, retired=record.stable), ScaleDown(record.stable))
    return Change(fields={}, commands=commands)


def remember_dns(sight: Sight, found: Found) -> Change:
    return Change(fields={"dns_changed_at": sight.now.wall})


def start_settling(sight: Sight, found: Found) -> Change:
    return Change(fields={})


def complete(sight: Sight, found: Found) -> Change:
    return Change(fields={"finished_at": sight.now.wall}, alert="ROLLOUT COMPLETED")
