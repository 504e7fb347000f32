"""`rollout extend`: give a hold more time before it is rolled back."""

from __future__ import annotations

import click

from rollout.cli.application import Application, Options, command
from rollout.cli.ask import Wish, ask
from rollout.record import State


@click.command("extend")
@click.option("--seconds", type=click.FloatRange(min=1, max=3600), required=True, help="How much longer it may hold.")
@click.option("--reason", required=True, help="Why; it is kept in the journal.")
@command
def extend(application: Application, options: Options, *, seconds: float, reason: str) -> int:
    """Give a hold more time; without an answer it is rolled back then."""
    return ask(application, options, Wish(kind="extend", reason=reason, allowed=(State.HOLDING,), seconds=seconds))
