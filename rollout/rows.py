"""A row of the table: where it leads, and what it makes of the record. Pure.

Every action takes what was seen and what was found, and answers the changed record fields with the commands that
must follow. `Row.apply` adds what all rows share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from rollout.model import Observation
from rollout.record import Alert, Command, Decision, Record, State
from rollout.sight import Event, Found, Sight


@dataclass(frozen=True, kw_only=True)
class Change:
    """A row's result: record fields, commands, the alert's subject (empty: none), observations to keep."""

    fields: dict[str, Any]
    commands: tuple[Command, ...] = ()
    alert: str = ""
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True)
class Row:
    """One transition: where it leads, and what it does on the way."""

    to: State
    act: Callable[[Sight, Found], Change]

    def apply(self, sight: Sight, found: Found) -> Decision:
        change = self.act(sight, found)
        fields = dict(change.fields)
        if self.to is not sight.record.state:
            fields |= _entered(sight) | {"reason": found.reason}
        if _answers_request(sight, found.event):
            fields["request"] = None
        record = replace(sight.record, state=self.to, **fields)
        if change.alert:
            record = _with_alert(record, change.alert, found)
        return Decision(
            record=record,
            event=str(found.event),
            reason=found.reason,
            verdict=found.verdict,
            commands=change.commands,
            observations=change.observations or found.observations,
        )


def _entered(sight: Sight) -> dict[str, Any]:
    return {
        "entered_at": sight.now.wall,
        "entered_monotonic": sight.now.monotonic,
        "entered_epoch": sight.record.epoch,
    }


_ANSWERS = {
    Event.ABORT_REQUESTED: "abort",
    Event.PAUSE_REQUESTED: "pause",
    Event.RESUME_REQUESTED: "resume",
    Event.EXTENSION_REQUESTED: "extend",
    Event.CONFIRMED: "confirm",
}


def _answers_request(sight: Sight, event: Event) -> bool:
    """Only the request that was answered is dropped: a pause asked for while getting ready is still to come."""
    request = sight.record.request
    return request is not None and _ANSWERS.get(event) == request.kind


def _with_alert(record: Record, subject: str, found: Found) -> Record:
    """The identity is the place in the journal, so a repeated send carries the same one."""
    identity = f"{record.rollout_id}/{record.journal_sequence + 1}/{found.event}"
    text = f"{subject}: {found.reason}" if found.reason else subject
    alert = Alert(identity=identity, subject=f"{subject} ({record.rollout_id})", text=text)
    return replace(record, outbox=(*record.outbox, alert))


def stay(sight: Sight, found: Found) -> Change:
    return Change(fields={})
