"""Builders of plans, records, minutes and situations, and a closed loop: engines over a world on a virtual clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from rollout.act import Hands
from rollout.engine import Engine, EngineSettings, Ports, Tick
from rollout.judge import BakeWindow
from rollout.lease import LeaseSettings
from rollout.model import DnsChange, Instant, Plan, Stage, Verdict
from rollout.observe import Sources
from rollout.record import TERMINAL_STATES, Hold, Record, Return, SetShare, State
from rollout.seen import (
    BalancerMinute,
    ListenerReading,
    Metrics,
    OperatorRequest,
    ServiceReading,
    SideMinute,
    Situation,
    TargetCounts,
)
from rollout.sight import Sight
from rollout.submit import Submission, submit
from rollout.target import Target
from tests.fakes.alerts import FakeAlerts, FakeHeartbeat
from tests.fakes.sim_ports import (
    SimClock,
    SimDns,
    SimMetrics,
    SimPublic,
    SimRouter,
    SimServices,
    SimTargets,
)
from tests.fakes.sim_store import SimStore
from tests.fakes.sim_world import MINUTE, NEW_IMAGE, START, SimWorld

STAGES = (
    Stage(share_percent=5, bake_seconds=900.0),
    Stage(share_percent=25, bake_seconds=120.0),
    Stage(share_percent=50, bake_seconds=120.0),
    Stage(share_percent=100, bake_seconds=0.0),
)
PLAN = Plan(stages=STAGES)
DNS = DnsChange(name="current.shop.example", record_type="CNAME", ttl_seconds=60, values={"blue": "b", "green": "g"})
TARGET = Target(
    environment="test",
    region="us-east-1",
    account_id="123456789012",
    load_balancer_arn="lb",
    listener_arn="listener",
    rule_arn="rule",
    target_group_arns={"blue": "tg-blue", "green": "tg-green"},
    cluster_name="cluster",
    service_names={"blue": "shop-api-blue", "green": "shop-api-green"},
    task_definition_family="shop-api",
    container_name="shop-api",
    image_repository="registry/shop-api",
    state_table="rollouts",
    alert_topic_arn="topic",
    hosted_zone_id="zone",
    public_host="api.shop.example",
)

BACK = Return(cause="c", rule="r", by="ada", decided_at=START, decided_monotonic=0.0, epoch=0)
HOLD = Hold(
    reason="why", verdict=Verdict.LOW_SAMPLE, since=START, since_monotonic=0.0, epoch=0, seconds_max=900.0, rule="gates"
)
SHIFTED: dict[str, Any] = {"stage": 0, "share_wanted": 5, "share_verified": 5, "first_shift_at": START}

# ------------------------------------------------------------------------------------------------ minutes


def minute(index: int, requests: int | None = 1000, errors: int = 0, **more: Any) -> SideMinute:
    """A quiet minute `index` of the rollout; `errors` are 5xx answers."""
    seen: dict[str, Any] = {
        "slow": 0 if requests else None,
        "p95_milliseconds": 90.0 if requests else None,
        "cpu_percent": 30.0,
        "memory_percent": 40.0,
        "healthy": 2,
        "unhealthy": 0,
    }
    return SideMinute(start=START + index * MINUTE, requests=requests, target_errors=errors, **(seen | more))


def silent(index: int) -> SideMinute:
    return SideMinute(start=START + index * MINUTE)


def errors_of(pattern: str, *, bad: int = 20, good: int = 0, requests: int = 1000) -> tuple[SideMinute, ...]:
    """F: over the limit, S: under it, b: blind, t: thin (all of its few requests failed)."""
    kinds = {
        "F": lambda i: minute(i, requests, bad),
        "S": lambda i: minute(i, requests, good),
        "b": silent,
        "t": lambda i: minute(i, 19, 19),
    }
    return tuple(kinds[kind](index) for index, kind in enumerate(pattern))


def metrics(
    candidate: tuple[SideMinute, ...], *, total: int | None = 20_000, share: float = 5.0, **more: Any
) -> Metrics:
    """The candidate's minutes, and a quiet stable side and balancer around them; p95 and samples over all of them."""
    starts = [m.start for m in candidate]
    theirs = None if total is None else round(total * (100 - share) / 100)
    seen: dict[str, Any] = {
        "stable": tuple(replace(minute(0, theirs), start=start) for start in starts),
        "balancer": tuple(BalancerMinute(start=start, requests=total) for start in starts),
        "bake_p95_milliseconds": 90.0,
        "bake_samples": sum(m.requests or 0 for m in candidate),
    }
    return Metrics(candidate=candidate, **(seen | more))


