"""Sends the requests of all visits of a process over connections that are kept, and gives each one deadline.

The deadline covers name, connection, TLS, sending and the whole answer together: a server that sends a byte now and
then does not get more time by it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.socket import getaddrinfo

from loadtests.answer import Answer
from loadtests.connection import Connection, NoAnswer, said_of
from loadtests.target import Target

# Load balancers close what was idle for a minute or more; a request that meets the closing would be lost.
_IDLE_SECONDS_MAX = 20.0
# They also change their addresses while they grow under the load.
_ADDRESS_SECONDS_MAX = 30.0
_FIELD_FORBIDDEN = frozenset("\r\n\0")
_now = time.perf_counter

# None when the answer is right, else what is wrong with it, in few words without variable parts.
Check = Callable[[Answer], str | None]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire, counted under `name`, of which `method` and `shown` are the two parts."""

    name: str
    method: str
    shown: str
    content: bytes


class Client:
    """One target. `timeout_seconds` is for each request, from the moment it is wanted."""

    def __init__(self, target: Target, *, timeout_seconds: float, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Raises loadtests.target.BadTarget, and ValueError for a header that cannot be sent."""
        self.target = target
        self.timeout_seconds = timeout_seconds
        context = target.trust()
        self._trust = None if context is None else (context, target.host)
        self._common = _fields([("User-Agent", "release-gates-loadtests"), ("Accept", "*/*"), *headers])
        self._idle: list[Connection] = []
        self._addresses: list[tuple[int, Any]] = []
        self._addresses_until = 0.0
        self._turn = 0

    def request(
        self, method: str, path: str, *, shown: str = "", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Request:
        """A request to be sent any number of times; counted under its method and `shown`, the path by default.

        Raises ValueError for what would become another request on the wire.
        """
        if not path.startswith("/") or not path.isascii() or any(sign <= " " for sign in path):
            raise ValueError(f"{path!r} is no path of a request")
        fields = _fields((headers or {}).items())
        length = f"Content-Length: {len(body)}\r\n" if body or method not in ("GET", "HEAD") else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.target.authority}\r\n{self._common}{fields}{length}\r\n"
        shown = shown or path
        return Request(f"{method} {shown}", method, shown, head.encode("latin-1") + body)

    def send(self, request: Request, *, wanted: float) -> Answer:
        """The answer to a request wanted at this perf_counter. Raises NoAnswer."""
        deadline = wanted + self.timeout_seconds
        connection = self._kept() or self._opened(deadline)
        answer = connection.exchange(request.content, deadline)
        if connection.usable:
            connection.idle_since = _now()
            self._idle.append(connection)
        return answer

    def _kept(self) -> Connection | None:
        """The connection that rested last: few are in use, and those that no longer are needed end."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.usable:
                continue
            if _now() - connection.idle_since <= _IDLE_SECONDS_MAX:
                return connection
            connection.close()
        return None

    def _opened(self, deadline: float) -> Connection:
        family, address = self._address(deadline)
        connection = Connection()
        connection.open(family, address, deadline=deadline, trust=self._trust)
        return connection

    def _address(self, deadline: float) -> tuple[int, Any]:
        """The next of the target's addresses; while they are asked for anew, the others use those known."""
        if _now() >= self._addresses_until:
            self._addresses_until = _now() + _ADDRESS_SECONDS_MAX
            try:
                self._addresses = self._resolved(deadline)
            except NoAnswer:
                self._addresses_until = 0.0
                raise
        if not self._addresses:
            # The first question is under way in another greenlet.
            return self._resolved(deadline)[0]
        self._turn += 1
        return self._addresses[self._turn % len(self._addresses)]

    def _resolved(self, deadline: float) -> list[tuple[int, Any]]:
        try:
            with gevent.Timeout(max(deadline - _now(), 0.001), NoAnswer("timed out resolving the host name")):
                found = getaddrinfo(self.target.address, self.target.address_port, 0, socket.SOCK_STREAM)
        except OSError as error:
            raise NoAnswer(said_of(error)) from error
        # The resolver's order is its preference: of the family that it names first, all.
        return [(family, address) for family, _, _, _, address in found if family == found[0][0]]

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()


def _fields(pairs: Iterable[tuple[str, str]]) -> str:
    lines = []
    for name, value in pairs:
        if not name or not (name.replace("-", "").replace("_", "").isalnum() and name.isascii()):
            raise ValueError(f"{name!r} is no name of a header")
        if _FIELD_FORBIDDEN & set(value):
            raise ValueError(f"the header {name} has a line break in its value")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines)
