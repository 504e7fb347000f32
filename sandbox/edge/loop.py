"""The thread in which the edge's small chores share one event loop: health checks, metrics, DNS."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Sequence
from typing import Any

from sandbox.edge.resolver import DnsServer
from sandbox.errors import SandboxError

_LOG = logging.getLogger(__name__)
_START_SECONDS = 5.0


class EdgeLoop:
    """Runs coroutines for good; `failure` tells when one of them ended, which none should."""

    def __init__(
        self, dns_server: DnsServer, public_address: str, *, chores: Sequence[Coroutine[Any, Any, None]]
    ) -> None:
        self._dns_server = dns_server
        self._address = public_address
        self._chores = chores
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._work, name="edge", daemon=True)
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Start the thread; returns when DNS listens. Raises SandboxError when it does not."""
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise SandboxError(f"the DNS responder did not start: {self.failure!r}")

    def stop(self) -> None:
        """Cancel everything and wait for the thread."""
        if self._main is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(timeout=5)

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._main = self._loop.create_task(self._run())
        try:
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            _LOG.debug("the edge's chores were stopped")
        except BaseException as error:  # noqa: BLE001 - whatever it was, the status page must say so
            self.failure = error
            _LOG.exception("a chore of the edge ended")
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _run(self) -> None:
        await self._dns_server.start(self._address)
        self._started.set()
        async with asyncio.TaskGroup() as group:
            for chore in self._chores:
                group.create_task(chore)
