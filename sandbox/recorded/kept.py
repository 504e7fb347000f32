"""The recorded account as a control plane's memory: replayed once, then kept on this machine.

A replay takes two seconds, most of it moto's imports and protocol code; reading the memory of one takes a tenth. The
copy lies under build/ and is only a copy: it is taken if it is this user's own file, writable by nobody else, younger
than a day (what the account says of ages should hold) and made of the same recording, code and interpreter. Anything
else is replayed and written anew. Pickled objects run code when they are read, hence the care.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from sandbox.account_names import HEARTBEAT_ALARM, REGION
from sandbox.cloud import memory as memory_module
from sandbox.cloud.plane import CloudPlane
from sandbox.contracts import RunningTask, TaskSpec
from sandbox.errors import SandboxError
from sandbox.recorded.recording import RECORDING, REMEDY, Recording, read_recording
from sandbox.recorded.replay import replay
from sandbox.recorded.requests import FORM, Request
from sandbox.state import CACHE

AGE_SECONDS_MAX = 24 * 3600.0
_CLOUDWATCH_VERSION = "2010-08-01"
_DIGEST_LENGTH = hashlib.sha256().digest_size
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
# Code whose change may change what a replay makes or how it is written.
_CODE = (Path(memory_module.__file__).parent, Path(__file__).parent)


class NoTasks:
    """A replay starts no service's tasks: the scheduler does not run."""

    def start(self, spec: TaskSpec, on_exit: Callable[[str, int], None]) -> RunningTask:
        raise AssertionError(f"a replay starts no task, and {spec.service_name} wanted one")

    def stop(self, task_id: str, grace_seconds: float) -> NoReturn:
        raise AssertionError(f"a replay has no task {task_id}")


class _Today:
    """The time at which a replay happens, from which the account counts its ages."""

    def now(self) -> float:
        return time.time()

    def factor(self) -> float:
        return 1.0

    def virtual_at(self, monotonic_seconds: float) -> float:
        return time.time() - time.monotonic() + monotonic_seconds


@functools.cache
def recorded() -> Recording:
    """The recording of production, read once."""
    return read_recording()


def account_memory(values: Mapping[str, str], *, directory: Path | None = None) -> bytes:
    """The recorded account with these values in the place of its placeholders, for `CloudPlane(memory=...)`.

    moto has to be free: no other control plane in this process. The copy is looked for in `directory` (build/cache).
    Raises SandboxError when there is no usable recording.
    """
    copy = _Copy((directory or CACHE / "accounts") / f"{_key(values)}.memory")
    content = copy.read()
    if content is None:
        content = _replayed(recorded(), values)
        copy.write(content)
    return content


def _replayed(recording: Recording, values: Mapping[str, str]) -> bytes:
    plane = CloudPlane(_Today(), NoTasks(), address="127.0.0.1")
    try:
        replay(recording, plane.application, values)
        _put_to_rest(plane, recording)
        plane.settle()
        return plane.memory()
    finally:
        plane.stop()


def _put_to_rest(plane: CloudPlane, recording: Recording) -> None:
    """An account as old as any, in which nothing goes on.

    No service wants a task: which images are there, and what runs, is for whoever takes the account over. Nobody has
    beaten for ten minutes, and the alarm has said so: its action belongs to the rollout that ended before, not to a
    sandbox's start.
    """
    created = [one for one in recording.requests if (one.service, one.operation) == ("ecs", "CreateService")]
    for one in created:
        update = {"cluster": one.body["cluster"], "service": one.body["serviceName"], "desiredCount": 0}
        headers = {**one.headers, "x-amz-target": one.headers["x-amz-target"].replace(one.operation, "UpdateService")}
        _demand(plane, replace(one, operation="UpdateService", headers=headers, body=update))
    alarm = {"AlarmName": HEARTBEAT_ALARM, "StateValue": "ALARM", "StateReason": "no rollout is active"}
    form = {"Action": "SetAlarmState", "Version": _CLOUDWATCH_VERSION, **alarm}
    _demand(plane, Request(service="monitoring", region=REGION, operation="SetAlarmState", kind=FORM, body=form))


def _demand(plane: CloudPlane, request: Request) -> None:
    status, answer = request.send(plane.application)
    if status != 200:
        raise SandboxError(f"the account cannot be put to rest: {request.operation} {answer[:200]!r}", REMEDY)


def _key(values: Mapping[str, str]) -> str:
    """Of all that decides what is in the copy."""
    digest = hashlib.sha256(json.dumps(dict(sorted(values.items()))).encode())
    for version in (sys.version, *(importlib.metadata.version(name) for name in ("moto", "botocore", "cryptography"))):
        digest.update(version.encode())
    for path in (RECORDING, *(path for folder in _CODE for path in sorted(folder.glob("*.py")))):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:40]


class _Copy:
    """One file: the memory, behind the SHA-256 of the file's name (another copy is not this one, renamed) and of it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes | None:
        """The memory; None where there is none, or one that is not to be trusted."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            if not _is_ours(os.fstat(file.fileno())):
                return None
            content = file.read()
        digest, memory = content[:_DIGEST_LENGTH], content[_DIGEST_LENGTH:]
        return memory if self._digest(memory) == digest else None

    def write(self, memory: bytes) -> None:
        """Put it in place at once, and remove what is too old to be read again."""
        folder = self._path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".new-", delete=False) as file:
            file.write(self._digest(memory) + memory)
        os.replace(file.name, self._path)
        for other in folder.iterdir():
            with suppress(FileNotFoundError):  # another sandbox tidies up at the same time
                if time.time() - other.stat().st_mtime > AGE_SECONDS_MAX:
                    other.unlink()

    def _digest(self, memory: bytes) -> bytes:
        return hashlib.sha256(self._path.name.encode() + memory).digest()


def _is_ours(facts: os.stat_result) -> bool:
    is_young = 0 <= time.time() - facts.st_mtime <= AGE_SECONDS_MAX
    is_private = facts.st_uid == os.geteuid() and not facts.st_mode & _OTHERS_MAY_WRITE
    return stat.S_ISREG(facts.st_mode) and is_private and is_young
