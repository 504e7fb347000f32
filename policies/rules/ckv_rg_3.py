"""Size and revision of a slot belong to autoscaling and to the engine, not to the next apply."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, fails, holds
from policies.settings import Settings
from policies.shapes import slot_services
from policies.tree import Origin, Tree

_OWNED_ELSEWHERE = ("desired_count", "task_definition")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for service in slot_services(tree):
        missing = [name for name in _OWNED_ELSEWHERE if name not in service.ignored and "all" not in service.ignored]
        if missing:
            yield fails(service, f"an apply would set {' and '.join(missing)} back")
        else:
            yield holds(service)


RULE = Rule(
    id="CKV_RG_3",
    says="An apply leaves desired count and task definition of every slot alone",
    remedy="Add lifecycle { ignore_changes = [desired_count, task_definition] } to the service.",
    controls=("PROC-01", "IAC-01"),
    judge=judge,
    origins=(Origin.SOURCE,),
)
