"""An essential container that nobody checks and that writes no log can only be found out by customers."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, demand, fails, holds
from policies.settings import Settings
from policies.shapes import containers
from policies.tree import Resource, Tree
from policies.values import Unknown, Value


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for task in tree.of("aws_ecs_task_definition"):
        for container in containers(task):
            if isinstance(container, Unknown):
                yield deferred(task, container, "how its containers are watched")
            else:
                yield from _judge(task, container)


def _judge(task: Resource, container: dict[str, Value]) -> Iterator[Judged]:
    name = container.get("name")
    logs = container.get("logConfiguration")
    driver = logs if isinstance(logs, Unknown) else (logs or {}).get("logDriver")
    yield demand(task, driver, bool, f"container {name} has no log configuration")
    if container.get("essential", True) is False:  # ECS: a container is essential unless it says otherwise
        return
    check = container.get("healthCheck")
    if isinstance(check, Unknown):
        yield deferred(task, check, f"whether container {name} has a health check")
    elif not check or not check.get("command") or check.get("command") == ["NONE"]:
        yield fails(task, f"container {name} has no health check")
    else:
        yield holds(task)


RULE = Rule(
    id="CKV_RG_14",
    says="Every container writes logs, and every essential one has a health check",
    remedy="Add logConfiguration and healthCheck to the container definition.",
    controls=("CMP-04", "MON-01"),
    judge=judge,
)
