"""Once per virtual minute: what the edge saw, as the metrics AWS/ApplicationELB and AWS/ECS."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.contracts import Clock, ControlPlane, RunningTask
from sandbox.edge import usage
from sandbox.edge.access_log import LogFollower
from sandbox.edge.health import HealthChecker
from sandbox.edge.traffic import MINUTE_SECONDS, Minute, count, metrics, sample_metric

_TICK_SECONDS = 0.1
# Envoy writes its log every 100 ms; a minute is closed when its last lines have surely been read.
_CLOSE_AFTER_SECONDS = 0.25
_HEALTH_SAMPLE_SECONDS = 10  # virtual
_MEMORY_PERIOD_SECONDS = (0.25, 5.0)  # real; reading PSS costs a millisecond or more
_TRAFFIC_MINUTES_MAX = 10_000

Samples = dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class Names:
    """How the metrics name things: dimension values. `groups` maps a target group's name to its dimension."""

    load_balancer: str
    groups: Mapping[str, str]
    slots: Mapping[str, str]  # target group name -> slot
    cluster: str


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where the numbers come from: finished requests, target health, running tasks, and their names in CloudWatch."""

    log: LogFollower
    health: HealthChecker
    tasks: Callable[[], Sequence[RunningTask]]
    names: Callable[[], Names]


@dataclass
class _Open:
    """What was sampled for a minute that is not closed yet."""

    health: dict[str, Samples] = field(default_factory=dict)  # by group ARN
    memory: Samples = field(default_factory=dict)  # by service name


class Publisher:
    """Reads the access log, samples health and tasks, publishes closed minutes; one event loop."""

    def __init__(self, plane: ControlPlane, clock: Clock, sources: Sources) -> None:
        self._plane = plane
        self._clock = clock
        self._log = sources.log
        self._health = sources.health
        self._tasks = sources.tasks
        self._names = sources.names
        self._minutes: dict[int, Minute] = {}
        self._open: dict[int, _Open] = {}
        self._published = int(clock.now() // MINUTE_SECONDS) - 1
        self._cpu: dict[str, tuple[float, float]] = {}  # task id -> (monotonic, processor seconds) at last close
        self._memory_turn = 0
        self._memory_due = 0.0
        self._health_slice = -1
        self._traffic: dict[int, dict[str, dict[str, int]]] = {}
        self._traffic_lock = threading.Lock()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            started = time.monotonic()
            self.tick()
            await asyncio.sleep(max(0.0, started + _TICK_SECONDS - time.monotonic()))

    def tick(self) -> None:
        """Read, sample, and publish what has closed."""
        now = self._clock.now()
        self._read_log()
        self._sample_health(now)
        self._sample_memory(now)
        closed = int(self._clock.virtual_at(time.monotonic() - _CLOSE_AFTER_SECONDS) // MINUTE_SECONDS) - 1
        data: list[dict[str, Any]] = []
        for minute in sorted(number for number in self._minutes if number <= closed):
            data += self._close_traffic(minute, self._minutes.pop(minute))
        if closed > self._published:
            # A starved process closes several minutes at once; each still gets its datapoints, as CloudWatch's have.
            passed = range(self._published + 1, closed + 1)
            for minute in passed:
                data += self._close_health(minute, self._open.get(minute) or self._looked_late())
            self._close_tasks(passed)
            self._published = closed
        if data:
            self._plane.put_metrics("AWS/ApplicationELB", data)

    def traffic(self, since: float) -> list[dict[str, Any]]:
        """Closed minutes from the virtual instant `since` on: start, slot, requests, target_5xx, connection_errors,
        elb_5xx; slot "" holds what reached no target group."""
        with self._traffic_lock:
            rows = [(number * MINUTE_SECONDS, slots) for number, slots in sorted(self._traffic.items())]
            return [
                {"start": start, "slot": slot, **counts}
                for start, slots in rows
                if start >= since
                for slot, counts in slots.items()
            ]

    def _read_log(self) -> None:
        wall_minus_monotonic = time.time() - time.monotonic()
        virtual_at = self._clock.virtual_at
        for request in self._log.requests():
            number = int(virtual_at(request.end - wall_minus_monotonic) // MINUTE_SECONDS)
            minute = self._minutes.get(number)
            if minute is None:
                # A line that comes after its minute was published makes a second, additional set of counters for it.
                minute = self._minutes[number] = Minute()
            count(minute, request)

    def _sample_health(self, now: float) -> None:
        if int(now // _HEALTH_SAMPLE_SECONDS) == self._health_slice:
            return
        self._health_slice = int(now // _HEALTH_SAMPLE_SECONDS)
        samples = self._opened(now).health
        for arn, (healthy, unhealthy) in self._health.counts().items():
            group = samples.setdefault(arn, {"HealthyHostCount": [], "UnHealthyHostCount": []})
            group["HealthyHostCount"].append(healthy)
            group["UnHealthyHostCount"].append(unhealthy)

    def _sample_memory(self, now: float) -> None:
        if time.monotonic() < self._memory_due:
            return
        tasks = self._tasks()
        shortest, longest = _MEMORY_PERIOD_SECONDS
        each_twice = MINUTE_SECONDS / self._clock.factor() / (2 * max(1, len(tasks)))
        self._memory_due = time.monotonic() + min(max(each_twice, shortest), longest)
        if not tasks:
            return
        self._memory_turn += 1
        task = tasks[self._memory_turn % len(tasks)]
        try:
            percent = usage.pss_bytes(task.process_id) / usage.TASK_MEMORY_BYTES * 100
        except ProcessLookupError:
            return  # it has just ended
        self._opened(now).memory.setdefault(task.spec.service_name, []).append(percent)

    def _opened(self, now: float) -> _Open:
        return self._open.setdefault(int(now // MINUTE_SECONDS), _Open())

    def _close_traffic(self, number: int, minute: Minute) -> list[dict[str, Any]]:
        names = self._names()
        with self._traffic_lock:
            slots = self._traffic.setdefault(number, {})
            for group in {*minute.groups, *minute.own_by_group}:
                counts = slots.setdefault(names.slots.get(group, group), _no_traffic())
                counts["elb_5xx"] += minute.own_by_group[group]
                if group in minute.groups:
                    counts["requests"] += minute.groups[group].requests
                    counts["target_5xx"] += minute.groups[group].by_class[5]
                    counts["connection_errors"] += minute.groups[group].connection_errors
            while len(self._traffic) > _TRAFFIC_MINUTES_MAX:
                del self._traffic[min(self._traffic)]
        return metrics(minute, float(number * MINUTE_SECONDS), names.load_balancer, names.groups)

    def _close_health(self, number: int, opened: _Open) -> list[dict[str, Any]]:
        names = self._names()
        dimension_by_arn = {f"{value}": value for value in names.groups.values()}
        data = []
        for arn, samples in opened.health.items():
            dimension = next((value for value in dimension_by_arn if arn.endswith(value)), arn)
            dimensions = [
                {"Name": "TargetGroup", "Value": dimension},
                {"Name": "LoadBalancer", "Value": names.load_balancer},
            ]
            start = float(number * MINUTE_SECONDS)
            data += [
                sample_metric(name, values, start, dimensions=dimensions, unit="Count")
                for name, values in samples.items()
            ]
        return data

    def _looked_late(self) -> _Open:
        """Health as it is now, for a minute in which nobody could look."""
        late = _Open()
        for arn, (healthy, unhealthy) in self._health.counts().items():
            late.health[arn] = {"HealthyHostCount": [healthy], "UnHealthyHostCount": [unhealthy]}
        return late

    def _close_tasks(self, passed: range) -> None:
        """AWS/ECS of the minutes that have closed: processor use is the mean since the last close, memory what was
        sampled in the minute, or what is used now if nothing was."""
        cpu = self._cpu_percents()
        data: list[dict[str, Any]] = []
        for number in passed:
            opened = self._open.pop(number, None)
            sampled = opened.memory if opened else {}
            lacking = {service: values for service, values in cpu.items() if service not in sampled}
            memory = {**sampled, **(self._memory_now(lacking) if lacking else {})}
            for name, samples in (("CPUUtilization", cpu), ("MemoryUtilization", memory)):
                data += self._service_metrics(name, samples, float(number * MINUTE_SECONDS))
        for number in [number for number in self._open if number < passed.stop]:
            del self._open[number]
        if data:
            self._plane.put_metrics("AWS/ECS", data)

    def _memory_now(self, services: Samples) -> Samples:
        """What `services` use now; asked only where a minute lacks samples, since PSS is costly to read."""
        missing: Samples = {}
        for task in self._tasks():
            if task.spec.service_name in services:
                with contextlib.suppress(ProcessLookupError):
                    percent = usage.pss_bytes(task.process_id) / usage.TASK_MEMORY_BYTES * 100
                    missing.setdefault(task.spec.service_name, []).append(percent)
        return missing

    def _service_metrics(self, name: str, samples: Samples, start: float) -> list[dict[str, Any]]:
        cluster = {"Name": "ClusterName", "Value": self._names().cluster}
        return [
            sample_metric(
                name,
                values,
                start,
                dimensions=[cluster, {"Name": "ServiceName", "Value": service}],
                unit="Percent",
            )
            for service, values in samples.items()
        ]

    def _cpu_percents(self) -> Samples:
        now = time.monotonic()
        percents: Samples = {}
        seen: dict[str, tuple[float, float]] = {}
        for task in self._tasks():
            try:
                used = usage.cpu_seconds(task.process_id)
            except ProcessLookupError:
                continue  # it has just ended
            seen[task.spec.task_id] = (now, used)
            before = self._cpu.get(task.spec.task_id)
            if before is not None and now > before[0]:
                share = (used - before[1]) / ((now - before[0]) * usage.TASK_VCPU)
                percents.setdefault(task.spec.service_name, []).append(share * 100)
        self._cpu = seen
        return percents


def _no_traffic() -> dict[str, int]:
    return {"requests": 0, "target_5xx": 0, "connection_errors": 0, "elb_5xx": 0}
