"""Autoscaling of a service: its minimum held, its scale-in suspended, and both given back.

What is to be given back is remembered at the scalable target itself, in the tag `release-gates:usual`
("minimum:maximum"), because any controller may have to do it. A service without a scalable target is left alone, and
the log says so. Source: Application Auto Scaling API reference, RegisterScalableTarget (unnamed fields keep their
value) and TagResource.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from rollout.adapters.clients import Clients, asking
from rollout.errors import SourceError

USUAL_TAG = "release-gates:usual"
_DIMENSION = "ecs:service:DesiredCount"
_RUNNING = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}
_SUSPENDED = dict.fromkeys(_RUNNING, True)
_HELD = {**_RUNNING, "DynamicScalingInSuspended": True}

log = logging.getLogger(__name__)

Limits = Mapping[str, Any]  # one of DescribeScalableTargets' answers


class Scaling:
    """Scaling of the services of one cluster, by service name.

    Looks before it acts: a change that is in force already is not made again. Every method answers False for a
    service that nobody scales, and raises SourceError.
    """

    def __init__(self, clients: Clients, cluster: str) -> None:
        self._clients, self._cluster = clients, cluster

    def hold(self, service: str, minimum: int) -> bool:
        """No scale-in, and never fewer than `minimum` tasks; a higher minimum stays, scale-out goes on."""
        found = self._find(service)
        if found is None:
            return False
        self._remember(found)
        least = max(minimum, found["MinCapacity"])
        self._register(found, minimum=least, maximum=max(least, found["MaxCapacity"]), state=_HELD)
        return True

    def release(self, service: str) -> bool:
        """The remembered limits again and scaling as usual."""
        found = self._find(service)
        if found is None:
            return False
        usual = self._usual(found)
        minimum, maximum = usual or (found["MinCapacity"], found["MaxCapacity"])
        self._register(found, minimum=minimum, maximum=maximum, state=_RUNNING)
        if usual is not None:
            with asking("application-autoscaling", service):
                self._clients.scaling.untag_resource(ResourceARN=_arn(found), TagKeys=[USUAL_TAG])
        return True

    def suspend(self, service: str) -> bool:
        """No scaling at all and no minimum: a retired service has to stay at no tasks."""
        found = self._find(service)
        if found is None:
            return False
        self._remember(found)
        self._register(found, minimum=0, maximum=found["MaxCapacity"], state=_SUSPENDED)
        return True

    # ------------------------------------------------------------------------------------------- calls

    def _find(self, service: str) -> Limits | None:
        resource = f"service/{self._cluster}/{service}"
        with asking("application-autoscaling", resource):
            answer = self._clients.scaling.describe_scalable_targets(
                ServiceNamespace="ecs", ResourceIds=[resource], ScalableDimension=_DIMENSION
            )
        found: Limits | None = next(iter(answer["ScalableTargets"]), None)
        if found is None:
            log.info("%s has no scalable target: its size is held by nobody but this engine", resource)
        return found

    def _usual(self, found: Limits) -> tuple[int, int] | None:
        """None if nothing is remembered, or something that nobody of us wrote."""
        with asking("application-autoscaling", found["ResourceId"]):
            answer = self._clients.scaling.list_tags_for_resource(ResourceARN=_arn(found))
        minimum, _, maximum = str(answer["Tags"].get(USUAL_TAG, "")).partition(":")
        return (int(minimum), int(maximum)) if minimum.isdigit() and maximum.isdigit() else None

    def _remember(self, found: Limits) -> None:
        """Once, and before the first change: a second hold must not take the held minimum for the usual one."""
        if found["MinCapacity"] == 0 or self._usual(found) is not None:
            return
        value = f"{found['MinCapacity']}:{found['MaxCapacity']}"
        with asking("application-autoscaling", found["ResourceId"]):
            self._clients.scaling.tag_resource(ResourceARN=_arn(found), Tags={USUAL_TAG: value})

    def _register(self, found: Limits, *, minimum: int, maximum: int, state: Mapping[str, bool]) -> None:
        present = {**_RUNNING, **found.get("SuspendedState", {})}
        if (found["MinCapacity"], found["MaxCapacity"], present) == (minimum, maximum, dict(state)):
            return
        with asking("application-autoscaling", found["ResourceId"]):
            self._clients.scaling.register_scalable_target(
                ServiceNamespace="ecs",
                ResourceId=found["ResourceId"],
                ScalableDimension=_DIMENSION,
                MinCapacity=minimum,
                MaxCapacity=maximum,
                SuspendedState=dict(state),
            )


def _arn(found: Limits) -> str:
    arn = found.get("ScalableTargetARN")
    if not arn:
        hint = "It is older than tags are: register it once more with the same limits, then it has one."
        raise SourceError("the scalable target has no ARN", target=found["ResourceId"], hint=hint)
    return str(arn)
