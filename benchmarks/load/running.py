"""A tool as a process: started on the client's core, awaited, its processor time counted."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER_CORE, CLIENT_CORE = 0, 1
_WAITS = 400


@dataclass(frozen=True)
class Found:
    """What a tool said at its end: requests per second and latencies in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float
    verdict: str = ""  # by the tool's own gate, if it has one
    bottleneck: str | None = None  # what it says of itself


@dataclass(frozen=True)
class Ended:
    """A process that has ended: what it printed, its exit code, and its processor time with that of its children."""

    output: str
    exit_code: int
    processor_seconds: float


class Running:
    """A tool that runs."""

    def __init__(self, command: list[str], *, environment: Mapping[str, str] | None = None) -> None:
        self.command = command
        self._output = tempfile.TemporaryFile(mode="w+", encoding="utf-8")  # noqa: SIM115 - lives as long as the tool
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        )

    def end(self, *, seconds_max: float) -> Ended:
        """Wait for its end. Raises SystemExit when it has not ended after so long; it is killed then."""
        ended = os.pidfd_open(self._process.pid)
        try:
            readable, _, _ = select.select([ended], [], [], seconds_max)
        finally:
            os.close(ended)
        if not readable:
            self._process.kill()
        # wait4 alone says what this one child, and those that it waited for, took of the processor.
        _, status, used = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._output.seek(0)
        with self._output:
            output = self._output.read()
        if not readable:
            raise SystemExit(f"{' '.join(self.command)} did not end in {seconds_max:.0f} s:\n{output}")
        return Ended(output, self._process.returncode, used.ru_utime + used.ru_stime)


def use_client_core() -> None:
    """From here on this process and all that it starts run on the client's core alone; the server is moved away."""
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("two cores are needed: one for the server, one for the generators")
    os.sched_setaffinity(0, {CLIENT_CORE})


@contextlib.contextmanager
def awake() -> Iterator[None]:
    """Both cores kept from sleeping by processes that anything else preempts (SCHED_IDLE).

    A virtual processor that sleeps is handed back by its host late: waits of 5 ms were measured to end 3.7 ms late at
    the 99th percentile on an idle machine, and 0.2 ms late beside such a process.
    """
    command = [sys.executable, "-c", "while True: pass"]
    spinners = []
    try:
        for core in (SERVER_CORE, CLIENT_CORE):
            spinners.append(subprocess.Popen(command))
            os.sched_setscheduler(spinners[-1].pid, os.SCHED_IDLE, os.sched_param(0))
            os.sched_setaffinity(spinners[-1].pid, {core})
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def disturbance() -> str:
    """How late waits of 5 ms end on the client's core just now: on a machine with nothing else to do, 0.1 ms."""
    late = []
    for _ in range(_WAITS):
        started = time.perf_counter()
        select.select([], [], [], 0.005)
        late.append(1000.0 * (time.perf_counter() - started) - 5.0)
    late.sort()
    p50, p95, p99 = (late[int(share * _WAITS)] for share in (0.5, 0.95, 0.99))
    return f"waits of 5 ms end late by p50 {p50:.2f}, p95 {p95:.2f}, p99 {p99:.2f} ms just now"


def python(*arguments: str) -> list[str]:
    """A command in this interpreter."""
    return [sys.executable, *arguments]
