"""The two container services. Satisfies `ports.ServiceController`.

UpdateService has no client token, so every change is looked for first: a repeated one changes nothing.
Source: ECS API reference, DescribeServices, UpdateService, RegisterTaskDefinition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rollout.adapters.clients import Clients, asking
from rollout.adapters.scaling import Scaling
from rollout.adapters.task_definition import (
    Definition,
    candidate_definition,
    container_of,
    image_by_digest,
    same,
)
from rollout.errors import BadInput, SourceError
from rollout.seen import ServiceReading
from rollout.target import Target

_REVISIONS_LOOKED_AT = 10  # newest ones of the family, when an identical revision is searched
_DEFINITIONS_KEPT_MAX = 100
_TASKS_MAX = 100  # what DescribeTasks takes


class EcsServices:
    """Services of `target.cluster_name`, by slot. With `with_zones`, `read` costs two more calls and answers zones."""

    def __init__(self, clients: Clients, target: Target, *, with_zones: bool = False) -> None:
        self._clients, self._target, self._with_zones = clients, target, with_zones
        self._scaling = Scaling(clients, target.cluster_name)
        self._definitions: dict[str, Definition] = {}  # a revision never changes

    def read(self, slot: str) -> ServiceReading:
        """The service as DescribeServices answers it; `failed_tasks` and `rollout_state` are the primary
        deployment's, `image` is the released container's in the primary revision. Raises SourceError, BadInput."""
        service = self._describe(slot)
        primary = _primary(service)
        revision = str(primary.get("taskDefinition") or service["taskDefinition"])
        return ServiceReading(
            desired=int(service["desiredCount"]),
            running=int(service["runningCount"]),
            pending=int(service["pendingCount"]),
            task_definition=revision,
            rollout_state=str(primary.get("rolloutState", "")),
            failed_tasks=int(primary.get("failedTasks", 0)),
            zones=self.zones(slot) if self._with_zones else (),
            image=str(container_of(self._definition(revision), self._target.container_name).get("image", "")),
        )

    def zones(self, slot: str) -> tuple[str, ...]:
        """Availability zones of the service's running tasks, one per task, sorted."""
        cluster, name = self._target.cluster_name, self._name(slot)
        with asking("ecs", name):
            arns = self._clients.ecs.list_tasks(cluster=cluster, serviceName=name, desiredStatus="RUNNING")["taskArns"]
            if not arns:
                return ()
            tasks = self._clients.ecs.describe_tasks(cluster=cluster, tasks=arns[:_TASKS_MAX])["tasks"]
        return tuple(sorted(str(task.get("availabilityZone", "")) for task in tasks))

    def prepare(self, slot: str, *, image: str, desired: int, like: str) -> str:
        """Run `desired` tasks of `image` in `slot`, like the running revision of slot `like` in all else.

        An identical revision is used again instead of registered again. The slot's scaling may grow but not shrink
        from now on. The service of `like` is only read. Answers the revision's ARN. Raises BadInput, SourceError."""
        if slot == like:
            raise BadInput(f"the candidate {slot} cannot be made like itself", hint="The roles are mixed up.")
        service, model = self._describe(slot), self._describe(like)
        wanted = candidate_definition(
            self._definition(_revision(model)),
            self._definition(_revision(service)),
            container=self._target.container_name,
            image=image_by_digest(image, self._target.image_repository),
            slots=(slot, like),
        )
        wanted["family"] = self._target.task_definition_family
        revision = self._find(wanted, (_revision(service), _revision(model))) or self._register(wanted)
        if _revision(service) != revision or int(service["desiredCount"]) < desired:
            with asking("ecs", str(service["serviceArn"])):
                self._clients.ecs.update_service(
                    cluster=self._target.cluster_name,
                    service=self._name(slot),
                    taskDefinition=revision,
                    desiredCount=desired,
                )
        self._scaling.hold(self._name(slot), desired)
        return revision

    def scale(self, slot: str, desired: int) -> None:
        """Set the desired count, if it is another. Raises SourceError."""
        assert desired >= 0, f"{desired} tasks cannot be wanted"
        if int(self._describe(slot)["desiredCount"]) == desired:
            return
        with asking("ecs", self._name(slot)):
            self._clients.ecs.update_service(
                cluster=self._target.cluster_name, service=self._name(slot), desiredCount=desired
            )

    def hold_capacity(self, slot: str, minimum: int) -> None:
        """No scale-in below `minimum`, nor at all, until released; does nothing for a service that nobody scales."""
        self._scaling.hold(self._name(slot), minimum)

    def release_capacity(self, *, live: str, retired: str) -> None:
        """The live slot scales as before the rollout; the retired one stays at no tasks."""
        self._scaling.release(self._name(live))
        self._scaling.suspend(self._name(retired))

    # ------------------------------------------------------------------------------------------- calls

    def _name(self, slot: str) -> str:
        name = self._target.service_names.get(slot)
        if name is None:
            raise BadInput(f"there is no slot {slot!r}", hint="Slots are the keys of service_names.")
        return name

    def _describe(self, slot: str) -> Mapping[str, Any]:
        name = self._name(slot)
        with asking("ecs", name):
            answer = self._clients.ecs.describe_services(cluster=self._target.cluster_name, services=[name])
        found = [one for one in answer["services"] if one.get("status") == "ACTIVE"]
        if len(found) != 1:
            failures: Sequence[Mapping[str, Any]] = answer.get("failures", [])
            why = str(failures[0].get("reason", "")) if failures else "not active"
            hint = "Apply the infrastructure again, or correct its outputs."
            raise SourceError(f"ECS has no such service: {why}", target=name, hint=hint)
        return dict(found[0])

    def _definition(self, revision: str) -> Definition:
        if revision not in self._definitions:
            with asking("ecs", revision):
                answer = self._clients.ecs.describe_task_definition(taskDefinition=revision)
            while len(self._definitions) >= _DEFINITIONS_KEPT_MAX:
                self._definitions.pop(next(iter(self._definitions)))
            self._definitions[revision] = dict(answer["taskDefinition"])
        return self._definitions[revision]

    def _find(self, wanted: Definition, first: Sequence[str]) -> str | None:
        """An active revision that describes the same task: those given, then the newest ones of the family."""
        with asking("ecs", wanted["family"]):
            newest = self._clients.ecs.list_task_definitions(
                familyPrefix=wanted["family"], status="ACTIVE", sort="DESC", maxResults=_REVISIONS_LOOKED_AT
            )["taskDefinitionArns"]
        candidates = dict.fromkeys([*first, *newest])
        return next((arn for arn in candidates if same(self._definition(arn), wanted)), None)

    def _register(self, wanted: Definition) -> str:
        with asking("ecs", wanted["family"]):
            answer = self._clients.ecs.register_task_definition(**wanted)
        return str(answer["taskDefinition"]["taskDefinitionArn"])


def _primary(service: Mapping[str, Any]) -> Mapping[str, Any]:
    deployments: Sequence[Mapping[str, Any]] = service.get("deployments", [])
    return next((one for one in deployments if one.get("status") == "PRIMARY"), {})


def _revision(service: Mapping[str, Any]) -> str:
    """The revision the service is to run: its primary deployment's."""
    return str(_primary(service).get("taskDefinition") or service["taskDefinition"])
