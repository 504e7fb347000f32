"""The outermost ASGI layer: plants faults, adds the common headers, logs failed answers."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sandbox.service.error_log import ErrorLog
from sandbox.service.live import Live
from sandbox.service.problem import PROBLEM_TYPE, problem_body
from sandbox.service.request_id import RequestIds

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Front:
    """Wraps `inner`; see the module. Health is exempt from planted errors and latency, not from a stall."""

    def __init__(self, live: Live, inner: Application, *, log: ErrorLog) -> None:
        self._live = live
        self._inner = inner
        self._log = log
        self._request_ids = RequestIds(live.settings.task_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = self._request_ids.of(scope["headers"])
        reply = _Reply(self._live, send, request_id=request_id)
        path, dials = scope["path"], self._live.dials
        await self._hold(path)
        if dials.error_rate and not _is_health(path) and random.random() < dials.error_rate:
            await reply.problem(500, "planted by the dial error_rate")
            self._note(scope, reply, planted=True)
            return
        error = ""
        try:
            await self._inner(scope, receive, reply.send)
        except Exception as raised:  # noqa: BLE001  # the outermost layer: whatever it is, the client gets a 500 and we a line
            error = f"{type(raised).__name__}: {raised}"[:500]
            if not reply.status:
                await reply.problem(500, "the service failed; look for the request id in its log")
        if reply.status >= 500:
            self._note(scope, reply, planted=False, error=error)

    def _note(self, scope: Scope, reply: _Reply, *, planted: bool, error: str = "") -> None:
        self._log.answer(
            request_id=reply.request_id.decode("ascii"),
            path=scope["path"],
            status=reply.status,
            planted=planted,
            error=error,
        )

    async def _hold(self, path: str) -> None:
        dials = self._live.dials
        if dials.stall_ms and dials.stall_every_ms:
            into_period_ms = (time.monotonic() * 1000.0) % dials.stall_every_ms
            if into_period_ms < dials.stall_ms:
                await asyncio.sleep((dials.stall_ms - into_period_ms) / 1000.0)
        if dials.latency_ms and not _is_health(path) and random.random() < dials.latency_share:
            await asyncio.sleep(dials.latency_ms / 1000.0)


def _is_health(path: str) -> bool:
    return path == "/health" or path.startswith("/health/")


class _Reply:
    """One answer on its way out: adds the common headers, remembers the status (0 while nothing was sent)."""

    def __init__(self, live: Live, send: Send, *, request_id: bytes) -> None:
        self._live = live
        self._send = send
        self.request_id = request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        """The `send` that the inner application gets."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            common = self._live.headers.success if self.status < 400 else self._live.headers.error
            message["headers"] = [*common, (b"x-request-id", self.request_id), *message.get("headers", ())]
        await self._send(message)

    async def problem(self, status: int, detail: str) -> None:
        """A whole refusal, when the inner application gives none."""
        body = problem_body(status, detail)
        headers = [(b"content-type", PROBLEM_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})
