"""Fixtures for contract tests of the control plane; test modules name it in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cloud_world import ADDRESS, DIGESTS, CloudWorld, ManualClock, RecordingRunner, make_certificate

from sandbox.account import AccountSpec, seed
from sandbox.cloud.plane import CloudPlane


def _start() -> CloudWorld:
    clock, runner = ManualClock(), RecordingRunner()
    plane = CloudPlane(clock, runner, address=ADDRESS)
    for version, digest in DIGESTS.items():
        plane.register_image(digest, version)
    world = CloudWorld(plane=plane, clock=clock, runner=runner, url=plane.start())
    plane.on_change(world.changes.append)
    return world


@pytest.fixture
def cloud() -> Iterator[CloudWorld]:
    """An empty account."""
    world = _start()
    yield world
    world.plane.stop()


@pytest.fixture
def shop() -> Iterator[CloudWorld]:
    """The seeded account, green live; its tasks are not healthy until a test says so."""
    yield from _seeded()


@pytest.fixture(scope="module")
def shared_shop() -> Iterator[CloudWorld]:
    """The same, once for a module whose tests do not disturb each other (one plane per process: use no other there)."""
    yield from _seeded()


def _seeded() -> Iterator[CloudWorld]:
    world = _start()
    certificate, key = make_certificate("api.shop.example")
    spec = AccountSpec(
        images=DIGESTS,
        certificate=certificate,
        certificate_key=key,
        topic_subscriber_url=f"http://{ADDRESS}:9/",
    )
    world.outputs = seed(world.url, spec=spec)
    world.plane.settle()
    yield world
    world.plane.stop()
