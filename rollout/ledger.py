"""Writes the journal: what each entry says, and the one way in which a record is changed together with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from rollout import journal
from rollout.act import Outcome
from rollout.errors import InvariantBroken
from rollout.model import Instant, Observation, Verdict
from rollout.ports import Store
from rollout.record import TERMINAL_STATES, Alert, Command, Decision, Hold, Record, State
from rollout.sight import Sight


def write(store: Store, before: Record, after: Record, *, payload: Mapping[str, Any], now: Instant) -> Record:
    """Store `after` and its journal entry in one transaction; raises ConflictError when somebody wrote first."""
    entry = journal.entry(
        previous_hash=before.journal_hash, sequence=before.journal_sequence + 1, payload={"time": now.wall, **payload}
    )
    linked = replace(after, journal_sequence=entry["sequence"], journal_hash=entry["hash"])
    return store.write(before, linked, entry)


def decided(record: Record, decision: Decision) -> dict[str, Any]:
    """The entry of a decision: it names every effect before the effect happens."""
    return {
        "kind": "decision",
        "state": str(record.state),
        "to": str(decision.record.state),
        "event": decision.event,
        "verdict": str(decision.verdict),
        "reason": decision.reason,
        "intents": [spelled(command) for command in decision.commands],
        "share_wanted": decision.record.share_wanted,
        "observations": [observed(seen) for seen in decision.observations],
        "owner": record.owner,
        "epoch": record.epoch,
    }


def acted(record: Record, outcomes: tuple[Outcome, ...]) -> dict[str, Any]:
    return {
        "kind": "outcome",
        "state": str(record.state),
        "outcomes": [{"command": spelled(o.command), "error": o.error} for o in outcomes],
        "owner": record.owner,
        "epoch": record.epoch,
    }


def took_over(before: Record, after: Record) -> dict[str, Any]:
    return {
        "kind": "lease",
        "state": str(before.state),
        "reason": f"{after.owner} leads from {before.owner or 'nobody'}",
        "owner": after.owner,
        "epoch": after.epoch,
    }


def left(record: Record, unsent: tuple[Alert, ...]) -> dict[str, Any]:
    unsent_text = f", {len(unsent)} alerts not delivered" if unsent else ""
    return {
        "kind": "lease",
        "state": str(record.state),
        "reason": f"{record.owner} stops{unsent_text}",
        "owner": record.owner,
        "epoch": record.epoch,
    }


def taken_over(record: Record, *, owner: str, now: Instant) -> Record:
    """The record under a new leader: a new epoch, and every duration counted on the new leader's own clock."""
    epoch = record.epoch + 1
    hold = record.hold and replace(record.hold, since_monotonic=now.monotonic, epoch=epoch)
    back = record.back and replace(record.back, decided_monotonic=now.monotonic, epoch=epoch)
    return replace(
        record, owner=owner, epoch=epoch, entered_monotonic=now.monotonic, entered_epoch=epoch, hold=hold, back=back
    )


def hold_for(sight: Sight, broken: InvariantBroken) -> Decision:
    """The decision when an invariant was about to be broken: stand still and page. A rollback never stands still, and
    what holds already, or has ended, stays as it is."""
    record = sight.record
    if record.state is State.HOLDING or record.state in TERMINAL_STATES or record.back is not None:
        return _page_only(record, broken)
    held = Hold(
        reason=str(broken),
        verdict=Verdict.FAIL,
        since=sight.now.wall,
        since_monotonic=sight.now.monotonic,
        epoch=record.epoch,
        seconds_max=sight.plan.hold_seconds_max,
        rule="invariant",
    )
    holding = replace(
        _paged(record, broken),
        state=State.HOLDING,
        hold=held,
        entered_at=sight.now.wall,
        entered_monotonic=sight.now.monotonic,
        entered_epoch=record.epoch,
    )
    return Decision(record=holding, event="INVARIANT_BROKEN", reason=str(broken), verdict=Verdict.FAIL)


def _page_only(record: Record, broken: InvariantBroken) -> Decision:
    paged = record if record.reason == str(broken) else _paged(record, broken)
    return Decision(record=paged, event="INVARIANT_BROKEN", reason=str(broken), verdict=Verdict.FAIL)


def _paged(record: Record, broken: InvariantBroken) -> Record:
    alert = Alert(
        identity=f"{record.rollout_id}/{record.journal_sequence + 1}/INVARIANT",
        subject=f"ENGINE INVARIANT BROKEN ({record.rollout_id})",
        text=str(broken),
    )
    return replace(record, reason=str(broken), outbox=(*record.outbox, alert))


def observed(seen: Observation) -> dict[str, Any]:
    return {name: value for name, value in asdict(seen).items() if value not in (None, "")}


def spelled(command: Command) -> str:
    """A command as a reader writes it: SetShare(candidate=25)."""
    return repr(command)
