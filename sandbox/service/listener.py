"""The listening side of a task: mutual TLS, refusing on demand, and an end that cuts nobody off."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from sandbox.service.live import Live
from sandbox.service.protocol import TaskProtocol
from sandbox.service.request_id import RequestIds
from sandbox.service.status import StatusAnswer

BACKLOG = 1024
QUIET_SECONDS = 0.3
CLOSE_SECONDS = 0.3  # for the TLS farewell of a peer
POLL_SECONDS = 0.02
KEEP_ALIVE_SECONDS = 3700  # longer than the load balancer keeps idle connections, so that it closes first


class Listener:
    """Owns the port. `reserve` binds it, `open` and `refuse` may alternate, `drain` is the last call."""

    def __init__(self, live: Live, application: Any, *, status: StatusAnswer) -> None:
        self._live = live
        self._config = _uvicorn_config(live, application)
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._reservation: socket.socket | None = None
        attributes = {"live": live, "status": status, "request_ids": RequestIds(live.settings.task_id)}
        self._protocol = type("BoundProtocol", (TaskProtocol,), attributes)
        self.port = 0

    def reserve(self) -> int:
        """Bind a free port of the task's address, without listening: until `open`, connections are refused."""
        self._reservation = _bound_socket(self._live.settings.address, 0)
        self.port = int(self._reservation.getsockname()[1])
        return self.port

    async def open(self) -> None:
        """Listen; does nothing when it listens already."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        factory = partial(self._protocol, config=self._config, server_state=self._state, app_state={}, _loop=loop)
        listening = _bound_socket(self._live.settings.address, self.port)
        self._server = await loop.create_server(
            factory,
            sock=listening,
            ssl=self._config.ssl,
            backlog=BACKLOG,
            ssl_handshake_timeout=5.0,
            ssl_shutdown_timeout=CLOSE_SECONDS,
        )

    async def refuse(self) -> None:
        """Stop listening and end open connections as their answers complete; the port stays reserved."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for connection in list(self._state.connections):
            connection.shutdown()

    def tick(self) -> None:
        """Renew the Date header; call about once a second."""
        self._state.default_headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]

    async def drain(self, deadline_seconds: float) -> bool:
        """Answer on while requests keep coming, then stop; False when the deadline cut an answer off."""
        deadline = time.monotonic() + deadline_seconds
        await self._until_quiet(deadline - QUIET_SECONDS)
        await self.refuse()
        await _until(lambda: not self._state.tasks, deadline)
        finished = not self._state.tasks
        # All answers are out; a peer that does not take part in closing is not waited for.
        await _until(lambda: not self._state.connections, min(deadline, time.monotonic() + CLOSE_SECONDS))
        return finished

    async def _until_quiet(self, deadline: float) -> None:
        answered, quiet_since = -1, time.monotonic()
        while time.monotonic() < deadline:
            if self._state.tasks or self._state.total_requests != answered:
                answered, quiet_since = self._state.total_requests, time.monotonic()
            elif time.monotonic() - quiet_since >= QUIET_SECONDS:
                return
            await asyncio.sleep(POLL_SECONDS)


async def _until(condition: Callable[[], bool], deadline: float) -> None:
    while not condition() and time.monotonic() < deadline:
        await asyncio.sleep(POLL_SECONDS)


def _bound_socket(address: str, port: int) -> socket.socket:
    # SO_REUSEPORT lets the reservation and the listening socket hold the same port; only listening ones get
    # connections, so a task that refuses still owns its port.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((address, port))
    bound.setblocking(False)
    return bound


def _uvicorn_config(live: Live, application: Any) -> uvicorn.Config:
    tls = live.settings.tls
    config = uvicorn.Config(
        application,
        http=TaskProtocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        log_level="critical",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ssl_certfile=str(tls.certificate),
        ssl_keyfile=str(tls.key),
        ssl_ca_certs=str(tls.client_ca),
        ssl_cert_reqs=ssl.CERT_REQUIRED,
    )
    config.load()
    if config.ssl is None or config.ssl.verify_mode is not ssl.CERT_REQUIRED:
        raise RuntimeError("the TLS context does not demand a client certificate; refuse to serve without it")
    config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return config
