"""What all commands share: their common options, and the way from those to a connected environment."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

import click

from rollout.engine import Engine, Ports, Tick
from rollout.model import Plan
from rollout.outputs_file import Outputs, read_outputs
from rollout.plan_file import read_release_file
from rollout.ports import Clock, Store, TrafficRouter
from rollout.record import Record
from rollout.settings import Environment, ReleaseFile
from rollout.target import Target


class Connection(Protocol):
    """What `rollout.compose.connect` answers."""

    @property
    def target(self) -> Target: ...

    @property
    def ports(self) -> Ports: ...

    @property
    def store(self) -> Store: ...

    @property
    def router(self) -> TrafficRouter: ...

    @property
    def clock(self) -> Clock: ...

    def engine(self, observer: Callable[[Tick], None] = ...) -> Engine: ...

    def submit(self, plan: Plan, *, image: str, version: str, confirm: bool = ..., drill: bool = ...) -> Record: ...


def _connect(target: Target) -> Connection:
    from rollout.compose import connect  # a command that only reads files does not pay for the cloud's client

    return connect(target)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options that every command takes."""

    environment: str | None
    release_file: Path
    outputs: Path | None
    log_format: str


@dataclass(frozen=True, kw_only=True)
class World:
    """A release file, one of its environments, and a connection to it."""

    file: ReleaseFile
    environment: Environment
    outputs: Outputs
    connection: Connection

    @property
    def key(self) -> str:
        return self.outputs.target.key

    @property
    def service(self) -> str:
        return self.file.release.service


@dataclass(frozen=True, kw_only=True)
class Application:
    """What the commands need of the outside; tests hand in another `connect`."""

    connect: Callable[[Target], Connection] = _connect
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def file(self, options: Options) -> tuple[ReleaseFile, Environment]:
        """Raises BadInput for a wrong file or environment."""
        file = read_release_file(options.release_file)
        return file, file.environment(options.environment, self.variables)

    def world(self, options: Options) -> World:
        """Raises BadInput as `file` and `read_outputs` do; asks nothing of the account yet."""
        file, environment = self.file(options)
        outputs = read_outputs(options.outputs or environment.outputs, environment=environment.name)
        return World(file=file, environment=environment, outputs=outputs, connection=self.connect(outputs.target))


_COMMON = (
    click.option("--environment", metavar="NAME", help="Environment of the release file (default: sandbox)."),
    click.option(
        "--release-file",
        type=click.Path(path_type=Path),
        default=Path("release.toml"),
        help="What is released, and how (default: release.toml).",
    ),
    click.option("--outputs", type=click.Path(path_type=Path), help="Outputs file to use instead of the declared one."),
    click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        help="Sentences for people, or one JSON object per event.",
    ),
)


def command(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the common options, collected in one argument after the application."""

    @functools.wraps(function)
    def called(**values: Any) -> int:
        common = {one.name: values.pop(one.name) for one in fields(Options)}
        application = click.get_current_context().ensure_object(Application)
        return function(application, Options(**common), **values)

    wrapped: Callable[..., int] = called
    for option in reversed(_COMMON):
        wrapped = option(wrapped)
    return wrapped


def load_active(world: World) -> Record | None:
    """The record of this environment, ended or not; None where nothing was ever released."""
    return world.connection.store.load(world.key)
