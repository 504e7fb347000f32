"""What happened on the way forward: the progress of the states that lead to a finished release. Pure."""

from __future__ import annotations

from rollout import judge
from rollout.harm import trigger_observations
from rollout.model import MINUTE_SECONDS, Plan, Verdict
from rollout.record import Bake, Record, State
from rollout.sight import Event, Found, Sight

_REST_SECONDS_MAX = 300.0  # then the first stage starts, and all CPU use counts as the customers'
_RESTARTS_MAX = 3  # tasks that died before the candidate was ready


def preparing(sight: Sight) -> Found:
    service, targets = sight.situation.candidate_service, sight.situation.candidate_targets
    desired, minimum = sight.plan.desired_tasks, sight.plan.healthy_targets_min
    exposed = _exposed(sight)
    if exposed is not None:
        return exposed
    # A deployment of another image is a past one: its dead tasks say nothing about this candidate.
    ours = service is not None and service.image == sight.record.image
    if service is not None and ours and service.failed_tasks >= _RESTARTS_MAX:
        return _failed(f"{service.failed_tasks} tasks of the candidate died while it was prepared")
    if sight.seconds_here > sight.plan.ready_seconds_max:
        return _failed(f"the candidate was not ready within {sight.plan.ready_seconds_max:g} s: {_where(sight)}")
    if service is None or targets is None or not sight.situation.listener.attached:
        return Found(event=Event.WAIT, reason=_where(sight))
    deployed = service.image == sight.record.image and service.rollout_state == "COMPLETED"
    running = service.desired >= desired and service.running == service.desired
    healthy = targets.healthy >= minimum and targets.healthy == targets.registered
    if deployed and running and healthy:
        reason = f"{service.running} tasks of {service.task_definition}, {targets.healthy} healthy targets"
        return Found(event=Event.CANDIDATE_READY, reason=reason)
    return Found(event=Event.WAIT, reason=_where(sight))


def _exposed(sight: Sight) -> Found | None:
    """Somebody gave the candidate customers before the first shift: they are taken back, and the rollout ends."""
    if sight.live_share in (0, None):
        return None
    reason = f"the candidate already has {sight.live_share:g} % of the customers before the first shift"
    return Found(event=Event.CANDIDATE_EXPOSED, reason=reason, verdict=Verdict.FAIL, rule="foreign write")


def _where(sight: Sight) -> str:
    service, targets = sight.situation.candidate_service, sight.situation.candidate_targets
    if service is None:
        return "the candidate's service could not be read"
    text = f"{service.running} of {service.desired} tasks running, deployment {service.rollout_state or 'unknown'}"
    return text + (f", {targets.healthy} of {targets.registered} targets healthy" if targets else "")


def _failed(reason: str) -> Found:
    return Found(event=Event.CANDIDATE_FAILED, reason=reason, verdict=Verdict.FAIL)


def ready(sight: Sight) -> Found:
    exposed = _exposed(sight)
    if exposed is not None:
        return exposed
    request = sight.record.request
    asked = request is not None and request.kind == "confirm"
    if asked or not sight.record.confirm:
        if not idle_minutes(sight) and sight.seconds_here < sight.plan.settle_seconds + _REST_SECONDS_MAX:
            return Found(event=Event.WAIT, reason="measuring the candidate at rest")
        by = f"confirmed by {request.by}" if asked and request is not None else "no confirmation asked for"
        return Found(event=Event.CONFIRMED, reason=by)
    if sight.seconds_here > sight.plan.ready_seconds_max:
        reason = f"nobody confirmed within {sight.plan.ready_seconds_max:g} s"
        return Found(event=Event.CONFIRMATION_MISSED, reason=reason, verdict=Verdict.FAIL)
    return Found(event=Event.WAIT, reason="ready, waiting for a confirmation")


def idle_minutes(sight: Sight) -> list[float]:
    """CPU of the candidate in whole minutes without customers, the newest last: what does not grow with their share.

    Minutes in which its tasks started are left out, they would make every projection too kind."""
    minutes = sight.situation.metrics.candidate
    since = sight.record.entered_at
    return [m.cpu_percent for m in minutes if m.cpu_percent is not None and m.start >= since]


def may_raise(sight: Sight) -> str:
    """Why the candidate's share must not rise now; empty when it may (invariant I2)."""
    targets, plan = sight.situation.candidate_targets, sight.plan
    if targets is None:
        return "the candidate's target health could not be read"
    age = sight.now.wall - targets.read_at
    if age > plan.health_age_seconds_max:
        return f"the candidate's target health is {age:.0f} s old"
    if targets.healthy < plan.healthy_targets_min:
        return f"{targets.healthy} healthy targets, {plan.healthy_targets_min} needed"
    return ""


