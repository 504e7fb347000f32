"""A GET to a dependency, bounded: a minimal client, because one request a second needs no library."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 0.5


class DependencyError(Exception):
    """The dependency did not answer as it should; the message says how."""


async def probe(url: str) -> None:
    """Returns when `url` answers 2xx within TIMEOUT_SECONDS. Raises DependencyError."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            status = await _status(url)
    except TimeoutError as error:
        raise DependencyError(f"does not answer within {TIMEOUT_SECONDS:g} s") from error
    except OSError as error:
        raise DependencyError(f"cannot be reached ({type(error).__name__})") from error
    if not 200 <= status < 300:
        raise DependencyError(f"answers {status}")


async def _status(url: str) -> int:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure or None)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        writer.write(f"GET {target} HTTP/1.1\r\nhost: {parts.netloc}\r\nconnection: close\r\n\r\n".encode())
        line = await reader.readline()
        words = line.split()
        if len(words) < 2 or not words[1].isdigit():
            raise DependencyError("answers something that is not HTTP")
        return int(words[1])
    finally:
        writer.close()
