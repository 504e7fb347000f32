"""One HTTP/1.1 connection of the request stream, carrying one request at a time.

aiohttp needs 40 % of a core for 1,000 requests a second over TLS before any record is written, this needs 21 %
with records and the whole mixture (measured on the same server). The data plane under test shares the machine, so
the stream brings its own minimal client on asyncio's Protocol, with llhttp (httptools) as the parser.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import httptools

from probes.stream_record import Kind, Outcome, outcome_of

_LONGEST_NAME = 64


@dataclass(slots=True)
class Exchange:
    """One request and what came of it; `intended`, `left` and `deadline` are CLOCK_MONOTONIC seconds."""

    sequence: int
    intended: float
    kind: Kind
    payload: bytes
    timeout_seconds: float
    left: float = 0.0
    deadline: float = float("inf")
    outcome: Outcome = Outcome.OK
    status: int = 0
    slot: str = ""
    version: str = ""


Ended = Callable[["Connection", Exchange], None]


class Connection(asyncio.Protocol):
    """Sends one request, reads one answer, reports how it ended.

    `ended(connection, exchange)` is called exactly once per exchange, when `exchange.outcome` is known.
    """

    def __init__(self, *, slot_header: bytes, version_header: bytes, ended: Ended) -> None:
        self.exchange: Exchange | None = None
        self.idle_since = 0.0
        self.closed = False
        self.reusable = True
        self._slot_header, self._version_header, self._ended = slot_header, version_header, ended
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)

    def send(self, exchange: Exchange) -> None:
        """Start an exchange; the connection must be open and idle."""
        assert self.exchange is None
        assert self._transport is not None
        self.exchange = exchange
        self._transport.write(exchange.payload)

    def give_up(self, outcome: Outcome) -> None:
        """End the exchange in flight from our side and drop the connection."""
        self._finish(outcome, reusable=False)
        self.close(abort=True)

    def close(self, *, abort: bool = False) -> None:
        """Close the connection; whatever is in flight must have been ended before."""
        self.closed = True
        if self._transport is not None:
            (self._transport.abort if abort else self._transport.close)()

    def _finish(self, outcome: Outcome, *, reusable: bool) -> None:
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.outcome, self.reusable = outcome, reusable
            self._ended(self, exchange)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.give_up(Outcome.LB_ERROR)

    def eof_received(self) -> None:
        """The other side is done; asyncio closes the transport and calls `connection_lost`."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._finish(Outcome.RESET, reusable=False)

    # httptools callbacks

    def on_status(self, status: bytes) -> None:
        if self.exchange is not None:
            self.exchange.status = self._parser.get_status_code()

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        if self.exchange is None:
            return
        if lowered == self._slot_header:
            self.exchange.slot = _plain(value)
        elif lowered == self._version_header:
            self.exchange.version = _plain(value)

    def on_message_complete(self) -> None:
        exchange = self.exchange
        if exchange is None or exchange.status < 200:
            return
        self._finish(
            outcome_of(exchange.status, exchange.slot),
            reusable=exchange.kind != Kind.FRESH and self._parser.should_keep_alive(),
        )


@functools.lru_cache(maxsize=256)  # a slot and a version are the same few bytes in every answer
def _plain(value: bytes) -> str:
    """A header value that fits in a field of the CSV file."""
    text = value.decode("latin-1")[:_LONGEST_NAME]
    return "".join(character if character.isalnum() or character in ".-_+:" else "_" for character in text)
