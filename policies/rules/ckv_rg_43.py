"""What is overwritten or deleted can be read back."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand, fails
from policies.settings import Settings
from policies.shapes import attached
from policies.tree import Tree


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for bucket in tree.of("aws_s3_bucket"):
        found = attached(tree, bucket, "aws_s3_bucket_versioning", "bucket")
        if not found:
            yield fails(bucket, "it keeps no versions")
        for versioning in found:
            status = versioning.one("versioning_configuration.status")
            yield demand(bucket, status, lambda one: one == "Enabled", f"its versioning is {status}")


RULE = Rule(
    id="CKV_RG_43",
    says="Every bucket keeps versions",
    remedy='Add an aws_s3_bucket_versioning with status = "Enabled".',
    controls=("ARCH-08", "IAC-02"),
    judge=judge,
)
