"""Buckets are encrypted with a key of ours, so that reading one takes two permissions."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand, fails
from policies.settings import Settings
from policies.shapes import attached
from policies.tree import Tree

_OURS = ("aws:kms", "aws:kms:dsse")
_PATH = "rule.apply_server_side_encryption_by_default.sse_algorithm"


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    # Elastic Load Balancing writes access logs to buckets with SSE-S3 only (ELB guide, access logs, requirements).
    written_by_balancer = {
        bucket.address
        for balancer in tree.of("aws_lb")
        for bucket in tree.meant(balancer.all("access_logs.bucket"), "aws_s3_bucket")
    }
    for bucket in tree.of("aws_s3_bucket"):
        found = attached(tree, bucket, "aws_s3_bucket_server_side_encryption_configuration", "bucket")
        if not found:
            yield fails(bucket, "it is not encrypted with a key of ours")
        allowed = (*_OURS, "AES256") if bucket.address in written_by_balancer else _OURS
        for configuration in found:
            algorithm = configuration.one(_PATH)
            why = f"it is encrypted by {algorithm}, not with a key of ours"
            yield demand(bucket, algorithm, allowed.__contains__, why)


RULE = Rule(
    id="CKV_RG_42",
    says="Every bucket is encrypted with a key of ours",
    remedy='Add an aws_s3_bucket_server_side_encryption_configuration with sse_algorithm = "aws:kms".',
    controls=("ARCH-08", "VAL-10"),
    judge=judge,
)
