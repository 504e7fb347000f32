"""Makes the bucket and the key of an environment's Terraform state, which Terraform cannot make for itself.

    python -m infrastructure.state_bucket --environment production

Safe to run again: what is there already is looked at and brought to the same settings. Private, encrypted with a key of
its own, versioned (a bad apply can be undone), TLS only, old versions kept for a year.
"""

from __future__ import annotations

import json
from typing import Any

import boto3
import click
from botocore.config import Config
from botocore.exceptions import ClientError

from infrastructure.backend_file import ENVIRONMENTS, Backend, read_backend

OLD_VERSIONS_DAYS = 365
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3})


class StateBucketError(Exception):
    """The bucket cannot be made as asked; nothing was changed."""


def create_state_bucket(session: boto3.Session, backend: Backend, *, endpoint_url: str | None = None) -> str:
    """Make or mend bucket and key; returns the key's ARN.

    Raises StateBucketError in another account than the bucket's, and botocore's ClientError if AWS refuses a call.
    """
    options: Any = {"region_name": backend.region, "endpoint_url": endpoint_url, "config": _CONFIG}
    account = session.client("sts", **options).get_caller_identity()["Account"]
    if account != backend.account_id:
        raise StateBucketError(f"these credentials are of account {account}, the bucket is {backend.account_id}'s")
    key_arn = _key(session.client("kms", **options), backend.kms_key_id)
    s3 = session.client("s3", **options)
    _bucket(s3, backend)
    _protect(s3, backend.bucket, key_arn)
    return key_arn


def _key(kms: Any, alias: str) -> str:
    try:
        key_id = str(kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"])
    except kms.exceptions.NotFoundException:
        key_id = str(kms.create_key(Description="Terraform state")["KeyMetadata"]["KeyId"])
        kms.create_alias(AliasName=alias, TargetKeyId=key_id)
    kms.enable_key_rotation(KeyId=key_id)
    return str(kms.describe_key(KeyId=key_id)["KeyMetadata"]["Arn"])


def _bucket(s3: Any, backend: Backend) -> None:
    # us-east-1 is the one region that may not be named. Source: S3 API reference, CreateBucketConfiguration.
    place: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": backend.region}}
    try:
        s3.create_bucket(Bucket=backend.bucket, **({} if backend.region == "us-east-1" else place))
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


def _protect(s3: Any, bucket: str, key_arn: str) -> None:
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(closed, True))
    s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
    rule = {"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_tls_only(bucket)))
    s3.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "old-versions",
                    "Status": "Enabled",
                    "Filter": {},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSIONS_DAYS},
                }
            ]
        },
    )


def _tls_only(bucket: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


@click.command()
@click.option("--environment", type=click.Choice(ENVIRONMENTS), required=True, help="Whose state it is.")
def main(environment: str) -> None:
    """Make or mend the bucket and the key of an environment's Terraform state."""
    backend = read_backend(environment)
    try:
        create_state_bucket(boto3.Session(), backend)
    except (StateBucketError, ClientError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{backend.bucket} is ready: cd infrastructure/environments/{environment}")
    click.echo("terraform init -backend-config=backend.hcl")


if __name__ == "__main__":
    main()
