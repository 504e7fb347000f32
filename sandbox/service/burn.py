"""The dials cpu_percent, memory_percent and memory_growth_percent_per_minute: real use, within the task's size."""

from __future__ import annotations

import hashlib
import mmap
import os
import re
import signal
import threading
import time
from pathlib import Path

from sandbox.service.live import Live
from sandbox.service.virtual_clock import VirtualClock

PERIOD_SECONDS = 0.02
MEMORY_PERIOD_SECONDS = 0.1
BLOCK = b"\xa5" * 65536
MIB = 1024 * 1024
CHUNK_MIB = 2
# The controller may catch up with at most this much missed work, so that a pause is not followed by a full stop.
DEBT_SECONDS_MAX = 0.3


class CpuBurner:
    """Tops the process up to the wanted share of its CPU, in a thread that hashes outside the interpreter's lock.

    The event loop therefore competes for the processor, as on a hot machine, but never for the lock.
    """

    def __init__(self, live: Live) -> None:
        self._live = live
        self._thread: threading.Thread | None = None
        self._end = threading.Event()
        live.on_change(self._adjust)

    def stop(self) -> None:
        """End the thread; returns when it has ended."""
        self._end.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)
            self._thread = None

    def _adjust(self) -> None:
        if not self._live.dials.cpu_percent:
            self.stop()
        elif self._thread is None:
            self._end.clear()
            self._thread = threading.Thread(target=self._burn, name="cpu-dial", daemon=True)
            self._thread.start()

    def _burn(self) -> None:
        wall, used, debt = time.monotonic(), time.process_time(), 0.0
        while not self._end.wait(PERIOD_SECONDS):
            now, spent = time.monotonic(), time.process_time()
            share = self._live.dials.cpu_percent / 100.0 * self._live.settings.cpu_share
            debt = min(debt + (now - wall) * share - (spent - used), DEBT_SECONDS_MAX)
            wall, used = now, spent
            burn_until = time.thread_time() + debt
            while debt > 0 and time.thread_time() < burn_until and not self._end.is_set():
                hashlib.sha256(BLOCK).digest()


class MemoryHolder:
    """Holds touched memory so that the process' PSS reaches the wanted percentage of the task's memory."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._clock = VirtualClock(live.settings.clock_file)
        self._chunks: list[mmap.mmap] = []
        self._growth_since: float | None = None
        self._start_percent = 0.0
        live.on_change(self._dials_changed)

    def tick(self) -> None:
        """Move towards the wanted size; call every MEMORY_PERIOD_SECONDS. Ends the process at 100 % of a leak, as
        the kernel would: ECS kills a container that outgrows its task."""
        wanted = self._wanted_percent()
        if wanted is None:
            self._resize(0)
            return
        if self._growth_since is not None and wanted >= 100.0:
            os.kill(os.getpid(), signal.SIGKILL)
        limit_mib = self._live.settings.memory_limit_mib
        own_mib = pss_mib() - len(self._chunks) * CHUNK_MIB
        self._resize(round((wanted / 100.0 * limit_mib - own_mib) / CHUNK_MIB))

    def _wanted_percent(self) -> float | None:
        dials = self._live.dials
        if self._growth_since is not None:
            minutes = (self._clock.now() - self._growth_since) / 60.0
            grown = self._start_percent + minutes * dials.memory_growth_percent_per_minute
            return max(dials.memory_percent, grown)
        return dials.memory_percent or None

    def _dials_changed(self) -> None:
        growing = self._live.dials.memory_growth_percent_per_minute > 0
        if growing and self._growth_since is None:
            self._growth_since = self._clock.now()
            self._start_percent = pss_mib() / self._live.settings.memory_limit_mib * 100.0
        elif not growing:
            self._growth_since = None

    def _resize(self, chunks: int) -> None:
        while len(self._chunks) > max(chunks, 0):
            self._chunks.pop().close()
        if len(self._chunks) < chunks:
            # One step of at most 16 MiB a call: touching pages takes the event loop's time.
            for _ in range(min(chunks - len(self._chunks), 8)):
                chunk = mmap.mmap(-1, CHUNK_MIB * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
                chunk.write(b"\xa5" * (CHUNK_MIB * MIB))
                self._chunks.append(chunk)


_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def pss_mib() -> float:
    """Proportional set size of this process, MiB (Linux: /proc/self/smaps_rollup)."""
    match = _PSS.search(Path("/proc/self/smaps_rollup").read_text(encoding="ascii"))
    if match is None:
        raise RuntimeError("/proc/self/smaps_rollup shows no Pss line; the memory dials need Linux 4.14 or newer")
    return int(match[1]) / 1024.0
