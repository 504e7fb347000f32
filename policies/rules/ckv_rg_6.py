"""An alarm of CloudWatch says the same as TRIG-01, also when no engine of ours is alive."""

from __future__ import annotations

from collections.abc import Iterator

from policies.alarms import Trigger, mirrored
from policies.rule import Judged, Rule
from policies.settings import Settings
from policies.shapes import slot_groups
from policies.tree import Tree

TRIGGER = Trigger(
    says="errors over 1 % for 5 minutes",
    metrics=("HTTPCode_Target_5XX_Count", "RequestCount"),
    limit=1,
    minutes=5,
    percent=True,
)


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for subject in slot_groups(tree):
        yield mirrored(tree, subject, TRIGGER)


RULE = Rule(
    id="CKV_RG_6",
    says="An alarm on every slot tells of over 1 % errors in 5 consecutive minutes",
    remedy="Alarm on 100 * HTTPCode_Target_5XX_Count / RequestCount: > 1, 5 of 5 periods of 60 s, with actions.",
    controls=("TRIG-01", "PRE-20", "MON-01"),
    judge=judge,
)
