"""An alarm of CloudWatch says the same as TRIG-05, also when no engine of ours is alive."""

from __future__ import annotations

from collections.abc import Iterator

from policies.alarms import Trigger, mirrored
from policies.rule import Judged, Rule
from policies.settings import Settings
from policies.shapes import slot_groups
from policies.tree import Tree

TRIGGER = Trigger(
    says="over half of the targets unhealthy for 3 minutes",
    metrics=("UnHealthyHostCount", "HealthyHostCount"),
    limit=50,
    minutes=3,
    percent=True,
)


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for subject in slot_groups(tree):
        yield mirrored(tree, subject, TRIGGER)


RULE = Rule(
    id="CKV_RG_10",
    says="An alarm on every slot tells of over half of its targets failing in 3 consecutive minutes",
    remedy="Alarm on the percentage of UnHealthyHostCount among all hosts: > 50, 3 of 3 periods of 60 s, with actions.",
    controls=("TRIG-05", "PRE-20", "MON-01"),
    judge=judge,
)
