"""What the sandbox's parts know of each other: control plane, edge, tasks. Data and Protocols, no behaviour.

The control plane (`sandbox.cloud`) imitates AWS and never starts a process itself; it asks a `TaskRunner`.
The edge (`sandbox.edge`) is the load balancer that customers reach; it reads `ListenerView` and `TargetGroupView`
from the control plane and writes back what it saw (health, metrics). The supervisor introduces them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class Clock(Protocol):
    """Virtual time of one sandbox; see `sandbox.clock`."""

    def now(self) -> float:
        """Virtual time, epoch seconds."""

    def factor(self) -> float:
        """Virtual seconds per real second."""

    def virtual_at(self, monotonic_seconds: float) -> float:
        """The virtual instant that belonged to a past reading of CLOCK_MONOTONIC."""


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """One task that ECS wants: which image, where, with which environment."""

    task_id: str
    slot: str  # "blue" or "green", from the service name's suffix
    service_name: str
    image_digest: str
    version: str
    availability_zone: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunningTask:
    """A started task; `ip` is the sandbox's own loopback address."""

    spec: TaskSpec
    process_id: int
    ip: str
    port: int


class TaskRunner(Protocol):
    """Starts and stops the real processes behind ECS tasks."""

    def start(self, spec: TaskSpec, on_exit: Callable[[str, int], None]) -> RunningTask:
        """Start the process; returns once its port is known (it may not answer yet).
        `on_exit(task_id, exit_code)` is called once, from any thread, when the process has ended."""

    def stop(self, task_id: str, grace_seconds: float) -> None:
        """SIGTERM now, SIGKILL after `grace_seconds` (real); returns at once."""


@dataclass(frozen=True, kw_only=True)
class RuleView:
    """One ELBv2 listener rule, or the default action (priority None, no conditions)."""

    arn: str
    priority: int | None
    conditions: Sequence[Mapping[str, Any]]  # as DescribeRules answers them
    actions: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ListenerView:
    """One ELBv2 listener with its rules; policy and certificate are None unless it is HTTPS."""

    arn: str
    port: int
    protocol: str
    ssl_policy: str | None
    certificate_arn: str | None
    rules: Sequence[RuleView]  # by priority, the default last
    blocking_groups: Sequence[str] = ()  # of the web ACL before it, those that refuse and do not only count


@dataclass(frozen=True, kw_only=True)
class TargetView:
    """One registered target; a draining one was deregistered and still finishes what it has."""

    ip: str
    port: int
    draining: bool


@dataclass(frozen=True, kw_only=True)
class TargetGroupView:
    """One ELBv2 target group: how its targets are asked for their health, and which they are."""

    arn: str
    name: str
    health_check_path: str
    health_check_matcher: str
    health_check_interval_seconds: float  # virtual
    health_check_timeout_seconds: float  # virtual
    healthy_threshold: int
    unhealthy_threshold: int
    targets: Sequence[TargetView]
    referenced: bool  # by any rule; an unreferenced group's targets are `unused`


@dataclass(frozen=True, kw_only=True)
class TargetHealth:
    """As DescribeTargetHealth answers it: state, reason code, description."""

    state: str
    reason: str | None = None
    description: str | None = None


class ControlPlane(Protocol):
    """What the edge and the supervisor may ask of the emulated account (all thread-safe, in-process)."""

    def listeners(self) -> Sequence[ListenerView]: ...

    def target_groups(self) -> Sequence[TargetGroupView]: ...

    def certificate(self, arn: str) -> tuple[bytes, bytes, bytes]:
        """PEM certificate, chain and private key of an imported ACM certificate."""

    def set_target_health(self, group_arn: str, ip: str, port: int, health: TargetHealth) -> None: ...

    def put_metrics(self, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
        """Same shape as PutMetricData's MetricData; Timestamp is a virtual epoch float; `AWS/...` allowed."""

    def dns_records(self) -> Sequence[Mapping[str, Any]]:
        """Every record set of every hosted zone, as ListResourceRecordSets answers it, INSYNC ones only."""

    def on_change(self, callback: Callable[[str], None]) -> None:
        """`callback(kind)` after each change, kind in {"listener", "targets", "dns"}; called inside the API call's
        thread after the state changed and before the call answers, so an edge that follows in the callback is in
        effect when ModifyRule returns."""
