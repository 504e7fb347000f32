"""Logs are kept long enough to investigate, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand_number
from policies.settings import Settings
from policies.tree import Tree


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    low, high = settings.log_retention_days_min, settings.log_retention_days_max
    for group in tree.of("aws_cloudwatch_log_group"):
        why = f"its logs are not kept for {low} to {high} days (0 and unset mean for ever)"
        yield demand_number(group, "retention_in_days", lambda n: low <= n <= high, why)


RULE = Rule(
    id="CKV_RG_46",
    says="Logs are kept for a bounded time",
    remedy="Set retention_in_days on the log group.",
    controls=("MON-01", "VAL-10", "VAL-12"),
    judge=judge,
)
