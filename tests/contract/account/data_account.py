"""Good data services: a database with its replica, a cache, tables, buckets, keys, secrets, logs."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Any

from tests.contract.account.account_world import ACCOUNT_ID, ELSEWHERE, REGION, AccountWorld, empty_archive

_UNTIL_VISIBLE_SECONDS = 180


def key_of(world: AccountWorld, region: str = REGION) -> str:
    """ARN of a customer managed key that is rotated."""
    kms = world.client("kms", region)
    key = kms.create_key(Description="data")["KeyMetadata"]
    kms.enable_key_rotation(KeyId=key["KeyId"])
    return str(key["Arn"])


def make_database(world: AccountWorld, **different: Any) -> None:
    """One database in two zones and its replica in another region, whose lag CloudWatch knows."""
    make_parameters(world)
    good = {
        "DBInstanceIdentifier": "orders",
        "Engine": "postgres",
        "EngineVersion": "16.4",
        "DBInstanceClass": "db.t4g.medium",
        "AllocatedStorage": 20,
        "MasterUsername": "owner",
        "MasterUserPassword": secrets.token_urlsafe(24),
        "MultiAZ": True,
        "StorageEncrypted": True,
        "KmsKeyId": key_of(world),
        "BackupRetentionPeriod": 14,
        "DBParameterGroupName": "pg",
        "DeletionProtection": True,
        "PubliclyAccessible": False,
    }
    world.client("rds").create_db_instance(**{**good, **different})


def make_parameters(world: AccountWorld) -> None:
    rds = world.client("rds")
    rds.create_db_parameter_group(DBParameterGroupName="pg", DBParameterGroupFamily="postgres16", Description="d")
    force = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="pg", Parameters=[force])


def make_replica(world: AccountWorld, region: str = ELSEWHERE, *, lag_seconds: float | None = 4.0) -> None:
    world.client("rds", region).create_db_instance_read_replica(
        DBInstanceIdentifier="orders-copy",
        SourceDBInstanceIdentifier=f"arn:aws:rds:{REGION}:{ACCOUNT_ID}:db:orders" if region != REGION else "orders",
        KmsKeyId=key_of(world, region),
        SourceRegion=REGION,
    )
    set_lag(world, lag_seconds)


def set_lag(world: AccountWorld, seconds: float | None) -> None:
    """What RDS publishes from now on, nothing if None."""
    world.plane.set_fault("replica_lag_seconds", seconds or 0.0, slot="account")
    world.plane.set_fault("replica_lag", "absent" if seconds is None else "published", slot="account")
    world.clock.advance(1)  # a minute that has just begun is not over for who asks up to now


def make_cache(world: AccountWorld, **different: Any) -> None:
    good = {
        "ReplicationGroupId": "sessions",
        "ReplicationGroupDescription": "sessions",
        "Engine": "redis",
        "AtRestEncryptionEnabled": True,
        "TransitEncryptionEnabled": True,
        "AuthToken": secrets.token_hex(16),
        "AutomaticFailoverEnabled": True,
        "MultiAZEnabled": True,
        "NumCacheClusters": 2,
    }
    world.client("elasticache").create_replication_group(**{**good, **different})


def make_table(world: AccountWorld, name: str = "sessions", **different: Any) -> None:
    dynamodb = world.client("dynamodb")
    good = {
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_of(world)},
        "DeletionProtectionEnabled": True,
    }
    dynamodb.create_table(**{**good, **different})
    recovery = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    forget = {"Enabled": True, "AttributeName": "expires"}
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=forget)
    world.declared = replace(world.declared, session_tables=frozenset({name}))


def make_bucket(world: AccountWorld, name: str = "records", region: str = REGION) -> None:
    s3 = world.client("s3", region)
    place = {} if region == REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **place)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=public_block())
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_of(world, region)}}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    old = {
        "ID": "old",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [old]})
    put_bucket_policy(world, name, tls_statement(name), region=region)


def public_block(**different: bool) -> dict[str, bool]:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {**dict.fromkeys(names, True), **different}


def tls_statement(name: str) -> dict[str, Any]:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def put_bucket_policy(world: AccountWorld, name: str, *statements: dict[str, Any], region: str = REGION) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    world.client("s3", region).put_bucket_policy(Bucket=name, Policy=policy)


def make_secret(world: AccountWorld, name: str = "database") -> str:
    """ARN of a secret that a function rotates."""
    role = world.client("iam").create_role(RoleName="rotation", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    function = world.client("lambda").create_function(
        FunctionName="rotate",
        Runtime="python3.12",
        Role=role,
        Handler="main.handler",
        Code={"ZipFile": empty_archive()},
    )["FunctionArn"]
    manager = world.client("secretsmanager")
    arn = manager.create_secret(Name=name, SecretString=secrets.token_urlsafe(16), KmsKeyId=key_of(world))["ARN"]
    rules = {"AutomaticallyAfterDays": 30}
    manager.rotate_secret(SecretId=arn, RotationLambdaARN=function, RotationRules=rules, RotateImmediately=False)
    return str(arn)


def make_log_group(world: AccountWorld, name: str = "/ecs/shop-api", days: int | None = 365, **different: Any) -> None:
    logs = world.client("logs")
    logs.create_log_group(**{"logGroupName": name, "kmsKeyId": key_of(world), **different})
    if days is not None:
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
