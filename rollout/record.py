"""Where a rollout is, and what the engine is told to do next: frozen values, stored as they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rollout.model import Observation, Verdict
from rollout.seen import OperatorRequest


class State(StrEnum):
    """Where a rollout is. The last four are ends."""

    PREPARING = "PREPARING"
    READY = "READY"
    SHIFTING = "SHIFTING"
    BAKING = "BAKING"
    STABILIZING = "STABILIZING"
    RETIRING = "RETIRING"
    SETTLING = "SETTLING"
    HOLDING = "HOLDING"
    ROLLING_BACK = "ROLLING_BACK"
    VERIFYING = "VERIFYING"
    CLEANING = "CLEANING"
    SETTLING_BACK = "SETTLING_BACK"
    COMPLETED = "COMPLETED"
    ROLLED_BACK = "ROLLED_BACK"
    ABORTED_EXTERNALLY = "ABORTED_EXTERNALLY"
    FAILED = "FAILED"


TERMINAL_STATES = frozenset({State.COMPLETED, State.ROLLED_BACK, State.ABORTED_EXTERNALLY, State.FAILED})
CUSTOMER_STATES = frozenset({State.SHIFTING, State.BAKING, State.STABILIZING, State.RETIRING, State.HOLDING})


@dataclass(frozen=True, kw_only=True)
class Bake:
    """A bake in progress: its first full minute, and when (owner's monotonic clock) the share was verified."""

    first_minute: float
    verified_monotonic: float
    epoch: int
    extended_seconds: float = 0.0
    reading: str = ""  # the last gate verdict, for the second, equal reading


@dataclass(frozen=True, kw_only=True)
class StagePass:
    """A stored PASS: which share was proven, over which window, with which sentences."""

    share_percent: int
    first_minute: float
    last_minute: float
    sentences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Why a rollout stands still, since when, and for how long at most before it is rolled back."""

    reason: str
    verdict: Verdict
    since: float
    since_monotonic: float
    epoch: int
    seconds_max: float
    rule: str = ""
    by: str = "engine"


@dataclass(frozen=True, kw_only=True)
class Return:
    """A rollback: why, who decided, when it was decided, when each part of it was seen done."""

    cause: str
    rule: str
    by: str
    decided_at: float
    decided_monotonic: float
    epoch: int
    switched_at: float | None = None
    verified_at: float | None = None
    escalated: bool = False
    capacity_first: bool = False
    external: bool = False


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A message to people; `identity` stays the same on repeats so that receivers can drop them."""

    identity: str
    subject: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """The one item that says where a rollout is. Versioned, fenced by `epoch`, changed only by transactions."""

    schema: int
    rollout_id: str
    environment: str
    rule_arn: str
    plan_sha256: str
    stable: str
    candidate: str
    image: str
    version_name: str
    state: State
    created_at: float
    epoch: int = 0
    revision: int = 0
    owner: str = ""
    lease_revision: int = 0
    stage: int = -1
    share_wanted: int = 0
    share_verified: int = 0
    confirm: bool = False  # wait in READY until a person, or the gate, says so
    submitted_at: float | None = None
    entered_at: float = 0.0
    entered_monotonic: float = 0.0
    entered_epoch: int = 0
    first_shift_at: float | None = None
    reached_full_at: float | None = None
    finished_at: float | None = None
    bake: Bake | None = None
    passes: tuple[StagePass, ...] = ()
    hold: Hold | None = None
    back: Return | None = None
    repairs: int = 0
    idle_cpu_percent: float = 0.0
    stable_size: int = 0
    stable_task_definition: str = ""
    stable_version: str = ""
    candidate_task_definition: str = ""
    dns_changed_at: float | None = None
    request: OperatorRequest | None = None
    outbox: tuple[Alert, ...] = ()
    journal_sequence: int = 0
    journal_hash: str = ""
    minute_journalled: float = 0.0
    drill: bool = False
    reason: str = ""


@dataclass(frozen=True)
class SetShare:
    """Absolute: the candidate's share of the weights, in percent; the stable side gets the rest."""

    candidate: int


@dataclass(frozen=True)
class PrepareCandidate:
    """Register the released image as a revision, attach the candidate at weight 0, run `desired` tasks of it."""

    desired: int


@dataclass(frozen=True)
class HoldStableCapacity:
    """No scale-in of the stable side below `minimum` from now on."""

    minimum: int


@dataclass(frozen=True)
class EnsureStableCapacity:
    """The stable service runs at least `minimum` tasks."""

    minimum: int


@dataclass(frozen=True)
class ScaleDown:
    """The named slot's service goes to no tasks; its task definition is kept."""

    slot: str


@dataclass(frozen=True)
class ChangeDns:
    """The declared record names this slot."""

    slot: str


@dataclass(frozen=True)
class ReleaseCapacity:
    """Scale-in of the named slot is released; the retired slot's scaling is suspended."""

    live: str
    retired: str


Command = (
    SetShare | PrepareCandidate | HoldStableCapacity | EnsureStableCapacity | ScaleDown | ChangeDns | ReleaseCapacity
)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the engine must now do, in this order: store `record`, carry out `commands`, send what the outbox holds."""

    record: Record
    event: str
    reason: str
    verdict: Verdict
    commands: tuple[Command, ...] = ()
    observations: tuple[Observation, ...] = ()