def shifting(sight: Sight) -> Found:
    paused = _pause_request(sight)
    if paused is not None:
        return paused
    wanted = sight.record.share_wanted
    if sight.live_share == wanted:
        event = Event.FULL_SHARE_VERIFIED if wanted == 100 else Event.SHARE_VERIFIED
        return Found(event=event, reason=f"the listener was read back: {wanted} % for {sight.record.candidate}")
    blocked = may_raise(sight) if wanted > sight.record.share_verified else ""
    if sight.seconds_here > sight.plan.ready_seconds_max:
        reason = blocked or sight.situation.listener.error or "the listener never showed the wanted share"
        return Found(event=Event.SHIFT_IMPOSSIBLE, reason=reason, verdict=Verdict.SOURCE_ERROR)
    return Found(event=Event.WAIT, reason=blocked or f"waiting for {wanted} % to be read back")


def _pause_request(sight: Sight) -> Found | None:
    request = sight.record.request
    if request is not None and request.kind == "pause":
        return Found(event=Event.PAUSE_REQUESTED, reason=f"{request.by}: {request.reason}", rule="operator")
    return None


def bake_window(sight: Sight, bake: Bake) -> judge.BakeWindow:
    """The minutes of the running bake and what a gate must know of the plan around them."""
    record, plan = sight.record, sight.plan
    later = plan.stages[record.stage + 1 :]
    rest = sum(stage.bake_seconds + plan.settle_seconds for stage in later) + plan.stability_seconds
    seconds = bake_length_seconds(plan, record, bake)
    if record.state is State.STABILIZING:
        rest = max(0.0, bake.first_minute + seconds - sight.now.wall)
    first_shift = record.first_shift_at if record.first_shift_at is not None else bake.first_minute
    return judge.BakeWindow(
        first=bake.first_minute,
        last=bake.first_minute + seconds - MINUTE_SECONDS,
        since_first_shift=first_shift // MINUTE_SECONDS * MINUTE_SECONDS,
        share_percent=sight.stage.share_percent,
        next_share_percent=later[0].share_percent if later else sight.stage.share_percent,
        remaining_seconds=rest,
        now=sight.now.wall,
        idle_cpu_percent=record.idle_cpu_percent,
        expected_requests_for_silence=plan.triggers.expected_requests_for_silence,
    )


def bake_length_seconds(plan: Plan, record: Record, bake: Bake) -> float:
    """How long the present share is watched: the stage's bake with its extensions, or the stability time."""
    if record.state is State.STABILIZING:
        return plan.stability_seconds
    return plan.stages[max(record.stage, 0)].bake_seconds + bake.extended_seconds


def _due(sight: Sight, bake: Bake, seconds: float) -> bool:
    """The bake's time and the settle time have passed, on the wall clock and on this controller's own."""
    by_wall = sight.now.wall >= bake.first_minute + seconds + sight.plan.settle_seconds
    own = sight.now.monotonic - bake.verified_monotonic
    return by_wall and own >= seconds + sight.plan.settle_seconds


def baking(sight: Sight) -> Found:
    paused = _pause_request(sight)
    if paused is not None:
        return paused
    bake = sight.record.bake
    if bake is None or bake.epoch != sight.record.epoch:
        return _restart(sight, "another controller took over: the bake starts anew")
    seconds = bake_length_seconds(sight.plan, sight.record, bake)
    if not _due(sight, bake, seconds):
        return Found(event=Event.WAIT, reason="baking")
    window = bake_window(sight, bake)
    observations = judge.judge_gates(sight.situation.metrics, sight.plan.gates, window)
    verdict = judge.worst(seen.verdict for seen in observations)
    reason = "; ".join(seen.message for seen in observations if seen.verdict is verdict)
    event = _gate_event(sight, bake, verdict)
    return Found(event=event, reason=reason, verdict=verdict, rule="gates", observations=observations)


def _restart(sight: Sight, reason: str) -> Found:
    """A bake starts at a verified read-back, the first one and every later one."""
    if sight.live_share != sight.record.share_wanted:
        return Found(event=Event.WAIT, reason="waiting for the share to be read back before the bake starts anew")
    return Found(event=Event.BAKE_RESTARTED, reason=reason)


def _may_extend(sight: Sight, bake: Bake) -> bool:
    """One more minute is within the plan's limit, and within what the later stages leave of the deployment time."""
    plan, record = sight.plan, sight.record
    if bake.extended_seconds + MINUTE_SECONDS > plan.extension_seconds_max or record.submitted_at is None:
        return False
    later = [stage for stage in plan.stages[record.stage + 1 :] if stage.share_percent < 100]
    rest = sum(MINUTE_SECONDS + stage.bake_seconds + plan.settle_seconds for stage in later)
    return sight.now.wall + MINUTE_SECONDS + rest <= record.submitted_at + plan.deployment_seconds_max


