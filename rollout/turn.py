"""What an engine is given and what each of its turns answers: settings, ports, and the tick as a value."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollout.act import Hands, Outcome
from rollout.lease import LeaseSettings
from rollout.model import Instant, Plan
from rollout.observe import Sources
from rollout.ports import Alerts, Clock, Heartbeat, Store
from rollout.record import Decision, Record
from rollout.seen import Situation


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """Who this controller is and its pace, in real seconds."""

    owner: str
    tick_seconds: float = 5.0
    metric_seconds: float = 10.0
    lease: LeaseSettings = field(default_factory=LeaseSettings)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Everything outside of the engine."""

    sources: Sources
    hands: Hands
    store: Store
    alerts: Alerts
    heartbeat: Heartbeat
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Tick:
    """What one tick saw and did; `decision` is None when somebody else leads."""

    record: Record
    plan: Plan
    now: Instant
    decision: Decision | None = None
    situation: Situation | None = None
    leading: bool = False
    outcomes: tuple[Outcome, ...] = ()
    error: str = ""
    moved: bool = False  # the state changed, or something new was done: look again at once
