"""A person at a terminal over the simulated world: the two files, the commands, and the real engine behind them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollout import journal
from rollout.act import Hands
from rollout.cli.application import Application
from rollout.cli.main import main
from rollout.engine import Engine, EngineSettings, Ports, Tick
from rollout.model import Plan
from rollout.observe import Sources
from rollout.record import Record, State
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
from tests.fakes.sim_world import NEW_IMAGE, SimWorld

KEY = "arn:rule"
NEW = NEW_IMAGE.rpartition("@")[2]
REPOSITORY = "registry/shop-api"

OUTPUTS: dict[str, Any] = {
    "region": "us-east-1",
    "account_id": "123456789012",
    "load_balancer_arn": "arn:lb",
    "load_balancer_dns_name": "lb.shop.example",
    "listener_arn": "arn:listener",
    "rule_arn": KEY,
    "target_group_arns": {"blue": "arn:tg-blue", "green": "arn:tg-green"},
    "cluster_name": "production-cluster",
    "service_names": {"blue": "shop-api-blue", "green": "shop-api-green"},
    "task_definition_family": "shop-api",
    "container_name": "shop-api",
    "image_repository": REPOSITORY,
    "images": {"1.0.0": "sha256:" + "b" * 64, "1.1.0": NEW},
    "state_table": "rollouts",
    "alert_topic_arn": "arn:topic",
    "hosted_zone_id": "Z1",
    "public_host": "api.shop.example",
    "test_hosts": {"blue": "blue.shop.example", "green": "green.shop.example"},
    "test_header_name": "x-release-token",
    "test_header_value": "a-secret-value",
    "certificate_arn": "arn:certificate",
    "heartbeat_namespace": "ReleaseGates",
    "connect_to": ["api.shop.example:443:127.9.9.9:8443"],
}

RELEASE = """
[release]
service = "shop-api"
version = "1.1.0"
[environments.sandbox]
outputs = "outputs.json"
[plan]
expected_requests_per_second = 40
"""


def outputs_text(**changed: Any) -> str:
    """The outputs file; None removes an output."""
    merged = {name: value for name, value in {**OUTPUTS, **changed}.items() if value is not None}
    return json.dumps({name: {"value": value, "sensitive": False} for name, value in merged.items()})


@dataclass
class TalkativeClock(SimClock):
    """Calls `on_wait` at every wait of the engine or of a command."""

    on_wait: Callable[[], object] = lambda: None

    def wait(self, real_seconds: float) -> None:
        super().wait(real_seconds)
        self.on_wait()


class SimConnection:
    """What compose.connect would answer, over one simulated world."""

    def __init__(self, world: SimWorld) -> None:
        self.world = world
        self.target: Target
        self.store, self.router, self.clock = SimStore(world), SimRouter(world), TalkativeClock(world)
        self.alerts, self.services, self.dns = FakeAlerts(), SimServices(world), SimDns(world)
        self.owner, self.ticks = "host/1/abc", list[Tick]()
        self.on_tick: Callable[[], object] = lambda: None
        self.ports = Ports(
            sources=Sources(
                router=self.router,
                targets=SimTargets(world),
                services=self.services,
                metrics=SimMetrics(world),
                public=SimPublic(world),
                dns=self.dns,
            ),
            hands=Hands(router=self.router, services=self.services, dns=self.dns),
            store=self.store,
            alerts=self.alerts,
            heartbeat=FakeHeartbeat(),
            clock=self.clock,
        )

    def engine(self, observer: Callable[[Tick], None] = lambda tick: None) -> Engine:
        def observe(tick: Tick) -> None:
            self.ticks.append(tick)
            observer(tick)
            self.on_tick()

        settings = EngineSettings(owner=self.owner, tick_seconds=20.0, metric_seconds=0.0)
        return Engine(self.ports, settings, real_seconds=self.clock.monotonic, observer=observe)

    def submit(self, plan: Plan, *, image: str, version: str, confirm: bool = False, drill: bool = False) -> Record:
        submission = Submission(plan=plan, image=image, version=version, confirm=confirm, drill=drill)
        return submit(submission, target=self.target, sources=self.ports.sources, store=self.store, clock=self.clock)


@dataclass
class Desk:
    """Runs commands against the world; `when` does something when the rollout comes to a state."""

    directory: Path
    world: SimWorld = field(default_factory=SimWorld)
    variables: dict[str, str] = field(default_factory=lambda: {"GITHUB_ACTOR": "ada"})

    def __post_init__(self) -> None:
        self.connection = SimConnection(self.world)
        (self.directory / "outputs.json").write_text(outputs_text())
        self.release(RELEASE)

    def release(self, text: str) -> None:
        (self.directory / "release.toml").write_text(text)

    def __call__(self, command: str, *arguments: str) -> int:
        file = str(self.directory / "release.toml")
        return main([command, "--release-file", file, *arguments], self.application)

    @property
    def application(self) -> Application:
        return Application(connect=self._connect, variables=self.variables)

    def _connect(self, target: Target) -> SimConnection:
        self.connection.target = target
        return self.connection

    @property
    def record(self) -> Record:
        return self.connection.store.records[KEY]

    def when(self, state: State, act: Callable[[], object]) -> None:
        """Call `act` once, at the first tick that finds the rollout in this state; not every tick is waited after."""
        done: list[bool] = []

        def look() -> None:
            if not done and self.record.state is state:
                done.append(True)
                act()

        self.connection.on_tick = look

    def submit_and_leave(self) -> None:
        """A rollout that another process started and left at once."""
        self("run", "--wait-seconds", "0")


def chained(payloads: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Payloads as a journal with an intact chain."""
    entries: list[dict[str, Any]] = []
    for number, payload in enumerate(payloads, 1):
        previous = entries[-1]["hash"] if entries else ""
        entries.append(journal.entry(previous_hash=previous, sequence=number, payload=payload))
    return entries
