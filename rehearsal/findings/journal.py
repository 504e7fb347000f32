"""The rollout's own journal, as an auditor reads it: nothing changed, cut or inserted, every effect announced (I6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.findings.common import finding
from rehearsal.result import Result
from rollout.journal import verify
from rollout.model import Observation


def chained(result: Result) -> tuple[Observation, ...]:
    """`journal.chain`: each entry carries the hash of the one before, the last one's stands in the record."""
    rule = "every entry follows the one before it, unchanged, and the record names the last"
    entries = result.journal
    if not entries:
        return (finding("journal.chain", None, "the rollout left no journal", rule=rule),)
    head = str(result.record.get("journal_hash", ""))
    if not head:
        return (finding("journal.chain", None, "the record names no last entry: cut ones would not show", rule=rule),)
    fault = verify(entries, head=head)
    message = fault or f"{len(entries)} entries, chained to {str(entries[-1]['hash'])[:12]}"
    return (finding("journal.chain", not fault, message, rule=rule, value=len(entries), n=len(entries)),)


def announced(result: Result) -> tuple[Observation, ...]:
    """`journal.intents`: whatever was done stands as an intent in an entry before it."""
    rule = "every effect was announced in the journal before it happened"
    done, unannounced = _effects([entry.get("payload", {}) for entry in result.journal])
    if not done:
        return (finding("journal.intents", None, "the journal tells of no effect", rule=rule),)
    message = f"{done - len(unannounced)} of {done} effects announced before they happened"
    message += f"; not: {', '.join(unannounced)}" if unannounced else ""
    return (finding("journal.intents", not unannounced, message, rule=rule, value=done, n=done),)


def _effects(payloads: Sequence[Mapping[str, Any]]) -> tuple[int, list[str]]:
    """How many effects are told of, and those of them without an earlier intent."""
    intents: set[str] = set()
    done: list[str] = []
    unannounced: list[str] = []
    for payload in payloads:
        intents.update(payload.get("intents", ()))
        commands = [str(outcome["command"]) for outcome in payload.get("outcomes", ())]
        done += commands
        unannounced += [command for command in commands if command not in intents]
    return len(done), unannounced
