"""How many requests a second one core sends and measures rightly, what they cost, and when ours says that it cannot.

The p95's error is held against what the server of the lane itself measured for the same requests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.load.running import SERVER_CORE, Found, disturbance, use_client_core
from benchmarks.load.table import table
from benchmarks.load.tools import Load, Tool, hey, missing_tools, openloop, ours, plain_locust, wrk
from tests.loadservers.behaviour import Behaviour
from tests.loadservers.process import KnownServer, known_server

LAW = "lognormal:60:0.5"
_WARM_UP_SECONDS = 3.0
_CLOSED_CONNECTIONS = 32
RATES = (500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 5000, 6000, 8000)
USERS = (34, 68, 136, 272, 408)
INVALID_MAX = 2
ERROR_PERCENT_MAX = 1.0


@dataclass(frozen=True)
class Point:
    """One tool at one rate."""

    name: str
    found: Found
    p95_error_percent: float
    processor_seconds_per_thousand: float

    def cells(self) -> list[str]:
        """As a row of the table."""
        return [
            self.name,
            f"{self.found.rate:.0f}",
            f"{self.found.p95:.1f}",
            f"{self.p95_error_percent:+.2f} %",
            f"{self.processor_seconds_per_thousand:.3f}",
            self.found.verdict or "-",
        ]


def capacity(*, seconds: float) -> str:
    """Closed loops at full speed, then rising rates against a server of 60 ms; about 25 times `seconds`."""
    use_client_core()
    parts = [*missing_tools(), disturbance(), _closed(seconds)]
    with known_server(Behaviour(law=LAW), core=SERVER_CORE) as server:
        points = _rising(server, seconds)
        start = _start_seconds(server, plain_locust(_idle(server), users=1, throughput=1.0))
        points += [_point(server, _locust(server, users, seconds), start_seconds=start) for users in USERS]
        points += [_point(server, openloop(_load(server, rate, seconds)), rate) for rate in (1000, 3000, 5000)]
    head = [
        "one core against " + LAW,
        "per second",
        "p95, ms",
        "error of p95",
        "CPU s / 1,000 (without start)",
        "verdict",
    ]
    parts += ["", table(head, [point.cells() for point in points]), "", _summary(points)]
    return "\n".join([*parts, disturbance()])


def _load(server: KnownServer, rate: float, seconds: float) -> Load:
    return Load(server.ports[0], rate, seconds + _WARM_UP_SECONDS, _WARM_UP_SECONDS)


def _locust(server: KnownServer, users: int, seconds: float) -> Tool:
    return plain_locust(_load(server, 0.0, seconds), users=users)


def _rising(server: KnownServer, seconds: float) -> list[Point]:
    """Ours at one rate after the other, until it has twice called itself the bottleneck."""
    points: list[Point] = []
    start = _start_seconds(server, ours(_idle(server)))
    for rate in RATES:
        points.append(_point(server, ours(_load(server, rate, seconds)), rate, start_seconds=start))
        if sum(point.found.verdict == "INVALID" for point in points) == INVALID_MAX:
            break
    return points


def _idle(server: KnownServer) -> Load:
    """Next to nothing: what starting and ending a tool costs."""
    return Load(server.ports[0], 1.0, 4.0, 1.0)


def _start_seconds(server: KnownServer, tool: Tool) -> float:
    _, ended = tool.found()
    server.reset()
    return ended.processor_seconds


def _point(server: KnownServer, tool: Tool, rate: float | None = None, *, start_seconds: float = 0.0) -> Point:
    found, ended = tool.found()
    truth = server.truth(skip_seconds=_WARM_UP_SECONDS)
    server.reset()
    name = tool.name if rate is None else f"{tool.name}, {rate:g}/s wanted"
    return Point(
        name,
        found,
        100.0 * (found.p95 / truth["taken"]["p95"] - 1.0),
        1000.0 * max(ended.processor_seconds - start_seconds, 0.0) / truth["requests"],
    )


def _closed(seconds: float) -> str:
    """As fast as they can, against a server that answers at once; start included."""
    rows = []
    with known_server(Behaviour(), core=SERVER_CORE) as server:
        load = Load(server.ports[0], 0.0, seconds, 0.0)
        starts: tuple[Callable[[], Tool | None], ...] = (
            lambda: wrk(load, connections=_CLOSED_CONNECTIONS),
            lambda: hey(load, connections=_CLOSED_CONNECTIONS),
            lambda: plain_locust(load, users=_CLOSED_CONNECTIONS),
        )
        for start in starts:
            tool = start()
            if tool is None:
                continue
            found, ended = tool.found()
            cost = 1000.0 * ended.processor_seconds / server.truth()["requests"]
            server.reset()
            rows.append([tool.name, f"{found.rate:.0f}", f"{found.p95:.2f}", f"{cost:.3f}"])
    return table(["closed, against a server without latency", "per second", "p95, ms", "CPU s / 1,000"], rows)


def _summary(points: list[Point]) -> str:
    """What of it answers the question."""
    tried = [point for point in points if point.name.startswith("ours")]
    honest = [point for point in tried if point.found.verdict != "INVALID"]
    right = [point for point in honest if abs(point.p95_error_percent) < ERROR_PERCENT_MAX]
    wrong = [point for point in honest if abs(point.p95_error_percent) >= ERROR_PERCENT_MAX]
    invalid = next((point for point in tried if point.found.verdict == "INVALID"), None)
    highest = max((point.found.rate for point in right), default=0.0)
    return "\n".join(
        (
            f"ours: at most {highest:.0f} requests/s with an error of p95 under {ERROR_PERCENT_MAX:g} %",
            f"declares itself the bottleneck at {invalid.name}: {invalid.found.bottleneck}"
            if invalid
            else "never declared itself the bottleneck",
            f"judged in spite of a greater error: {', '.join(point.name for point in wrong) or 'never'}",
        )
    )
