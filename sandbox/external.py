"""The external dependency of the service: an HTTP server that answers 200, hangs, or is gone.

Run as a program of its own: `external.py ADDRESS FAULT_FILE PORT_DESCRIPTOR`; it imports nothing of the sandbox. The
fault file holds {"hang": true} or {"down": true} and is looked at 20 times a second.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

_POLL_SECONDS = 0.05
_ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{"status":"ok"}'


class External:
    """The server and its faults."""

    def __init__(self, address: str, fault_file: Path) -> None:
        self._address = address
        self._fault_file = fault_file
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._hanging = False
        self.port = 0

    async def listen(self) -> None:
        """Listen; on the port it had before, if any."""
        self._server = await asyncio.start_server(self._serve, self._address, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def follow_faults(self) -> None:
        """Watch the fault file for good."""
        seen = -1
        while True:
            stamp = self._fault_file.stat().st_mtime_ns if self._fault_file.exists() else 0
            if stamp != seen:
                seen = stamp
                await self._apply(json.loads(self._fault_file.read_text()) if stamp else {})
            await asyncio.sleep(_POLL_SECONDS)

    async def _apply(self, faults: dict[str, object]) -> None:
        self._hanging = bool(faults.get("hang"))
        if faults.get("down") and self._server is not None:
            self._server.close()
            self._server = None
            for writer in list(self._open):
                writer.transport.abort()
        elif not faults.get("down") and self._server is None:
            await self.listen()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while await reader.readline():
                while (await reader.readline()).strip():
                    pass  # headers; their content does not matter here
                while self._hanging:
                    await asyncio.sleep(_POLL_SECONDS)
                writer.write(_ANSWER)
                await writer.drain()
        except (ConnectionError, ValueError):
            return  # the client has gone, or sent a line without end
        finally:
            self._open.discard(writer)
            writer.close()


async def main(address: str, fault_file: Path, port_descriptor: int) -> None:
    """Serve until killed; the port is written to the descriptor."""
    external = External(address, fault_file)
    await external.listen()
    os.write(port_descriptor, f"{external.port}\n".encode())
    os.close(port_descriptor)
    await external.follow_faults()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
