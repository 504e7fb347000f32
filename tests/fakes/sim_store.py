"""The fake store inside of a simulated world: it is down when the world says so, and its journals must chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout import journal
from rollout.errors import SourceError
from rollout.record import Record
from tests.fakes.sim_world import SimWorld
from tests.fakes.store import FakeStore


class SimStore(FakeStore):
    """`FakeStore` that fails while "store" is in `world.down`."""

    def __init__(self, world: SimWorld) -> None:
        super().__init__()
        self.world = world

    def _asked(self, call: str) -> None:
        super()._asked(call)
        if "store" in self.world.down:
            raise SourceError("the store does not answer", hint="Wait.")

    def write(self, before: Record, after: Record, entry: Mapping[str, Any]) -> Record:
        assert entry["previous_hash"] == before.journal_hash, "the entry does not follow the one before"
        assert (after.journal_sequence, after.journal_hash) == (entry["sequence"], entry["hash"]), "unlinked record"
        return super().write(before, after, entry)

    def broken_journal(self, rollout_id: str) -> str:
        """What is wrong with a rollout's journal; empty when its chain holds to the record's own mark."""
        head = next((r.journal_hash for r in self.records.values() if r.rollout_id == rollout_id), "")
        return journal.verify(self.journals.get(rollout_id, []), head=head)
