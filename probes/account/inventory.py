"""An inventory of an account: written when an environment was applied, read when it is asked what has changed since.

    {"schema": 1, "environment": "production", "taken": "2026-11-24T13:43:41Z", "kinds": {"bucket": ["..."], ...}}

Names only, so it holds no secret. A kind that could not be listed is null, and is never equal to anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from probes.strict_json import Fields, Unparsable, parse

SCHEMA = 1
BYTES_MAX = 4 * 1024 * 1024
_KINDS_MAX, _NAMES_MAX = 200, 50_000


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Names by kind, sorted, at one moment; None for a kind that could not be listed (`census.inventory`)."""

    environment: str
    taken: datetime
    kinds: Mapping[str, list[str] | None]


def read_inventory(raw: bytes) -> Inventory:
    """The inventory in its bytes. Raises probes.strict_json.Unparsable; one without kinds declares nothing."""
    fields = Fields(parse(raw, bytes_max=BYTES_MAX), "inventory")
    fields.integer("schema", low=SCHEMA, high=SCHEMA)
    kinds = fields.raw("kinds")
    inventory = Inventory(
        environment=fields.text("environment", r"[a-z][a-z0-9-]{0,31}"),
        taken=fields.instant("taken"),
        kinds=_kinds(kinds),
    )
    fields.finish()
    return inventory


def _kinds(value: object) -> Mapping[str, list[str] | None]:
    if not isinstance(value, dict) or not 0 < len(value) <= _KINDS_MAX:
        raise Unparsable("inventory.kinds is no object with kinds in it")
    for kind, names in value.items():
        listed = isinstance(names, list) and len(names) <= _NAMES_MAX and all(isinstance(one, str) for one in names)
        if names is not None and not listed:
            raise Unparsable(f"inventory.kinds: {ascii(kind)[:60]} is no list of names")
    return value


def write_inventory(environment: str, kinds: Mapping[str, Any], *, taken: datetime) -> bytes:
    """The bytes; `read_inventory` gives the same back."""
    instant = taken.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    document = {"schema": SCHEMA, "environment": environment, "taken": instant, "kinds": dict(sorted(kinds.items()))}
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"
