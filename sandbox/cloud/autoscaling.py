"""Application Auto Scaling: stored faithfully, nothing scales.

Corrects moto 5.2.5: tags of a scalable target are dropped and ListTagsForResource answers 500; a partial SuspendedState
or a changed capacity replaces the whole suspended state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

_ALL_ACTIVE = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}

Tags = dict[str, dict[str, str]]


class AutoScalingApi(ApplicationAutoScalingResponse):
    """The API handler; one instance per call. `tags` by resource ARN outlive it."""

    def __init__(self, tags: Tags) -> None:
        super().__init__()
        self._tags = tags

    def register_scalable_target(self) -> str:
        before = self._suspended_before()
        answer: str = super().register_scalable_target()
        arn = json.loads(answer)["ScalableTargetARN"]
        self._tags.setdefault(arn, {}).update(self._get_param("Tags") or {})
        target = self._target()
        target.suspended_state = {**_ALL_ACTIVE, **before, **(self._get_param("SuspendedState") or {})}
        return answer

    def list_tags_for_resource(self) -> str:
        return json.dumps({"Tags": self._tags.get(self._get_param("ResourceARN"), {})})

    def tag_resource(self) -> str:
        self._tags.setdefault(self._get_param("ResourceARN"), {}).update(self._get_param("Tags") or {})
        return json.dumps({})

    def untag_resource(self) -> str:
        tags = self._tags.get(self._get_param("ResourceARN"), {})
        for key in self._get_param("TagKeys") or []:
            tags.pop(key, None)
        return json.dumps({})

    def _suspended_before(self) -> Mapping[str, Any]:
        target = self._target()
        return (target.suspended_state or {}) if target else {}

    def _target(self) -> Any:
        targets = self.applicationautoscaling_backend.targets
        return targets.get(self._get_param("ScalableDimension"), {}).get(self._get_param("ResourceId"))
