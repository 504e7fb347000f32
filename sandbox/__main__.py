"""`python -m sandbox up | status | fault | clear | down`: the embedded environment by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from sandbox.client import Sandbox
from sandbox.errors import SandboxError
from sandbox.faults import CATALOGUE, read_assignments
from sandbox.processes import is_running, wait_until
from sandbox.state import BYTE_CODE, DEFAULT_NAME, REPOSITORY, StateDirectory, default_directory

P = ParamSpec("P")
R = TypeVar("R")

EXIT_USAGE = 2
_READY = "READY"
_END_SECONDS = 20.0


def _errors_for_people(command: Callable[P, R]) -> Callable[P, R]:
    """A SandboxError becomes two lines and exit code 2."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SandboxError as error:
            click.echo(f"error: {error.message}", err=True)
            if error.remedy:
                click.echo(f"       {error.remedy}", err=True)
            sys.exit(EXIT_USAGE)

    return wrapped


def _place(command: Callable[P, R]) -> Callable[P, R]:
    """--name and --directory, for every command."""
    name = click.option("--name", default=DEFAULT_NAME, show_default=True, help="Which sandbox.")
    directory = click.option("--directory", type=click.Path(path_type=Path), help="State directory, instead of --name.")
    return name(directory(command))


def _root(name: str, directory: Path | None) -> Path:
    if not name.replace("-", "").replace("_", "").isalnum():
        raise SandboxError(f"{name!r} is no name", "Use letters, digits, - and _")
    return (directory or default_directory(name)).resolve()


@click.group()
def main() -> None:
    """The embedded environment: a load balancer, an account, a database, a cache and two versions of a service."""


@main.command()
@_place
@click.option("--live", type=click.Choice(["green", "blue"]), default="green", show_default=True)
@click.option("--detach", is_flag=True, help="Return when it is up; it runs until `down`.")
@_errors_for_people
def up(*, name: str, directory: Path | None, live: str, detach: bool) -> None:
    """Start a sandbox; in the foreground until Ctrl-C, or detached."""
    root = _root(name, directory)
    if detach:
        _start_detached(root, name, live)
    else:
        _serve(root, name, live=live, factor=1.0, lifeline=-1)
        return
    sandbox = Sandbox.attach(root)
    click.echo(f"outputs: {sandbox.outputs_path}")


@main.command(hidden=True)
@_place
@click.option("--live", type=click.Choice(["green", "blue"]), default="green")
@click.option("--factor", type=float, default=1.0)
@click.option("--lifeline", type=int, default=-1, help="Descriptor; the sandbox ends when its other end is closed.")
@_errors_for_people
def serve(*, name: str, directory: Path | None, live: str, factor: float, lifeline: int) -> None:
    """Be the supervisor (internal)."""
    _serve(_root(name, directory), name, live=live, factor=factor, lifeline=lifeline)


def _serve(root: Path, name: str, *, live: str, factor: float, lifeline: int) -> None:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(BYTE_CODE)
    # Imported late: the other commands start in a tenth of a second without it.
    from sandbox.supervisor import Options, serve_until_stopped

    options = Options(root=root, name=name, live=live, factor=factor, lifeline=lifeline)
    serve_until_stopped(options, _say)


def _say(line: str) -> None:
    """Progress; whoever started us may have gone, which is no reason to stop."""
    try:
        click.echo(line)
    except OSError:
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115 - stays open for the rest of the process


def _start_detached(root: Path, name: str, live: str) -> None:
    options = ["--directory", str(root), "--name", name, "--live", live]
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "serve", *options],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    if process.stdout is None:
        raise SandboxError("the supervisor's output is not readable")
    for line in process.stdout:
        click.echo(line, nl=False)
        if line.startswith(_READY):
            return
    process.wait()
    sys.exit(process.returncode or 1)


@main.command()
@_place
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@_errors_for_people
def status(*, name: str, directory: Path | None, as_json: bool) -> None:
    """What runs, which version serves whom, which faults are planted."""
    found = Sandbox.attach(_root(name, directory)).status()
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for line in overview(found):
        click.echo(line)


def overview(found: dict[str, object]) -> list[str]:
    """The status for people."""
    from sandbox.overview import lines

    return lines(found)


@main.command()
@_place
@click.argument("slot", type=click.Choice(list(CATALOGUE)))
@click.argument("assignments", nargs=-1, required=True, metavar="NAME=VALUE...")
@_errors_for_people
def fault(*, name: str, directory: Path | None, slot: str, assignments: tuple[str, ...]) -> None:
    """Plant faults in SLOT, for example `fault blue error_rate=0.1 latency_ms=300`."""
    values = read_assignments(slot, assignments)
    Sandbox.attach(_root(name, directory)).fault(slot, **values)
    click.echo(f"{slot}: " + ", ".join(f"{key}={value}" for key, value in values.items()))


@main.command()
@_place
@_errors_for_people
def clear(name: str, directory: Path | None) -> None:
    """Remove every fault."""
    Sandbox.attach(_root(name, directory)).clear()
    click.echo("no fault is planted")


@main.command()
@_place
@_errors_for_people
def down(name: str, directory: Path | None) -> None:
    """End a sandbox; returns when every process of it is gone."""
    root = _root(name, directory)
    sandbox = Sandbox.attach(root)
    sandbox.down()
    StateDirectory(root).wait_released()
    supervisor = int(sandbox.description["pid"])
    wait_until(lambda: not is_running(supervisor), _END_SECONDS, "the end of the supervisor")
    click.echo("down")


if __name__ == "__main__":
    main()
