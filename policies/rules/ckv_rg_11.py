"""A tag can move between the scan and the start of a task; a digest cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, demand, fails, holds
from policies.settings import Settings
from policies.shapes import containers
from policies.tree import Tree
from policies.values import Partly, Unknown, Value

_BY_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_END_OF_DIGEST = re.compile(r"^(?:.*@)?(?:sha256:)?[0-9a-f]{1,64}$")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for task in tree.of("aws_ecs_task_definition"):
        for container in containers(task):
            if isinstance(container, Unknown):
                yield deferred(task, container, "which images it runs")
            else:
                image = container.get("image")
                why = f"container {container.get('name')} runs {image}, which names no digest"
                if _names_digest(image):
                    yield holds(task)
                elif _names_tag(image):
                    yield fails(task, why)
                else:
                    yield demand(task, image, lambda one: _BY_DIGEST.search(str(one)) is not None, why)


def _names_digest(image: Value) -> bool:
    """Known to be named by digest though not all of it is known: what follows an @ can be nothing else."""
    if not isinstance(image, Partly):
        return False
    last, before = image.parts[-1], image.parts[-2] if len(image.parts) > 1 else ""
    return bool(_BY_DIGEST.search(last)) if isinstance(last, str) else str(before).endswith("@")


def _names_tag(image: Value) -> bool:
    """Known to end in what no digest ends in, whatever comes before: ${repository}:latest."""
    last = image.parts[-1] if isinstance(image, Partly) else None
    return isinstance(last, str) and _END_OF_DIGEST.match(last) is None


RULE = Rule(
    id="CKV_RG_11",
    says="Every container runs an image that is named by its digest",
    remedy='Write image = "<repository>@sha256:<64 hexadecimal digits>".',
    controls=("CMP-04", "PIPE-02", "PROC-02"),
    judge=judge,
)
