"""The fixture of the account's contract tests; test modules name it in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.cloud.plane import CloudPlane
from tests.contract.account.account_world import AccountWorld
from tests.contract.cloud_world import ADDRESS, ManualClock, RecordingRunner


@pytest.fixture
def world() -> Iterator[AccountWorld]:
    """An empty account of the project's own control plane (moto in this process)."""
    clock, runner = ManualClock(), RecordingRunner()
    plane = CloudPlane(clock, runner, address=ADDRESS)
    yield AccountWorld(url=plane.start(), plane=plane, clock=clock)
    plane.stop()
