"""An alarm of CloudWatch says the same as TRIG-04, also when no engine of ours is alive."""

from __future__ import annotations

from collections.abc import Iterator

from policies.alarms import Trigger, mirrored
from policies.rule import Judged, Rule
from policies.settings import Settings
from policies.shapes import slot_services
from policies.tree import Tree

TRIGGER = Trigger(
    says="memory over 95 % for 5 minutes",
    metrics=("MemoryUtilization",),
    limit=95,
    minutes=5,
)


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for subject in slot_services(tree):
        yield mirrored(tree, subject, TRIGGER)


RULE = Rule(
    id="CKV_RG_9",
    says="An alarm on every slot tells of over 95 % memory in 5 consecutive minutes",
    remedy="Alarm on MemoryUtilization of the service: > 95, 5 of 5 periods of 60 s, with actions.",
    controls=("TRIG-04", "PRE-20", "MON-01"),
    judge=judge,
)
