"""An open-loop generator that shares nothing with the one under test: raw sockets, a schedule, every sample kept.

python -m benchmarks.load.openloop PORT RATE_PER_SECOND SECONDS SKIP_SECONDS

Arrivals are evenly spaced and do not wait for answers; latency counts from the intended moment. Prints JSON.
"""

from __future__ import annotations

import gc
import json
import math
import select
import socket
import sys
import time

_REQUEST = b"GET /api/v1/status HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
_GRACE_SECONDS = 5.0


class OpenLoop:
    """Sends request i at start + i / rate, on whichever connection is free, or on a new one."""

    def __init__(self, port: int, *, rate: float, count: int) -> None:
        self._port, self._rate, self._count = port, rate, count
        self._epoll = select.epoll()
        self._free: list[socket.socket] = []
        self._busy: dict[int, tuple[socket.socket, int]] = {}
        self.latency_seconds = [math.inf] * count  # of what is never answered: infinitely long
        self.lateness_seconds = [0.0] * count

    def run(self) -> None:
        """Send all, and wait for the last answers as long as a client would."""
        gc.disable()
        start = time.perf_counter() + 0.1
        self._moments = [start + index / self._rate for index in range(self._count)]
        sent = 0
        end = self._moments[-1] + _GRACE_SECONDS
        while (now := time.perf_counter()) < end and (sent < self._count or self._busy):
            while sent < self._count and self._moments[sent] <= now:
                self._send(sent)
                sent += 1
            until = self._moments[sent] if sent < self._count else end
            # epoll_wait counts whole milliseconds, select microseconds.
            select.select([self._epoll], [], [], max(0.0, until - time.perf_counter()))
            for descriptor, _ in self._epoll.poll(0):
                self._receive(descriptor)

    def _send(self, index: int) -> None:
        if self._free:
            stream = self._free.pop()
        else:
            stream = socket.create_connection(("127.0.0.1", self._port))
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._epoll.register(stream, select.EPOLLIN)
        self.lateness_seconds[index] = time.perf_counter() - self._moments[index]
        self._busy[stream.fileno()] = (stream, index)
        stream.sendall(_REQUEST)

    def _receive(self, descriptor: int) -> None:
        stream, index = self._busy.pop(descriptor)
        answer = stream.recv(65_536)
        now = time.perf_counter()
        if not _is_whole(answer):
            raise SystemExit(f"the server sent {answer[:80]!r}, which is no whole answer")
        self.latency_seconds[index] = now - self._moments[index]
        self._free.append(stream)


def _is_whole(answer: bytes) -> bool:
    """A whole 200 in one piece: the servers here answer in less than a segment."""
    head, _, body = answer.partition(b"\r\n\r\n")
    _, found, rest = head.lower().partition(b"content-length: ")
    return head.startswith(b"HTTP/1.1 200") and bool(found) and len(body) == int(rest.partition(b"\r\n")[0])


def nearest_rank(seconds: list[float], share: float) -> float:
    """Milliseconds that at least this share of the values stays within."""
    return 1000.0 * sorted(seconds)[math.ceil(share * len(seconds)) - 1]


def main(port: str, rate: str, seconds: str, skip_seconds: str) -> None:
    """Run, and print what was found of the requests after the first `skip_seconds`."""
    per_second = float(rate)
    skipped = round(per_second * float(skip_seconds))
    loop = OpenLoop(int(port), rate=per_second, count=round(per_second * float(seconds)))
    loop.run()
    latency, late = loop.latency_seconds[skipped:], loop.lateness_seconds[skipped:]
    answered = sum(math.isfinite(value) for value in latency)
    found = {
        "rate": answered / (len(latency) / per_second),
        "p50": nearest_rank(latency, 0.5),
        "p95": nearest_rank(latency, 0.95),
        "p99": nearest_rank(latency, 0.99),
        "lateness_p99": nearest_rank(late, 0.99),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
