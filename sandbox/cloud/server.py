"""The HTTP server in front of the emulated APIs: threaded, keep-alive, without Nagle's delay.

moto's own server (werkzeug's development server) closes every connection after one answer; boto3 keeps connections,
and a controller that polls several times a second should not pay for a new one each time.
"""

from __future__ import annotations

import io
import logging
import socket
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

_POLL_SECONDS = 0.05
log = logging.getLogger(__name__)


class _Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one write, one packet per answer
    timeout = None

    def run_wsgi(self) -> None:
        """Answer one request and keep the connection."""
        environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self._body(environ))
        environ["wsgi.input_terminated"] = True
        status, headers, body = call(self.server.app, environ)
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _body(self, environ: dict[str, Any]) -> bytes:
        if environ.get("wsgi.input_terminated"):  # chunked: werkzeug's reader knows the end
            return bytes(environ["wsgi.input"].read())
        return bytes(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))

    def log(self, type: str, message: str, *args: Any) -> None:  # the operation log replaces an access log
        if type == "error":
            log.warning(message, *args)


class _Server(ThreadedWSGIServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: str, application: Any) -> None:
        super().__init__(address, 0, application, _Handler)
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("connection from %s ended", client_address, exc_info=True)

    def close_connections(self) -> None:
        """End kept-alive connections: a stopped server must not go on answering over them."""
        with self._connections_lock:
            connections: Iterable[socket.socket] = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                log.debug("connection was already closed: %s", error)


def call(application: Any, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    """The answer of a WSGI application: status line, headers, whole body."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _info: Any = None) -> None:
        started[:] = [status, headers]

    body = b"".join(application(environ, start_response))
    return started[0], started[1], body


class ApiServer:
    """Serves a WSGI application on `address`, on a port the system chooses."""

    def __init__(self, address: str, application: Any) -> None:
        self._server = _Server(address, application)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, name="aws-api", daemon=True
        )

    @property
    def url(self) -> str:
        """http://address:port"""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and end every connection."""
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.close_connections()