def _gate_event(sight: Sight, bake: Bake, verdict: Verdict) -> Event:
    if verdict is Verdict.LOW_SAMPLE:
        return Event.GATE_THIN if _may_extend(sight, bake) else Event.GATE_UNDECIDED
    if verdict in (Verdict.NO_DATA, Verdict.SOURCE_ERROR):
        return Event.GATE_UNDECIDED
    if bake.reading != verdict:
        return Event.GATE_READ
    return Event.GATE_PASSED if verdict is Verdict.PASS else Event.GATE_FAILED


def stabilizing(sight: Sight) -> Found:
    paused = _pause_request(sight)
    if paused is not None:
        return paused
    bake = sight.record.bake
    if bake is None or bake.epoch != sight.record.epoch:
        return _restart(sight, "another controller took over: the stability time starts anew")
    lost = _stable_side_lost(sight)
    if lost:
        return Found(event=Event.STABLE_SIDE_LOST, reason=lost, verdict=Verdict.FAIL, rule="way back")
    if not _due(sight, bake, sight.plan.stability_seconds):
        return Found(event=Event.WAIT, reason="watching the candidate with all customers")
    return _stable_enough(sight, bake)


def _stable_enough(sight: Sight, bake: Bake) -> Found:
    needed = round(sight.plan.stability_seconds / MINUTE_SECONDS)
    last = sight.now.wall - sight.plan.settle_seconds - MINUTE_SECONDS
    watched = judge.between(sight.situation.metrics.candidate, bake.first_minute, last)
    seen = sum(1 for minute in watched if minute.requests is not None or minute.healthy is not None)
    observations, _ = trigger_observations(sight)
    quiet = all(seen.verdict in (Verdict.PASS, Verdict.LOW_SAMPLE) for seen in observations)
    if seen < needed or not quiet:
        return Found(event=Event.WAIT, reason=f"{seen} of {needed} minutes verified at 100 %", verdict=Verdict.NO_DATA)
    return Found(
        event=Event.STABLE_LONG_ENOUGH,
        reason=f"{seen} verified minutes at 100 %, no trigger tripped",
        observations=observations,
    )


def _stable_side_lost(sight: Sight) -> str:
    service, targets = sight.situation.stable_service, sight.situation.stable_targets
    listener = sight.situation.listener
    if listener.error is None and not listener.attached:
        return "the stable group is detached from the listener: no warm way back"
    if service is not None and service.desired < sight.record.stable_size:
        return f"the stable side was scaled to {service.desired}, {sight.record.stable_size} are the way back"
    if targets is not None and targets.healthy == 0:
        return "the stable side has no healthy target: no way back"
    return ""


def retiring(sight: Sight) -> Found:
    plan, record, reading = sight.plan, sight.record, sight.situation.dns
    if plan.dns is not None and record.dns_changed_at is None:
        wanted = plan.dns.values[record.candidate]
        if reading is not None and reading.in_sync and reading.value == reading.resolved_value == wanted:
            return Found(event=Event.DNS_RESOLVED, reason=f"{plan.dns.name} is INSYNC and resolves to {wanted}")
        if sight.seconds_here > plan.ready_seconds_max:
            reason = f"{plan.dns.name} is not INSYNC after {plan.ready_seconds_max:g} s"
            return Found(event=Event.DNS_NOT_IN_SYNC, reason=reason, verdict=Verdict.FAIL)
        return Found(event=Event.WAIT, reason=f"waiting for {plan.dns.name} to be INSYNC")
    service = sight.situation.stable_service
    if may_retire(sight) and service is not None and service.desired == service.running == 0:
        return Found(
            event=Event.RETIRED, reason=f"{record.stable} has no task left and keeps {service.task_definition}"
        )
    return Found(event=Event.WAIT, reason=f"retiring {record.stable}")


def may_retire(sight: Sight) -> bool:
    """The stable side may go once no record and no weight leads to it and the old DNS answer has expired."""
    plan, changed = sight.plan, sight.record.dns_changed_at
    expired = plan.dns is None or (changed is not None and sight.now.wall >= changed + plan.dns.ttl_seconds)
    return expired and sight.live_share == 100


def settling(sight: Sight) -> Found:
    if sight.live_share == 100 and sight.seconds_here >= sight.plan.settling_seconds:
        return Found(event=Event.SETTLED, reason=f"still so after {sight.plan.settling_seconds:g} s")
    return Found(event=Event.WAIT, reason="comparing until it has settled")
