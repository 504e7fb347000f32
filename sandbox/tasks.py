"""Starts and stops the processes behind ECS tasks, through the zygote (`sandbox.zygote`)."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.contracts import RunningTask, TaskSpec
from sandbox.errors import SandboxError
from sandbox.processes import Child, Command, Spawner
from sandbox.state import BYTE_CODE, REPOSITORY

_START_SECONDS = 20.0
_READY_SECONDS = 30.0
_MIGRATE_SECONDS = 60.0

_ENVIRONMENT = {
    "PYTHONPATH": str(REPOSITORY),
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(BYTE_CODE),
}

SettingsOf = Callable[[TaskSpec], Mapping[str, Any]]


@dataclass
class _Entry:
    spec: TaskSpec
    on_exit: Callable[[str, int], None]
    pid: int = 0
    port: Future[int] = field(default_factory=Future)


class ServiceTasks:
    """Satisfies `sandbox.contracts.TaskRunner`; thread-safe. `settings_of` gives what one task is told."""

    def __init__(self, spawner: Spawner, *, address: str, log_file: Path, settings_of: SettingsOf) -> None:
        self._address = address
        self._settings_of = settings_of
        self._entries: dict[str, _Entry] = {}
        self._jobs: dict[str, Future[int]] = {}
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._connection, theirs = socket.socketpair()
        with theirs:
            self.child: Child = spawner.start(
                Command(
                    name="zygote",
                    arguments=[sys.executable, "-m", "sandbox.zygote", str(theirs.fileno())],
                    log_file=log_file,
                    environment=_ENVIRONMENT,
                    pass_fds=(theirs.fileno(),),
                )
            )
        self._reader = threading.Thread(target=self._read, name="tasks", daemon=True)
        self._reader.start()

    def wait_ready(self) -> None:
        """Returns when the service is preloaded. Raises SandboxError with the zygote's log."""
        if not self._ready.wait(_READY_SECONDS):
            raise SandboxError("the service did not load within 30 s", f"Its log is {self.child.log_file}")
        self.child.require_alive()

    def start(self, spec: TaskSpec, on_exit: Callable[[str, int], None]) -> RunningTask:
        """Fork the task; returns when its port is known. Raises SandboxError if it ends or stays silent for 20 s.

        A task that ends before it has a port is reported to `on_exit` all the same."""
        entry = _Entry(spec, on_exit)
        with self._lock:
            self._entries[spec.task_id] = entry
        self._send({"start": spec.task_id, "settings": dict(self._settings_of(spec))})
        try:
            port = entry.port.result(_START_SECONDS)
        except TimeoutError as error:
            self.stop(spec.task_id, 0.0)
            raise SandboxError(f"task {spec.task_id} of {spec.service_name} opened no port within 20 s") from error
        return RunningTask(spec=spec, process_id=entry.pid, ip=self._address, port=port)

    def stop(self, task_id: str, grace_seconds: float) -> None:
        """SIGTERM now, SIGKILL after the grace; returns at once. Harmless for a task that has ended."""
        self._send({"stop": task_id, "grace_seconds": grace_seconds})

    def migrate(self, database_url: str, version: str) -> None:
        """Apply the migrations that a version needs. Raises SandboxError with the log's end when that fails."""
        finished: Future[int] = Future()
        job = f"migrate-{secrets.token_hex(4)}"
        with self._lock:
            self._jobs[job] = finished
        self._send({"migrate": job, "database_url": database_url, "version": version})
        if finished.result(_MIGRATE_SECONDS) != 0:
            raise SandboxError(f"the migrations of {version} failed: {self.child.log_tail()}")

    def running(self) -> list[RunningTask]:
        """Tasks that have a port and have not ended."""
        with self._lock:
            entries = list(self._entries.values())
        return [
            RunningTask(spec=entry.spec, process_id=entry.pid, ip=self._address, port=entry.port.result())
            for entry in entries
            if entry.port.done() and entry.port.exception() is None
        ]

    def close(self) -> None:
        """End the zygote and with it every task."""
        self._connection.close()
        self.child.stop()

    def _send(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._lock:
                self._connection.sendall(line)
        except OSError as error:
            raise SandboxError(f"the zygote cannot be reached: {error}", self.child.log_tail()) from error

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed by `close`, or the zygote died in mid-line
            for line in self._connection.makefile("rb"):
                self._take(json.loads(line))
        self._ready.set()  # whoever waits finds the zygote dead

    def _take(self, message: Mapping[str, Any]) -> None:
        if "ready" in message:
            self._ready.set()
        elif message.get("exited") in self._jobs:
            self._jobs.pop(message["exited"]).set_result(message["code"])
        elif message.get("started") in self._entries:
            self._entries[message["started"]].pid = message["pid"]
        elif "port" in message:
            self._entries[message["task"]].port.set_result(message["port"])
        elif "exited" in message:
            self._ended(message["exited"], message["code"])

    def _ended(self, task_id: str, code: int) -> None:
        with self._lock:
            entry = self._entries.pop(task_id)
        if not entry.port.done():
            name = entry.spec.service_name
            entry.port.set_exception(SandboxError(f"a task of {name} ended with code {code} before it had a port"))
        # In a thread of its own: the control plane may start the next task from here, which waits for this reader.
        threading.Thread(target=entry.on_exit, args=(task_id, code), name="task-exit", daemon=True).start()
