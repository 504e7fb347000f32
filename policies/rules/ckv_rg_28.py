"""The environment of a task is readable by everybody who may describe it."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.secrets import looks_like_secret, named_as_secret
from policies.settings import Settings
from policies.shapes import containers
from policies.tree import Resource, Tree
from policies.values import Unknown, Value, listed


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for task in tree.of("aws_ecs_task_definition"):
        for container in containers(task):
            if isinstance(container, Unknown):
                yield deferred(task, container, "what its environment holds")
            else:
                yield from _judge(task, container)


def _judge(task: Resource, container: dict[str, Value]) -> Iterator[Judged]:
    yield holds(task)
    environment = container.get("environment")
    for pair in [environment] if isinstance(environment, Unknown) else listed(environment):
        if isinstance(pair, Unknown):
            yield deferred(task, pair, "what its environment holds")
            continue
        name, value = pair.get("name"), pair.get("value")
        if named_as_secret(name) or looks_like_secret(value):
            yield fails(task, f"container {container.get('name')} gets {name} in its environment")


RULE = Rule(
    id="CKV_RG_28",
    says="Containers get secrets by reference, never in their environment",
    remedy="Move the value to Secrets Manager and name it under secrets { name, valueFrom }.",
    controls=("SEC-02",),
    judge=judge,
)
