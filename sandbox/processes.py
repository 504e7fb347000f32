"""Starting, watching and stopping the sandbox's children; waiting for conditions with a deadline.

No child outlives the supervisor, however that ends: each asks the kernel for a signal on its parent's death
(`sandbox.launch`). That tie is to the *thread* that started the child, so one thread starts them all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sandbox.errors import SandboxError

T = TypeVar("T")

_LAUNCHER = Path(__file__).with_name("launch.py")
_POLL_SECONDS = 0.005
_LOG_TAIL_CHARACTERS = 1500


def wait_until(condition: Callable[[], T], deadline_seconds: float, what: str) -> T:
    """Poll until `condition()` is true and return what it gave.

    An OSError of the condition counts as "not yet". Raises SandboxError naming `what`, the time spent and the last
    error when the deadline (real seconds) has passed."""
    end = time.monotonic() + deadline_seconds
    pause = threading.Event()
    last_error: OSError | None = None
    while True:
        try:
            value = condition()
            if value:
                return value
        except OSError as error:
            last_error = error
        if time.monotonic() >= end:
            cause = f" (last error: {last_error})" if last_error else ""
            raise SandboxError(f"{what} did not happen within {deadline_seconds:g} s{cause}")
        pause.wait(_POLL_SECONDS)


def is_running(pid: int) -> bool:
    """Whether a process runs; a zombie, which only waits to be reaped, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to run and how.

    `parent_death_signal` is what the kernel sends when the supervisor is gone; `user` is (uid, gid) to drop to."""

    name: str
    arguments: Sequence[str]
    log_file: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: Sequence[int] = ()
    parent_death_signal: int = signal.SIGKILL
    user: tuple[int, int] | None = None
    directory: Path | None = None


class Child:
    """One started child process."""

    def __init__(self, command: Command, process: subprocess.Popen[bytes]) -> None:
        self.name = command.name
        self.log_file = command.log_file
        self._process = process
        self._stopping = False

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def died_unasked(self) -> bool:
        """Whether it ended without `stop` having been called."""
        return not self._stopping and not self.alive

    def require_alive(self) -> None:
        """Raises SandboxError with the end of the log if the process has ended."""
        if not self.alive:
            raise SandboxError(
                f"{self.name} ended with exit code {self._process.returncode}: {self.log_tail()}",
                f"The whole log is {self.log_file}",
            )

    def log_tail(self) -> str:
        """The end of its log."""
        try:
            return self.log_file.read_text(errors="replace")[-_LOG_TAIL_CHARACTERS:].strip() or "its log is empty"
        except OSError as error:
            return f"its log is unreadable: {error}"

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing happens if the process has ended."""
        if self.alive:
            self._process.send_signal(number)

    def stop(self, *, first: int = signal.SIGTERM, grace_seconds: float = 3.0) -> int:
        """Signal `first`, after the grace SIGKILL; returns the exit code. Harmless when it has ended already."""
        self._stopping = True
        self.send_signal(first)
        try:
            return self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


class Spawner:
    """Starts children, all from one thread that lives as long as the spawner (see the module's docstring)."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spawner")

    def start(self, command: Command) -> Child:
        """Start the command with its output in the log file."""
        return self._thread.submit(self._start, command).result()

    def _start(self, command: Command) -> Child:
        command.log_file.parent.mkdir(parents=True, exist_ok=True)
        with command.log_file.open("ab") as log:
            process = subprocess.Popen(
                launch_line(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **command.environment},
                pass_fds=tuple(command.pass_fds),
                cwd=command.directory,
            )
        return Child(command, process)

    def close(self) -> None:
        """End the thread, and with it whatever child still runs."""
        self._thread.shutdown(wait=True)


def launch_line(command: Command) -> list[str]:
    """The argument vector that runs a command under `launch.py`."""
    uid, gid = command.user or (-1, -1)
    parent = [str(os.getpid()), str(int(command.parent_death_signal)), str(uid), str(gid)]
    return [sys.executable, "-I", "-S", str(_LAUNCHER), *parent, "--", *command.arguments]


def run(command: Command, *, input_text: str = "", deadline_seconds: float = 60.0) -> None:
    """Run to completion; this thread waits, so the tie to it is enough. Raises SandboxError with the output unless the
    exit code is 0 within the deadline."""
    try:
        result = subprocess.run(
            launch_line(command),
            input=input_text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **command.environment},
            cwd=command.directory,
            timeout=deadline_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SandboxError(f"{command.name} took longer than {deadline_seconds:g} s") from error
    if result.returncode != 0:
        output = result.stdout.decode(errors="replace")[-_LOG_TAIL_CHARACTERS:].strip()
        raise SandboxError(f"{command.name} ended with exit code {result.returncode}: {output}")
