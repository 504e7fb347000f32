"""Sandboxes for tests and for the gate: started by a context manager, gone with the process that started them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from sandbox.client import Sandbox
from sandbox.errors import SandboxError
from sandbox.launch import await_exit, end_with
from sandbox.state import REPOSITORY, StateDirectory

_START_SECONDS = 90.0
_STOP_SECONDS = 20.0
_OUTPUT_CHARACTERS = 3000
_LOADED = "sandbox.opening"  # who has imported this has the emulated account in memory


@contextmanager
def start_sandbox(
    directory: Path | None = None, *, live: str = "green", name: str = "test", factor: float = 1.0
) -> Iterator[Sandbox]:
    """A private sandbox; its state lies in `directory`, or in a temporary one that is removed.

    It ends with the block, and also when this process dies in whatever way: the supervisor reads a pipe whose other end
    only this process holds. Raises SandboxError with the supervisor's last words when it does not start in 90 s."""
    with tempfile.TemporaryDirectory(prefix="sandbox-") as temporary:
        root = (directory or Path(temporary) / "state").resolve()
        lifeline_read, lifeline_write = os.pipe()
        start = _fork if _LOADED in sys.modules and threading.active_count() == 1 else _spawn
        try:
            process = start(root, lifeline_read, live=live, name=name, factor=factor)
        finally:
            os.close(lifeline_read)
        try:
            _await_ready(process)
            yield Sandbox.attach(root)
        finally:
            os.close(lifeline_write)
            _await_end(process)


class _Supervisor(Protocol):
    """What is needed of a supervisor's process, started either way."""

    stdout: IO[str] | None

    def wait(self, timeout: float | None = None) -> int: ...

    def kill(self) -> None: ...


def _spawn(root: Path, lifeline: int, *, live: str, name: str, factor: float) -> _Supervisor:
    options = ["--directory", str(root), "--lifeline", str(lifeline)]
    options += ["--live", live, "--name", name, "--factor", str(factor)]
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "serve", *options],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=(lifeline,),
    )


class _Forked:
    """A supervisor forked from a process that has its code loaded: it need not import the emulated account again."""

    def __init__(self, pid: int, output: int) -> None:
        self._pid = pid
        self.stdout: IO[str] | None = os.fdopen(output, encoding="utf-8", errors="replace")

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises subprocess.TimeoutExpired as Popen does."""
        if not await_exit(self._pid, timeout):
            raise subprocess.TimeoutExpired("sandbox", timeout or 0.0)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)


def _fork(root: Path, lifeline: int, *, live: str, name: str, factor: float) -> _Supervisor:
    """Only where this process has one thread: a fork of several may inherit a lock that nobody opens again."""
    output_read, output_write = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        options = {"live": live, "name": name, "factor": factor}
        end_with(lambda: _be_supervisor(root, lifeline, output_write, options=options))
    os.close(output_write)
    return _Forked(pid, output_read)


def _be_supervisor(root: Path, lifeline: int, output: int, *, options: dict[str, Any]) -> int:
    from sandbox.supervisor import Options, serve_until_stopped

    _keep_only({0, lifeline, output})
    for number in (1, 2):
        os.dup2(output, number)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    try:
        serve_until_stopped(Options(root=root, lifeline=lifeline, **options), _say)
    except SandboxError as error:
        _say(str(error))
        return 1
    return 0


def _keep_only(wanted: set[int]) -> None:
    """Close what was inherited: the other end of our own lifeline among it, which would keep us alive for ever."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in wanted:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # whoever started us may have gone, which is no reason to stop
        sys.stdout.write(f"{line}\n")


def _await_ready(process: _Supervisor) -> None:
    """Reads the supervisor's progress lines until it says READY; its output ends when it does not get there."""
    lines: list[str] = []
    if process.stdout is None:
        raise SandboxError("the supervisor's output is not readable")
    overdue = threading.Timer(_START_SECONDS, process.kill)
    overdue.start()
    try:
        for line in process.stdout:
            if line.startswith("READY"):
                return
            lines.append(line)
    finally:
        overdue.cancel()
    raise SandboxError(f"the sandbox did not start: {''.join(lines)[-_OUTPUT_CHARACTERS:].strip()}")


def _await_end(process: _Supervisor) -> None:
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def state_of(sandbox: Sandbox) -> StateDirectory:
    """The paths of a sandbox's state, for tests that look into logs."""
    return StateDirectory(sandbox.directory)
