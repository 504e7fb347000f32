"""`rollout resume`: end a hold and bake again."""

from __future__ import annotations

import click

from rollout.cli.application import Application, Options, command
from rollout.cli.ask import Wish, ask
from rollout.record import State


@click.command("resume")
@click.option("--reason", required=True, help="Why; it is kept in the journal.")
@command
def resume(application: Application, options: Options, *, reason: str) -> int:
    """End a hold; the stage bakes anew before it can grow."""
    return ask(application, options, Wish(kind="resume", reason=reason, allowed=(State.HOLDING,)))
