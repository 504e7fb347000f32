"""Are the merged histograms of several workers that of all requests, and what does recording cost?

First by the recorder alone, with parcels that travel as bytes; then by real runs whose workers also write down every
latency (`raw.py`); last ten million requests in one process.
"""

from __future__ import annotations

import json
import math
import random
import resource
import sys
import tempfile
import time
from array import array
from collections.abc import Iterable
from pathlib import Path

import msgpack
from hdrh.histogram import HdrHistogram

from benchmarks.load.running import ROOT, Running, python
from benchmarks.load.table import table
from loadtests.histogram import HIGHEST_MICROSECONDS, SIGNIFICANT_DIGITS, decode
from loadtests.recording import Merged, Recorder
from tests.loadservers.behaviour import Behaviour
from tests.loadservers.ours import LoadRun
from tests.loadservers.process import known_server

WORKERS = (1, 2, 4)
_LIMIT_SECONDS = 0.2
_PARCEL_REQUESTS = 10_000
_PER_SECOND = 10_000.0
_REAL_RATE, _REAL_SECONDS = 800.0, 21.0
NAME = "GET /api/v1/status"


def merge(*, samples: int, requests: int) -> str:
    """All three parts; about a minute for each ten million."""
    exact = table(
        ["workers", "parcels", "histogram", "at or over 200 ms", "error of p95", "error of p99"],
        [_merged_row(workers, samples) for workers in WORKERS],
    )
    real = table(
        ["processes that send", "verdict", "requests", "histogram", "at or over 200 ms"],
        [_real_row(workers) for workers in WORKERS],
    )
    return (
        f"{samples:,} requests of a lognormal law, by the recorder alone\n{exact}\n\n"
        f"real runs of {_REAL_SECONDS:g} s at {_REAL_RATE:g}/s\n{real}\n\n{_memory(requests)}"
    )


def drawn(count: int, seed: int = 1) -> array[float]:
    """Latencies in seconds."""
    dice = random.Random(seed)
    return array("d", (0.06 * math.exp(0.5 * dice.gauss(0.0, 1.0)) for _ in range(count)))


def counted(seconds: Iterable[float]) -> dict[int, int]:
    """The histogram of latencies by hdrhistogram's own recording: bucket and count."""
    histogram = HdrHistogram(1, HIGHEST_MICROSECONDS, SIGNIFICANT_DIGITS)
    for value in seconds:
        histogram.record_value(min(max(int(value * 1e6), 1), HIGHEST_MICROSECONDS))
    return {index: count for index in range(histogram.counts_len) if (count := histogram.counts[index])}


def _merged_row(workers: int, samples: int) -> list[str]:
    latencies = drawn(samples)
    recorders = [Recorder(warm_up_seconds=0.0, limits_seconds=_LIMIT_SECONDS) for _ in range(workers)]
    merged, parcels = Merged(), 0
    for number, latency in enumerate(latencies):
        at = number / _PER_SECOND
        recorder = recorders[number % workers]
        recorder.started(NAME, at)
        recorder.ended(NAME, at, latency)
        if number % _PARCEL_REQUESTS == workers:
            parcels += _send(merged, recorders, final=False)
    parcels += _send(merged, recorders, final=True)
    tally = merged.all()
    found = merged.result()
    over = sum(value >= _LIMIT_SECONDS for value in latencies)
    same = tally.counts == counted(latencies) and not found.problems
    ordered = sorted(latencies)
    errors = []
    for share in (0.95, 0.99):
        rank = math.ceil(share * samples)
        seen = tally.quantile_microseconds(rank) or 0
        errors.append(f"{100 * (seen / (1e6 * ordered[rank - 1]) - 1):+.3f} %")
    said = "equal" if same else f"DIFFERENT {found.problems}"
    exact = "equal" if tally.at_or_over_limit == over else f"{tally.at_or_over_limit} of {over}"
    return [str(workers), str(parcels), said, exact, *errors]


def _real_row(workers: int) -> list[str]:
    """A run with so many workers: the histogram in its report against all that they wrote down."""
    locustfile = str(ROOT / "benchmarks" / "load" / "raw_locustfile.py")
    options = ("--no-abort", "--workers", str(workers), "--locustfile", locustfile)
    with tempfile.TemporaryDirectory() as place, known_server(Behaviour(law="lognormal:60:0.5")) as server:
        run = LoadRun(server.url(), Path(place), rate=_REAL_RATE, seconds=_REAL_SECONDS, options=options)
        Running(run.command(), environment={"RAW_DIRECTORY": place}).end(seconds_max=_REAL_SECONDS + 60.0)
        document = run.document()
        latencies = array("d")
        for one in Path(place).glob("*.latencies"):
            latencies.frombytes(one.read_bytes())
    whole = document["all"]
    over = sum(value >= _LIMIT_SECONDS for value in latencies)
    same = decode(whole["histogram"]) == counted(latencies) and whole["requests"] == len(latencies)
    exact = "equal" if whole["at_or_over_limit"] == over else f"{whole['at_or_over_limit']} of {over}"
    said = "equal" if same else "DIFFERENT"
    return [str(workers), document["verdict"], f"{len(latencies):,}", said, exact]


def _send(merged: Merged, recorders: list[Recorder], *, final: bool) -> int:
    """Every worker's next parcel, as bytes and back, as locust sends them."""
    for number, recorder in enumerate(recorders):
        merged.add(str(number), msgpack.unpackb(msgpack.packb(recorder.parcel(final=final))))
    return len(recorders)


def _memory(requests: int) -> str:
    """In a process of its own, so that nothing else is in its memory."""
    ended = Running(python("-m", "benchmarks.load.merge", str(requests))).end(seconds_max=900)
    found = json.loads(ended.output)
    return (
        f"{requests:,} requests recorded and merged: {found['microseconds']:.2f} microseconds each, "
        f"{found['megabytes_before']:.0f} MB before, {found['megabytes_after']:.0f} MB after"
    )


def ten_million(requests: int) -> dict[str, float]:
    """Record so many of seven names at 10,000 a second; what it took: microseconds each, megabytes at its peak."""
    latencies = drawn(9_973)  # prime to the number of names
    names = [f"GET /{number}" for number in range(7)]
    recorder, merged = Recorder(warm_up_seconds=0.0, limits_seconds=_LIMIT_SECONDS), Merged()
    before = _megabytes()
    started = time.perf_counter()
    for number in range(requests):
        at, name = number / _PER_SECOND, names[number % 7]
        recorder.started(name, at)
        recorder.ended(name, at, latencies[number % 9_973])
        if number % _PARCEL_REQUESTS == 0:
            merged.add("1", recorder.parcel(final=False))
    merged.add("1", recorder.parcel(final=True))
    spent = time.perf_counter() - started
    assert merged.all().ended == requests
    return {
        "microseconds": 1e6 * spent / requests,
        "megabytes_before": before,
        "megabytes_after": _megabytes(),
    }


def _megabytes() -> float:
    """The most that this process has had in memory (getrusage(2) counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(ten_million(int(sys.argv[1]))))
