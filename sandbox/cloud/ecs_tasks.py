"""Makes tasks from a service's task definition: image digest, version, zone, environment."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ecs.models import ecs_backends

from sandbox.cloud.ecs_model import STOP_TIMEOUT_SECONDS, Service, Task
from sandbox.cloud.ecs_plan import zone_for
from sandbox.cloud.world import ACCOUNT_ID, REGION, World
from sandbox.contracts import TaskSpec

DEFAULT_ZONES = (f"{REGION}a", f"{REGION}b")
_DIGEST = re.compile(r"@(?P<digest>sha256:[^@\s]+)$")
_TAG = re.compile(r":(?P<tag>[^/:@]+)$")


class ImageError(Exception):
    """The image that a task definition names cannot be pulled."""


@dataclass(frozen=True)
class Pushed:
    """Where an image was pushed to, and under which tag."""

    repository: str
    tag: str


class Images:
    """The registry: which digest is which version. Digests are kept with their `sha256:` prefix."""

    def __init__(self) -> None:
        self._versions: dict[str, str] = {}
        self.pushed: dict[str, Pushed] = {}  # by digest

    def register(self, digest: str, version: str, *, repository: str) -> None:
        """Make a digest (with or without `sha256:`) known as a version that was released from a repository."""
        self._versions[_with_prefix(digest)] = version
        self.pushed[_with_prefix(digest)] = Pushed(repository, f"release-{version}")

    def resolve(self, image: str) -> tuple[str, str]:
        """(digest, version) of an image reference by digest or by tag; both empty if it is not in the registry."""
        if found := _DIGEST.search(image):
            return found["digest"], self._versions.get(found["digest"], "")
        tag = _TAG.search(image)
        for digest, version in self._versions.items():
            if tag and version == tag["tag"]:
                return digest, version
        return "", ""


class TaskFactory:
    """Reads moto's task definitions and subnets; called under the world's lock."""

    def __init__(self, world: World, images: Images) -> None:
        self._world = world
        self._images = images

    def make(self, service: Service) -> Task:
        """The next task of the service's primary deployment, not started yet."""
        definition = ecs_backends[ACCOUNT_ID][REGION].describe_task_definition(service.primary.definition_arn)
        container: Mapping[str, Any] = definition.container_definitions[0]
        digest, version = self._images.resolve(container["image"])
        spec = TaskSpec(
            task_id=uuid.uuid4().hex,
            slot=service.slot,
            service_name=service.name,
            image_digest=digest,
            version=version,
            availability_zone=self._zone(service),
            environment={one["name"]: one["value"] for one in container.get("environment") or []},
        )
        cluster_arn = service.cluster_arn.replace(":cluster/", ":task/")
        return Task(
            spec=spec,
            arn=f"{cluster_arn}/{spec.task_id}",
            deployment_id=service.primary.id,
            definition_arn=service.primary.definition_arn,
            image=container["image"],
            created=self._world.clock.now(),
            stop_timeout_seconds=float(container.get("stopTimeout") or STOP_TIMEOUT_SECONDS),
        )

    def check_image(self, task: Task) -> None:
        """Raises ImageError, worded as ECS words it, for an image that is not in the registry."""
        if not task.spec.version:
            raise ImageError(f"CannotPullContainerError: {task.image}: not found")

    def _zone(self, service: Service) -> str:
        present = [task for task in service.tasks.values() if task.is_present]
        own = [task.spec.availability_zone for task in present if task.deployment_id == service.primary.id]
        old = [task.spec.availability_zone for task in present if task.deployment_id != service.primary.id]
        one_zone = bool(self._world.faults.get(service.slot, "one_zone"))
        return zone_for(_zones(service), own, leaving=old, one_zone=one_zone)


def _zones(service: Service) -> Sequence[str]:
    network = (service.settings.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    backend = ec2_backends[ACCOUNT_ID][REGION]
    zones = {backend.get_subnet(subnet).availability_zone for subnet in network.get("subnets") or []}
    return sorted(zones) or DEFAULT_ZONES


def _with_prefix(digest: str) -> str:
    return digest if digest.startswith("sha256:") else f"sha256:{digest}"
