"""ECS's service scheduler: starts, replaces and stops the real processes behind tasks.

moto 5.2.5 starts no task for a service: runningCount is an environment variable or follows desiredCount at once,
deployments go stale, ListTasks cannot filter by service.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sandbox.cloud.ecs_model import BACKOFF_SECONDS, Deployment, Service, Task
from sandbox.cloud.ecs_plan import TaskFacts, Wanted, plan
from sandbox.cloud.ecs_tasks import TaskFactory
from sandbox.cloud.elbv2 import LoadBalancing
from sandbox.cloud.world import World
from sandbox.contracts import RunningTask, TaskRunner

log = logging.getLogger(__name__)

_BUSY_SECONDS = 0.05  # real: while something is starting, draining or waiting for its back-off
_IDLE_SECONDS = 1.0
_START_THREADS = 4
_CIRCUIT_BREAKER_MIN, _CIRCUIT_BREAKER_MAX = 3, 200  # failures, clamp of half the desired count

Effect = Callable[[], None]
Services = dict[str, Service]  # by ARN


class Scheduler:
    """Owns every service. Its state changes under the world's lock; processes start and stop outside it."""

    def __init__(
        self, world: World, balancing: LoadBalancing, *, runner: TaskRunner, factory: TaskFactory, services: Services
    ) -> None:
        self._world = world
        self._balancing = balancing
        self._runner = runner
        self._factory = factory
        self.services = services
        self._happened: deque[Effect] = deque()  # what runner threads report, applied by the scheduler's thread
        self._effects: list[Effect] = []
        self._targets_changed = False
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(_START_THREADS, thread_name_prefix="ecs-start")
        self._thread = threading.Thread(target=self._run, name="ecs-scheduler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread. Tasks keep running: whoever owns the processes ends them."""
        self._stopped.set()
        self._wake.set()
        self._thread.join(timeout=5)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def wake(self) -> None:
        """Look again now: a service, a target's health or a process changed."""
        self._wake.set()

    def stop_task(self, service: Service, task: Task, *, reason: str) -> None:
        """StopTask: take one task away; the scheduler replaces it."""
        self._retire(service, task, reason=reason, code="UserInitiated")
        self.wake()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait(_BUSY_SECONDS if self._is_busy() else _IDLE_SECONDS)
            self._wake.clear()
            try:
                self.step()
            except Exception:  # one bad service or runner must not end scheduling for all others
                log.exception("ECS scheduling failed")
                self._stopped.wait(_BUSY_SECONDS)

    def step(self) -> None:
        """One pass: apply what happened, decide, and run the effects outside the lock."""
        with self._world.lock:
            while self._happened:
                self._happened.popleft()()
            for service in list(self.services.values()):
                self._advance(service)
            effects, self._effects = self._effects, []
            changed, self._targets_changed = self._targets_changed, False
        for effect in effects:
            effect()
        if changed:
            self._world.notify("targets")

    def _is_busy(self) -> bool:
        return any(
            not (service.is_steady() and service.unfinished() == service.desired)
            for service in list(self.services.values())
            if service.status != "INACTIVE"
        )

    def _advance(self, service: Service) -> None:
        for task in [task for task in service.tasks.values() if not task.is_over]:
            self._observe(service, task)
        if service.status != "INACTIVE":
            self._schedule(service)
            self._conclude(service)
        service.forget_old_tasks()

    def _observe(self, service: Service, task: Task) -> None:
        """Read the target's health, and end a drain that is over."""
        if task.is_running:
            healthy = all(self._state(arn, task) == "healthy" for arn in service.group_arns)
            task.health = "HEALTHY" if healthy else "UNHEALTHY" if task.was_healthy else "UNKNOWN"
            if healthy and not task.was_healthy:
                task.was_healthy = True
                self._deployment(service, task).failures_in_a_row = 0
        elif task.status == "DEACTIVATING" and self._world.clock.now() >= (task.drained_at or 0):
            self._terminate(task)

    def _state(self, group_arn: str, task: Task) -> str:
        assert task.process is not None
        referenced = self._balancing.is_referenced(group_arn)
        where = task.process
        return self._balancing.targets.health(group_arn, where.ip, port=where.port, referenced=referenced).state

    def _schedule(self, service: Service) -> None:
        primary = service.primary
        failed = primary.rollout_state == "FAILED"
        limits = service.settings.get("deploymentConfiguration") or {}
        wanted = Wanted(
            desired=service.desired,
            minimum_healthy_percent=int(limits.get("minimumHealthyPercent", 100)),
            maximum_percent=int(limits.get("maximumPercent", 200)),
            may_start=not failed and time.monotonic() >= primary.retry_monotonic,
        )
        present = [task for task in service.tasks.values() if task.is_present]
        steps = plan(wanted, [_facts(task, primary) for task in present])
        for task_id in steps.stop:
            self._retire(service, service.tasks[task_id], reason="Scaling activity initiated by deployment")
        started = [self._launch(service) for _ in range(steps.start)]
        if started:
            named = " ".join(f"(task {task.id})." for task in started)
            service.say(self._world.clock.now(), f"has started {len(started)} tasks: {named}")

    def _launch(self, service: Service) -> Task:
        task = self._factory.make(service)
        service.tasks[task.id] = task
        self._effects.append(lambda: self._submit(service, task))
        return task

    def _submit(self, service: Service, task: Task) -> None:
        if not self._stopped.is_set():
            self._pool.submit(self._start_process, service, task)

    def _start_process(self, service: Service, task: Task) -> None:
        """In a pool thread: the runner returns once the port is known."""
        try:
            self._factory.check_image(task)
            process = self._runner.start(task.spec, lambda _id, code: self._report_exit(service, task, code=code))
        except Exception as error:  # noqa: BLE001  # whatever the runner raises, ECS reports a task that failed to start
            reason = str(error)
            self._report(lambda: self._ended(service, task, code=None, reason=reason))
        else:
            self._report(lambda: self._started(service, task, process=process))

    def _report_exit(self, service: Service, task: Task, *, code: int) -> None:
        self._report(lambda: self._ended(service, task, code=code, reason="Essential container in task exited"))

    def _report(self, event: Effect) -> None:
        self._happened.append(event)
        self._wake.set()

    def _started(self, service: Service, task: Task, *, process: RunningTask) -> None:
        task.process = process
        if task.is_over:
            return
        task.started = self._world.clock.now()
        if task.desired_status == "STOPPED":
            self._terminate(task)
            return
        task.status = "RUNNING"
        for arn in service.group_arns:
            zone = task.spec.availability_zone
            self._balancing.targets.register(arn, process.ip, port=process.port, availability_zone=zone)
            service.say(task.started, f"registered 1 targets in (target-group {arn})")
            self._targets_changed = True

    def _ended(self, service: Service, task: Task, *, code: int | None, reason: str) -> None:
        if task.is_over:
            return
        now = self._world.clock.now()
        expected = task.desired_status == "STOPPED"
        self._deregister(service, task)
        task.status, task.desired_status, task.stopped, task.exit_code = "STOPPED", "STOPPED", now, code
        task.health = "UNKNOWN"
        if expected:
            service.say(now, f"has stopped 1 running tasks: (task {task.id}).")
            return
        task.stopping = now
        task.stop_code = "EssentialContainerExited" if code is not None else "TaskFailedToStart"
        task.stopped_reason = reason
        self._count_failure(service, self._deployment(service, task))

    def _count_failure(self, service: Service, deployment: Deployment) -> None:
        deployment.failed_tasks += 1
        deployment.failures_in_a_row += 1
        wait = BACKOFF_SECONDS[min(deployment.failures_in_a_row, len(BACKOFF_SECONDS)) - 1]
        deployment.retry_monotonic = time.monotonic() + wait
        if deployment.failures_in_a_row > 1:
            service.say(self._world.clock.now(), "is unable to consistently start tasks successfully.")
        breaker = (service.settings.get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker") or {}
        limit = min(max(-(-service.desired // 2), _CIRCUIT_BREAKER_MIN), _CIRCUIT_BREAKER_MAX)
        if breaker.get("enable") and deployment.failures_in_a_row >= limit:
            deployment.rollout_state = "FAILED"
            deployment.reason = "ECS deployment circuit breaker: tasks failed to start."

    def _retire(self, service: Service, task: Task, *, reason: str, code: str = "ServiceSchedulerInitiated") -> None:
        """Take a task out of service: deregister, wait the deregistration delay, then SIGTERM."""
        now = self._world.clock.now()
        task.desired_status, task.stopping = "STOPPED", now
        task.stopped_reason, task.stop_code = reason, code
        if task.process is None:
            return  # still starting: `_started` terminates it
        delay = self._deregister(service, task)
        task.status, task.drained_at = "DEACTIVATING", now + delay
        if delay:
            service.say(now, "has begun draining connections on 1 tasks.")

    def _deregister(self, service: Service, task: Task) -> float:
        """Begin the drain of the task's targets; the longest delay in virtual seconds."""
        if task.process is None:
            return 0.0
        longest = 0.0
        for arn in service.group_arns:
            delay = self._balancing.deregistration_delay_seconds(arn)
            where = task.process
            if self._balancing.targets.deregister(arn, where.ip, port=where.port, delay_seconds=delay):
                longest = max(longest, delay)
                self._targets_changed = True
        return longest

    def _terminate(self, task: Task) -> None:
        task.status = "STOPPING"
        self._effects.append(lambda: self._runner.stop(task.id, task.stop_timeout_seconds))

    def _conclude(self, service: Service) -> None:
        """Keep rollout states truthful and drop deployments whose tasks are gone."""
        now = self._world.clock.now()
        primary = service.primary
        if primary.rollout_state != "FAILED":
            state = "COMPLETED" if service.is_steady() else "IN_PROGRESS"
            if state != primary.rollout_state:
                primary.rollout_state, primary.updated, primary.reason = state, now, ""
                if state == "COMPLETED":
                    service.say(now, f"(deployment {primary.id}) deployment completed.")
                    service.say(now, "has reached a steady state.")
        service.deployments[1:] = [one for one in service.deployments[1:] if service.unfinished(one)]
        if service.status == "DRAINING" and not service.unfinished():
            service.status = "INACTIVE"

    def _deployment(self, service: Service, task: Task) -> Deployment:
        found = [one for one in service.deployments if one.id == task.deployment_id]
        return found[0] if found else service.primary


def _facts(task: Task, primary: Deployment) -> TaskFacts:
    return TaskFacts(
        id=task.id,
        is_primary=task.deployment_id == primary.id,
        is_healthy=task.health == "HEALTHY",
        zone=task.spec.availability_zone,
        created=task.created,
    )
