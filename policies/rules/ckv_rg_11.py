"""A tag can move between the scan and the start of a task; a digest cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, demand
from policies.settings import Settings
from policies.shapes import containers
from policies.tree import Tree
from policies.values import Unknown

_BY_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for task in tree.of("aws_ecs_task_definition"):
        for container in containers(task):
            if isinstance(container, Unknown):
                yield deferred(task, container, "which images it runs")
            else:
                image = container.get("image")
                why = f"container {container.get('name')} runs {image}, which names no digest"
                yield demand(task, image, lambda one: _BY_DIGEST.fullmatch(str(one)) is not None, why)


RULE = Rule(
    id="CKV_RG_11",
    says="Every container runs an image that is named by its digest",
    remedy='Write image = "<repository>@sha256:<64 hexadecimal digits>".',
    controls=("CMP-04", "PIPE-02", "PROC-02"),
    judge=judge,
)
