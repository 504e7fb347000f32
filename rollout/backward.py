"""What happened while a rollout holds or goes back, and after its end. Pure."""

from __future__ import annotations

from rollout.harm import trigger_observations
from rollout.model import Verdict
from rollout.sight import Event, Found, Sight


def holding(sight: Sight) -> Found:
    hold, request = sight.record.hold, sight.record.request
    assert hold is not None, "HOLDING without a hold"
    # Nothing goes on before the first stage, nor after a rollback was decided.
    may_go_on = sight.record.stage >= 0 and sight.record.back is None
    if request is not None and request.kind == "resume" and may_go_on:
        return Found(event=Event.RESUME_REQUESTED, reason=f"{request.by}: {request.reason}", rule="operator")
    if request is not None and request.kind == "extend":
        return Found(event=Event.EXTENSION_REQUESTED, reason=f"{request.by}: {request.reason}", rule="operator")
    since = hold.since_monotonic if hold.epoch == sight.record.epoch else sight.record.entered_monotonic
    if sight.seconds_here and sight.now.monotonic - since >= hold.seconds_max:
        reason = f"held for {hold.seconds_max:g} s without an answer: {hold.reason}"
        return Found(event=Event.HOLD_EXPIRED, reason=reason, verdict=hold.verdict, rule="hold")
    if hold.verdict in (Verdict.NO_DATA, Verdict.SOURCE_ERROR) and hold.rule == "gates":
        _, blind = trigger_observations(sight)
        if sight.situation.metrics.error is None and blind == 0:
            return Found(event=Event.DATA_BACK, reason="the source answers again: the bake starts anew")
    return Found(event=Event.WAIT, reason=f"holding: {hold.reason}", verdict=hold.verdict)


def rolling_back(sight: Sight) -> Found:
    if sight.live_share == 0:
        return Found(event=Event.SWITCHED, reason=f"all customers are back on {sight.record.stable}, read back")
    if _too_late(sight):
        reason = f"the customers are not back after {sight.plan.rollback_seconds_max:g} s"
        error = sight.situation.listener.error
        reason += f"; {error}" if error else ""
        return Found(event=Event.NOT_VERIFIED_IN_TIME, reason=reason, verdict=Verdict.FAIL, rule="RB-03")
    return Found(event=Event.WAIT, reason="taking traffic back")


def _too_late(sight: Sight) -> bool:
    """The time for a rollback is over, and nobody was told yet."""
    back = sight.record.back
    assert back is not None, "going back without a rollback"
    spent = sight.now.monotonic - back.decided_monotonic if back.epoch == sight.record.epoch else sight.seconds_here
    return spent > sight.plan.rollback_seconds_max and not back.escalated


def verifying(sight: Sight) -> Found:
    plan, targets, public = sight.plan, sight.situation.stable_targets, sight.situation.public
    healthy = targets is not None and targets.registered > 0 and targets.healthy == targets.registered
    answered = public is not None and public.in_a_row >= plan.health_answers_in_a_row
    if healthy and answered and sight.live_share == 0:
        return Found(event=Event.HEALTH_VERIFIED, reason=_verified_text(sight))
    if _too_late(sight):
        reason = f"not verified within {plan.rollback_seconds_max:g} s: {_unverified_text(sight)}"
        return Found(event=Event.NOT_VERIFIED_IN_TIME, reason=reason, verdict=Verdict.FAIL, rule="RB-03")
    return Found(event=Event.WAIT, reason=_unverified_text(sight), verdict=Verdict.NO_DATA)


def _verified_text(sight: Sight) -> str:
    targets, public = sight.situation.stable_targets, sight.situation.public
    assert targets is not None, "verified without target health"
    assert public is not None, "verified without a public answer"
    return f"{public.in_a_row} public answers in a row by {sight.record.stable}, all {targets.healthy} targets healthy"


def _unverified_text(sight: Sight) -> str:
    targets, public = sight.situation.stable_targets, sight.situation.public
    health = f"{targets.healthy} of {targets.registered} targets healthy" if targets else "target health unknown"
    answers = f"{public.in_a_row} answers in a row; {public.detail}" if public else "no public answer"
    return f"{health}, {answers}"


def cleaning(sight: Sight) -> Found:
    service = sight.situation.candidate_service
    if service is not None and service.desired == 0:
        return Found(event=Event.CLEANED, reason=f"{sight.record.candidate} is scaled down, its revision is kept")
    if sight.seconds_here > sight.plan.ready_seconds_max:
        reason = f"{sight.record.candidate} could not be scaled down; it takes no traffic"
        return Found(event=Event.CLEANING_GIVEN_UP, reason=reason, verdict=Verdict.SOURCE_ERROR)
    return Found(event=Event.WAIT, reason=f"scaling {sight.record.candidate} down")


def ended(sight: Sight) -> Found:
    return Found(event=Event.WAIT, reason=sight.record.reason)


def settling_back(sight: Sight) -> Found:
    if sight.live_share == 0 and sight.seconds_here >= sight.plan.settling_seconds:
        back = sight.record.back
        external = back is not None and back.external
        event = Event.SETTLED_EXTERNALLY if external else Event.SETTLED
        return Found(event=event, reason=f"still so after {sight.plan.settling_seconds:g} s")
    return Found(event=Event.WAIT, reason="comparing until it has settled")
