"""`rollout rollback`: take traffic back, whoever leads and whatever else is down."""

from __future__ import annotations

import time

import click

from rollout.cli.application import Application, Options, World, command, load_active
from rollout.cli.drive import Patience, drive
from rollout.cli.exits import Exit
from rollout.cli.people import checked_reason, who
from rollout.engine import Tick
from rollout.errors import AccessDenied, BadInput, SourceError
from rollout.plan_file import SLOTS
from rollout.record import TERMINAL_STATES, Record, State
from rollout.seen import OperatorRequest

_ALREADY = frozenset({State.ROLLING_BACK, State.VERIFYING, State.CLEANING, State.SETTLING_BACK})
_TRIES_SECONDS = 60.0
_PAUSE_SECONDS = 1.0


@click.command("rollback")
@click.option("--reason", required=True, help="Why; it is kept in the journal.")
@click.option(
    "--to",
    "slot",
    type=click.Choice(SLOTS),
    help="The side that shall have all customers; needed only when the state table does not answer.",
)
@click.option("--wait-seconds", type=click.FloatRange(min=0.0), help="Leave after so many real seconds.")
@command
def rollback(
    application: Application, options: Options, *, reason: str, slot: str | None, wait_seconds: float | None
) -> int:
    """Take traffic back to the stable side and verify its health.

    Stores the request for the controller that leads, and does the work itself if none does. Ends with 11, or with 12
    when the health could not be verified.
    """
    said = checked_reason(reason)
    world = application.world(options)
    by = who(application.variables)
    try:
        record = _ask(world, slot, reason=said, by=by)
    except SourceError as error:
        return _without_store(world, slot, error)
    click.echo(f"Asked to take {record.rollout_id} back to {record.stable}: {said}", err=True)
    patience = Patience(seconds=wait_seconds, enough=_verified_by_another)
    code = drive(application, options, world=world, patience=patience)
    return Exit.ROLLED_BACK if code == Exit.GATE_FAILED else code


def _ask(world: World, slot: str | None, *, reason: str, by: str) -> Record:
    """Store the request, unless traffic is already on its way back. Raises BadInput when nothing is active."""
    record = load_active(world)
    if record is None or record.state in TERMINAL_STATES:
        hint = "See `rollout history`; release the earlier version with `rollout run --version ...`."
        raise BadInput(f"no rollout is active in {world.environment.name}: there is nothing to take back", hint=hint)
    if slot is not None and slot != record.stable:
        hint = f"Its stable side is {record.stable}; leave --to out."
        raise BadInput(f"{record.rollout_id} cannot go back to {slot}", hint=hint)
    if record.state in _ALREADY:
        return record
    request = OperatorRequest(kind="abort", by=by, reason=reason, at=world.connection.clock.wall())
    return world.connection.store.request(world.key, request)


def _verified_by_another(tick: Tick) -> bool:
    """The customers are back and healthy, and the cleaning is another controller's."""
    back = tick.record.back
    return not tick.leading and back is not None and back.verified_at is not None


def _without_store(world: World, slot: str | None, error: SourceError) -> int:
    """The state table does not answer: the load balancer alone is enough, but then a person has to name the side.

    A live controller finds the candidate's share at 0 and takes that for an abort."""
    if slot is None:
        hint = (
            "Name the side that shall have all customers: `rollout rollback --to blue|green --reason ...`. "
            "Without this program: scripts/emergency-rollback.sh."
        )
        raise BadInput(f"the state table does not say which side is stable: {error.what}", hint=hint) from error
    other = next(name for name in SLOTS if name != slot)
    last = _switch(world, stable=slot, candidate=other)
    if last:
        click.echo(f"NOT rolled back: {last} Use scripts/emergency-rollback.sh now.", err=True)
        return Exit.NOT_VERIFIED
    done = f"All customers are on {slot}, read back from the load balancer. The state table did not answer"
    rest = "the health was NOT verified and nothing is on record; look at the public health, then run this again."
    click.echo(f"{done} ({error.what}): {rest}", err=True)
    return Exit.NOT_VERIFIED


def _switch(world: World, *, stable: str, candidate: str) -> str:
    """Why it did not succeed within a minute; empty when the load balancer was read back."""
    router, deadline = world.connection.router, time.monotonic() + _TRIES_SECONDS
    while True:
        try:
            router.set_share(stable=stable, candidate=candidate, share_percent=0)
            seen = router.read(stable=stable, candidate=candidate)
            last = "" if seen.candidate_share == 0 else seen.error or f"it shows {seen.candidate_share} %"
        except AccessDenied as denied:
            return str(denied)
        except SourceError as failed:
            last = str(failed)
        if not last or time.monotonic() >= deadline:
            return last
        world.connection.clock.wait(_PAUSE_SECONDS)
