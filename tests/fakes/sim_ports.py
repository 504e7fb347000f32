"""The engine's ports over `SimWorld`, written by hand: each does what its protocol says and fails when told to."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollout.errors import BadInput, SourceError
from rollout.model import DnsChange
from rollout.seen import (
    BalancerMinute,
    DnsReading,
    ListenerReading,
    MetricQuery,
    Metrics,
    PublicReading,
    ServiceReading,
    SideMinute,
    TargetCounts,
)
from tests.fakes.sim_world import MINUTE, SimWorld


def _demand(world: SimWorld, part: str) -> None:
    if part in world.down:
        raise SourceError(f"{part} does not answer", hint="Wait.")


@dataclass
class SimClock:
    world: SimWorld
    offset: float = 1000.0  # a monotonic clock starts anywhere

    def wall(self) -> float:
        return self.world.now

    def monotonic(self) -> float:
        return self.world.now - 1_800_000_000.0 + self.offset

    def wait(self, real_seconds: float) -> None:
        self.world.advance(real_seconds)


@dataclass
class SimRouter:
    world: SimWorld
    tags: tuple[str, str] | None = None
    writes: list[tuple[float, int]] = field(default_factory=list)

    def read(self, *, stable: str, candidate: str) -> ListenerReading:
        _demand(self.world, "elb")
        share = self.world.share if candidate == self.world.candidate else 100 - self.world.share
        return ListenerReading(candidate_share=share, attached=self.world.attached)

    def set_share(self, *, stable: str, candidate: str, share_percent: int) -> None:
        _demand(self.world, "elb")
        assert (stable, candidate) == (self.world.stable, self.world.candidate), "the roles were swapped"
        self.world.attached = True
        self.writes.append((self.world.now, share_percent))
        self.world.calls.append((self.world.now, f"share {share_percent}"))
        self.world.set_share(share_percent, "engine")

    def roles(self) -> tuple[str, str]:
        if self.world.share == 100:
            return self.world.candidate, self.world.stable
        if self.world.share == 0:
            return self.world.stable, self.world.candidate
        if self.tags is None:
            raise BadInput("the weights do not tell who is stable", hint="Finish the other change first.")
        return self.tags

    def remember_roles(self, *, stable: str, candidate: str) -> None:
        self.tags = (stable, candidate)


@dataclass
class SimTargets:
    world: SimWorld

    def targets(self, slot: str) -> TargetCounts:
        _demand(self.world, "health")
        side = self.world.slots[slot]
        failing = side.running - side.healthy
        return TargetCounts(registered=side.running, healthy=side.healthy, failing=failing, read_at=self.world.now)


@dataclass
class SimServices:
    world: SimWorld

    def read(self, slot: str) -> ServiceReading:
        _demand(self.world, "ecs")
        side = self.world.slots[slot]
        return ServiceReading(
            desired=side.desired,
            running=side.running,
            pending=side.desired - side.running,
            task_definition=f"shop-api:{side.revision}",
            rollout_state="COMPLETED" if side.running == side.desired else "IN_PROGRESS",
            failed_tasks=side.failed_tasks,
            image=side.image,
        )

    def prepare(self, slot: str, *, image: str, desired: int, like: str) -> str:
        _demand(self.world, "ecs")
        side = self.world.slots[slot]
        if side.image != image:
            side.image, side.revision, side.failed_tasks, side.version = image, side.revision + 1, 0, "1.1.0"
        side.desired = desired
        self.world.calls.append((self.world.now, f"prepare {slot}"))
        return f"shop-api:{side.revision}"

    def scale(self, slot: str, desired: int) -> None:
        _demand(self.world, "ecs")
        self.world.slots[slot].desired = desired
        self.world.calls.append((self.world.now, f"scale {slot} {desired}"))

    def hold_capacity(self, slot: str, minimum: int) -> None:
        _demand(self.world, "ecs")
        self.world.slots[slot].scaling_minimum = max(minimum, self.world.slots[slot].scaling_minimum)

    def release_capacity(self, *, live: str, retired: str) -> None:
        _demand(self.world, "ecs")
        self.world.slots[live].scaling_minimum = 0


@dataclass
class SimMetrics:
    world: SimWorld
    queries: list[MetricQuery] = field(default_factory=list)

    def read(self, query: MetricQuery) -> Metrics:
        _demand(self.world, "metrics")
        self.queries.append(query)
        starts = [query.first + i * MINUTE for i in range(int((query.last - query.first) / MINUTE) + 1)]
        candidate = tuple(self._side(query.candidate, start) for start in starts)
        stable = tuple(self._side(query.stable, start) for start in starts)
        balancer = tuple(self._balancer(start) for start in starts)
        baked = [
            m
            for m in candidate
            if query.bake_first is not None
            and query.bake_last is not None
            and query.bake_first <= m.start <= query.bake_last
        ]
        values = [m.p95_milliseconds for m in baked if m.p95_milliseconds is not None]
        return Metrics(
            candidate=candidate,
            stable=stable,
            balancer=balancer,
            bake_p95_milliseconds=max(values) if values else None,
            bake_samples=sum(m.requests or 0 for m in baked),
        )

    def _published(self, start: float) -> bool:
        return start + MINUTE + self.world.publish_delay <= self.world.now

    def _side(self, slot: str, start: float) -> SideMinute:
        tally = self.world.tallies.get((slot, start))
        if tally is None or not self._published(start):
            return SideMinute(start=start)
        requests = round(tally.requests)
        return SideMinute(
            start=start,
            requests=requests or None,
            target_errors=round(tally.errors),
            slow=round(tally.slow) if requests else None,
            p95_milliseconds=tally.p95 if requests else None,
            cpu_percent=tally.cpu,
            memory_percent=tally.memory,
            healthy=tally.healthy,
            unhealthy=tally.unhealthy,
        )

    def _balancer(self, start: float) -> BalancerMinute:
        both = [self.world.tallies.get((slot, start)) for slot in self.world.slots]
        if not self._published(start) or None in both:
            return BalancerMinute(start=start)
        # The load balancer counts every customer, also those whose side is silent.
        return BalancerMinute(start=start, requests=round(self.world.requests_per_second * MINUTE) or None)


@dataclass
class SimPublic:
    """Counts answers in a row of the wanted slot and version, as the real one does."""

    world: SimWorld
    row: int = 0

    def current(self) -> tuple[str, str]:
        _demand(self.world, "public")
        slot = self._answering()
        return slot, self.world.slots[slot].version

    def in_a_row(self, *, slot: str, version: str, wanted: int) -> PublicReading:
        _demand(self.world, "public")
        answering = self._answering()
        side = self.world.slots[answering]
        good = answering == slot and side.version == version and side.healthy > 0
        self.row = self.row + 1 if good else 0
        return PublicReading(in_a_row=self.row, detail=f"{answering} answered")

    def _answering(self) -> str:
        return self.world.candidate if self.world.share > 0 else self.world.stable


@dataclass
class SimDns:
    world: SimWorld
    changes: list[tuple[float, str]] = field(default_factory=list)

    def read(self, change: DnsChange) -> DnsReading:
        _demand(self.world, "dns")
        value = self.world.dns_value or change.values[self.world.stable]
        return DnsReading(value=value, in_sync=self.world.dns_in_sync, resolved_value=value)

    def upsert(self, change: DnsChange, slot: str) -> None:
        _demand(self.world, "dns")
        self.world.dns_value = change.values[slot]
        self.changes.append((self.world.now, slot))
