"""The sandbox's own API: JSON over loopback HTTP, opened by a token; `sandbox.client` is its client."""

from __future__ import annotations

import hmac
import json
import logging
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.errors import SandboxError

_LOG = logging.getLogger(__name__)
_BODY_BYTES_MAX = 2**20
TOKEN_HEADER = "x-sandbox-token"

# Query parameters of a GET or the object of a POST; gives what is answered as JSON.
Endpoint = Callable[[Mapping[str, Any]], object]


class ControlApi:
    """Serves endpoints by (method, path). `open_posts` take a raw body and need no token (SNS cannot send one)."""

    def __init__(
        self,
        address: str,
        token: str,
        endpoints: Mapping[tuple[str, str], Endpoint],
        open_posts: Mapping[str, Callable[[bytes], object]],
    ) -> None:
        handler = type("Handler", (_Handler,), {"token": token, "endpoints": endpoints, "open_posts": open_posts})
        self._server = ThreadingHTTPServer((address, 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="control-api", daemon=True
        )

    @property
    def url(self) -> str:
        """http://address:port"""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    token = ""
    endpoints: Mapping[tuple[str, str], Endpoint] = {}
    open_posts: Mapping[str, Callable[[bytes], object]] = {}

    def do_GET(self) -> None:
        """Answer a question."""
        address = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        self._dispatch("GET", address.path, query)

    def do_POST(self) -> None:
        """Do something."""
        path = urlsplit(self.path).path
        body = self.rfile.read(min(int(self.headers.get("content-length") or 0), _BODY_BYTES_MAX))
        if path in self.open_posts:
            self.open_posts[path](body)
            self._answer(200, {})
            return
        try:
            content = json.loads(body or b"{}")
        except ValueError:
            content = None
        if not isinstance(content, dict):
            self._answer(400, {"error": "the body must be a JSON object", "remedy": "See sandbox/client.py"})
            return
        self._dispatch("POST", path, content)

    def _dispatch(self, method: str, path: str, content: Mapping[str, Any]) -> None:
        if not hmac.compare_digest(self.headers.get(TOKEN_HEADER) or "", self.token):
            self._answer(403, {"error": "the token is missing or wrong", "remedy": "Read it from sandbox.json"})
            return
        endpoint = self.endpoints.get((method, path))
        if endpoint is None:
            known = ", ".join(f"{m} {p}" for m, p in self.endpoints)
            self._answer(404, {"error": f"there is no {method} {path}", "remedy": f"There are {known}"})
            return
        try:
            self._answer(200, endpoint(content))
        except SandboxError as error:
            self._answer(422, {"error": error.message, "remedy": error.remedy})
        except (KeyError, ValueError, TypeError) as error:
            self._answer(400, {"error": f"malformed request: {error!r}", "remedy": "See sandbox/client.py"})
        except Exception as error:  # noqa: BLE001 - the caller must hear of any defect, and the API must go on
            _LOG.exception("%s %s", method, path)
            self._answer(500, {"error": f"a defect of the sandbox: {error!r}", "remedy": "See logs/supervisor.log"})

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the operation log and the supervisor's own log say more."""
