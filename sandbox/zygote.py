"""Forks one process per service task on command; preloads the service once so that a task starts in milliseconds.

Speaks JSON lines over the socket whose descriptor is its argument.
In: {"start": TASK_ID, "settings": {...}}, {"stop": TASK_ID, "grace_seconds": S} and
{"migrate": JOB_ID, "version": V, "database_url": U}. Out, once at the start: {"ready": true}; then
{"started": TASK_ID, "pid": P}, {"port": N, "task": TASK_ID} and {"exited": TASK_ID, "code": C}, where the code of a
killed task is 128 + signal.

It has one thread, so forking is safe; it and its tasks end with the supervisor (`sandbox.launch`).
"""

from __future__ import annotations

import functools
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.launch import die_with_parent, end_with
from sandbox.service import migrate
from sandbox.service import task as service_task

_IDLE_SECONDS = 0.5


@dataclass
class _Task:
    pid: int
    port_pipe: int
    kill_at_monotonic: float | None = None


class Zygote:
    """The command loop."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._tasks: dict[str, _Task] = {}
        self._buffer = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ, None)
        wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wake_read = wake_read
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        self._selector.register(wake_read, selectors.EVENT_READ, None)

    def serve(self) -> None:
        """Work until the supervisor closes its end."""
        self._send({"ready": True})
        while True:
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj is self._connection:
                    if not self._read_commands():
                        return
                elif key.fileobj == self._wake_read:
                    os.read(self._wake_read, 4096)
                else:
                    self._read_port(key.data)
            self._reap()
            self._kill_overdue()

    def _patience(self) -> float:
        deadlines = [task.kill_at_monotonic for task in self._tasks.values() if task.kill_at_monotonic is not None]
        return max(0.0, min([_IDLE_SECONDS, *(deadline - time.monotonic() for deadline in deadlines)]))

    def _read_commands(self) -> bool:
        chunk = self._connection.recv(65536)
        if not chunk:
            return False
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        for line in lines:
            command = json.loads(line)
            if "start" in command:
                self._fork(command["start"], functools.partial(_run_task, command["settings"]))
            elif "migrate" in command:
                job = functools.partial(_run_migration, command["database_url"], command["version"])
                self._fork(command["migrate"], job)
            else:
                self._stop(command["stop"], float(command["grace_seconds"]))
        return True

    def _fork(self, task_id: str, work: Callable[[int], int]) -> None:
        port_read, port_write = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            end_with(lambda: self._become(parent, lambda: work(port_write), port_read))
        os.close(port_write)
        self._tasks[task_id] = _Task(pid, port_read)
        self._selector.register(port_read, selectors.EVENT_READ, task_id)
        self._send({"started": task_id, "pid": pid})

    def _become(self, parent: int, work: Callable[[], int], port_read: int) -> int:
        """The child's life; its exit code."""
        die_with_parent(parent, signal.SIGKILL)
        self._let_go(port_read)
        return work()

    def _let_go(self, port_read: int) -> None:
        """Close what belongs to the zygote alone."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        self._connection.close()
        pipes = [task.port_pipe for task in self._tasks.values() if task.port_pipe >= 0]
        for descriptor in (port_read, self._wake_read, self._wake_write, *pipes):
            os.close(descriptor)

    def _stop(self, task_id: str, grace_seconds: float) -> None:
        task = self._tasks.get(task_id)
        if task is not None:
            os.kill(task.pid, signal.SIGTERM)
            task.kill_at_monotonic = time.monotonic() + grace_seconds

    def _kill_overdue(self) -> None:
        for task in self._tasks.values():
            if task.kill_at_monotonic is not None and time.monotonic() >= task.kill_at_monotonic:
                os.kill(task.pid, signal.SIGKILL)
                task.kill_at_monotonic = None

    def _read_port(self, task_id: str) -> None:
        task = self._tasks[task_id]
        text = os.read(task.port_pipe, 64)
        if text:
            self._send({"port": int(text), "task": task_id})
        self._close_pipe(task)

    def _close_pipe(self, task: _Task) -> None:
        if task.port_pipe >= 0:
            self._selector.unregister(task.port_pipe)
            os.close(task.port_pipe)
            task.port_pipe = -1

    def _reap(self) -> None:
        for task_id, task in list(self._tasks.items()):
            pid, status = os.waitpid(task.pid, os.WNOHANG)
            if pid:
                self._close_pipe(task)
                del self._tasks[task_id]
                code = os.waitstatus_to_exitcode(status)
                self._send({"exited": task_id, "code": code if code >= 0 else 128 - code})

    def _send(self, message: dict[str, Any]) -> None:
        self._connection.sendall(json.dumps(message).encode() + b"\n")


def _run_task(settings: dict[str, Any], port_write: int) -> int:
    service_task.run({**settings, "port_report_fd": port_write})
    return 0


def _run_migration(database_url: str, version: str, port_write: int) -> int:
    os.close(port_write)
    os.environ["DATABASE_URL"] = database_url
    return migrate.main(["up", "--version", version])


def main() -> None:
    """`python -m sandbox.zygote DESCRIPTOR`."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    service_task.preload()
    Zygote(connection).serve()


if __name__ == "__main__":
    main()
