"""One zone with its resolver, in memory."""

from __future__ import annotations

from rollout.errors import BadInput
from rollout.model import DnsChange
from rollout.seen import DnsReading
from tests.fakes.faults import Faulty


class FakeDns(Faulty):
    """Satisfies `ports.Dns`. `zone` maps names to values; resolvers answer them after `propagate`."""

    def __init__(self) -> None:
        super().__init__()
        self.zone: dict[str, str] = {}
        self.resolved: dict[str, str] = {}
        self._pending: set[str] = set()

    def propagate(self) -> None:
        """Every change is in sync, and resolvers answer it."""
        self._pending.clear()
        self.resolved = dict(self.zone)

    def read(self, change: DnsChange) -> DnsReading:
        self._asked("read")
        value, resolved = self.zone.get(change.name), self.resolved.get(change.name)
        error = None if resolved is not None else f"{change.name} could not be resolved"
        in_sync = value is not None and change.name not in self._pending
        return DnsReading(value=value, in_sync=in_sync, resolved_value=resolved, error=error)

    def upsert(self, change: DnsChange, slot: str) -> None:
        self._asked(f"upsert {slot}")
        if slot not in change.values:
            raise BadInput(f"the record {change.name} has no value for {slot}", hint="Add it to the plan.")
        if self.zone.get(change.name) != change.values[slot]:
            self.zone[change.name] = change.values[slot]
            self._pending.add(change.name)
