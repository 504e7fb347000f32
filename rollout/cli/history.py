"""`rollout history`: past rollouts with their outcome."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from rollout.cli.application import Application, Options, command
from rollout.cli.exits import Exit
from rollout.cli.words import duration, moment, sides
from rollout.record import Record, State

_OUTCOMES = {
    State.COMPLETED: "completed",
    State.ROLLED_BACK: "rolled back",
    State.ABORTED_EXTERNALLY: "aborted by somebody else",
    State.FAILED: "ended before traffic",
}
_REASON_MAX = 60


@click.command("history")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@command
def history(application: Application, options: Options, *, as_json: bool) -> int:
    """List the rollouts of this environment, the newest first."""
    world = application.world(options)
    records = sorted(world.connection.store.history(), key=lambda record: record.created_at, reverse=True)
    if as_json:
        click.echo(json.dumps([as_row(record) for record in records], ensure_ascii=False, indent=2))
    elif not records:
        click.echo(f"No rollout is on record in {world.environment.name}.")
    else:
        for line in as_table(records):
            click.echo(line)
    return Exit.DONE


def outcome(record: Record) -> str:
    """How it ended, or where it is."""
    return _OUTCOMES.get(record.state, f"active, {record.state}")


def reason_of(record: Record) -> str:
    return record.back.cause if record.back is not None else record.reason


def as_row(record: Record) -> dict[str, Any]:
    """A rollout for a program; times are epoch seconds of the rollout's clock."""
    return {
        "rollout": record.rollout_id,
        "environment": record.environment,
        "from": {"slot": record.stable, "version": record.stable_version},
        "to": {"slot": record.candidate, "version": record.version_name, "image": record.image},
        "outcome": outcome(record),
        "state": str(record.state),
        "drill": record.drill,
        "created": record.created_at,
        "finished": record.finished_at,
        "seconds": record.finished_at - record.created_at if record.finished_at is not None else None,
        "reason": reason_of(record),
    }


def as_table(records: Sequence[Record]) -> list[str]:
    """Aligned columns as wide as their widest value; only the reason is cut."""
    rows = [("ROLLOUT", "STARTED", "TOOK", "VERSIONS", "OUTCOME", "REASON")]
    for record in records:
        took = "-" if record.finished_at is None else duration(record.finished_at - record.created_at)
        drill = " (drill)" if record.drill else ""
        reason = reason_of(record)
        short = reason if len(reason) <= _REASON_MAX else reason[: _REASON_MAX - 3] + "..."
        start = moment(record.created_at)
        rows.append((record.rollout_id, start, took, sides(record), outcome(record) + drill, short))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
