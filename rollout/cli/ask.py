"""Stores what a person asks of the active rollout; the controller that leads answers it at its next tick."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import click

from rollout.cli.application import Application, Options, load_active
from rollout.cli.exits import Exit
from rollout.cli.people import checked_reason, who
from rollout.errors import BadInput
from rollout.record import TERMINAL_STATES, State
from rollout.seen import OperatorRequest


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked: its kind (pause, resume, extend, confirm), why, and in which states it can be answered."""

    kind: str
    reason: str
    allowed: Collection[State]
    seconds: float = 0.0


def ask(application: Application, options: Options, wish: Wish) -> int:
    """Raises BadInput when nothing is active, or when the rollout is in a state that cannot answer."""
    said, kind = checked_reason(wish.reason), wish.kind
    world = application.world(options)
    record = load_active(world)
    if record is None or record.state in TERMINAL_STATES:
        raise BadInput(f"no rollout is active in {world.environment.name}", hint="Start one with `rollout run`.")
    if record.state not in wish.allowed:
        listed = ", ".join(sorted(wish.allowed))
        hint = f"It answers `{kind}` in {listed}; see `rollout status`."
        raise BadInput(f"{record.rollout_id} is {record.state}", hint=hint)
    request = OperatorRequest(
        kind=kind, by=who(application.variables), reason=said, at=world.connection.clock.wall(), seconds=wish.seconds
    )
    world.connection.store.request(world.key, request)
    leads = f"{record.owner} answers it at its next tick" if record.owner else "nobody leads: `rollout run` answers it"
    click.echo(f"Asked {record.rollout_id} to {kind}: {said}; {leads}.")
    return Exit.DONE
