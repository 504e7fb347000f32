"""What the engine needs of the world: small protocols, one adapter per file in `rollout/adapters`.

Every method may raise `errors.SourceError` (no answer, throttled, nonsense) or `errors.AccessDenied`; none retries
by itself, the next tick does. Effects are absolute and idempotent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rollout.model import DnsChange
from rollout.record import Record
from rollout.seen import (
    DnsReading,
    ListenerReading,
    MetricQuery,
    Metrics,
    OperatorRequest,
    PublicReading,
    ServiceReading,
    TargetCounts,
)


class Clock(Protocol):
    """Wall time, a monotonic time that runs at the same pace, and real waiting."""

    def wall(self) -> float: ...

    def monotonic(self) -> float: ...

    def wait(self, real_seconds: float) -> None:
        """The only place where the engine waits."""


class TrafficRouter(Protocol):
    """The load balancer's rule that carries the customers."""

    def read(self, *, stable: str, candidate: str) -> ListenerReading: ...

    def set_share(self, *, stable: str, candidate: str, share_percent: int) -> None:
        """Change the two weights and nothing else of the rule; attaches a missing group at its weight."""

    def roles(self) -> tuple[str, str]:
        """(stable, candidate) from the live weights; raises BadInput when they do not tell."""

    def remember_roles(self, *, stable: str, candidate: str) -> None:
        """Tag rule and groups so that the load balancer itself says who is stable."""


class TargetHealthReader(Protocol):
    """Who of a slot's registered targets is healthy, asked of the load balancer itself."""

    def targets(self, slot: str) -> TargetCounts: ...


class MetricSource(Protocol):
    """Minutes of both sides and of the balancer; closed, aligned, zero-filled as the load balancer's truth demands."""

    def read(self, query: MetricQuery) -> Metrics: ...


class ServiceController(Protocol):
    """The two container services."""

    def read(self, slot: str) -> ServiceReading: ...

    def prepare(self, slot: str, *, image: str, desired: int, like: str) -> str:
        """Make sure that `slot` runs `desired` tasks of `image`, like slot `like` in all else; answers the revision."""

    def scale(self, slot: str, desired: int) -> None: ...

    def hold_capacity(self, slot: str, minimum: int) -> None:
        """Raise the autoscaling minimum; never lowers it."""

    def release_capacity(self, *, live: str, retired: str) -> None: ...


class PublicHealth(Protocol):
    """The public health endpoint, as a customer reaches it."""

    def current(self) -> tuple[str, str]:
        """(slot, version) that answers the public endpoint now; one question."""

    def in_a_row(self, *, slot: str, version: str, wanted: int) -> PublicReading:
        """Ask the public endpoint once; answers how many answers in a row came from that slot and version."""


class Dns(Protocol):
    """The declared record that names the live slot."""

    def read(self, change: DnsChange) -> DnsReading: ...

    def upsert(self, change: DnsChange, slot: str) -> None: ...


class Alerts(Protocol):
    """People's mailbox; a repeated identity is the same message."""

    def send(self, *, identity: str, subject: str, text: str) -> None: ...


class Heartbeat(Protocol):
    """The sign of life that the dead-man listens to."""

    def beat(self, rollout_id: str) -> None: ...


class Store(Protocol):
    """The records and their journals. A write is one transaction that holds or does nothing."""

    def load(self, rule_arn: str) -> Record | None: ...

    def create(self, record: Record, plan: Mapping[str, Any], *, guards: Sequence[str]) -> Record:
        """Store a new rollout, its plan and its guard items (`guards`: service ARNs or names), without a journal entry;
        raises ConflictError naming the active one. The engine writes the first journal entry by `write`."""

    def write(self, before: Record, after: Record, entry: Mapping[str, Any]) -> Record:
        """Replace `before` (same revision and epoch) by `after`, revision `before.revision + 1`, and append `entry`.

        One transaction; answers what is stored now. `entry` comes from `rollout.journal.entry` and `after` already
        carries its sequence and hash (the engine does both). A request that `after.request` no longer holds is
        removed with it; at a terminal state the guards and the active mark are released and the history item is
        written. Raises ConflictError when somebody else wrote first."""

    def renew(self, record: Record) -> Record:
        """Prove that the owner lives: a new lease revision, nothing else."""

    def request(self, rule_arn: str, request: OperatorRequest) -> Record:
        """Store an operator's request beside whatever the controller does; needs no lease."""

    def plan(self, rollout_id: str) -> Mapping[str, Any]: ...

    def journal(self, rollout_id: str) -> Sequence[Mapping[str, Any]]: ...

    def history(self) -> Sequence[Record]: ...
