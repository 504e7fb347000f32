"""From the access log to put_metrics, minute by minute, on a clock that the test moves."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.edge.access_log import LogFollower
from sandbox.edge.publisher import Names, Publisher, Sources
from sandbox.processes import wait_until

NAMES = Names(
    load_balancer="app/lb/1",
    groups={"shop-api-blue": "targetgroup/shop-api-blue/1"},
    slots={"shop-api-blue": "blue"},
    cluster="production",
)
START = 1_200_000_000.0  # virtual; a whole minute


class StepClock:
    """Real time, and steps that the test makes; instants before a step keep their time."""

    def __init__(self) -> None:
        self._origin = time.monotonic()
        self._steps: list[tuple[float, float]] = []  # (monotonic, virtual seconds)

    def step(self, seconds: float) -> None:
        """Virtual time is suddenly later."""
        self._steps.append((time.monotonic(), seconds))

    def now(self) -> float:
        return self.virtual_at(time.monotonic())

    def factor(self) -> float:
        return 1.0

    def virtual_at(self, monotonic_seconds: float) -> float:
        steps = sum(seconds for at, seconds in self._steps if at <= monotonic_seconds)
        return START + monotonic_seconds - self._origin + steps


class FakePlane:
    """Collects what is published, by metric name."""

    def __init__(self) -> None:
        self.published: list[Mapping[str, Any]] = []

    def put_metrics(self, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
        self.published += data

    def sums(self, name: str) -> dict[float, float]:
        """Sum by minute of the counters with a target group."""
        found: dict[float, float] = {}
        for datum in self.published:
            if datum["MetricName"] == name and len(datum["Dimensions"]) == 2 and "Value" in datum:
                found[datum["Timestamp"]] = found.get(datum["Timestamp"], 0.0) + datum["Value"]
        return found


class FakeHealth:
    """Two targets of blue, one of them sick."""

    def counts(self) -> Mapping[str, tuple[int, int]]:
        return {"arn:aws:elasticloadbalancing:r:1:targetgroup/shop-api-blue/1": (1, 1)}


def line(end: float, code: int = 200) -> bytes:
    """A request to blue that ended at this wall clock time."""
    fields = [f"{end:.6f}", "0", "900", str(code), "via_upstream", "-", "shop-api-blue", "127.0.0.2:80"]
    return "\t".join([*fields, "forward-rule-100", "id", "GET", "api.shop.example", "/"]).encode() + b"\n"


class Bench:
    """A publisher with everything around it."""

    def __init__(self, directory: Path) -> None:
        self.clock = StepClock()
        self.plane = FakePlane()
        self.log = directory / "access.log"
        sources = Sources(
            log=LogFollower(self.log, lambda: None),
            health=FakeHealth(),  # type: ignore[arg-type]  # only what the publisher asks for
            tasks=list,
            names=lambda: NAMES,
        )
        self.publisher = Publisher(self.plane, self.clock, sources)  # type: ignore[arg-type]

    def let_a_minute_pass(self) -> None:
        """Until the minute before has closed, which takes its real quarter of a second."""
        self.clock.step(61)
        wait_until(self._has_closed, 5, "the end of the minute")

    def _has_closed(self) -> bool:
        return self.clock.virtual_at(time.monotonic() - 0.26) >= START + 60

    def write(self, *lines: bytes) -> None:
        """Add to the log."""
        with self.log.open("ab") as file:
            file.writelines(lines)


def test_minute_is_published_once_it_has_closed(tmp_path: Path) -> None:
    """Nothing before; every request after, at the minute's start."""
    bench = Bench(tmp_path)
    bench.write(line(time.time()), line(time.time(), 500))
    bench.publisher.tick()
    assert bench.plane.published == []
    bench.let_a_minute_pass()
    bench.publisher.tick()

    assert bench.plane.sums("RequestCount") == {START: 2}
    assert bench.plane.sums("HTTPCode_Target_5XX_Count") == {START: 1}
    expected = {"start": START, "slot": "blue", "requests": 2, "target_5xx": 1, "connection_errors": 0, "elb_5xx": 0}
    assert bench.publisher.traffic(START) == [expected]
    assert bench.publisher.traffic(START + 60) == []


def test_late_line_adds_to_its_own_minute(tmp_path: Path) -> None:
    """A line that is read after its minute was published is counted there, not in the next."""
    bench = Bench(tmp_path)
    early = time.time()
    bench.write(line(early))
    bench.let_a_minute_pass()
    bench.publisher.tick()
    bench.write(line(early, 500))
    bench.publisher.tick()

    assert bench.plane.sums("RequestCount") == {START: 2}
    assert sum(row["requests"] for row in bench.publisher.traffic(START)) == 2


def test_host_counts_are_published_for_the_group_every_minute(tmp_path: Path) -> None:
    """Also without any traffic."""
    bench = Bench(tmp_path)
    bench.publisher.tick()
    bench.let_a_minute_pass()
    bench.publisher.tick()
    found = {datum["MetricName"]: datum["StatisticValues"]["Maximum"] for datum in bench.plane.published}

    assert found == {"HealthyHostCount": 1.0, "UnHealthyHostCount": 1.0}
    assert [one["Name"] for one in bench.plane.published[0]["Dimensions"]] == ["TargetGroup", "LoadBalancer"]
