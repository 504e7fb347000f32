"""uvicorn's HTTP protocol with two additions: a fast path for the hot route, and our headers on its own refusals."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from sandbox.service.live import Live
from sandbox.service.problem import PROBLEM_TYPE, problem_body
from sandbox.service.request_id import RequestIds
from sandbox.service.status import STATUS_PATH, StatusAnswer

_HOT_TARGET = STATUS_PATH.encode()


class TaskProtocol(HttpToolsProtocol):
    """One connection. `live`, `status` and `request_ids` are set on a subclass made for the task.

    The fast path writes one ready answer from within the parser's callbacks: no task, no events, one TLS record.
    That halves the CPU of a request; whatever is unusual about it takes uvicorn's way.
    """

    live: Live
    status: StatusAnswer
    request_ids: RequestIds
    _hot = False

    def on_headers_complete(self) -> None:
        """Decide which way the request takes."""
        self._hot = self._may_be_hot()
        if not self._hot:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """The hot route has no use for a body."""
        if not self._hot:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Answer the hot route at once."""
        if not self._hot:
            super().on_message_complete()
            return
        date = self.server_state.default_headers[0][1]
        self.transport.write(self.status.reply(date, self.request_ids.of(self.headers)))
        self.on_response_complete()

    def _may_be_hot(self) -> bool:
        return (
            self.status.fast
            and self.url == _HOT_TARGET
            and self.parser.get_method() == b"GET"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and (self.cycle is None or self.cycle.response_complete)
        )

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, as a problem document with the common headers."""
        body = problem_body(400, msg)
        headers = [
            *self.server_state.default_headers,
            *(pair for pair in self.live.headers.error if pair[0] != b"connection"),
            (b"content-type", PROBLEM_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[400] + lines + b"\r\n" + body)
        self.transport.close()
