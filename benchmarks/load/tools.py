"""The tools that are compared, each as it is commonly run, and how to read what it says at its end."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.running import ROOT, Ended, Found, Running, python
from tests.loadservers.ours import LoadRun

_GRACE_SECONDS = 60.0


@dataclass(frozen=True)
class Load:
    """What a tool is to do: requests per second to this port, for so long, the first seconds of it not counted."""

    port: int
    rate: float
    seconds: float
    warm_up_seconds: float

    @property
    def url(self) -> str:
        """The page that every tool asks for."""
        return f"http://127.0.0.1:{self.port}/api/v1/status"


@dataclass(frozen=True)
class Tool:
    """A tool in progress: its name, and what becomes of it."""

    name: str
    running: Running
    read: Callable[[Ended], Found]
    seconds: float

    def found(self) -> tuple[Found, Ended]:
        """Wait for its end and read what it found. Raises SystemExit when it failed, with what it printed."""
        ended = self.running.end(seconds_max=self.seconds + _GRACE_SECONDS)
        try:
            return self.read(ended), ended
        except (ValueError, KeyError, IndexError, OSError) as error:
            raise SystemExit(f"{self.name} said nothing that can be read ({error}):\n{ended.output}") from error


def openloop(load: Load) -> Tool:
    """The independent open-loop generator."""
    numbers = [f"{value:g}" for value in (load.port, load.rate, load.seconds, load.warm_up_seconds)]

    def read(ended: Ended) -> Found:
        document = json.loads(ended.output)
        return Found(document["rate"], document["p50"], document["p95"], document["p99"])

    return Tool(
        "open loop, independent", Running(python("-m", "benchmarks.load.openloop", *numbers)), read, load.seconds
    )


def plain_locust(load: Load, *, users: int, throughput: float | None = None) -> Tool:
    """locust in a closed loop, or with constant_throughput per user; its own percentiles, from its CSV.

    Users are spawned over the warm-up, and what they did in it is left out (--reset-stats).
    """
    place = Path(tempfile.mkdtemp(prefix="release-gates-locust-"))
    spawned = max(1.0, users / max(1.0, load.warm_up_seconds))
    command = python(
        "-m", "locust", "-f", str(ROOT / "benchmarks" / "load" / "plain_locustfile.py"), "--headless", "--reset-stats",
        "--host", f"http://127.0.0.1:{load.port}", "--users", str(users), "--spawn-rate", f"{spawned:g}",
        "--run-time", f"{load.seconds:g}s", "--csv", str(place / "found"), "--only-summary",
    )  # fmt: skip
    environment = {} if throughput is None else {"THROUGHPUT": f"{throughput:g}"}

    def read(_ended: Ended) -> Found:
        text = (place / "found_stats.csv").read_text(encoding="utf-8")
        shutil.rmtree(place)
        row = next(one for one in csv.DictReader(io.StringIO(text)) if one["Name"] == "Aggregated")
        return Found(float(row["Requests/s"]), float(row["50%"]), float(row["95%"]), float(row["99%"]))

    way = "closed loop" if throughput is None else "constant_throughput"
    return Tool(f"locust, {way}, {users} users", Running(command, environment=environment), read, load.seconds)


def wrk(load: Load, *, connections: int) -> Tool | None:
    """wrk with one thread; None when it is not installed."""
    if shutil.which("wrk") is None:
        return None
    script = str(ROOT / "benchmarks" / "load" / "percentiles.lua")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{load.seconds:g}s", "-s", script, load.url]

    def read(ended: Ended) -> Found:
        return Found(**json.loads(ended.output.splitlines()[-1]))

    return Tool(f"wrk, {connections} connections", Running(command), read, load.seconds)


def hey(load: Load, *, connections: int) -> Tool | None:
    """hey; None when it is not installed."""
    if shutil.which("hey") is None:
        return None
    command = ["hey", "-cpus", "1", "-z", f"{load.seconds:g}s", "-c", str(connections), load.url]

    def read(ended: Ended) -> Found:
        rate = re.search(r"Requests/sec:\s+([\d.]+)", ended.output)
        shares = dict(re.findall(r"(\d+)%+ in ([\d.]+) secs", ended.output))
        if rate is None:
            raise ValueError("no rate")
        p50, p95, p99 = (1000.0 * float(shares[share]) for share in ("50", "95", "99"))
        return Found(float(rate[1]), p50, p95, p99)

    return Tool(f"hey, {connections} connections", Running(command), read, load.seconds)


def missing_tools() -> list[str]:
    """Sentences on what is not installed and therefore not compared."""
    return [
        f"{name} is not installed: its line is missing (Debian: apt-get install {name})"
        for name in ("wrk", "hey")
        if shutil.which(name) is None
    ]


def ours(load: Load, *, options: tuple[str, ...] = (), thresholds: Mapping[str, float] | None = None) -> Tool:
    """The generator under test, with one kind of visit of one request, so that arrivals are requests."""
    place = Path(tempfile.mkdtemp(prefix="release-gates-ours-"))
    run = LoadRun(
        url=f"http://127.0.0.1:{load.port}",
        directory=place,
        rate=load.rate,
        seconds=load.seconds,
        warm_up_seconds=load.warm_up_seconds,
        thresholds=thresholds or {},
        options=("--no-abort", *options),
    )

    def read(_ended: Ended) -> Found:
        document = run.document()
        shutil.rmtree(place)
        return found_in(document)

    return Tool("ours", Running(run.command()), read, load.seconds)


def found_in(document: Mapping[str, Any]) -> Found:
    """What a loadreport.json says."""
    whole = document["all"]
    reasons = [one["message"] for one in document["checks"] if one["verdict"] == "INVALID"]
    return Found(
        rate=document["rate"]["reached_per_second"],
        p50=whole["p50"],
        p95=whole["p95"],
        p99=whole["p99"],
        verdict=document["verdict"],
        bottleneck=reasons[0] if reasons else None,
    )
