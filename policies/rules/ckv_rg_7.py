"""An alarm of CloudWatch says the same as TRIG-02, also when no engine of ours is alive."""

from __future__ import annotations

from collections.abc import Iterator

from policies.alarms import Trigger, mirrored
from policies.rule import Judged, Rule
from policies.settings import Settings
from policies.shapes import slot_groups
from policies.tree import Tree

TRIGGER = Trigger(
    says="p95 over 500 ms for 5 minutes",
    metrics=("TargetResponseTime",),
    limit=0.5,
    minutes=5,
    statistics=("p95", "p99", "p96", "p97", "p98", "p99.9"),
)


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for subject in slot_groups(tree):
        yield mirrored(tree, subject, TRIGGER)


RULE = Rule(
    id="CKV_RG_7",
    says="An alarm on every slot tells of a p95 over 500 ms in 5 consecutive minutes",
    remedy="Alarm on TargetResponseTime p95 of the target group: > 0.5, 5 of 5 periods of 60 s, with actions.",
    controls=("TRIG-02", "PRE-20", "MON-01"),
    judge=judge,
)
