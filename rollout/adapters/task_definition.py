"""The task definition of a candidate: another one's, with another image. Pure, on DescribeTaskDefinition's shapes."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from rollout.errors import BadInput

Definition = dict[str, Any]

# What RegisterTaskDefinition takes; the rest of a description is ECS's own (revision, status, who registered it).
# Source: ECS API reference, RegisterTaskDefinition.
_REGISTERED_FIELDS = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)
_DIGEST = re.compile(r"(?:(?P<repository>[^@\s]+)@)?(?P<digest>sha256:[0-9a-f]{64})")


def image_by_digest(image: str, repository: str) -> str:
    """`repository@sha256:...`; a bare digest is completed. Raises BadInput for a tag, which can be moved."""
    found = _DIGEST.fullmatch(image)
    if found is None:
        raise BadInput(
            f"the image {image!r} is not named by its digest",
            hint="Use <repository>@sha256:<64 hexadecimal digits>, as the build printed it.",
        )
    return f"{found['repository'] or repository}@{found['digest']}"


def container_of(definition: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The container `name`. Raises BadInput naming those there are."""
    containers = definition.get("containerDefinitions", [])
    found = next((container for container in containers if container.get("name") == name), None)
    if found is None:
        raise BadInput(
            f"the task definition has no container {name!r}",
            target=str(definition.get("taskDefinitionArn", "")),
            hint=f"Containers are {', '.join(sorted(str(one.get('name')) for one in containers))}.",
        )
    return dict(found)


def registrable(definition: Mapping[str, Any]) -> Definition:
    """The part of a description that can be registered; empty fields are left out, as ECS answers either way."""
    fields = {name: copy.deepcopy(definition[name]) for name in _REGISTERED_FIELDS if definition.get(name)}
    fields["containerDefinitions"] = [_without_empty(one) for one in fields.get("containerDefinitions", [])]
    return fields


def candidate_definition(
    like: Mapping[str, Any], own: Mapping[str, Any] | None, *, container: str, image: str, slots: tuple[str, str]
) -> Definition:
    """`like` with `image` in `container` and with the environment that only the own slot has.

    `slots` is (own slot, like's slot). A variable is the slot's own if it says the same with the other slot's name in
    it (SLOT=green and SLOT=blue, name-green and name-blue): such values are taken from `own`."""
    wanted = registrable(like)
    own_values = _environment(container_of(own, container)) if own is not None else {}
    container_of(wanted, container)
    for one in wanted["containerDefinitions"]:
        if one["name"] == container:
            one["image"] = image
            if "environment" in one:
                values = _slot_values(_environment(one), own_values, slots=slots)
                one["environment"] = [{"name": name, "value": value} for name, value in values.items()]
    return wanted


def same(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether two definitions describe the same task: order of variables and empty fields do not count."""
    return _comparable(first) == _comparable(second)


def _slot_values(like: Mapping[str, str], own: Mapping[str, str], *, slots: tuple[str, str]) -> dict[str, str]:
    own_slot, like_slot = slots
    values = dict(like)
    for name, value in like.items():
        moved = re.sub(rf"(?<![A-Za-z0-9]){re.escape(like_slot)}(?![A-Za-z0-9])", own_slot, value)
        if moved != value and own.get(name) == moved:
            values[name] = moved
    return values


def _environment(container: Mapping[str, Any]) -> dict[str, str]:
    return {str(pair["name"]): str(pair["value"]) for pair in container.get("environment", [])}


def _without_empty(container: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in container.items() if value not in (None, [], {}, "")}


def _comparable(definition: Mapping[str, Any]) -> Definition:
    fields = registrable(definition)
    for one in fields["containerDefinitions"]:
        one["environment"] = sorted(_environment(one).items())
    return fields
