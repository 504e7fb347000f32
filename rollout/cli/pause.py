"""`rollout pause`: hold the rollout where it is."""

from __future__ import annotations

import click

from rollout.cli.application import Application, Options, command
from rollout.cli.ask import Wish, ask
from rollout.record import State

_STATES = (State.SHIFTING, State.BAKING, State.STABILIZING)


@click.command("pause")
@click.option("--reason", required=True, help="Why; it is kept in the journal.")
@command
def pause(application: Application, options: Options, *, reason: str) -> int:
    """Hold the rollout at its present share; the triggers stay armed.

    A hold ends: after plan.hold_seconds_max it is rolled back unless somebody resumes or extends it.
    """
    return ask(application, options, Wish(kind="pause", reason=reason, allowed=_STATES))
