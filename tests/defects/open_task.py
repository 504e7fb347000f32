"""A task that serves everybody: the service's own certificate, and no question who is there."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.client import Sandbox
from sandbox.state import StateDirectory
from tests.defects.deeds import client
from tests.defects.model import Undo

_HERE = "127.0.0.1"
_LOOKS_MAX = 120  # a second apart: two good checks take up to a minute


class _Healthy(BaseHTTPRequestHandler):
    """Answers every request with an empty object."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """A test's output is no access log."""


class _Server(ThreadingHTTPServer):
    """TLS per connection, so that one slow handshake holds nobody up."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__((_HERE, 0), _Healthy)
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        with self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


def serve_everybody(sandbox: Sandbox) -> Undo:
    """Stands in the candidate's group, healthy for the load balancer and open to anybody else."""
    state = StateDirectory(sandbox.directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(state.private("service.pem"), state.private("service.key"))
    server = _Server(context)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    elb, group = client(sandbox, "elbv2"), sandbox.outputs["target_group_arns"]["blue"]
    asked = {"TargetGroupArn": group, "Targets": [{"Id": _HERE, "Port": server.server_address[1]}]}

    def undo() -> None:
        elb.deregister_targets(**asked)
        server.shutdown()
        server.server_close()
        thread.join()

    elb.register_targets(**asked)
    try:
        elb.get_waiter("target_in_service").wait(**asked, WaiterConfig={"Delay": 1, "MaxAttempts": _LOOKS_MAX})
    except BaseException:
        undo()
        raise
    return undo
