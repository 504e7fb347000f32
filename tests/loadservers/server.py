"""The loop of a known server: one process, raw sockets, answers on time to some ten microseconds.

asyncio and uvloop wait in whole milliseconds, 0.7 % of a 136 ms p95. select(2) waits in microseconds and may watch an
epoll descriptor (epoll(7)), so the wait is a select on the epoll of all connections.
"""

from __future__ import annotations

import ctypes
import gc
import heapq
import select
import socket
import time
from collections.abc import Callable

from tests.loadservers.answers import Answers, answer
from tests.loadservers.lane import Lane
from tests.loadservers.planned import ANSWER, HANG

_RECEIVE_BYTES = 65_536
_BACKLOG = 4096
_PR_SET_TIMERSLACK = 29  # prctl(2); a thread's waits may otherwise end 50 microseconds late
_ERROR = answer(500, {"detail": "planted"})
Reader = Callable[[float], None]


class Connection:
    """A client's connection: bytes in, whole requests to whom they are for."""

    def __init__(self, stream: socket.socket, on_request: Callable[[Connection, str, str, bytes, float], None]) -> None:
        self._stream = stream
        self._on_request = on_request
        self._buffer = b""
        self.open = True

    def read(self, now: float) -> bool:
        """Take what has come; False when the client has closed."""
        try:
            received = self._stream.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return True
        except ConnectionError:
            received = b""
        if not received:
            self.open = False
            self._stream.close()
            return False
        self._buffer += received
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0 and self._take(end, now):
            continue
        return True

    def _take(self, end: int, now: float) -> bool:
        """Hand on the request whose head ends here; False while its body is not whole."""
        head = self._buffer[:end]
        length = 0
        if not head.startswith(b"GET "):
            _, found, rest = head.lower().partition(b"\r\ncontent-length:")
            length = int(rest.partition(b"\r\n")[0]) if found else 0
        stop = end + 4 + length
        if len(self._buffer) < stop:
            return False
        body, self._buffer = self._buffer[end + 4 : stop], self._buffer[stop:]
        method, path, _ = head[: head.find(b"\r\n") if b"\r\n" in head else end].decode("latin-1").split(" ", 2)
        self._on_request(self, method, path, body, now)
        return True

    def send(self, whole: bytes) -> None:
        """An answer; these are so short that a socket that cannot take one at once is a client that does not read."""
        if not self.open:
            return
        try:
            sent = self._stream.send(whole)
        except ConnectionError:
            return  # the client has given up; the next read says so
        assert sent == len(whole), "a client does not read its answers"


class Server:
    """Lanes, each on its port of 127.0.0.1, and a control port: GET /truth/LANE?SKIP_SECONDS, GET /reset."""

    def __init__(self, lanes: list[Lane]) -> None:
        self._lanes = lanes
        self._epoll = select.epoll()
        self._readers: dict[int, Reader] = {}
        self._due: list[tuple[float, int, float, Lane, Connection, bytes]] = []
        self._number = 0
        self._started = time.perf_counter()
        self._answers = [Answers(login_fails=lane.behaviour.login_fails) for lane in lanes]
        self._listeners: list[socket.socket] = []
        for index in range(len(lanes)):
            self._listen(self._serves(index))
        self._listen(self._control)

    @property
    def ports(self) -> list[int]:
        """Of the lanes in their order, and of the control last."""
        return [int(listener.getsockname()[1]) for listener in self._listeners]

    def _listen(self, on_request: Callable[[Connection, str, str, bytes, float], None]) -> None:
        listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        listener.setblocking(False)
        self._listeners.append(listener)

        def accept(_now: float) -> None:
            try:
                stream, _ = listener.accept()
            except (BlockingIOError, ConnectionError):
                return  # the client has gone again
            stream.setblocking(False)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._watch(stream.fileno(), Connection(stream, on_request))

        self._readers[listener.fileno()] = accept
        self._epoll.register(listener, select.EPOLLIN)

    def _watch(self, descriptor: int, connection: Connection) -> None:
        def read(now: float) -> None:
            if not connection.read(now):
                del self._readers[descriptor]

        self._readers[descriptor] = read
        self._epoll.register(descriptor, select.EPOLLIN)

    def _serves(self, index: int) -> Callable[[Connection, str, str, bytes, float], None]:
        lane, answers = self._lanes[index], self._answers[index]

        def serve(connection: Connection, method: str, path: str, body: bytes, now: float) -> None:
            fate = lane.fate(now)
            if fate == HANG:
                return
            whole = answers.to(method, path, body) if fate == ANSWER else _ERROR
            if lane.at_once or fate != ANSWER:
                lane.answered(now, now, time.perf_counter() - self._started)
                connection.send(whole)
                return
            due = lane.due(now)
            self._number += 1
            heapq.heappush(self._due, (due, self._number, now, lane, connection, whole))

        return serve

    def _control(self, connection: Connection, _method: str, path: str, _body: bytes, _now: float) -> None:
        parts, _, skip = path.partition("?")
        _, word, *lane = parts.split("/")
        if word == "truth":
            document: object = self._lanes[int(lane[0])].truth(skip_seconds=float(skip or 0))
        else:
            for one in self._lanes:
                one.reset()
            document = {"reset": True}
        connection.send(answer(200, document))

    def run(self, stop_when_closed: int) -> None:
        """Serve until this descriptor (a pipe from the parent) is at its end: no server outlives who started it."""
        gc.disable()  # nothing here makes cycles, and a collection would be a stall that nobody planned
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
        self._epoll.register(stop_when_closed, select.EPOLLIN | select.EPOLLHUP)
        while True:
            self._await()
            now = time.perf_counter() - self._started
            for descriptor, _ in self._epoll.poll(0):
                if descriptor == stop_when_closed:
                    return
                self._readers[descriptor](now)
            self._answer_due()

    def _await(self) -> None:
        """Until a request comes or an answer is due."""
        seconds = self._due[0][0] - (time.perf_counter() - self._started) if self._due else None
        if seconds is None or seconds > 0:
            select.select([self._epoll], [], [], seconds)

    def _answer_due(self) -> None:
        while self._due and self._due[0][0] <= (now := time.perf_counter() - self._started):
            due, _, arrived, lane, connection, whole = heapq.heappop(self._due)
            lane.answered(arrived, due, now)
            connection.send(whole)
