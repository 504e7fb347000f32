"""`rollout explain`: the first cause, the samples that decided, and what was done, out of the journal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from rollout import journal
from rollout.cli.application import Application, Options, World, command, load_active
from rollout.cli.exits import Exit
from rollout.cli.history import outcome
from rollout.cli.words import duration, moment, sides
from rollout.errors import BadInput
from rollout.record import Record

# Events that are a way, not a cause; everything else that says FAIL, NO_DATA or SOURCE_ERROR may be the first cause.
_NO_CAUSE = frozenset({"WAIT", "GATE_READ", "GATE_THIN", "DRIFT", "HOLD_EXPIRED", "NOT_VERIFIED_IN_TIME"})
_BAD = frozenset({"FAIL", "NO_DATA", "SOURCE_ERROR", "LOW_SAMPLE"})
_ASKED = frozenset({"ABORT_REQUESTED", "PAUSE_REQUESTED"})


@click.command("explain")
@click.argument("rollout_id", required=False, metavar="[ROLLOUT]")
@click.option("--journal", "whole", is_flag=True, help="Print every entry of the journal.")
@click.option("--json", "as_json", is_flag=True, help="Print the journal's entries as a JSON array.")
@command
def explain(application: Application, options: Options, *, rollout_id: str | None, whole: bool, as_json: bool) -> int:
    """Explain a rollout (default: the last one): why it ended as it did, and whether its journal is intact."""
    world = application.world(options)
    record = find(world, rollout_id)
    entries = world.connection.store.journal(record.rollout_id)
    fault = journal.verify(entries, head=record.journal_hash)
    if as_json:
        click.echo(json.dumps([dict(entry) for entry in entries], ensure_ascii=False, indent=2))
    else:
        for line in story(record, entries, fault, whole=whole):
            click.echo(line)
    if fault:
        click.echo(f"The journal was tampered with or is incomplete: {fault}.", err=True)
        return Exit.BAD_INPUT
    return Exit.DONE


def find(world: World, rollout_id: str | None) -> Record:
    """The named rollout, or the newest. Raises BadInput with the names on record."""
    current = load_active(world)
    if rollout_id is None or (current is not None and current.rollout_id == rollout_id):
        if current is None:
            hint = "Start one with `rollout run`."
            raise BadInput(f"no rollout is on record in {world.environment.name}", hint=hint)
        return current
    records = world.connection.store.history()
    found = next((record for record in records if record.rollout_id == rollout_id), None)
    if found is None:
        names = ", ".join(record.rollout_id for record in list(records)[:5]) or "none"
        raise BadInput(f"no rollout {rollout_id!r} is on record", hint=f"On record are: {names}.")
    return found


def story(record: Record, entries: Sequence[Mapping[str, Any]], fault: str, *, whole: bool) -> list[str]:
    """The explanation, a line per fact."""
    took = f", {duration(record.finished_at - record.created_at)} in all" if record.finished_at is not None else ""
    lines = [
        f"Rollout {record.rollout_id}: {sides(record)}",
        f"Outcome: {outcome(record)}; started {moment(record.created_at)}{took}.",
        *_cause(entries),
        *_passes(record),
        *_done(record, entries),
        f"Journal: {fault}." if fault else f"Journal: {len(entries)} entries, the chain of hashes is intact.",
    ]
    return lines + ([as_line(entry) for entry in entries] if whole else [])


def first_cause(entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The payload of the first decision that something was not as it should be, or that a person ended it."""
    for entry in entries:
        payload: Mapping[str, Any] = entry["payload"]
        event = payload.get("event", "")
        if event in _ASKED or (payload.get("verdict") in _BAD and event not in _NO_CAUSE):
            return payload
    return None


def _cause(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    cause = first_cause(entries)
    if cause is None:
        return ["Cause: nothing stood in its way."]
    lines = [f"First cause, {moment(cause['time'])} in {cause['state']}: {cause['event']}, {cause['reason']}."]
    deciding = [seen for seen in cause.get("observations", ()) if seen.get("verdict") == cause["verdict"]]
    lines += [f"  decided by: {seen.get('message') or _plain(seen)}" for seen in deciding]
    return lines


def _plain(seen: Mapping[str, Any]) -> str:
    return f"{seen.get('verdict')} {seen.get('name')} {seen.get('value')} {seen.get('unit', '')}".rstrip()


def _passes(record: Record) -> list[str]:
    lines = []
    for proof in record.passes:
        window = f"{moment(proof.first_minute)} to {moment(proof.last_minute + 60)}"
        lines.append(f"Passed {proof.share_percent} %, {window}:")
        lines += [f"  {sentence}" for sentence in proof.sentences]
    return lines


def _done(record: Record, entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every change of the outside world that was decided, in its order, and how long the way back took."""
    lines = ["Done:"] if any(entry["payload"].get("intents") for entry in entries) else []
    before: object = None
    for entry in entries:
        payload = entry["payload"]
        intents = payload.get("intents")
        if intents and intents != before:
            lines.append(f"  {moment(payload['time'])} {payload['to']}: {', '.join(intents)}")
        before = intents or before
    back = record.back
    if back is not None:
        verified = (
            f"verified after {duration(back.verified_at - back.decided_at)}" if back.verified_at else "NOT verified"
        )
        lines.append(f"Way back: decided {moment(back.decided_at)} by {back.by}, {verified}.")
    return lines


def as_line(entry: Mapping[str, Any]) -> str:
    """One journal entry on one line."""
    payload = entry["payload"]
    kind, state = payload.get("kind", ""), payload.get("state", "")
    to = f" -> {payload['to']}" if payload.get("to") not in (None, state) else ""
    parts = [
        f"{entry['sequence']:>4} {moment(payload['time'])} {kind:<8} {state}{to}",
        str(payload.get("event", "")),
        str(payload.get("reason", "")),
        ", ".join(payload.get("intents", ())),
        ", ".join(f"{done['command']}: {done['error'] or 'done'}" for done in payload.get("outcomes", ())),
    ]
    return "  ".join(part for part in parts if part)
