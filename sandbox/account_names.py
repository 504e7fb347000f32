"""The names of the sandbox's world, in one place; tests/infrastructure holds them equal to what Terraform makes."""

from __future__ import annotations

from collections.abc import Mapping

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
SLOTS = ("blue", "green")

DOMAIN = "shop.example"
PUBLIC_HOST = f"api.{DOMAIN}"
LIVE_HOST = f"current.{DOMAIN}"
TEST_HOSTS: Mapping[str, str] = {slot: f"{slot}.{DOMAIN}" for slot in SLOTS}
TEST_HEADER = "x-release-token"

CLUSTER = "production-cluster"
FAMILY = "shop-api"
CONTAINER = "shop-api"
CONTAINER_PORT = 8443
IMAGE_REPOSITORY = f"{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/shop-api"
LOG_GROUP = "/ecs/shop-api"

STATE_TABLE = "rollouts"
ALERT_TOPIC = "release-alerts"
HEARTBEAT_NAMESPACE = "ReleaseGates"
HEARTBEAT_METRIC = "Heartbeat"
HEARTBEAT_ALARM = "release-heartbeat"


def service_name(slot: str) -> str:
    """ECS service and target group of a slot share their name."""
    return f"shop-api-{slot}"
