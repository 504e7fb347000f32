"""Who leads a rollout: a lease that is watched by its version, never by a stored time.

A waiter takes over only when the record's (revision, lease revision) stood still for a whole lease on the waiter's own
monotonic clock, as the DynamoDB lock client does. Each takeover raises the epoch; an older epoch can write nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rollout.record import TERMINAL_STATES, Record


@dataclass(frozen=True, kw_only=True)
class LeaseSettings:
    """Real seconds. `guard_seconds` must be left of the lease before a write to the load balancer or to ECS."""

    lease_seconds: float = 30.0
    guard_seconds: float = 8.0


class Lease:
    """One controller's knowledge of one rollout's lease; `real_seconds` is its own monotonic clock."""

    def __init__(self, owner: str, settings: LeaseSettings, real_seconds: Callable[[], float]) -> None:
        self.owner = owner
        self._settings, self._real_seconds = settings, real_seconds
        self._seen: tuple[int, int, int] | None = None
        self._seen_at = 0.0
        self._proven_at: float | None = None

    def leads(self, record: Record) -> bool:
        return record.owner == self.owner and self._proven_at is not None

    def may_take(self, record: Record) -> bool:
        """The record is unowned, ended, or its owner has not moved it for a whole lease."""
        now = self._real_seconds()
        version = (record.epoch, record.revision, record.lease_revision)
        if version != self._seen:
            self._seen, self._seen_at = version, now
        if record.owner == "" or record.state in TERMINAL_STATES:
            return True
        return now - self._seen_at >= self._settings.lease_seconds

    def proven(self) -> None:
        """A write of ours was just stored."""
        self._proven_at = self._real_seconds()

    def lost(self) -> None:
        self._proven_at = None

    @property
    def left_seconds(self) -> float:
        if self._proven_at is None:
            return 0.0
        return self._settings.lease_seconds - (self._real_seconds() - self._proven_at)

    @property
    def needs_renewal(self) -> bool:
        return self.left_seconds < self._settings.lease_seconds * 2 / 3

    @property
    def guards(self) -> bool:
        """Enough of the lease is left for one call to the data plane and its time-out."""
        return self.left_seconds >= self._settings.guard_seconds
