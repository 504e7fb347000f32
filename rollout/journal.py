"""The journal's chain: each entry carries the hash of the one before it, so a changed past shows. Pure.

An entry is {"sequence": 1.., "previous_hash": hex or "", "payload": {...}, "hash": hex}; the hash is SHA-256 over the
canonical JSON of the other three.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from rollout.codec import canonical_json, jsonable


def entry(*, previous_hash: str, sequence: int, payload: Mapping[str, Any]) -> dict[str, Any]:
    """A new entry behind the one with `previous_hash` (empty for the first, whose sequence is 1).

    The payload is kept as plain JSON. Raises BadInput for a payload that JSON cannot say (not a number, bytes)."""
    body = {"sequence": sequence, "previous_hash": previous_hash, "payload": jsonable(payload)}
    return {**body, "hash": _hash(body)}


def verify(entries: Sequence[Mapping[str, Any]], *, head: str = "") -> str:
    """The sentence that names the first broken entry; empty for an intact journal.

    `head` is the hash that the record holds of its newest entry: with it, entries cut off at the end show too."""
    previous = ""
    for number, one in enumerate(entries, 1):
        fault = _fault(one, number=number, previous=previous)
        if fault:
            return f"journal entry {number}: {fault}"
        previous = str(one["hash"])
    if head and head != previous:
        return f"journal entry {len(entries) + 1}: missing, the record ends with {head[:12]}, not {previous[:12]}"
    return ""


def _fault(one: Mapping[str, Any], *, number: int, previous: str) -> str:
    missing = {"sequence", "previous_hash", "payload", "hash"} - set(one)
    if missing:
        return f"has no {', '.join(sorted(missing))}"
    if one["sequence"] != number:
        return f"its sequence is {one['sequence']}"
    if one["previous_hash"] != previous:
        return "does not follow the entry before it"
    if one["hash"] != _hash({name: one[name] for name in ("sequence", "previous_hash", "payload")}):
        return "its content was changed after it was written"
    return ""


def _hash(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(body).encode()).hexdigest()
