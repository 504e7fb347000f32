"""`rollout run`: submit a release and drive it to its end."""

from __future__ import annotations

import click

from rollout.cli.application import Application, Options, World, command, load_active
from rollout.cli.drive import Patience, drive
from rollout.errors import BadInput
from rollout.plan_file import demand_clean, lint
from rollout.record import TERMINAL_STATES


@click.command("run")
@click.option("--image", default="", metavar="DIGEST", help="Image to release, by digest.")
@click.option("--version", default="", metavar="NAME", help="Version to release, as the outputs list it.")
@click.option("--hold-before-traffic", is_flag=True, help="Wait for `rollout confirm` before the first customer moves.")
@click.option("--drill", is_flag=True, help="Mark this rollout as a drill: it does not count in the success rate.")
@click.option(
    "--wait-seconds", type=click.FloatRange(min=0.0), help="Leave after so many real seconds; the rollout stays."
)
@command
def run(
    application: Application,
    options: Options,
    *,
    image: str,
    version: str,
    hold_before_traffic: bool,
    drill: bool,
    wait_seconds: float | None,
) -> int:
    """Submit a release and drive it to its end.

    The same submission twice is one rollout: the second one attaches. Ctrl-C leaves it where it is.
    """
    world = application.world(options)
    stickiness = world.environment.session_stickiness_seconds
    demand_clean(lint(world.file.plan, session_stickiness_seconds=stickiness), world.file.path)
    if drill and not world.environment.drills:
        hint = "Drills run where the release file says drills = true."
        raise BadInput(f"environment {world.environment.name} takes no drills", hint=hint)
    name, digest = chosen(world, image=image, version=version)
    before = load_active(world)
    record = world.connection.submit(
        world.file.plan, image=digest, version=name, confirm=hold_before_traffic, drill=drill
    )
    known = before is not None and before.rollout_id == record.rollout_id and before.state not in TERMINAL_STATES
    say = f"Attached to {record.rollout_id}, {record.state}." if known else f"Submitted {record.rollout_id}."
    click.echo(say, err=True)
    return drive(application, options, world=world, patience=Patience(seconds=wait_seconds))


def chosen(world: World, *, image: str, version: str) -> tuple[str, str]:
    """(version name, image by digest) from the options, else from the release file. Raises BadInput."""
    release = world.file.release
    if not image and not version:
        image, version = release.image, release.version
    digest = world.outputs.image(image=image, version=version)
    if version:
        return version, digest
    listed = {world.outputs.image(image=known, version=name): name for name, known in world.outputs.images.items()}
    declared = release.image and world.outputs.image(image=release.image, version="") == digest
    return listed.get(digest) or (release.version if declared else digest.rpartition(":")[2][:12]), digest
