"""`rollout status`: where the rollout is, in words, and what happens next."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

import click

from rollout.cli.application import Application, Options, World, command, load_active
from rollout.cli.exits import Exit, exit_of
from rollout.cli.outlook import leader, stage_text, what_next, where
from rollout.cli.words import duration, moment, sides
from rollout.codec import plan_from_document
from rollout.errors import SourceError
from rollout.model import Plan
from rollout.record import TERMINAL_STATES, Record

_POLL_SECONDS = 1.0


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--wait", "waits", is_flag=True, help="Wait for the end.")
@click.option("--timeout", type=click.FloatRange(min=0.0), metavar="SECONDS", help="Wait so many real seconds at most.")
@command
def status(application: Application, options: Options, *, as_json: bool, waits: bool, timeout: float | None) -> int:
    """Say where the rollout is and what happens next; needs no controller.

    Ends with the code of the state: 0 done, 6 holding, 10 gate failed, 11 rolled back, 12 rollback not verified, 13
    still running.
    """
    world = application.world(options)
    record = load_active(world)
    if record is None:
        click.echo("{}" if as_json else f"No rollout is on record in {world.environment.name}.")
        return Exit.DONE
    if waits:
        record = _wait(world, record, timeout)
    plan = plan_from_document(world.connection.store.plan(record.rollout_id))
    if as_json:
        click.echo(json.dumps(as_document(record, plan, world.service), ensure_ascii=False, indent=2))
    else:
        for line in in_words(record, plan, world):
            click.echo(line)
    return exit_of(record)


def _wait(world: World, record: Record, timeout: float | None) -> Record:
    """The record at its end, or as it is when the time is over."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while record.state not in TERMINAL_STATES and (deadline is None or time.monotonic() < deadline):
        world.connection.clock.wait(_POLL_SECONDS if deadline is None else min(_POLL_SECONDS, timeout or 0.0))
        record = load_active(world) or record
    return record


def in_words(record: Record, plan: Plan, world: World) -> list[str]:
    """The answer for a person, a line per fact."""
    now = world.connection.clock.wall()
    lines = [
        f"{world.service} {sides(record)}",
        f"Rollout {record.rollout_id} is {record.state}, stage {stage_text(record, plan)}.",
        f"{where(record)}.",
    ]
    if record.finished_at is not None:
        lines.append(f"Ended {moment(record.finished_at)}, {duration(record.finished_at - record.created_at)} in all.")
        return lines
    following = what_next(record, plan)
    lines.append(f"Next: {following}.")
    changed = last_change(world, record)
    ago = f"last change {moment(changed)}, {duration(now - changed)} ago"
    lines.append(f"Leader: {leader(record)}; {ago} (revision {record.revision}.{record.lease_revision}).")
    if record.request is not None:
        lines.append(f"Asked for and not yet answered: {record.request.kind} by {record.request.by}.")
    if not record.owner:
        lines.append("Go on with `rollout run`, or take traffic back with `rollout rollback --reason ...`.")
    return lines


def last_change(world: World, record: Record) -> float:
    """When the journal was last written to; when the state was entered if the journal does not answer."""
    try:
        entries = world.connection.store.journal(record.rollout_id)
    except SourceError:
        return record.entered_at
    return float(entries[-1]["payload"]["time"]) if entries else record.entered_at


def as_document(record: Record, plan: Plan, service: str) -> dict[str, Any]:
    """The answer for a program; times are epoch seconds of the rollout's clock."""
    return {
        "service": service,
        "environment": record.environment,
        "rollout": record.rollout_id,
        "state": str(record.state),
        "stage": record.stage + 1,
        "stages": len(plan.stages),
        "share_wanted": record.share_wanted,
        "share_verified": record.share_verified,
        "from": {"slot": record.stable, "version": record.stable_version},
        "to": {"slot": record.candidate, "version": record.version_name, "image": record.image},
        "drill": record.drill,
        "owner": record.owner,
        "created": record.created_at,
        "entered": record.entered_at,
        "finished": record.finished_at,
        "hold": dataclasses.asdict(record.hold) if record.hold else None,
        "back": dataclasses.asdict(record.back) if record.back else None,
        "reason": record.reason,
        "where": where(record),
        "next": what_next(record, plan),
        "exit_code": int(exit_of(record)),
    }
