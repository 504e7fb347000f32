"""Without a limit one slot's leak becomes its neighbour's outage, and CPU and memory have no percentage."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, demand, demand_number, number
from policies.settings import Settings
from policies.shapes import containers
from policies.tree import Tree
from policies.values import Unknown, Value


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for task in tree.of("aws_ecs_task_definition"):
        yield demand_number(task, "cpu", lambda n: n > 0, "the task has no CPU limit")
        yield demand_number(task, "memory", lambda n: n > 0, "the task has no memory limit")
        for container in containers(task):
            if isinstance(container, Unknown):
                yield deferred(task, container, "which limits its containers have")
            else:
                why = f"container {container.get('name')} has no memory limit"
                yield demand(task, container.get("memory"), _is_positive, why)


def _is_positive(value: Value) -> bool:
    limit = number(value)
    return limit is not None and limit > 0


RULE = Rule(
    id="CKV_RG_13",
    says="Every task and every container has its limits",
    remedy="Set cpu and memory on the task definition, and memory on every container.",
    controls=("CMP-04",),
    judge=judge,
)