# ------------------------------------------------------------------------------------------------ situations


def counts(healthy: int = 2, registered: int | None = None, *, read_at: float = START) -> TargetCounts:
    registered = healthy if registered is None else registered
    return TargetCounts(registered=registered, healthy=healthy, failing=registered - healthy, read_at=read_at)


def service(desired: int = 2, running: int | None = None, *, image: str = NEW_IMAGE, **more: Any) -> ServiceReading:
    running = desired if running is None else running
    seen: dict[str, Any] = {"task_definition": "shop-api:2", "rollout_state": "COMPLETED"} | more
    return ServiceReading(desired=desired, running=running, pending=desired - running, image=image, **seen)


def situation(share: float | None = 0, **more: Any) -> Situation:
    seen: dict[str, Any] = {
        "listener": ListenerReading(candidate_share=share, attached=True),
        "candidate_targets": counts(),
        "stable_targets": counts(),
        "candidate_service": service(),
        "stable_service": service(image="old"),
    }
    return Situation(**(seen | more))


def record(state: State = State.PREPARING, **more: Any) -> Record:
    seen: dict[str, Any] = {
        "schema": 1,
        "rollout_id": "r1",
        "environment": "test",
        "rule_arn": "rule",
        "plan_sha256": "sha",
        "stable": "green",
        "candidate": "blue",
        "image": NEW_IMAGE,
        "version_name": "1.1.0",
        "state": state,
        "created_at": START,
        "entered_at": START,
        "stable_size": 2,
        "stable_version": "1.0.0",
    }
    return Record(**(seen | more))


def instant(seconds: float, *, monotonic: float | None = None) -> Instant:
    """So many seconds after the start, on both clocks unless told otherwise."""
    return Instant(START + seconds, seconds if monotonic is None else monotonic)


def sight(rec: Record, sit: Situation, seconds: float = 0.0, *, plan: Plan = PLAN) -> Sight:
    return Sight(plan, rec, sit, instant(seconds))


def asked(kind: str, *, seconds: float = 0.0) -> OperatorRequest:
    return OperatorRequest(kind=kind, by="ada", reason="because", at=START, seconds=seconds)


def bake_window(share: int = 5, following: int = 25, *, minutes: int = 15, **more: Any) -> BakeWindow:
    """A bake over the first `minutes` minutes."""
    seen: dict[str, Any] = {
        "first": START,
        "last": START + (minutes - 1) * MINUTE,
        "since_first_shift": START,
        "share_percent": share,
        "next_share_percent": following,
        "remaining_seconds": 1800.0,
        "now": START + (minutes + 2) * MINUTE,
        "idle_cpu_percent": 25.0,
    }
    return BakeWindow(**(seen | more))


# ------------------------------------------------------------------------------------------------ the closed loop


