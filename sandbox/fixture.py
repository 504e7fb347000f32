"""Sandboxes for tests and for the gate: started by a context manager, gone with the process that started them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.client import Sandbox
from sandbox.errors import SandboxError
from sandbox.state import REPOSITORY, StateDirectory

_START_SECONDS = 90.0
_STOP_SECONDS = 20.0
_OUTPUT_CHARACTERS = 3000


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
        try:
            process = _spawn(root, lifeline_read, ["--live", live, "--name", name, "--factor", str(factor)])
        finally:
            os.close(lifeline_read)
        try:
            _await_ready(process)
            yield Sandbox.attach(root)
        finally:
            os.close(lifeline_write)
            _await_end(process)


def _spawn(root: Path, lifeline: int, options: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "serve", "--directory", str(root), "--lifeline", str(lifeline), *options],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=(lifeline,),
    )


def _await_ready(process: subprocess.Popen[str]) -> None:
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


def _await_end(process: subprocess.Popen[str]) -> None:
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
