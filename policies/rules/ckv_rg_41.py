"""A bucket is private when all four of its public doors are shut."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, demand_true, fails
from policies.settings import Settings
from policies.shapes import attached, statements
from policies.tree import Resource, Tree
from policies.values import Unknown

_DOORS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for bucket in tree.of("aws_s3_bucket"):
        blocks = attached(tree, bucket, "aws_s3_bucket_public_access_block", "bucket")
        if not blocks:
            yield fails(bucket, "nothing blocks public access to it")
        for block in blocks:
            for door in _DOORS:
                answer = demand_true(block, door, f"{door} is off")
                yield Judged(resource=bucket, verdict=answer.verdict, why=answer.why)
        yield from _policy(tree, bucket)


def _policy(tree: Tree, bucket: Resource) -> Iterator[Judged]:
    for policy in attached(tree, bucket, "aws_s3_bucket_policy", "bucket"):
        for statement in statements(policy.values.get("policy")):
            if isinstance(statement, Unknown):
                yield deferred(bucket, statement, "whom its policy lets in")
                continue
            everybody = statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
            if statement.get("Effect") == "Allow" and everybody and not statement.get("Condition"):
                yield fails(bucket, "its policy lets everybody in")


RULE = Rule(
    id="CKV_RG_41",
    says="Every bucket is private",
    remedy="Add an aws_s3_bucket_public_access_block with all four settings true.",
    controls=("ARCH-08",),
    judge=judge,
)
