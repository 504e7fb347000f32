"""Every slot scales within the declared bounds; the way back needs them as much as the candidate."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand_number, fails
from policies.scaling import targets
from policies.settings import Settings
from policies.shapes import slot_services
from policies.tree import Tree


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    low, high = settings.tasks_min, settings.tasks_max
    for service in slot_services(tree):
        found = targets(tree, service)
        if not found:
            yield fails(service, "it has no scalable target")
        for target in found:
            yield demand_number(target, "min_capacity", lambda n: n >= low, f"its minimum is under {low}")
            yield demand_number(
                target, "max_capacity", lambda n: low <= n <= high, f"its maximum is not {low} to {high}"
            )


RULE = Rule(
    id="CKV_RG_4",
    says="Every slot scales between 2 and 20 tasks",
    remedy="Give each service an aws_appautoscaling_target with min_capacity >= 2 and max_capacity <= 20.",
    controls=("CMP-02", "ARCH-04"),
    judge=judge,
)
