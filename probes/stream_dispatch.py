"""The open-model dispatcher: requests leave on a fixed schedule and never wait for an answer.

A request that finds no connection free waits in line; what could not be sent within `late_seconds` of its intended
time is written down as not sent, so a slow target can neither slow the schedule nor hide behind it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from dataclasses import dataclass

from probes.stream_connection import Connection, Exchange
from probes.stream_record import Kind, Outcome, Record, Recorder
from probes.target import Endpoint

_TICK_SECONDS = 0.001
_SWEEP_SECONDS = 0.1
# Below the 60 s after which an AWS load balancer closes an idle connection, so that reuse does not race with it.
_IDLE_SECONDS = 20.0
# After a stall hundreds of requests are due at once: a handshake for each would cost more than the wait for a free
# connection, and would load the load balancer in a way that customers do not.
_OPENING_MAX = 16


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What is sent. Rates per second; `*_every`: each n-th request is of that kind (0: none), `thin_every`:
    each n-th steady one is left when the stream is thinned; times in seconds."""

    endpoint: Endpoint
    path: str
    rate: float
    run: str
    thin_every: int = 1
    new_connection_every: int = 50
    slow_path: str = ""
    slow_every: int = 0
    slow_seconds: float = 2.0
    post_path: str = ""
    post_every: int = 0
    post_body: str = "{}"
    token: str = ""
    timeout_seconds: float = 5.0
    late_seconds: float = 3.0
    connections: int = 256
    slot_header: str = "x-slot"
    version_header: str = "x-version"

    def kind_of(self, sequence: int) -> Kind:
        """Which kind the n-th request is: fixed by its number, so that every second carries the same mixture."""
        for offset, (kind, every) in enumerate(self._shares()):
            # The offset keeps kinds of equal frequency from falling on the same request.
            if every and sequence % every == (every // 2 + offset) % every:
                return kind
        return Kind.STEADY

    def _shares(self) -> tuple[tuple[Kind, int], ...]:
        return (Kind.SLOW, self.slow_every), (Kind.POST, self.post_every), (Kind.FRESH, self.new_connection_every)


class Payloads:
    """The bytes of each kind of request; only the id differs from one to the next."""

    def __init__(self, traffic: Traffic) -> None:
        endpoint = traffic.endpoint
        host = endpoint.host if endpoint.port == 443 else f"{endpoint.host}:{endpoint.port}"
        common = f"host: {host}\r\nuser-agent: release-gates-stream\r\naccept: */*\r\n"
        if traffic.token:
            common += f"authorization: Bearer {traffic.token}\r\n"
        body = traffic.post_body.encode()
        posted = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        get = f"GET {traffic.path} HTTP/1.1\r\n{common}x-request-id: {traffic.run}-"
        self._parts: dict[Kind, tuple[bytes, bytes]] = {
            Kind.STEADY: (get.encode(), b"\r\n\r\n"),
            Kind.FRESH: (get.encode(), b"\r\n\r\n"),
            Kind.SLOW: (
                f"GET {traffic.slow_path} HTTP/1.1\r\n{common}x-request-id: {traffic.run}-".encode(),
                b"\r\n\r\n",
            ),
            Kind.POST: (
                f"POST {traffic.post_path} HTTP/1.1\r\n{common}{posted}x-request-id: {traffic.run}-".encode(),
                b"\r\n\r\n" + body,
            ),
        }

    def of(self, kind: Kind, sequence: int) -> bytes:
        """The request's bytes."""
        before, after = self._parts[kind]
        return before + str(sequence).encode() + after


class Dispatcher:
    """Runs one stream on the current event loop: `start`, then `stop`, then `await drained()`."""

    def __init__(self, traffic: Traffic, recorder: Recorder, *, context: ssl.SSLContext) -> None:
        self._traffic, self._recorder, self._context = traffic, recorder, context
        self._payloads = Payloads(traffic)
        self._address = traffic.endpoint.address_of(traffic.endpoint.host, traffic.endpoint.port)
        self._headers = traffic.slot_header.lower().encode(), traffic.version_header.lower().encode()
        self._idle: deque[Connection] = deque()
        self._busy: set[Connection] = set()
        self._waiting: deque[Exchange] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._sequence = 0
        self._every = 1
        self._running = False
        self._started = self._epoch_offset = 0.0
        self.largest_lag_seconds = 0.0

    def start(self) -> None:
        """Send the first request now and the others on schedule."""
        self._loop = asyncio.get_running_loop()
        self._started = time.monotonic()
        self._epoch_offset = time.time() - self._started
        self._running = True
        self._tick()
        self._sweep()

    def thin(self, every: int) -> None:
        """From now on plan only each `every`-th of the steady requests, and all of the other kinds."""
        self._every = every

    def stop(self) -> None:
        """Plan no more requests; those in flight go on."""
        self._running = False

    async def drained(self) -> None:
        """Return when nothing is in flight; bounded, because every request has its own deadline."""
        while self._waiting or self._busy or self._opening:
            await asyncio.sleep(_SWEEP_SECONDS / 2)
        self._sweeping.cancel()
        while self._idle:
            self._idle.pop().close()

    # the schedule

    def _tick(self) -> None:
        if not self._running:
            return
        now = time.monotonic()
        due = int((now - self._started) * self._traffic.rate) + 1
        while self._sequence < due:
            if self._sequence % self._every == 0 or self._traffic.kind_of(self._sequence) is not Kind.STEADY:
                self._launch(self._sequence, now)
            self._sequence += 1
        self._loop.call_later(_TICK_SECONDS, self._tick)

    def _launch(self, sequence: int, now: float) -> None:
        traffic, kind = self._traffic, self._traffic.kind_of(sequence)
        exchange = Exchange(
            sequence=sequence,
            intended=self._started + sequence / traffic.rate,
            kind=kind,
            payload=self._payloads.of(kind, sequence),
            timeout_seconds=traffic.timeout_seconds + (traffic.slow_seconds if kind is Kind.SLOW else 0.0),
        )
        if now > exchange.intended + traffic.late_seconds:
            self._record(exchange, Outcome.NOT_SENT)
        elif self._waiting or not self._place(exchange):
            self._waiting.append(exchange)

    def _place(self, exchange: Exchange) -> bool:
        """Send on a free connection or open one; False when all are busy."""
        if exchange.kind is not Kind.FRESH and (connection := self._free_connection()) is not None:
            self._send(connection, exchange)
            return True
        if len(self._busy) + len(self._opening) >= self._traffic.connections or len(self._opening) >= _OPENING_MAX:
            return False
        if self._idle and len(self._busy) + len(self._opening) + len(self._idle) >= self._traffic.connections:
            self._idle.popleft().close()
        task = self._loop.create_task(self._open(exchange))
        self._opening.add(task)
        task.add_done_callback(self._opened)
        return True

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        self._place_waiting()

    def _place_waiting(self) -> None:
        while self._waiting and self._place(self._waiting[0]):
            self._waiting.popleft()

    def _free_connection(self) -> Connection | None:
        """The connection used last: those not needed grow old and are closed."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        return None

    def _send(self, connection: Connection, exchange: Exchange) -> None:
        exchange.left = time.monotonic()
        exchange.deadline = exchange.left + exchange.timeout_seconds
        self.largest_lag_seconds = max(self.largest_lag_seconds, exchange.left - exchange.intended)
        self._busy.add(connection)
        connection.send(exchange)

    # connections

    async def _open(self, exchange: Exchange) -> None:
        traffic = self._traffic
        try:
            async with asyncio.timeout(traffic.timeout_seconds):
                _, connection = await self._loop.create_connection(
                    self._new_connection, *self._address, ssl=self._context, server_hostname=traffic.endpoint.host
                )
        except OSError as error:
            self._record(exchange, outcome_of_opening(error))
            return
        if connection.closed:  # by the other side, before this task ran again
            self._record(exchange, Outcome.RESET)
        else:
            self._send(connection, exchange)

    def _new_connection(self) -> Connection:
        slot_header, version_header = self._headers
        return Connection(slot_header=slot_header, version_header=version_header, ended=self._ended)

    def _ended(self, connection: Connection, exchange: Exchange) -> None:
        self._busy.discard(connection)
        self._record(exchange, exchange.outcome)
        if not connection.reusable or connection.closed:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        self._place_waiting()

    # bounds

    def _sweep(self) -> None:
        """Ten times a second: time out what is overdue, drop what waits too long, close what idles too long."""
        now = time.monotonic()
        for connection in [each for each in self._busy if each.exchange is None or each.exchange.deadline < now]:
            connection.give_up(Outcome.TIMEOUT)
        while self._waiting and self._waiting[0].intended + self._traffic.late_seconds < now:
            self._record(self._waiting.popleft(), Outcome.NOT_SENT)
        self._place_waiting()
        while self._idle and self._idle[0].idle_since + _IDLE_SECONDS < now:
            self._idle.popleft().close()
        self._recorder.flush()
        self._sweeping = self._loop.call_later(_SWEEP_SECONDS, self._sweep)

    def _record(self, exchange: Exchange, outcome: Outcome) -> None:
        now = time.monotonic()
        left = exchange.intended if outcome is Outcome.NOT_SENT else exchange.left or now
        self._recorder.add(
            Record(
                exchange.sequence,
                exchange.intended,
                exchange.intended + self._epoch_offset,
                exchange.kind,
                outcome,
                exchange.status,
                exchange.slot,
                exchange.version,
                (now - exchange.intended) * 1000,
                (left - exchange.intended) * 1000,
            )
        )


def outcome_of_opening(error: OSError) -> Outcome:
    """How a connection that could not be opened counts; what never got through is `refused`."""
    if isinstance(error, TimeoutError):
        return Outcome.TIMEOUT
    if isinstance(error, ssl.SSLEOFError | ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        return Outcome.RESET
    if isinstance(error, ssl.SSLError):
        return Outcome.TLS
    return Outcome.REFUSED
