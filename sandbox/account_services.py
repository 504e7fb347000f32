"""The ECS services of the sandbox's account and their scaling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.account_balancer import Balancer
from sandbox.account_names import (
    ACCOUNT_ID,
    CLUSTER,
    CONTAINER,
    CONTAINER_PORT,
    FAMILY,
    IMAGE_REPOSITORY,
    LOG_GROUP,
    REGION,
    SLOTS,
    service_name,
)
from sandbox.account_network import Network
from sandbox.account_spec import AccountSpec

STOP_TIMEOUT_SECONDS = 90  # longer than the deregistration delay, as ECS advises
TASKS_MIN, TASKS_MAX = 2, 20
_ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/shop-api"


def create_services(ecs: Any, network: Network, *, balancer: Balancer, spec: AccountSpec) -> None:
    """Create the cluster and both services; only the live slot has tasks."""
    ecs.create_cluster(clusterName=CLUSTER, settings=[{"name": "containerInsights", "value": "enabled"}])
    definition = ecs.register_task_definition(**_task_definition(spec.images[spec.live_version]))["taskDefinition"]
    for slot in SLOTS:
        ecs.create_service(
            cluster=CLUSTER,
            serviceName=service_name(slot),
            taskDefinition=definition["taskDefinitionArn"],
            desiredCount=spec.live_tasks if slot == spec.live_slot else 0,
            launchType="FARGATE",
            platformVersion="1.4.0",
            deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 200},
            healthCheckGracePeriodSeconds=60,
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": list(network.private_subnets),
                    "securityGroups": [network.service_security_group],
                    "assignPublicIp": "DISABLED",
                }
            },
            loadBalancers=[
                {
                    "targetGroupArn": balancer.group_arns[slot],
                    "containerName": CONTAINER,
                    "containerPort": CONTAINER_PORT,
                }
            ],
            tags=[{"key": "managed-by", "value": "release-gates"}],
        )


def _task_definition(digest: str) -> dict[str, Any]:
    return {
        "family": FAMILY,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "taskRoleArn": _ROLE,
        "executionRoleArn": f"{_ROLE}-execution",
        "containerDefinitions": [
            {
                "name": CONTAINER,
                "image": f"{IMAGE_REPOSITORY}@{digest}",
                "essential": True,
                "memory": 192,
                "readonlyRootFilesystem": True,
                "stopTimeout": STOP_TIMEOUT_SECONDS,
                "portMappings": [{"containerPort": CONTAINER_PORT, "protocol": "tcp"}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": LOG_GROUP,
                        "awslogs-region": REGION,
                        "awslogs-stream-prefix": CONTAINER,
                    },
                },
            }
        ],
    }


def create_scaling(scaling: Any, balancer: Balancer) -> None:
    """Let both services scale from 2 to 20 tasks, by CPU, memory and requests per target."""
    for slot in SLOTS:
        target = {
            "ServiceNamespace": "ecs",
            "ResourceId": f"service/{CLUSTER}/{service_name(slot)}",
            "ScalableDimension": "ecs:service:DesiredCount",
        }
        scaling.register_scalable_target(**target, MinCapacity=TASKS_MIN, MaxCapacity=TASKS_MAX)
        for name, value, specification in _policies(balancer, slot):
            scaling.put_scaling_policy(
                **target,
                PolicyName=f"{service_name(slot)}-{name}",
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration={
                    "TargetValue": value,
                    "PredefinedMetricSpecification": specification,
                    "ScaleInCooldown": 300,
                    "ScaleOutCooldown": 60,
                },
            )


def _policies(balancer: Balancer, slot: str) -> Sequence[tuple[str, float, Mapping[str, str]]]:
    load_balancer = balancer.arn.split(":loadbalancer/", 1)[1]
    group = balancer.group_arns[slot].rsplit(":", 1)[1]
    return (
        ("cpu", 60.0, {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}),
        ("memory", 70.0, {"PredefinedMetricType": "ECSServiceAverageMemoryUtilization"}),
        (
            "requests",
            1000.0,
            {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": f"{load_balancer}/{group}"},
        ),
    )
