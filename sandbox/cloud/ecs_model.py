"""ECS services, deployments and tasks as this sandbox keeps them. Data with a few questions to it, no effects.

Times are virtual epoch seconds unless a name says `monotonic` (real seconds).
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.contracts import RunningTask, TaskSpec

PENDING_STATES = ("PROVISIONING", "PENDING", "ACTIVATING")
EVENTS_MAX = 100
STOPPED_TASKS_MAX = 50
STOP_TIMEOUT_SECONDS = 30.0  # real; the default of a container's stopTimeout
BACKOFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)  # real, by consecutive failures; ECS's own reaches minutes


@dataclass(kw_only=True)
class Task:
    """One task. `process` is None until the runner has started it."""

    spec: TaskSpec
    arn: str
    deployment_id: str
    definition_arn: str
    image: str
    created: float
    stop_timeout_seconds: float = STOP_TIMEOUT_SECONDS
    status: str = "PENDING"
    desired_status: str = "RUNNING"
    process: RunningTask | None = None
    health: str = "UNKNOWN"
    was_healthy: bool = False
    started: float | None = None
    stopping: float | None = None
    stopped: float | None = None
    drained_at: float | None = None
    exit_code: int | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None

    @property
    def id(self) -> str:
        return self.spec.task_id

    @property
    def is_pending(self) -> bool:
        return self.status in PENDING_STATES and self.desired_status == "RUNNING"

    @property
    def is_running(self) -> bool:
        return self.status == "RUNNING" and self.desired_status == "RUNNING"

    @property
    def is_present(self) -> bool:
        """Counts for the scheduler: wanted, and running or about to."""
        return self.is_pending or self.is_running

    @property
    def is_over(self) -> bool:
        return self.status == "STOPPED"


@dataclass(kw_only=True)
class Deployment:
    """One revision being rolled out. `retry_monotonic` is when the next start may be tried after failures."""

    definition_arn: str
    created: float
    id: str = field(default_factory=lambda: f"ecs-svc/{uuid.uuid4().int % 10**19:019d}")
    updated: float = 0.0
    failed_tasks: int = 0
    failures_in_a_row: int = 0
    retry_monotonic: float = 0.0
    rollout_state: str = "IN_PROGRESS"
    reason: str = ""


@dataclass(kw_only=True)
class Service:
    """`settings` holds what the caller configured, under the API's own names; `deployments[0]` is PRIMARY."""

    name: str
    arn: str
    cluster_name: str
    cluster_arn: str
    desired: int
    created: float
    settings: dict[str, Any]
    deployments: list[Deployment]
    status: str = "ACTIVE"
    tasks: dict[str, Task] = field(default_factory=dict)
    events: deque[Mapping[str, Any]] = field(default_factory=lambda: deque(maxlen=EVENTS_MAX))

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def slot(self) -> str:
        """The side of the service, from its name's suffix."""
        return self.name.rsplit("-", 1)[-1]

    @property
    def group_arns(self) -> Sequence[str]:
        balancers = self.settings.get("loadBalancers") or []
        return [one["targetGroupArn"] for one in balancers if one.get("targetGroupArn")]

    def say(self, now: float, message: str) -> None:
        """Add an event, newest first, in ECS's wording."""
        text = f"(service {self.name}) {message}"
        self.events.appendleft({"id": str(uuid.uuid4()), "createdAt": now, "message": text})

    def running(self, deployment: Deployment | None = None) -> int:
        return sum(1 for task in self._of(deployment) if task.is_running)

    def pending(self, deployment: Deployment | None = None) -> int:
        return sum(1 for task in self._of(deployment) if task.is_pending)

    def unfinished(self, deployment: Deployment | None = None) -> int:
        """Tasks that are not stopped yet, draining ones included."""
        return sum(1 for task in self._of(deployment) if not task.is_over)

    def is_steady(self) -> bool:
        """Running equals desired on the primary revision, its targets are healthy, no older task serves."""
        own = [task for task in self._of(self.primary) if task.is_present]
        others = sum(1 for task in self.tasks.values() if task.is_present) - len(own)
        healthy = all(task.is_running and task.health == "HEALTHY" for task in own)
        return len(own) == self.desired and healthy and others == 0

    def forget_old_tasks(self) -> None:
        """Keep the newest stopped tasks only, as ECS keeps them for about an hour."""
        over = [task.id for task in self.tasks.values() if task.is_over]
        for task_id in over[:-STOPPED_TASKS_MAX]:
            del self.tasks[task_id]

    def _of(self, deployment: Deployment | None) -> Sequence[Task]:
        tasks = list(self.tasks.values())
        if deployment is None:
            return tasks
        return [task for task in tasks if task.deployment_id == deployment.id]
