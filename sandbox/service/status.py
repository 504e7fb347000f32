"""GET /api/v1/status, the hot route: everything that can be prepared is prepared when something changes."""

from __future__ import annotations

import json
import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.service.headers import shown_version
from sandbox.service.live import Live

STATUS_PATH = "/api/v1/status"


class StatusAnswer:
    """The status answer as bytes for the fast path, and as an ordinary route for everything else.

    `fast` says whether the fast path may be taken now: no dial delays or fails answers, and the task is not draining.
    """

    def __init__(self, live: Live) -> None:
        self._live = live
        self._second = -1
        self._time = b""
        self._head = b""
        self._document = b""
        self.fast = False
        live.on_change(self._refresh)

    def reply(self, date: bytes, request_id: bytes) -> bytes:
        """A whole HTTP/1.1 answer for a connection that stays open."""
        return b"".join((self._head, date, b"\r\nx-request-id: ", request_id, b"\r\n\r\n", self.body()))

    def body(self) -> bytes:
        """The JSON document {status, slot, version, digest, time (ISO 8601, UTC, whole seconds)}."""
        if self._live.dials.status_field_missing:
            return self._document[:-1] + b"}"
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._time = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)).encode()
        return self._document + b'"time":"' + self._time + b'"}'

    def route(self) -> Route:
        """The ordinary route."""
        return Route(STATUS_PATH, self._page)

    async def _page(self, _request: Request) -> Response:
        return Response(self.body(), media_type="application/json")

    def _refresh(self) -> None:
        settings, dials = self._live.settings, self._live.dials
        document = {
            "status": "draining" if self._live.draining else "ok",
            "slot": settings.slot,
            "version": shown_version(settings, dials),
            "digest": settings.digest,
        }
        self._document = json.dumps(document, separators=(",", ":")).encode()[:-1] + b","
        self.fast = not dials.holds_answers and not self._live.draining
        length = str(len(self.body())).encode()
        headers = (
            *self._live.headers.success,
            (b"content-type", b"application/json"),
            (b"content-length", length),
        )
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self._head = b"HTTP/1.1 200 OK\r\n" + lines + b"date: "
