"""Fixtures of the service's own tests. One world (database, cache, dependency) serves the whole run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.service import migrate
from sandbox.service.tests.inside import InProcess
from sandbox.service.tests.support import RunningTask, World, world


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Database migrated for both versions, cache, dependency."""
    directory = tmp_path_factory.mktemp("shop")
    _open_to_the_database_user(directory)
    with world(directory) as made:
        asyncio.run(migrate.up(made.database.url))
        yield made


@pytest.fixture(scope="session")
def application(shop: World) -> Iterator[InProcess]:
    """The application of version 1.0.0 in this process, slot blue; made once, because that takes time."""
    with InProcess(shop, "blue") as made:
        yield made


@pytest.fixture
def inside(application: InProcess) -> Iterator[InProcess]:
    """That application, its dials at rest again afterwards."""
    yield application
    application.turn()


@pytest.fixture(scope="session")
def tasks(shop: World) -> dict[str, RunningTask]:
    """A real task of each slot: green runs 1.0.0, blue 1.1.0."""
    return {"green": shop.task("green"), "blue": shop.task("blue", version="1.1.0")}


@pytest.fixture
def task(tasks: dict[str, RunningTask]) -> Iterator[RunningTask]:
    """The blue task, its dials at rest again afterwards."""
    yield tasks["blue"]
    tasks["blue"].turn()
    tasks["blue"].wait_for_rest()


def _open_to_the_database_user(directory: Path) -> None:
    # Root's database runs as another user, which must be able to enter the test's directory.
    for part in (directory, directory.parent, directory.parent.parent):
        part.chmod(part.stat().st_mode | 0o011)