@dataclass
class Loop:
    """One world, its store and ports, and engines over them."""

    plan: Plan = PLAN
    world: SimWorld = field(default_factory=SimWorld)
    tick_seconds: float = 15.0
    lease: LeaseSettings = field(default_factory=LeaseSettings)
    confirm: bool = False
    ticks: list[Tick] = field(default_factory=list)

    def __post_init__(self) -> None:
        world = self.world
        self.store, self.router, self.services = SimStore(world), SimRouter(world), SimServices(world)
        self.dns, self.alerts, self.heartbeat = SimDns(world), FakeAlerts(), FakeHeartbeat()
        self.metrics = SimMetrics(world)
        self.engines: list[Engine] = []
        self.submit()

    def _sources(self) -> Sources:
        return Sources(
            router=self.router,
            targets=SimTargets(self.world),
            services=self.services,
            metrics=self.metrics,
            public=SimPublic(self.world),
            dns=self.dns,
        )

    def submit(self, image: str = NEW_IMAGE) -> Record:
        submission = Submission(plan=self.plan, image=image, version="1.1.0", confirm=self.confirm)
        return submit(submission, target=TARGET, sources=self._sources(), store=self.store, clock=SimClock(self.world))

    def engine(self, owner: str = "one", *, offset: float = 1000.0) -> Engine:
        clock = SimClock(self.world, offset)
        ports = Ports(
            sources=self._sources(),
            hands=Hands(router=self.router, services=self.services, dns=self.dns),
            store=self.store,
            alerts=self.alerts,
            heartbeat=self.heartbeat,
            clock=clock,
        )
        settings = EngineSettings(owner=owner, tick_seconds=self.tick_seconds, lease=self.lease)
        engine = Engine(ports, settings, real_seconds=clock.monotonic)
        self.engines.append(engine)
        return engine

    @property
    def record(self) -> Record:
        return self.store.records["rule"]

    @property
    def state(self) -> State:
        return self.record.state

    @property
    def seconds(self) -> float:
        return self.world.now - START

    def drive(self, *engines: Engine, until: Callable[[Loop], bool] | None = None, minutes: float = 120.0) -> Record:
        """Tick the engines in turn, and let the world live, until the rollout has ended (or `until` says so)."""
        deadline = self.world.now + minutes * MINUTE
        while self.world.now < deadline:
            for engine in engines:
                tick = engine.tick("rule")
                self.ticks.append(tick)
                check_tick(tick)
            if until(self) if until is not None else self.state in TERMINAL_STATES:
                return self.record
            self.world.advance(self.tick_seconds)
        if until is not None:
            raise AssertionError(f"it never came to that: {self.state} {self.record.reason}")
        return self.record

    def until_state(self, engine: Engine, state: State, *, share: int | None = None) -> Record:
        return self.drive(
            engine,
            until=lambda loop: loop.state is state and share in (None, loop.record.share_wanted),
        )

    def events(self) -> list[str]:
        """The journal as a story: events in their order, repeats of WAIT left out."""
        entries = [entry["payload"] for entry in self.store.journals[self.record.rollout_id]]
        return [entry["event"] for entry in entries if entry["kind"] == "decision" and entry["event"] != "WAIT"]

    def states(self) -> list[str]:
        entries = [entry["payload"] for entry in self.store.journals[self.record.rollout_id]]
        moves = [entry["to"] for entry in entries if entry["kind"] == "decision"]
        return [to for index, to in enumerate(moves) if index == 0 or moves[index - 1] != to]

    def raised(self) -> list[float]:
        """The shares that the engine set, in their order."""
        return [share for _, share, by in self.world.shares if by == "engine"]

    def subjects(self) -> list[str]:
        """What people were told, in order; waits until the outboxes are empty."""
        self.close()
        return [alert.subject.split(" (")[0] for alert in self.alerts.received]

    def close(self) -> None:
        for engine in self.engines:
            engine._outbox.close(2.0)


def eventually(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        threading.Event().wait(0.005)


@contextmanager
def loop(**more: Any) -> Iterator[Loop]:
    """A closed loop whose threads end with the test."""
    made = Loop(**more)
    try:
        yield made
    finally:
        made.close()


def check_tick(tick: Tick) -> None:
    """What every leading tick must keep: a raise rests on a PASS for each earlier stage, and never follows a return."""
    if tick.decision is None or tick.situation is None:
        return
    after = tick.decision.record
    for command in tick.decision.commands:
        if not isinstance(command, SetShare) or command.candidate <= (tick.situation.listener.candidate_share or 0):
            continue
        assert after.back is None, f"I13: raised to {command.candidate} after a rollback"
        proven = {proof.share_percent for proof in after.passes}
        needed = {stage.share_percent for stage in tick.plan.stages if stage.share_percent < command.candidate}
        assert needed <= proven, f"I10: raised to {command.candidate} with passes for {sorted(proven)} only"
