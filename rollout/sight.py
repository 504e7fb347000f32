"""The arguments of a decision kept together, the events that a tick can find, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rollout.model import Instant, Observation, Plan, Stage, Verdict
from rollout.record import Record
from rollout.seen import Situation


class Event(StrEnum):
    """What a tick found. `WAIT` is the event of nothing new."""

    WAIT = "WAIT"
    CANDIDATE_READY = "CANDIDATE_READY"
    CANDIDATE_FAILED = "CANDIDATE_FAILED"
    CANDIDATE_EXPOSED = "CANDIDATE_EXPOSED"
    CONFIRMED = "CONFIRMED"
    CONFIRMATION_MISSED = "CONFIRMATION_MISSED"
    SHARE_VERIFIED = "SHARE_VERIFIED"
    FULL_SHARE_VERIFIED = "FULL_SHARE_VERIFIED"
    SHIFT_IMPOSSIBLE = "SHIFT_IMPOSSIBLE"
    BAKE_RESTARTED = "BAKE_RESTARTED"
    GATE_READ = "GATE_READ"
    GATE_PASSED = "GATE_PASSED"
    GATE_FAILED = "GATE_FAILED"
    GATE_THIN = "GATE_THIN"
    GATE_UNDECIDED = "GATE_UNDECIDED"
    STABLE_LONG_ENOUGH = "STABLE_LONG_ENOUGH"
    STABLE_SIDE_LOST = "STABLE_SIDE_LOST"
    DNS_RESOLVED = "DNS_RESOLVED"
    DNS_NOT_IN_SYNC = "DNS_NOT_IN_SYNC"
    RETIRED = "RETIRED"
    SETTLED = "SETTLED"
    SETTLED_EXTERNALLY = "SETTLED_EXTERNALLY"
    ABORT_REQUESTED = "ABORT_REQUESTED"
    PAUSE_REQUESTED = "PAUSE_REQUESTED"
    RESUME_REQUESTED = "RESUME_REQUESTED"
    EXTENSION_REQUESTED = "EXTENSION_REQUESTED"
    SHARE_TAKEN_AWAY = "SHARE_TAKEN_AWAY"
    TRIGGER_TRIPPED = "TRIGGER_TRIPPED"
    SHARED_INCIDENT = "SHARED_INCIDENT"
    BLIND = "BLIND"
    DRIFT = "DRIFT"
    DRIFT_AGAIN = "DRIFT_AGAIN"
    HOLD_EXPIRED = "HOLD_EXPIRED"
    DATA_BACK = "DATA_BACK"
    SWITCHED = "SWITCHED"
    HEALTH_VERIFIED = "HEALTH_VERIFIED"
    NOT_VERIFIED_IN_TIME = "NOT_VERIFIED_IN_TIME"
    CLEANED = "CLEANED"
    CLEANING_GIVEN_UP = "CLEANING_GIVEN_UP"


@dataclass(frozen=True, kw_only=True)
class Found:
    """An event with the sentence that explains it and what was measured to find it."""

    event: Event
    reason: str = ""
    verdict: Verdict = Verdict.PASS
    rule: str = ""
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True)
class Sight:
    """The four arguments of a decision, kept together."""

    plan: Plan
    record: Record
    situation: Situation
    now: Instant

    @property
    def stage(self) -> Stage:
        return self.plan.stages[max(self.record.stage, 0)]

    @property
    def seconds_here(self) -> float:
        """How long this controller has seen the rollout in this state; a takeover starts anew."""
        if self.record.entered_epoch != self.record.epoch:
            return 0.0
        return self.now.monotonic - self.record.entered_monotonic

    @property
    def live_share(self) -> float | None:
        return self.situation.listener.candidate_share
