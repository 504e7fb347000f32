"""Who asked what, is known at the door."""

from __future__ import annotations

from collections.abc import Iterator

from policies.gateways import STAGES
from policies.rule import Judged, Rule, demand
from policies.settings import Settings
from policies.tree import Resource, Tree
from policies.values import Unknown, Value


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for stage in tree.of(*STAGES):
        yield demand(stage, _destination(stage), bool, "it writes no access log")


def _destination(stage: Resource) -> Value:
    """Where the log goes: a reference is as good as a name, since what it refers to is declared."""
    block = next(iter(stage.blocks("access_log_settings")), None)
    if block is None or isinstance(block, Unknown):
        return block
    return "destination_arn" in block


RULE = Rule(
    id="CKV_RG_53",
    says="Every stage of the API gateway writes an access log",
    remedy="Add access_log_settings { destination_arn = <log group> format = ... } to the stage.",
    controls=("ARCH-10",),
    judge=judge,
)
