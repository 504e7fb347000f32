"""Fixtures for the contract tests of ports; test modules name it in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cloud_world import DIGESTS, CloudWorld, ManualClock, RecordingRunner, make_certificate
from port_world import ADDRESS, Account, clients_of, target_of

from sandbox.account import AccountSpec, account_of, adopt
from sandbox.cloud.plane import CloudPlane


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """The adopted account, green live; shared by a module's tests, which set what they rely on."""
    clock, runner = ManualClock(), RecordingRunner()
    plane = CloudPlane(clock, runner, address=ADDRESS, memory=account_of(DIGESTS, live_version="1.0.0"))
    for version, digest in DIGESTS.items():
        plane.register_image(digest, version)
    cloud = CloudWorld(plane=plane, clock=clock, runner=runner, url=plane.start())
    try:
        certificate, key = make_certificate("api.shop.example")
        spec = AccountSpec(
            images=DIGESTS, certificate=certificate, certificate_key=key, topic_subscriber_url=f"http://{ADDRESS}:9/"
        )
        cloud.outputs = adopt(plane, cloud.url, spec=spec)
        yield Account(cloud=cloud, target=target_of(cloud.outputs, cloud.url), clients=clients_of(cloud.url))
    finally:
        plane.stop()
