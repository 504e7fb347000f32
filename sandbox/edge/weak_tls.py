"""Terminates TLS with a key that Envoy refuses to serve (RSA under 2048 bits), for the edge fault `weak_key`.

Envoy passes the customers' TCP connections on to this, and gets the decrypted bytes back on an inner listener.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
from pathlib import Path

from sandbox.edge.certificates import Identity
from sandbox.edge.endpoints import Target

_CHUNK_BYTES = 65536
_START_SECONDS = 5.0


class WeakTerminator:
    """Runs in a thread of its own until the process ends; one is enough, it serves no one unless Envoy sends it."""

    def __init__(self, identity: Identity, *, address: str, inner: Target) -> None:
        self._context = _context(identity)
        self._address = address
        self._inner = inner
        self._listening = threading.Event()
        self.target: Target = (address, 0)
        threading.Thread(target=lambda: asyncio.run(self._serve()), name="weak-tls", daemon=True).start()
        self._listening.wait(_START_SECONDS)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._pass_on, self._address, 0, ssl=self._context)
        self.target = (self._address, server.sockets[0].getsockname()[1])
        self._listening.set()
        await server.serve_forever()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(*self._inner)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        writer.transport.abort()
    else:
        writer.close()


def _context(identity: Identity) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL too refuses such a key otherwise
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = Path(directory, "certificate"), Path(directory, "key")
        key.touch(mode=0o600)
        key.write_bytes(identity.key)
        certificate.write_bytes(identity.full_chain)
        context.load_cert_chain(certificate, key)
    return context
