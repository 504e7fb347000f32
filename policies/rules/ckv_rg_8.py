"""An alarm of CloudWatch says the same as TRIG-03, also when no engine of ours is alive."""

from __future__ import annotations

from collections.abc import Iterator

from policies.alarms import Trigger, mirrored
from policies.rule import Judged, Rule
from policies.settings import Settings
from policies.shapes import slot_services
from policies.tree import Tree

TRIGGER = Trigger(
    says="CPU over 90 % for 10 minutes",
    metrics=("CPUUtilization",),
    limit=90,
    minutes=10,
)


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for subject in slot_services(tree):
        yield mirrored(tree, subject, TRIGGER)


RULE = Rule(
    id="CKV_RG_8",
    says="An alarm on every slot tells of over 90 % CPU in 10 consecutive minutes",
    remedy="Alarm on CPUUtilization of the service: > 90, 10 of 10 periods of 60 s, with actions.",
    controls=("TRIG-03", "PRE-20", "MON-01"),
    judge=judge,
)
