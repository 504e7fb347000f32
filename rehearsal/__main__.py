"""`python -m rehearsal run NAME --output DIR` carries out one; `serve` carries out what scenarios ask for."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import click

from rehearsal.catalogue import NAMES
from rehearsal.planted import NOTHING, read_plant
from rehearsal.run import DEFAULT_FACTOR, rehearse
from rehearsal.schedule import serve
from sandbox.launch import die_with_parent


@click.group()
def main() -> None:
    """Rehearsals and drills of a release."""


@main.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Where the result goes.")
@click.option("--directory", type=click.Path(path_type=Path), help="State of the sandbox that the release runs on.")
@click.option("--factor", default=DEFAULT_FACTOR, show_default=True, help="Virtual seconds per real second.")
@click.option(
    "--plant", type=click.Path(path_type=Path, exists=True), help="Faults to add, as rehearsal/planted.py says."
)
def run(name: str, output: Path, directory: Path | None, factor: float, plant: Path | None) -> None:
    """Carry out one rehearsal. Exit code 0 when it could be carried out, whatever it showed; 1 when it broke."""
    die_with_parent(os.getppid(), signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    planted = read_plant(plant) if plant else NOTHING
    document = rehearse(name, output.resolve(), directory=directory, factor=factor, planted=planted)
    if document.get("error"):
        click.echo(f"{name}: {document['error']}", err=True)
        sys.exit(1)


@main.command("serve")
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Where requests and results lie.")
@click.option("--jobs", default=2, show_default=True, help="Drills at the same time; none beside the release.")
@click.option("--factor", default=DEFAULT_FACTOR, show_default=True, help="Virtual seconds per real second.")
def serve_command(work: Path, jobs: int, factor: float) -> None:
    """Carry out rehearsals as scenarios ask for them, until SIGTERM."""
    die_with_parent(os.getppid(), signal.SIGTERM)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve(work.resolve(), jobs=jobs, factor=factor, stop=stop)


if __name__ == "__main__":
    main()
