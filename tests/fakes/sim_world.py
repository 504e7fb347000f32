"""A small world on a virtual clock: two slots, weighted customers, minutes of what they saw.

It is moved by `advance`; dials are plain attributes, set by tests at any instant. Real and virtual seconds are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

MINUTE = 60.0
START = 1_800_000_000.0  # a whole minute

IMAGES = {"blue": "registry/shop-api@sha256:" + "a" * 64, "green": "registry/shop-api@sha256:" + "b" * 64}
NEW_IMAGE = "registry/shop-api@sha256:" + "c" * 64


@dataclass
class Slot:
    """One side: its service and how it treats customers now."""

    image: str
    version: str
    revision: int = 1
    desired: int = 0
    running: int = 0
    healthy: int = 0
    ready_in_seconds: float = 0.0
    failed_tasks: int = 0
    never_ready: bool = False
    crashes: bool = False
    unhealthy: int = 0  # of the running tasks, how many fail their check
    error_percent: float = 0.0
    slow_percent: float = 0.0
    p95: float = 90.0
    cpu: float | None = None  # None: 2 % idle and 0.4 % for each percent of the customers
    memory: float = 40.0
    silent: bool = False  # no datapoint at all
    scaling_minimum: int = 0


@dataclass
class Tally:
    """What one side saw within one minute."""

    requests: float = 0.0
    errors: float = 0.0
    slow: float = 0.0
    p95: float | None = None
    cpu: float | None = None
    memory: float | None = None
    healthy: int | None = None
    unhealthy: int | None = None


@dataclass
class SimWorld:
    """The account, the customers and the clock."""

    requests_per_second: float = 1000.0
    now: float = START
    share: float = 0.0
    attached: bool = False
    down: set[str] = field(default_factory=set)  # elb, ecs, health, metrics, store, alerts, public, dns
    slots: dict[str, Slot] = field(default_factory=dict)
    stable: str = "green"
    candidate: str = "blue"
    publish_delay: float = 20.0
    dns_value: str = ""
    dns_in_sync: bool = True
    shares: list[tuple[float, float, str]] = field(default_factory=list)
    calls: list[tuple[float, str]] = field(default_factory=list)
    tallies: dict[tuple[str, float], Tally] = field(default_factory=dict)
    script: list[tuple[float, Callable[[SimWorld], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.slots:
            self.slots = {
                self.candidate: Slot(image=IMAGES["blue"], version="0.9.0"),
                self.stable: Slot(image=IMAGES["green"], version="1.0.0", desired=2, running=2, healthy=2),
            }

    # ------------------------------------------------------------------------------------------ what happens

    def at(self, seconds: float, act: Callable[[SimWorld], None]) -> None:
        """Do something at a virtual instant, seconds after the start."""
        self.script.append((START + seconds, act))
        self.script.sort(key=lambda entry: entry[0])

    def set_share(self, share: float, by: str) -> None:
        if share != self.share:
            self.shares.append((self.now, share, by))
        self.share = share

    def advance(self, seconds: float) -> None:
        """Let customers and tasks live for so long."""
        end = self.now + seconds
        while self.now < end:
            while self.script and self.script[0][0] <= self.now:
                self.script.pop(0)[1](self)
            edge = (self.now // MINUTE + 1) * MINUTE
            step = min(end, edge, self.script[0][0] if self.script else end)
            self._live(step - self.now)
            self.now = step
        while self.script and self.script[0][0] <= self.now:
            self.script.pop(0)[1](self)

    def _live(self, seconds: float) -> None:
        start = self.now // MINUTE * MINUTE
        for name, slot in self.slots.items():
            self._tasks(slot, seconds)
            share = self.share if name == self.candidate else 100 - self.share
            tally = self.tallies.setdefault((name, start), Tally())
            if slot.silent:
                continue
            requests = self.requests_per_second * seconds * share / 100
            tally.requests += requests
            tally.errors += requests * slot.error_percent / 100
            tally.slow += requests * slot.slow_percent / 100
            if slot.running:
                cpu = 2.0 + 0.4 * share if slot.cpu is None else slot.cpu
                tally.p95, tally.cpu, tally.memory = slot.p95, cpu, slot.memory
                tally.healthy, tally.unhealthy = slot.healthy, slot.running - slot.healthy

    def _tasks(self, slot: Slot, seconds: float) -> None:
        if slot.running > slot.desired:
            slot.running = slot.healthy = slot.desired
        if slot.crashes and slot.desired:
            slot.failed_tasks += 1
        elif slot.running < slot.desired and not slot.never_ready:
            slot.ready_in_seconds -= seconds
            if slot.ready_in_seconds <= 0:
                slot.running = slot.desired
        slot.healthy = max(0, slot.running - slot.unhealthy)
