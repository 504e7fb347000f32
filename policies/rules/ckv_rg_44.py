"""A bucket without an end to what it holds keeps personal data for ever."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.shapes import attached
from policies.tree import Resource, Tree
from policies.values import Unknown, Value

_ENDS = ("expiration", "noncurrent_version_expiration")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for bucket in tree.of("aws_s3_bucket"):
        found = attached(tree, bucket, "aws_s3_bucket_lifecycle_configuration", "bucket")
        rules = [rule for configuration in found for rule in configuration.blocks("rule")]
        yield _judge(bucket, rules)


def _judge(bucket: Resource, rules: list[Value]) -> Judged:
    known = [rule for rule in rules if not isinstance(rule, Unknown) and not isinstance(rule.get("status"), Unknown)]
    if any(rule.get("status") == "Enabled" and any(rule.get(end) for end in _ENDS) for rule in known):
        return holds(bucket)
    if len(known) < len(rules):
        return deferred(bucket, rules, "when what it holds ends")
    return fails(bucket, "no enabled lifecycle rule ends what it holds")


RULE = Rule(
    id="CKV_RG_44",
    says="Every bucket has a lifecycle that ends what it holds",
    remedy="Add an aws_s3_bucket_lifecycle_configuration whose enabled rule expires objects or old versions.",
    controls=("ARCH-08", "VAL-12"),
    judge=judge,
)
