"""The ECS API: clusters and task definitions are moto's, services and tasks are real (see `ecs_engine`).

Corrects moto 5.2.5: services without tasks, counts and deployments that are not true, no ListTasks by service,
deploymentConfiguration and other settings dropped, a service name usable twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moto.core.responses import ActionContext, ActionResult
from moto.ecs.exceptions import EcsClientException, InvalidParameterException, ServiceNotFoundException
from moto.ecs.responses import EC2ContainerServiceResponse

from sandbox.cloud.ecs_engine import Scheduler
from sandbox.cloud.ecs_model import Deployment, Service, Task
from sandbox.cloud.ecs_views import service_view, task_view
from sandbox.cloud.elbv2 import LoadBalancing
from sandbox.cloud.world import World

_NEW_DEPLOYMENT = ("networkConfiguration", "loadBalancers", "platformVersion", "launchType")
_NOT_SETTINGS = ("cluster", "service", "serviceName", "desiredCount", "taskDefinition", "forceNewDeployment")
_DEPLOYMENT_DEFAULTS = {"maximumPercent": 200, "minimumHealthyPercent": 100}


class EcsApi(EC2ContainerServiceResponse):
    """The API handler; one instance per call."""

    def __init__(self, scheduler: Scheduler, balancing: LoadBalancing, *, world: World) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._balancing = balancing
        self._now = world.clock.now()

    def create_service(self) -> ActionResult:
        cluster = self._cluster()
        name = self.params["serviceName"]
        known = self._find(cluster, name)
        if known is not None and known.status == "ACTIVE":
            raise InvalidParameterException("Creation of service was not idempotent.")
        self._check_balancers(self.params.get("loadBalancers") or [])
        definition = self._definition(self.params["taskDefinition"])
        super().create_service()  # validates the network and keeps tags where moto looks for them
        arn = self.ecs_backend.services[f"{cluster.name}:{name}"].arn
        settings = {key: value for key, value in self.params.items() if key not in _NOT_SETTINGS}
        settings["deploymentConfiguration"] = _DEPLOYMENT_DEFAULTS | (settings.get("deploymentConfiguration") or {})
        service = Service(
            name=name,
            arn=arn,
            cluster_name=cluster.name,
            cluster_arn=cluster.arn,
            desired=int(self.params.get("desiredCount") or 0),
            created=self._now,
            settings=settings,
            deployments=[Deployment(definition_arn=definition, created=self._now)],
        )
        self._scheduler.services[arn] = service
        self._scheduler.wake()
        return _answer({"service": service_view(service, with_tags=True)})

    def update_service(self) -> ActionResult:
        service = self._service(self.params["service"])
        if service.status != "ACTIVE":
            raise EcsClientException("Service was not ACTIVE.")
        before = {name: service.settings.get(name) for name in _NEW_DEPLOYMENT}
        definition = self._definition(self.params.get("taskDefinition") or service.primary.definition_arn)
        for name, value in self.params.items():
            if name not in _NOT_SETTINGS and value is not None:
                merged = {**(service.settings.get(name) or {}), **value} if isinstance(value, Mapping) else value
                service.settings[name] = merged
        if self.params.get("desiredCount") is not None:
            service.desired = int(self.params["desiredCount"])
        changed = definition != service.primary.definition_arn or before != {
            name: service.settings.get(name) for name in _NEW_DEPLOYMENT
        }
        if changed or self.params.get("forceNewDeployment"):
            service.deployments.insert(0, Deployment(definition_arn=definition, created=self._now))
        self._refresh_rollout(service)
        self._scheduler.wake()
        return _answer({"service": service_view(service, with_tags=False)})

    def _refresh_rollout(self, service: Service) -> None:
        """A reply must not say COMPLETED about counts that were just changed."""
        if service.primary.rollout_state == "COMPLETED" and not service.is_steady():
            service.primary.rollout_state = "IN_PROGRESS"
            service.primary.updated = self._now

    def delete_service(self) -> ActionResult:
        service = self._service(self.params["service"])
        if service.desired > 0 and not self.params.get("force"):
            raise InvalidParameterException("The service cannot be stopped while it is scaled above 0.")
        service.desired, service.status = 0, "DRAINING"
        self._scheduler.wake()
        return _answer({"service": service_view(service, with_tags=False)})

    def describe_services(self) -> ActionResult:
        cluster = self._cluster()
        found, failures = [], []
        for wanted in self.params.get("services") or []:
            service = self._find(cluster, wanted)
            if service is None:
                arn = cluster.arn.replace(":cluster/", ":service/") + "/" + wanted.rsplit("/", 1)[-1]
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(service_view(service, with_tags="TAGS" in (self.params.get("include") or [])))
        return _answer({"services": found, "failures": failures})

    def describe_clusters(self) -> ActionResult:
        for cluster in self.ecs_backend.clusters.values():
            services = [one for one in self._services(cluster) if one.status != "INACTIVE"]
            cluster.active_services_count = len(services)
            cluster.running_tasks_count = sum(service.running() for service in services)
            cluster.pending_tasks_count = sum(service.pending() for service in services)
        return super().describe_clusters()

    def list_tasks(self) -> ActionResult:
        cluster = self._cluster()
        status = self.params.get("desiredStatus") or "RUNNING"
        name = self.params.get("serviceName")
        if name and self._find(cluster, name) is None:
            raise ServiceNotFoundException()
        family = self.params.get("family")
        arns = [
            task.arn
            for service, task in self._tasks(cluster)
            if (not name or service.name == name.rsplit("/", 1)[-1])
            and task.desired_status == status
            and (not family or f":task-definition/{family}:" in task.definition_arn)
        ]
        return _answer({"taskArns": arns})

    def describe_tasks(self) -> ActionResult:
        cluster = self._cluster()
        known = {task.id: (service, task) for service, task in self._tasks(cluster)}
        found, failures = [], []
        for wanted in self.params.get("tasks") or []:
            task_id = wanted.rsplit("/", 1)[-1]
            if task_id in known:
                found.append(task_view(*known[task_id]))
            else:
                failures.append({"arn": wanted, "reason": "MISSING"})
        return _answer({"tasks": found, "failures": failures})

    def stop_task(self) -> ActionResult:
        wanted = self.params["task"].rsplit("/", 1)[-1]
        for service, task in self._tasks(self._cluster()):
            if task.id == wanted:
                if task.is_present:
                    self._scheduler.stop_task(service, task, reason=self.params.get("reason") or "Task stopped by user")
                return _answer({"task": task_view(service, task)})
        raise InvalidParameterException("The referenced task was not found.")

    def _cluster(self) -> Any:
        return self.ecs_backend._get_cluster(self.params.get("cluster") or "default")

    def _services(self, cluster: Any) -> Sequence[Service]:
        return [one for one in self._scheduler.services.values() if one.cluster_name == cluster.name]

    def _find(self, cluster: Any, name_or_arn: str) -> Service | None:
        name = name_or_arn.rsplit("/", 1)[-1]
        return next((service for service in self._services(cluster) if service.name == name), None)

    def _service(self, name_or_arn: str) -> Service:
        service = self._find(self._cluster(), name_or_arn)
        if service is None:
            raise ServiceNotFoundException()
        return service

    def _tasks(self, cluster: Any) -> Iterable[tuple[Service, Task]]:
        return [(service, task) for service in self._services(cluster) for task in service.tasks.values()]

    def _definition(self, reference: str) -> str:
        definition = self.ecs_backend.describe_task_definition(reference)
        if definition.status != "ACTIVE":
            raise EcsClientException("TaskDefinition is inactive")
        return str(definition.arn)

    def _check_balancers(self, balancers: Sequence[Mapping[str, Any]]) -> None:
        """ECS refuses a target group that no load balancer uses."""
        for balancer in balancers:
            arn = balancer.get("targetGroupArn")
            if arn and not self._balancing.is_referenced(arn):
                raise InvalidParameterException(
                    f"The target group with targetGroupArn {arn} does not have an associated load balancer."
                )


class _Document(ActionResult):
    """Ready JSON: moto's serializer walks the service's model and takes milliseconds for it."""

    def execute_result(self, context: ActionContext) -> Any:
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(self.result)


def _answer(document: Mapping[str, Any]) -> ActionResult:
    return _Document(document)
