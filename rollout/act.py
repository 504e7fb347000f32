"""Carries out commands: each is absolute, looked at before it is done, and done again as often as needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rollout.errors import AccessDenied, BadInput, SourceError
from rollout.model import DnsChange
from rollout.ports import Dns, ServiceController, TrafficRouter
from rollout.record import (
    ChangeDns,
    Command,
    EnsureStableCapacity,
    HoldStableCapacity,
    PrepareCandidate,
    Record,
    ReleaseCapacity,
    ScaleDown,
    SetShare,
)


@dataclass(frozen=True)
class Outcome:
    """What became of a command; `error` is empty when it was carried out."""

    command: Command
    error: str = ""

    def __str__(self) -> str:
        return f"{self.command}: {self.error or 'done'}"


@dataclass(frozen=True, kw_only=True)
class Hands:
    """The ports that change something."""

    router: TrafficRouter
    services: ServiceController
    dns: Dns | None = None


class Actor:
    """Carries out the commands of one decision, in their order; a failed one does not keep the next from its turn."""

    def __init__(self, hands: Hands, may_write: Callable[[], bool]) -> None:
        self._hands, self._may_write = hands, may_write

    def carry_out(self, record: Record, commands: tuple[Command, ...], dns: DnsChange | None) -> tuple[Outcome, ...]:
        """`may_write` is asked before every single write: the lease may run out between two of them."""
        return tuple(self._one(record, command, dns) for command in commands)

    def _one(self, record: Record, command: Command, dns: DnsChange | None) -> Outcome:
        if not self._may_write():
            return Outcome(command, "not attempted: too little of the lease is left")
        try:
            self._do(record, command, dns)
        except (SourceError, AccessDenied, BadInput) as error:
            return Outcome(command, str(error))
        return Outcome(command)

    def _do(self, record: Record, command: Command, dns: DnsChange | None) -> None:
        router, services = self._hands.router, self._hands.services
        match command:
            case SetShare(share):
                router.set_share(stable=record.stable, candidate=record.candidate, share_percent=share)
            case PrepareCandidate(desired):
                router.remember_roles(stable=record.stable, candidate=record.candidate)
                router.set_share(stable=record.stable, candidate=record.candidate, share_percent=0)
                services.prepare(record.candidate, image=record.image, desired=desired, like=record.stable)
            case HoldStableCapacity(minimum):
                services.hold_capacity(record.stable, minimum)
            case EnsureStableCapacity(minimum):
                self._ensure(record.stable, minimum)
            case ScaleDown(slot):
                services.scale(slot, 0)
            case ChangeDns(slot):
                if dns is not None and self._hands.dns is not None:
                    self._hands.dns.upsert(dns, slot)
            case ReleaseCapacity(live, retired):
                services.release_capacity(live=live, retired=retired)

    def _ensure(self, slot: str, minimum: int) -> None:
        if self._hands.services.read(slot).desired < minimum:
            self._hands.services.scale(slot, minimum)
