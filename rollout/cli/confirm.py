"""`rollout confirm`: let the first customers move."""

from __future__ import annotations

import click

from rollout.cli.application import Application, Options, command
from rollout.cli.ask import Wish, ask
from rollout.record import State


@click.command("confirm")
@click.option("--reason", default="confirmed", show_default=True, help="Why; it is kept in the journal.")
@command
def confirm(application: Application, options: Options, *, reason: str) -> int:
    """Confirm a rollout that was submitted with --hold-before-traffic."""
    return ask(application, options, Wish(kind="confirm", reason=reason, allowed=(State.PREPARING, State.READY)))
