"""A trail that is off, regional, or that cannot prove it was not edited, is no audit log."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand, demand_true, is_true
from policies.settings import Settings
from policies.tree import Tree


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for trail in tree.of("aws_cloudtrail"):
        yield demand_true(trail, "is_multi_region_trail", "it sees one region only")
        yield demand_true(trail, "enable_log_file_validation", "its files carry no proof against editing")
        logging = trail.values.get("enable_logging", True)
        yield demand(trail, logging, is_true, "it is switched off")
        events = trail.values.get("include_global_service_events", True)
        yield demand(trail, events, is_true, "it leaves out IAM and other global services")


RULE = Rule(
    id="CKV_RG_33",
    says="The audit trail is on, in every region, with validated files",
    remedy="Set is_multi_region_trail and enable_log_file_validation to true; leave enable_logging on.",
    controls=("ARCH-07", "VAL-10"),
    judge=judge,
)
