"""Waits until a customer's request is answered: through TLS, the load balancer, and the service."""

from __future__ import annotations

import http.client
import socket
import ssl
from pathlib import Path

from sandbox.processes import wait_until

_SECONDS = 30.0


def await_first_answer(host: str, *, address: str, port: int, authority: Path) -> None:
    """Returns after the first 200 of GET /health at `host`. Raises SandboxError after 30 s."""
    context = ssl.create_default_context(cafile=str(authority))

    def answers() -> bool:
        connection = http.client.HTTPSConnection(host, port, context=context, timeout=2)
        with socket.create_connection((address, port), timeout=2) as raw:
            connection.sock = context.wrap_socket(raw, server_hostname=host)
            try:
                connection.request("GET", "/health", headers={"host": host})
                return connection.getresponse().status == 200
            except http.client.HTTPException as error:
                raise OSError(str(error)) from error
            finally:
                connection.close()

    wait_until(answers, _SECONDS, f"the first answer of https://{host}/health")
