"""Every tool against the same known server, without stalls and with one second of stall in ten.

First ours, then all others at once; the independent open-loop generator runs beside both, as the truth of the same
minute. The generators share one core, the server has the other. Each tool has a lane (port and plan) of its own, and
each lane says what it truly did, so that a disturbance of the server is not taken for an error of a tool.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.load.running import SERVER_CORE, Found, disturbance, use_client_core
from benchmarks.load.table import against, table
from benchmarks.load.tools import Load, Tool, hey, missing_tools, openloop, ours, plain_locust, wrk
from tests.loadservers.analytic import OpenTruth
from tests.loadservers.behaviour import Behaviour, Stall
from tests.loadservers.laws import law_of
from tests.loadservers.process import KnownServer, known_server

LAW = "lognormal:60:0.5"
LIMIT_MILLISECONDS = 200.0
WARM_UP_SECONDS = 5.0
LANES = 7
# In a closed loop so many users make about 200 requests a second of 68 ms each.
CONNECTIONS = 14


@dataclass(frozen=True)
class Row:
    """One line of the table: who, what he found, and what the server of his lane measured meanwhile."""

    name: str
    found: Found
    served: dict[str, float]


def accuracy(*, rate: float, seconds: float) -> str:
    """Both tables. Takes four times `seconds` (a whole number of stalls) and some more."""
    use_client_core()
    parts = [*missing_tools(), disturbance()]
    for stall in (None, Stall()):
        truth = OpenTruth(law_of(LAW), stall)
        exact = Found(rate, p50=truth.quantile(0.5), p95=truth.quantile(0.95), p99=truth.quantile(0.99))
        with known_server(Behaviour(law=LAW, stall=stall), lanes=LANES, core=SERVER_CORE) as server:
            rows = _measured(server, rate=rate, seconds=seconds + WARM_UP_SECONDS)
        said = "a stall of 1 s every 10 s" if stall else "no stall"
        parts.append(f"\n{LAW}, {said}; {rate:g}/s wanted, {seconds:g} s measured\n{_table(exact, rows)}")
    return "\n".join([*parts, "", disturbance()])


def _measured(server: KnownServer, *, rate: float, seconds: float) -> list[Row]:
    loads = [Load(port, rate, seconds, WARM_UP_SECONDS) for port in server.ports]
    rows = _rows(server, {0: openloop(loads[0]), 1: ours(loads[1])})
    users = round(CONNECTIONS * rate / 200)
    others = {
        2: openloop(loads[2]),
        3: plain_locust(loads[3], users=users),
        4: plain_locust(loads[4], users=round(rate / 10), throughput=10.0),
        5: wrk(loads[5], connections=users),
        6: hey(loads[6], connections=users),
    }
    return rows + _rows(server, others)


def _rows(server: KnownServer, tools: dict[int, Tool | None]) -> list[Row]:
    """Wait for all; tools by their lane."""
    found = [(lane, tool.name, tool.found()[0]) for lane, tool in tools.items() if tool is not None]
    return [Row(name, one, server.truth(lane, skip_seconds=WARM_UP_SECONDS)["taken"]) for lane, name, one in found]


def _table(exact: Found, rows: list[Row]) -> str:
    lines = [["truth of the law, open model", *_cells(exact, exact)]]
    for row in rows:
        lines.append([row.name, *_cells(row.found, exact)])
        served = Found(row.found.rate, row.served["p50"], row.served["p95"], row.served["p99"])
        lines.append(["  error against its own lane", "", *_errors(row.found, served), ""])
    independent, under_test = rows[0].found, rows[1].found
    lines.append(["ours against the open loop of its minute", "", *_errors(under_test, independent), ""])
    return table(["", "per second", "p50", "p95", "p99", f"gate {LIMIT_MILLISECONDS:g} ms"], lines)


def _cells(found: Found, exact: Found) -> list[str]:
    verdict = found.verdict or ("PASS" if found.p95 < LIMIT_MILLISECONDS else "FAIL")
    return [
        f"{found.rate:.1f}",
        against(found.p50, exact.p50),
        against(found.p95, exact.p95),
        against(found.p99, exact.p99),
        verdict,
    ]


def _errors(found: Found, truth: Found) -> list[str]:
    """Relative errors of p50, p95 and p99."""
    pairs = ((found.p50, truth.p50), (found.p95, truth.p95), (found.p99, truth.p99))
    return [f"{100 * (value / right - 1):+5.1f} %" for value, right in pairs]
