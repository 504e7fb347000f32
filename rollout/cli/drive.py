"""Drives the active rollout of an environment from this process, until it ends or somebody wants to leave."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import click

from rollout.cli.application import Application, Options, World
from rollout.cli.exits import Exit, exit_of
from rollout.cli.interrupts import stop_on_signals
from rollout.cli.outlook import what_next, where
from rollout.cli.screen import progress
from rollout.engine import Tick
from rollout.errors import SourceError
from rollout.model import Plan
from rollout.record import TERMINAL_STATES, Record, State


def _never(tick: Tick) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Patience:
    """When to leave although the rollout goes on. `seconds` are real; None: as long as it takes."""

    seconds: float | None = None
    enough: Callable[[Tick], bool] = field(default=_never)


@dataclass
class _Until:
    patience: Patience
    started: float = field(default_factory=time.monotonic)
    alarmed: float | None = None
    plan: Plan | None = None

    def __call__(self, tick: Tick) -> bool:
        self.plan = tick.plan
        spent = time.monotonic() - self.started
        late = self.patience.seconds is not None and spent >= self.patience.seconds
        return late or self._hopeless(tick) or self.patience.enough(tick)

    def _hopeless(self, tick: Tick) -> bool:
        """The rollback was not verified in its time, and not in the same time again: people have to know now."""
        back = tick.record.back
        if back is None or not back.escalated or tick.record.state is not State.VERIFYING:
            self.alarmed = None
            return False
        if self.alarmed is None:
            self.alarmed = tick.now.monotonic
        return tick.now.monotonic - self.alarmed >= tick.plan.rollback_seconds_max


def drive(application: Application, options: Options, *, world: World, patience: Patience) -> int:
    """Run the engine on what is active; says at the end where it stands. Answers the exit code."""
    until = _Until(patience)
    with stop_on_signals() as stop:
        try:
            with progress(
                sys.stdout, application.variables, service=world.service, log_format=options.log_format
            ) as tell:
                record = world.connection.engine(tell).run(world.key, until=until, stop=stop)
        except KeyboardInterrupt:
            click.echo("Stopped at once; the lease lapses by itself. " + _ways_on(options), err=True)
            return Exit.RUNNING
        except SourceError as error:
            click.echo(f"Not decidable: {error} The rollout stays as it is. {_ways_on(options)}", err=True)
            return Exit.HOLDING
        interrupted = stop.is_set()
    return leave(record, until.plan, options, interrupted=interrupted)


def leave(record: Record, plan: Plan | None, options: Options, *, interrupted: bool) -> int:
    """Say where the rollout stands and which commands go on; an interrupted command says 13 whatever the state."""
    if record.state in TERMINAL_STATES:
        click.echo(f"{where(record)}.", err=True)
        return exit_of(record)
    following = f"; next: {what_next(record, plan)}" if plan is not None else ""
    head = "Interrupted; " if interrupted else ""
    click.echo(f"{head}{record.rollout_id} is {record.state}. {where(record)}{following}.", err=True)
    click.echo(_ways_on(options), err=True)
    return Exit.RUNNING if interrupted else exit_of(record)


def _ways_on(options: Options) -> str:
    named = f" --environment {options.environment}" if options.environment else ""
    return (
        f"Go on with `rollout run{named}`, take traffic back with `rollout rollback{named} --reason ...`, "
        f"look with `rollout status{named}`."
    )
