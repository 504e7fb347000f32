"""The only place where an adapter meets the engine."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from rollout.act import Hands
from rollout.adapters.clients import Clients, Timeouts
from rollout.adapters.clock import SharedClock, SystemClock
from rollout.adapters.cloudwatch import CloudWatchMetrics
from rollout.adapters.dynamodb import DynamoStore
from rollout.adapters.ecs import EcsServices
from rollout.adapters.elbv2 import ElbRouter
from rollout.adapters.endpoint import PublicEndpoint
from rollout.adapters.heartbeat import CloudWatchHeartbeat
from rollout.adapters.route53 import Route53Dns
from rollout.adapters.sns import SnsAlerts
from rollout.adapters.target_health import TargetHealth
from rollout.engine import Engine, EngineSettings, Ports, Tick
from rollout.lease import LeaseSettings
from rollout.model import Plan
from rollout.observe import Sources
from rollout.ports import Clock, Store, TrafficRouter
from rollout.record import Record
from rollout.submit import Submission, submit
from rollout.target import Target

# A virtual minute lasts a second in the sandbox: pace, time-outs and lease are the contracts' for it.
_SANDBOX_TIMEOUTS = Timeouts(connect_seconds=0.3, read_seconds=0.7)
_SANDBOX_LEASE = LeaseSettings(lease_seconds=2.0, guard_seconds=1.2)


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An environment with everything wired to it."""

    target: Target
    ports: Ports
    settings: EngineSettings

    @property
    def store(self) -> Store:
        return self.ports.store

    @property
    def router(self) -> TrafficRouter:
        return self.ports.sources.router

    @property
    def clock(self) -> Clock:
        return self.ports.clock

    def engine(self, observer: Callable[[Tick], None] = lambda tick: None) -> Engine:
        return Engine(self.ports, self.settings, real_seconds=time.monotonic, observer=observer)

    def submit(self, plan: Plan, *, image: str, version: str, confirm: bool = False, drill: bool = False) -> Record:
        submission = Submission(plan=plan, image=image, version=version, confirm=confirm, drill=drill)
        return submit(submission, target=self.target, sources=self.ports.sources, store=self.store, clock=self.clock)


def settings_for(target: Target) -> EngineSettings:
    owner = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
    if target.clock_file is None:
        return EngineSettings(owner=owner)
    return EngineSettings(owner=owner, tick_seconds=0.2, metric_seconds=0.4, lease=_SANDBOX_LEASE)


def connect(target: Target, settings: EngineSettings | None = None, *, patient: bool = False) -> Connection:
    """Wire all adapters to `target`. Creates clients, asks nothing yet.

    `patient` is for who only watches: a reader that waits harms nobody, a controller's wait outlives its lease."""
    sandbox = target.clock_file is not None
    clock: Clock = SharedClock(target.clock_file) if target.clock_file is not None else SystemClock()
    clients = Clients(
        region=target.region,
        endpoint_url=target.aws_endpoint_url,
        timeouts=Timeouts() if patient or not sandbox else _SANDBOX_TIMEOUTS,
    )
    router, services = ElbRouter(clients, target), EcsServices(clients, target)
    dns = Route53Dns(clients, target)
    sources = Sources(
        router=router,
        targets=TargetHealth(clients, target, clock),
        services=services,
        metrics=CloudWatchMetrics(clients, target),
        public=PublicEndpoint(target),
        dns=dns,
    )
    ports = Ports(
        sources=sources,
        hands=Hands(router=router, services=services, dns=dns),
        store=DynamoStore(clients, target),
        alerts=SnsAlerts(clients, target),
        heartbeat=CloudWatchHeartbeat(clients, target),
        clock=clock,
    )
    return Connection(target=target, ports=ports, settings=settings or settings_for(target))
