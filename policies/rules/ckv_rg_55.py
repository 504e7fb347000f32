"""What holds data is never deleted by the way. What is planned to be deleted stands in no other part of a plan."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, fails, holds
from policies.settings import Settings
from policies.tree import Origin, Tree

_STATEFUL = (
    "aws_db_instance",
    "aws_rds_cluster",
    "aws_dynamodb_table",
    "aws_elasticache_replication_group",
    "aws_s3_bucket",
    "aws_kms_key",
    "aws_secretsmanager_secret",
    "aws_ecr_repository",
    "aws_cloudwatch_log_group",
    "aws_cloudtrail",
    "aws_backup_vault",
    "aws_route53_zone",
)


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    deleted = {resource.address: resource for resource in tree.deletions}
    for resource in tree.deletions:
        if resource.kind not in _STATEFUL:
            yield holds(resource, "it holds no data")
        else:
            again = " to make it anew, empty" if resource.values["replaced"] else ""
            yield fails(resource, f"the plan deletes it{again}")
    for resource in tree.of(*_STATEFUL):
        if resource.address not in deleted:
            yield holds(resource, "it stays")


RULE = Rule(
    id="CKV_RG_55",
    says="The plan deletes nothing that holds data",
    remedy="Undo the change that forces it, or have this deletion approved by name in policies/suppressions.toml.",
    controls=("PRE-16",),
    judge=judge,
    origins=(Origin.PLAN,),
)
