"""A process that is taken over should find nothing to write to and no rights to use."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, demand, is_true
from policies.settings import Settings
from policies.shapes import containers
from policies.tree import Resource, Tree
from policies.values import Unknown, Value

_ROOT = ("", "0", "root")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for task in tree.of("aws_ecs_task_definition"):
        for container in containers(task):
            if isinstance(container, Unknown):
                yield deferred(task, container, "how its containers are confined")
            else:
                yield from _judge(task, container)


def _judge(task: Resource, container: dict[str, Value]) -> Iterator[Judged]:
    name = container.get("name")
    yield demand(
        task, container.get("readonlyRootFilesystem"), is_true, f"container {name} may write its root file system"
    )
    yield demand(task, container.get("user"), _is_not_root, f"container {name} runs as root")
    privileged = container.get("privileged", False)
    yield demand(task, privileged, lambda one: not is_true(one), f"container {name} is privileged")


def _is_not_root(user: Value) -> bool:
    """`user[:group]` by name or number; without one the image decides, which is root unless it says otherwise."""
    return user is not None and str(user).partition(":")[0] not in _ROOT


RULE = Rule(
    id="CKV_RG_12",
    says="Every container has a read-only root, another user than root, and no privileges",
    remedy='Set readonlyRootFilesystem = true and user = "10001:10001"; remove privileged.',
    controls=("CMP-01",),
    judge=judge,
)
