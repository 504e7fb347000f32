"""Cloud Map: what ECS registers with it, task by task.

moto 5.2.5 registers nothing: a service that names registries has no instance in them, whatever runs. ECS registers a
task under its id when it runs, and takes it away before it ends.
Source: ECS developer guide, "Use service discovery to connect Amazon ECS services with DNS names".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sandbox.cloud.ecs_model import Service, Task
from sandbox.cloud.world import ACCOUNT_ID, REGION

if TYPE_CHECKING:
    from moto.servicediscovery.models import Service as Registry
    from moto.servicediscovery.models import ServiceDiscoveryBackend


def register(service: Service, task: Task, *, now: float) -> None:
    """Enter a task that has started under its id; a registry that is gone is an event of the service's, as in ECS."""
    assert task.process is not None, "a task that runs nothing"
    attributes = {
        "AWS_INSTANCE_IPV4": task.process.ip,
        "AVAILABILITY_ZONE": task.spec.availability_zone,
        "ECS_CLUSTER_NAME": service.cluster_name,
        "ECS_SERVICE_NAME": service.name,
        "ECS_TASK_DEFINITION_FAMILY": task.definition_arn.rsplit("/", 1)[-1].rsplit(":", 1)[0],
        "REGION": REGION,
    }
    for registry_id, backend, registry in _registries(service):
        if registry is None:
            service.say(now, f"was unable to register (task {task.id}): there is no registry {registry_id}.")
        else:
            backend.register_instance(registry_id, task.id, task.id, attributes)


def deregister(service: Service, task: Task) -> None:
    """Take a task away; a registry that does not hold it, or is gone, holds no task of that id either."""
    for registry_id, backend, registry in _registries(service):
        if registry is not None and any(one.instance_id == task.id for one in registry.instances):
            backend.deregister_instance(registry_id, task.id)


def _registries(service: Service) -> Iterator[tuple[str, ServiceDiscoveryBackend, Registry | None]]:
    named = service.settings.get("serviceRegistries") or []
    if not named:
        return
    from moto.servicediscovery.models import servicediscovery_backends  # late: most sandboxes' services name none

    backend = servicediscovery_backends[ACCOUNT_ID][REGION]
    for one in named:
        registry_id = str(one["registryArn"]).rsplit("/", 1)[-1]
        yield registry_id, backend, backend.services.get(registry_id)
