"""Processor time and memory of a task's processes, read from /proc at little cost."""

from __future__ import annotations

import time
from pathlib import Path

TASK_VCPU = 0.25
TASK_MEMORY_BYTES = 192 * 2**20


def cpu_seconds(pid: int) -> float:
    """Processor seconds the process and its living descendants have used. Raises ProcessLookupError when it is gone.

    The kernel's per-process clock counts nanoseconds; /proc/PID/stat has ticks of 10 ms, 4 % of what a task may use in
    a real second."""
    total = 0.0
    for process in (pid, *_descendants(pid)):
        try:
            # The clock id of another process, as clock_getcpuclockid(3) makes it.
            total += time.clock_gettime((~process << 3) | 2)
        except OSError as error:
            if process == pid:
                raise ProcessLookupError(f"process {pid} is gone") from error
    return total


def pss_bytes(pid: int) -> int:
    """Proportional set size of the process and its descendants. Raises ProcessLookupError when it is gone."""
    total = 0
    for process in (pid, *_descendants(pid)):
        try:
            total += _pss(process)
        except OSError as error:
            if process == pid:
                raise ProcessLookupError(f"process {pid} is gone") from error
    return total


def _pss(pid: int) -> int:
    with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for child in _children(waiting.pop()):
            found.append(child)
            waiting.append(child)
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            children += [int(word) for word in (thread / "children").read_text().split()]
    except OSError:
        # It ended while we looked; what it had is gone with it.
        return children
    return children
