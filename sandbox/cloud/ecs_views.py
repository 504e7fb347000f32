"""ECS's JSON answers about services and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloud.ecs_model import Deployment, Service, Task

Json = dict[str, Any]

_SETTINGS_SHOWN = (
    "loadBalancers",
    "serviceRegistries",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "deploymentConfiguration",
    "networkConfiguration",
    "healthCheckGracePeriodSeconds",
    "schedulingStrategy",
    "deploymentController",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
    "placementConstraints",
    "placementStrategy",
)


def service_view(service: Service, *, with_tags: bool) -> Json:
    """One element of DescribeServices."""
    shown = {name: service.settings[name] for name in _SETTINGS_SHOWN if service.settings.get(name) is not None}
    tags = {"tags": service.settings.get("tags") or []} if with_tags else {}
    return {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster_arn,
        "status": service.status,
        "desiredCount": service.desired,
        "runningCount": service.running(),
        "pendingCount": service.pending(),
        "taskDefinition": service.primary.definition_arn,
        "deployments": [_deployment_view(service, one) for one in service.deployments],
        "events": list(service.events),
        "createdAt": service.created,
        **shown,
        **tags,
    }


def _deployment_view(service: Service, deployment: Deployment) -> Json:
    is_primary = deployment is service.primary
    default_reason = {
        "COMPLETED": f"ECS deployment {deployment.id} completed.",
        "IN_PROGRESS": f"ECS deployment {deployment.id} in progress.",
    }
    present = service.running(deployment) + service.pending(deployment)
    return {
        "id": deployment.id,
        "status": "PRIMARY" if is_primary else "ACTIVE",
        "taskDefinition": deployment.definition_arn,
        "desiredCount": service.desired if is_primary else present,
        "runningCount": service.running(deployment),
        "pendingCount": service.pending(deployment),
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created,
        "updatedAt": deployment.updated or deployment.created,
        "launchType": service.settings.get("launchType") or "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": service.settings.get("networkConfiguration") or {},
        "rolloutState": deployment.rollout_state,
        "rolloutStateReason": deployment.reason or default_reason.get(deployment.rollout_state, ""),
    }


def task_view(service: Service, task: Task) -> Json:
    """One element of DescribeTasks."""
    address = task.process.ip if task.process else ""
    moments = {
        "createdAt": task.created,
        "startedAt": task.started,
        "stoppingAt": task.stopping,
        "stoppedAt": task.stopped,
        "stopCode": task.stop_code,
        "stoppedReason": task.stopped_reason,
    }
    return {
        "taskArn": task.arn,
        "clusterArn": service.cluster_arn,
        "taskDefinitionArn": task.definition_arn,
        "availabilityZone": task.spec.availability_zone,
        "group": f"service:{service.name}",
        "startedBy": task.deployment_id,
        "launchType": service.settings.get("launchType") or "FARGATE",
        "lastStatus": task.status,
        "desiredStatus": task.desired_status,
        "healthStatus": task.health,
        "connectivity": "CONNECTED",
        "version": 1,
        "attachments": [_attachment(address)] if address else [],
        "containers": [_container_view(service, task, address=address)],
        **{name: value for name, value in moments.items() if value is not None},
    }


def _attachment(address: str) -> Mapping[str, Any]:
    details = [{"name": "privateIPv4Address", "value": address}]
    return {"id": address, "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}


def _container_view(service: Service, task: Task, *, address: str) -> Json:
    balancers = service.settings.get("loadBalancers") or [{}]
    port = int(balancers[0].get("containerPort") or 443)
    bindings = (
        [{"bindIP": address, "containerPort": port, "hostPort": task.process.port, "protocol": "tcp"}]
        if task.process
        else []
    )
    exit_code = {"exitCode": task.exit_code} if task.exit_code is not None else {}
    return {
        "containerArn": task.arn.replace(":task/", ":container/"),
        "taskArn": task.arn,
        "name": balancers[0].get("containerName") or service.name,
        "image": task.image,
        "imageDigest": task.spec.image_digest,
        "lastStatus": task.status,
        "healthStatus": task.health,
        "networkBindings": bindings,
        "networkInterfaces": [{"privateIpv4Address": address}] if address else [],
        **exit_code,
    }
