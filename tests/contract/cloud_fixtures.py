"""Fixtures for contract tests of the control plane; test modules name it in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cloud_world import ADDRESS, DIGESTS, CloudWorld, ManualClock, RecordingRunner, make_certificate

from sandbox.account import AccountSpec, account_of, adopt
from sandbox.cloud.plane import CloudPlane


def _start(memory: bytes | None = None) -> CloudWorld:
    clock, runner = ManualClock(), RecordingRunner()
    plane = CloudPlane(clock, runner, address=ADDRESS, memory=memory)
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
    """The adopted account, green live; its tasks are not healthy until a test says so."""
    yield from _adopted()


@pytest.fixture(scope="module")
def shared_shop() -> Iterator[CloudWorld]:
    """The same, once for a module whose tests do not disturb each other (one plane per process: use no other there)."""
    yield from _adopted()


def _adopted() -> Iterator[CloudWorld]:
    world = _start(account_of(DIGESTS, live_version="1.0.0"))
    certificate, key = make_certificate("api.shop.example")
    spec = AccountSpec(
        images=DIGESTS,
        certificate=certificate,
        certificate_key=key,
        topic_subscriber_url=f"http://{ADDRESS}:9/",
    )
    world.outputs = adopt(world.plane, world.url, spec=spec)
    yield world
    world.plane.stop()
