"""An empty emulated account for the drill and for the recording, and what is pushed to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from sandbox.addresses import claim_addresses
from sandbox.clock import ClockWriter
from sandbox.cloud.plane import CloudPlane, Front
from sandbox.cloud.world import REGION
from sandbox.contracts import RunningTask, TaskSpec

_VERSION = "0.0.0"


class RepositoryMissing(Exception):
    """There is nowhere to push an image to; the message names it."""


class _Entries:
    """Tasks that are entries: a drill is about what stands around them. Each has an address, where nobody listens."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._ended: dict[str, Callable[[str, int], None]] = {}
        self._ports = itertools.count(20_000)

    def start(self, spec: TaskSpec, on_exit: Callable[[str, int], None]) -> RunningTask:
        self._ended[spec.task_id] = on_exit
        return RunningTask(spec=spec, process_id=0, ip=self._address, port=next(self._ports))

    def stop(self, task_id: str, grace_seconds: float) -> None:
        self._ended.pop(task_id)(task_id, 0)


@dataclass(frozen=True, kw_only=True)
class EmulatedAccount:
    """Its control plane, and where it is asked."""

    plane: CloudPlane
    endpoint_url: str

    def push(self, digests: Mapping[str, str]) -> str:
        """Images by repository, as a pipeline pushes them. Raises RepositoryMissing."""
        ecr = session().client("ecr", region_name=REGION, endpoint_url=self.endpoint_url)
        there = {row["repositoryName"] for row in ecr.describe_repositories()["repositories"]}
        missing = sorted(set(digests) - there)
        if missing:
            raise RepositoryMissing(f"there is no repository {', '.join(missing)} to push to")
        for repository, digest in digests.items():
            self.plane.register_image(digest, _VERSION, repository=repository)
        return f"pushed to {', '.join(sorted(digests))}"


def session() -> boto3.Session:
    """Who asks an emulated account: it believes any key."""
    return boto3.Session(aws_access_key_id="drill", aws_secret_access_key="drill")


@contextmanager
def emulated_account(scratch: Path, front: Front | None = None) -> Iterator[EmulatedAccount]:
    """An empty one at real time on a loopback address of its own, behind `front` if given."""
    addresses = claim_addresses()
    clock = ClockWriter(scratch / "clock", factor=1.0)
    plane = CloudPlane(clock, _Entries(addresses.internal), address=addresses.internal)
    try:
        yield EmulatedAccount(plane=plane, endpoint_url=plane.start(front))
    finally:
        plane.stop()
        addresses.release()
