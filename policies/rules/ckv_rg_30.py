"""A secret that never changes is known by everybody who ever left."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand_number, fails, holds
from policies.settings import Settings
from policies.shapes import attached
from policies.tree import Tree

_DAYS_MAX = 90


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for secret in tree.of("aws_secretsmanager_secret"):
        rotations = attached(tree, secret, "aws_secretsmanager_secret_rotation", "secret_id")
        if not rotations:
            yield fails(secret, "it is never rotated")
        for rotation in rotations:
            if rotation.one("rotation_rules.schedule_expression") is not None:
                yield holds(secret)
            else:
                why = f"it is not rotated within {_DAYS_MAX} days"
                yield demand_number(
                    rotation, "rotation_rules.automatically_after_days", lambda n: 1 <= n <= _DAYS_MAX, why
                )


RULE = Rule(
    id="CKV_RG_30",
    says="Every secret is rotated at least every 90 days",
    remedy="Add an aws_secretsmanager_secret_rotation with automatically_after_days <= 90.",
    controls=("SEC-02",),
    judge=judge,
)
