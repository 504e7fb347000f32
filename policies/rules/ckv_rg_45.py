"""Personal data lies where it was promised to lie."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand
from policies.settings import Settings
from policies.tree import Tree

_STORES = (
    "aws_s3_bucket",
    "aws_db_instance",
    "aws_rds_cluster",
    "aws_dynamodb_table",
    "aws_elasticache_replication_group",
    "aws_cloudwatch_log_group",
    "aws_backup_vault",
)


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    allowed = settings.residency_regions
    for store in tree.of(*_STORES):
        why = f"its region {store.region} is not on the residency list ({', '.join(allowed)})"
        yield demand(store, store.region, lambda one: one in allowed, why)
        for copy in store.all("replica.region_name"):
            yield demand(store, copy, lambda one: one in allowed, f"its replica in {copy} is not on the residency list")


RULE = Rule(
    id="CKV_RG_45",
    says="Everything that holds data is in a region on the residency list",
    remedy="Use a provider of an allowed region, or have the list in policies/settings.toml changed and approved.",
    controls=("VAL-12", "DB-02"),
    judge=judge,
)
