"""The emulated AWS account of one sandbox: moto in this process plus the truth that a rollout needs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.cloud import startup  # noqa: F401  # first: it makes moto's imports quick
from sandbox.cloud.alarms import Alarms, new_history
from sandbox.cloud.api import Api, Handlers
from sandbox.cloud.api_faults import PUBLISH_DELAY_SECONDS, Faults
from sandbox.cloud.autoscaling import AutoScalingApi, Tags
from sandbox.cloud.cloudwatch import CloudWatchApi, Metrics
from sandbox.cloud.corrections import CORRECTIONS, late_handlers
from sandbox.cloud.dynamodb import DynamoDbApi, Tokens
from sandbox.cloud.ecs import EcsApi
from sandbox.cloud.ecs_engine import Scheduler, Services
from sandbox.cloud.ecs_tasks import Images, TaskFactory
from sandbox.cloud.elbv2 import Elbv2Api, LoadBalancing
from sandbox.cloud.memory import Memory, MemoryUnreadable, load_memory
from sandbox.cloud.metric_store import MetricStore
from sandbox.cloud.operations import OperationLog
from sandbox.cloud.replica_lag import ReplicaLag
from sandbox.cloud.route53 import Change, Dns, Route53Api
from sandbox.cloud.server import ApiServer
from sandbox.cloud.sns import Notifications, SnsApi
from sandbox.cloud.startup import claim_moto, release_moto
from sandbox.cloud.world import FaultReader, World
from sandbox.contracts import Clock, ListenerView, TargetGroupView, TargetHealth, TaskRunner

log = logging.getLogger(__name__)

Front = Callable[[Api], Callable[..., Any]]  # of a WSGI application, one that stands before it

_TICK_SECONDS = 0.25  # real: how often alarms and pending DNS changes are looked at


class _Dials:
    """The plane's own faults, and for other slots whatever the supervisor's reader knows."""

    def __init__(self, own: Faults, elsewhere: FaultReader | None) -> None:
        self._own = own
        self._elsewhere = elsewhere

    def get(self, slot: str, name: str) -> object:
        value = self._own.get(slot, name)
        if value is None and slot != "cloud" and self._elsewhere is not None:
            return self._elsewhere(slot, name)
        return value


class CloudPlane:
    """Implements `sandbox.contracts.ControlPlane`; one at a time per process, because moto keeps state in modules.

    `fault(slot, name)` is asked for dials of other slots (one_zone, never_insync) that `set_fault` did not set.
    Nothing runs before `start()`, so a process may be forked between construction and start. The account is empty, or
    as another plane's `memory()` had it; raises MemoryUnreadable where that cannot be read.
    """

    def __init__(
        self,
        clock: Clock,
        tasks: TaskRunner,
        *,
        address: str,
        fault: FaultReader | None = None,
        memory: bytes | None = None,
    ) -> None:
        self._memory = _claim(self, memory)
        self._address = address
        self._faults = Faults()
        self._world = World(clock, _Dials(self._faults, fault))
        self._operations = OperationLog(clock)
        self._images = Images()
        self._store = MetricStore(clock, self._publish_delay_seconds)
        self._notifications = Notifications(self._world)
        history = self._memory.of("cloudwatch", new_history)
        self._functions: list[Callable[[str, Mapping[str, Any]], None]] = []
        publish, invoke = self._notifications.publish, self._call_function
        self._alarms = Alarms(self._world, self._store, publish=publish, invoke=invoke, history=history)
        self._balancing = LoadBalancing(self._world)
        self._balancing.refresh()
        self._replica_lag = ReplicaLag(self._world, self._store)
        factory = TaskFactory(self._world, self._images)
        services = self._memory.of("ecs", Services)
        self._scheduler = Scheduler(self._world, self._balancing, runner=tasks, factory=factory, services=services)
        self._dns = Dns(self._world, self._memory.of("route53", list[Change]))
        self._api = Api(self._world, self._handlers(), operations=self._operations, corrections=CORRECTIONS)
        self._server: ApiServer | None = None
        self._stopped = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="aws-ticker", daemon=True)

    @property
    def application(self) -> Api:
        """The APIs as a WSGI application, for whoever asks them before they are served."""
        return self._api

    def memory(self) -> bytes:
        """Everything the account holds, for another plane; only before `start()`, while nothing changes it."""
        if self._server is not None:
            raise RuntimeError("an account that is served changes: take its memory before start()")
        return self._memory.dump()

    def start(self, front: Front | None = None) -> str:
        """Serve the APIs; returns the endpoint URL (http://address:port, port chosen by the system).

        `front` makes the application that is served instead, of the one that answers: a recorder, for example.
        """
        self._server = ApiServer(self._address, front(self._api) if front else self._api)
        self._server.start()
        self._scheduler.start()
        self._ticker.start()
        return self._server.url

    def stop(self) -> None:
        """Stop serving and all threads. Tasks are left to their runner. Safe to call twice."""
        if not self._stopped.is_set() and self._server is not None:
            self._stopped.set()
            self._server.stop()
            self._scheduler.stop()
            self._notifications.stop()
            self._ticker.join(timeout=5)
        release_moto(self)

    # What the edge and the supervisor ask (sandbox.contracts.ControlPlane).

    def listeners(self) -> Sequence[ListenerView]:
        """Listeners with their rules by priority, the default last; a snapshot of the last change."""
        return self._balancing.listeners()

    def target_groups(self) -> Sequence[TargetGroupView]:
        """Target groups with registered and draining targets."""
        return self._balancing.target_groups()

    def certificate(self, arn: str) -> tuple[bytes, bytes, bytes]:
        """PEM certificate, chain (empty if there is none) and private key. Raises KeyError if unknown."""
        from sandbox.cloud import acm

        return acm.certificate(arn)

    def set_target_health(self, group_arn: str, ip: str, port: int, health: TargetHealth) -> None:
        """What the edge's health checker saw; ignored for targets that are not registered."""
        if self._balancing.targets.report(group_arn, ip, port=port, health=health):
            self._scheduler.wake()

    def put_metrics(self, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
        """The edge's publisher: visible when the minute has closed and the publish delay (virtual) is over."""
        if self._faults.get("cloud", "cloudwatch") != "silent":
            self._store.put(namespace, data, delayed=True)

    def dns_records(self) -> Sequence[Mapping[str, Any]]:
        """Record sets of every hosted zone, as of the last change in sync."""
        return self._dns.records()

    def on_change(self, callback: Callable[[str], None]) -> None:
        """See `sandbox.contracts.ControlPlane`; the callback must not call an AWS API."""
        self._world.on_change(callback)

    def on_function(self, callback: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Register `callback(function_arn, event)` for functions that alarms call: moto runs none. It must not call an
        AWS API in this thread (the lock is held)."""
        self._functions.append(callback)

    # What only the supervisor does.

    def issue_certificate(self, arn: str, *, certificate: bytes, chain: bytes, key: bytes) -> None:
        """Answer a request for a certificate, all PEM: this one is served from now on. Raises KeyError if unknown."""
        from sandbox.cloud import acm

        with self._world.lock:
            acm.issue(arn, certificate=certificate, chain=chain, key=key)
        self._world.notify("listener")

    def register_image(self, digest: str, version: str, *, repository: str = "shop-api") -> None:
        """Push an image to a repository of the account, tagged release-<version>; there need not be one yet.

        Tasks of unknown images fail with CannotPullContainerError."""
        self._images.register(digest, version, repository=repository)

    def set_fault(self, name: str, value: object, *, slot: str = "cloud") -> None:
        """Set a dial. Raises FaultError for an unknown one of the slot cloud or a wrong value."""
        self._dns.advance()  # what was due before never_insync was set is in sync
        self._faults.set(slot, name, value=value)
        with self._world.lock:
            self._replica_lag.publish()
        self._scheduler.wake()

    def clear_faults(self) -> None:
        """Back to a world without faults."""
        self._faults.clear()

    def faults(self) -> Mapping[str, object]:
        """Set faults as {"slot.name": value}."""
        return self._faults.all()

    def operations(self, since: int = 0) -> Sequence[Mapping[str, Any]]:
        """AWS calls after sequence number `since`, oldest first; the newest 50,000 are kept."""
        return self._operations.since(since)

    def settle(self) -> None:
        """Declare the account old: every DNS change is in sync. Call it once after seeding."""
        self._dns.settle()
        self._world.notify("dns")

    def _call_function(self, arn: str, event: Mapping[str, Any]) -> None:
        for callback in self._functions:
            callback(arn, event)

    def _publish_delay_seconds(self) -> float:
        value = self._faults.get("cloud", "publish_delay_seconds")
        return float(value) if isinstance(value, int | float) else PUBLISH_DELAY_SECONDS

    def _handlers(self) -> Handlers:
        metrics = Metrics(self._world, self._store, alarms=self._alarms)
        tokens, tags = Tokens(self._world.clock), self._memory.of("application-autoscaling", Tags)
        return {
            "application-autoscaling": lambda: AutoScalingApi(tags),
            "cloudwatch": lambda: CloudWatchApi(metrics),
            "dynamodb": lambda: DynamoDbApi(tokens),
            "ecs": lambda: EcsApi(self._scheduler, self._balancing, world=self._world),
            "elbv2": lambda: Elbv2Api(self._balancing),
            "route53": lambda: Route53Api(self._dns, self._world),
            "sns": lambda: SnsApi(self._notifications),
            **late_handlers(self._world, self._images, self._memory, listeners_changed=self._balancing.refresh),
        }

    def _tick(self) -> None:
        while not self._stopped.wait(_TICK_SECONDS):
            try:
                with self._world.lock:
                    self._replica_lag.publish()
                    self._alarms.evaluate()
                if self._dns.advance():
                    self._world.notify("dns")
            except Exception:  # a bad alarm or callback must not end the ticker for all others
                log.exception("evaluating alarms and DNS changes failed")


def _claim(plane: CloudPlane, memory: bytes | None) -> Memory:
    """moto for this plane alone, with what the account holds. Raises MemoryUnreadable, with moto free again."""
    claim_moto(plane)
    try:
        return load_memory(memory) if memory else Memory()
    except MemoryUnreadable:
        release_moto(plane)
        raise
