"""One task of the service: a process that a zygote forks, which serves until SIGTERM and then ends with code 0."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from sandbox.service.application import Parts, assemble
from sandbox.service.burn import MEMORY_PERIOD_SECONDS, CpuBurner, MemoryHolder
from sandbox.service.dials import DialFile, Dials
from sandbox.service.error_log import ErrorLog
from sandbox.service.image import VERSIONS
from sandbox.service.listener import Listener
from sandbox.service.live import Live
from sandbox.service.migrate import required_ids
from sandbox.service.settings import settings_from

DIAL_POLL_SECONDS = 0.05
DATE_SECONDS = 1.0
# What is left of the grace period after draining, to close connections to database and cache.
CLOSING_SECONDS = 0.5
_HEAVY = ("asyncpg.pool", "redis.asyncio.connection", "joserfc.jwt", "uvicorn.lifespan.off", "encodings.idna")


def preload() -> None:
    """Import and read everything that tasks share, once, before forking. Starts no thread, loop or socket."""
    for name in _HEAVY:
        importlib.import_module(name)
    for version in VERSIONS:
        required_ids(version)
    gc.collect()
    gc.freeze()  # the collector leaves shared objects alone, so that their pages stay shared after the fork


def run(settings: dict[str, Any]) -> None:
    """Serve until SIGTERM or SIGINT; returns when drained. Raises SettingsError; SystemExit(1) by the dial."""
    checked = settings_from(settings)
    log = ErrorLog(checked.log_file, task_id=checked.task_id)
    dial_file = DialFile(checked.fault_file)
    live = Live(checked, _read_dials(dial_file, log) or Dials())
    if live.dials.crash_on_start:
        log.note("crash", "planted by the dial crash_on_start")
        sys.exit(1)
    uvloop.run(_Task(live, dial_file, log=log).serve())


def _read_dials(dial_file: DialFile, log: ErrorLog) -> Dials | None:
    try:
        return dial_file.changed()
    except ValueError as error:
        # Whoever wrote the file sees the fault not happen; the dials stay as they were.
        log.note("dials not read", str(error))
        return None


class _Task:
    def __init__(self, live: Live, dial_file: DialFile, *, log: ErrorLog) -> None:
        self._live = live
        self._dial_file = dial_file
        self._log = log
        self._parts: Parts = assemble(live, log)
        self._listener = Listener(live, self._parts.application, status=self._parts.status)
        self._burner = CpuBurner(live)
        self._holder = MemoryHolder(live)

    async def serve(self) -> None:
        """Listen, report the port, follow the dials; returns when drained."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        port = self._listener.reserve()
        self._listener.tick()
        await self._follow_refusal()
        self._report(port)
        chores = [
            loop.create_task(_every(DIAL_POLL_SECONDS, self._poll_dials)),
            loop.create_task(_every(MEMORY_PERIOD_SECONDS, self._hold_memory)),
            loop.create_task(_every(DATE_SECONDS, self._renew_date)),
        ]
        asked = loop.create_task(ended.wait())
        await asyncio.wait([asked, *chores], return_when=asyncio.FIRST_COMPLETED)
        self._live.drain()
        await self._listener.drain(self._live.settings.grace_seconds - CLOSING_SECONDS)
        await self._close(chores)

    async def _close(self, chores: list[asyncio.Task[None]]) -> None:
        self._burner.stop()
        await self._parts.cache.aclose()
        await self._parts.database.close()
        for chore in chores:
            chore.cancel()
        for outcome in await asyncio.gather(*chores, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome  # a chore that failed ended the task: its code must not be 0

    async def _poll_dials(self) -> None:
        dials = _read_dials(self._dial_file, self._log)
        if dials is not None:
            self._live.turn(dials)
            await self._follow_refusal()

    async def _follow_refusal(self) -> None:
        if self._live.draining:
            return
        if self._live.dials.refuse_connections:
            await self._listener.refuse()
        else:
            await self._listener.open()

    async def _hold_memory(self) -> None:
        self._holder.tick()

    async def _renew_date(self) -> None:
        self._listener.tick()

    def _report(self, port: int) -> None:
        descriptor = self._live.settings.port_report_fd
        if descriptor >= 0:
            os.write(descriptor, f"{port}\n".encode())
            os.close(descriptor)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await work()
        await asyncio.sleep(seconds)
