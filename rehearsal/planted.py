"""Faults added to a rehearsal to see its scenarios turn red: `--plant FILE.json`, used by tests/defects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from rehearsal.catalogue import Faults


@dataclass(frozen=True, kw_only=True)
class Plant:
    """Faults keyed by slot, or "candidate" and "stable", added to what the rehearsal itself breaks.

    `before`: before the rollout starts. `at_ready`: while the candidate is probed, taken away before the first shift.
    `at_shift`: once customers meet the candidate. `at_share` (release only): faults by the share that was reached.
    `under_load`: one entry after each second of the load run on the public address (release only).
    `rate`: requests per real second instead of the rehearsal's own. `abort_after_seconds` (release only): an operator
    takes the release back so many real seconds after the first shift, where what comes later does not matter.
    """

    before: Faults = field(default_factory=dict)
    at_ready: Faults = field(default_factory=dict)
    at_shift: Faults = field(default_factory=dict)
    at_share: Mapping[str, Faults] = field(default_factory=dict)
    under_load: Sequence[Faults] = ()
    rate: float | None = None
    abort_after_seconds: float | None = None


NOTHING = Plant()


def read_plant(path: Path) -> Plant:
    """The plant in a JSON file. Raises ValueError for a name that a plant does not have."""
    document = json.loads(path.read_text(encoding="utf-8"))
    known = {item.name for item in fields(Plant)}
    unknown = sorted(set(document) - known)
    if unknown:
        raise ValueError(f"{path.name}: a plant has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    return Plant(**document)
