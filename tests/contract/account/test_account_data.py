"""Data services against the emulated account: good, each break of the register, denied."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollout.model import Basis, Verdict
from tests.contract.account import data_account as data
from tests.contract.account.account_world import (
    ABROAD,
    ELSEWHERE,
    REGION,
    AccountWorld,
    Change,
    demand_green,
    demand_red,
    verdicts,
)

pytest_plugins = ("tests.contract.account.account_fixtures",)


def test_a_good_database_and_its_replica(world: AccountWorld) -> None:
    data.make_database(world)
    data.make_replica(world)

    seen = world.judge("database")
    demand_green(seen)
    assert seen["replica_lag"].basis is Basis.EMULATED
    assert {one.basis for name, one in seen.items() if name != "replica_lag"} == {Basis.LIVE}


@pytest.mark.parametrize(
    ("different", "name", "word"),
    [
        ({"MultiAZ": False}, "multi_zone", "MultiAZ is False"),
        ({"BackupRetentionPeriod": 3}, "backed_up", "keeps backups for 3 days"),
        ({"StorageEncrypted": False}, "encrypted", "StorageEncrypted is False"),
        ({"DeletionProtection": False}, "deletion_protection", "DeletionProtection is False"),
        ({"PubliclyAccessible": True}, "private", "PubliclyAccessible is True"),
    ],
    ids=["single-zone", "retention-3", "not-encrypted", "deletable", "public"],
)
def test_a_bad_database(world: AccountWorld, different: dict[str, Any], name: str, word: str) -> None:
    data.make_database(world, **different)
    if different != {"StorageEncrypted": False}:  # a copy of what is not encrypted would be a second finding
        data.make_replica(world)

    seen = world.judge("database")
    if different == {"StorageEncrypted": False}:
        seen = {one: found for one, found in seen.items() if not one.startswith("replica")}
    demand_red(seen, name, "0 of 1 database", "orders", word)


def test_a_database_that_keeps_no_backup(world: AccountWorld) -> None:
    """Retention 0. AWS makes no replica of it either, so the replicas are NO_DATA."""
    data.make_database(world, BackupRetentionPeriod=0)

    assert world.judge("database")["backed_up"].verdict is Verdict.FAIL
    assert world.judge("database")["replica_elsewhere"].verdict is Verdict.FAIL
    assert world.judge("database")["replica_lag"].verdict is Verdict.NO_DATA


def test_a_database_that_answers_without_tls(world: AccountWorld) -> None:
    data.make_database(world)
    data.make_replica(world)
    off = {"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}
    world.client("rds").modify_db_parameter_group(DBParameterGroupName="pg", Parameters=[off])

    demand_red(world.judge("database"), "tls_forced", "rds.force_ssl is 0")


def test_one_bad_database_of_two_is_named(world: AccountWorld) -> None:
    data.make_database(world)
    data.make_replica(world)
    world.client("rds").create_db_instance(
        DBInstanceIdentifier="old",
        Engine="postgres",
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=20,
        MasterUsername="owner",
        MasterUserPassword="x" * 12,
        DBParameterGroupName="pg",
        MultiAZ=False,
    )

    found = world.judge("database")["multi_zone"]
    assert found.message.startswith("1 of 2 databases: stands in more than one zone; old: MultiAZ is False")
    rows = sorted(found.value, key=lambda row: row["resource"])  # type: ignore[call-overload]
    assert rows == [
        {"resource": "old", "verdict": "FAIL", "value": False},
        {"resource": "orders", "verdict": "PASS", "value": True},
    ]
    assert found.n == 2


@pytest.mark.parametrize(
    ("region", "lag", "name", "verdict", "word"),
    [
        (REGION, 4.0, "replica_elsewhere", Verdict.FAIL, "no replica in another region"),
        (ABROAD, 4.0, "replica_resident", Verdict.FAIL, f"lies in {ABROAD}"),
        (ELSEWHERE, 400.0, "replica_lag", Verdict.FAIL, "lags 400 s"),
        (ELSEWHERE, 300.0, "replica_lag", Verdict.FAIL, "lags 300 s"),
        (ELSEWHERE, -1.0, "replica_lag", Verdict.FAIL, "not active"),
        (ELSEWHERE, None, "replica_lag", Verdict.NO_DATA, "lag is unknown"),
    ],
    ids=["same-region", "outside-the-residency", "late", "at-the-limit", "stopped", "lag-unknown"],
)
def test_a_bad_replica(
    world: AccountWorld, region: str, lag: float | None, name: str, verdict: Verdict, word: str
) -> None:
    data.make_database(world)
    data.make_replica(world, region, lag_seconds=lag)

    seen = world.judge("database")
    assert {one for one, found in verdicts(seen).items() if found is not Verdict.PASS} == {name}
    assert seen[name].verdict is verdict
    assert word in seen[name].message


def test_a_good_cache(world: AccountWorld) -> None:
    data.make_cache(world)

    demand_green(world.judge("cache"))


@pytest.mark.parametrize(
    ("different", "red"),
    [
        ({"AtRestEncryptionEnabled": False}, {"encrypted"}),
        ({"AutomaticFailoverEnabled": False, "MultiAZEnabled": False}, {"fails_over"}),
        ({"TransitEncryptionEnabled": False, "AuthToken": ""}, {"encrypted_in_transit", "authenticated"}),
    ],
    ids=["at-rest", "no-failover", "no-transit-encryption"],
)
def test_a_bad_cache(world: AccountWorld, different: dict[str, Any], red: set[str]) -> None:
    data.make_cache(world, **different)

    assert {name for name, verdict in verdicts(world.judge("cache")).items() if verdict is Verdict.FAIL} == red


def test_a_cluster_alone_is_not_overlooked(world: AccountWorld) -> None:
    data.make_cache(world)
    world.client("elasticache").create_cache_cluster(
        CacheClusterId="alone", Engine="redis", CacheNodeType="cache.t4g.micro", NumCacheNodes=1
    )

    found = world.judge("cache")["fails_over"]
    assert found.verdict is Verdict.FAIL
    assert "1 of 2 caches" in found.message
    assert "alone: belongs to no replication group" in found.message


def test_good_tables(world: AccountWorld) -> None:
    data.make_table(world)

    demand_green(world.judge("tables"))


def _without_recovery(world: AccountWorld) -> None:
    off = {"PointInTimeRecoveryEnabled": False}
    world.client("dynamodb").update_continuous_backups(TableName="sessions", PointInTimeRecoverySpecification=off)


def _without_ttl(world: AccountWorld) -> None:
    off = {"Enabled": False, "AttributeName": "expires"}
    world.client("dynamodb").update_time_to_live(TableName="sessions", TimeToLiveSpecification=off)


def _deletable(world: AccountWorld) -> None:
    world.client("dynamodb").update_table(TableName="sessions", DeletionProtectionEnabled=False)


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        (_without_recovery, "recoverable", "recovery is DISABLED"),
        (_without_ttl, "sessions_expire", "TTL is DISABLED"),
        (_deletable, "deletion_protection", "deleted by one call"),
    ],
    ids=["no-recovery", "no-ttl", "deletable"],
)
def test_a_bad_table(world: AccountWorld, change: Change, name: str, word: str) -> None:
    data.make_table(world)
    change(world)

    demand_red(world.judge("tables"), name, "sessions", word)


def test_a_table_under_a_key_of_aws(world: AccountWorld) -> None:
    data.make_table(world, SSESpecification={"Enabled": False})

    demand_red(world.judge("tables"), "encrypted", "a key that AWS owns")


def test_a_good_bucket(world: AccountWorld) -> None:
    data.make_bucket(world)

    demand_green(world.judge("storage"))


def _public_by_policy(world: AccountWorld) -> None:
    everybody = {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    data.put_bucket_policy(world, "records", data.tls_statement("records"), everybody)


def _half_blocked(world: AccountWorld) -> None:
    some = data.public_block(BlockPublicPolicy=False)
    world.client("s3").put_public_access_block(Bucket="records", PublicAccessBlockConfiguration=some)


def _public_by_list(world: AccountWorld) -> None:
    world.client("s3").put_bucket_acl(Bucket="records", ACL="public-read")


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        (_public_by_policy, "private", "open to everybody by Open"),
        (_half_blocked, "private", "BlockPublicPolicy off"),
        (_public_by_list, "private", "access control list"),
        (lambda w: w.client("s3").delete_public_access_block(Bucket="records"), "private", "BlockPublicAcls"),
        (lambda w: w.client("s3").delete_bucket_lifecycle(Bucket="records"), "lifecycle", "no enabled lifecycle rule"),
        (lambda w: w.client("s3").delete_bucket_policy(Bucket="records"), "tls_only", "answers plain HTTP"),
        (lambda w: w.client("s3").delete_bucket_encryption(Bucket="records"), "encrypted", "is encrypted with"),
        (
            lambda w: w.client("s3").put_bucket_versioning(
                Bucket="records", VersioningConfiguration={"Status": "Suspended"}
            ),
            "versioned",
            "versioning is Suspended",
        ),
    ],
    ids=[
        "public-bucket",
        "half-blocked",
        "public-list",
        "not-blocked",
        "no-lifecycle",
        "http",
        "not-encrypted",
        "no-versions",
    ],
)
def test_a_bad_bucket(world: AccountWorld, change: Change, name: str, word: str) -> None:
    data.make_bucket(world)
    change(world)

    demand_red(world.judge("storage"), name, "records", word)


def test_a_bucket_in_another_region(world: AccountWorld) -> None:
    data.make_bucket(world)
    data.make_bucket(world, "far", ABROAD)

    demand_red(world.judge("storage"), "resident", "1 of 2 buckets", f"far: lies in {ABROAD}")


def test_a_good_key(world: AccountWorld) -> None:
    data.key_of(world)

    demand_green(world.judge("keys"))


def _open_key(world: AccountWorld) -> None:
    key = world.client("kms").list_keys()["Keys"][0]["KeyId"]
    statement = {"Sid": "All", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy)


def _stale_key(world: AccountWorld) -> None:
    world.client("kms").disable_key_rotation(KeyId=world.client("kms").list_keys()["Keys"][0]["KeyId"])


def _disabled_key(world: AccountWorld) -> None:
    world.client("kms").disable_key(KeyId=world.client("kms").list_keys()["Keys"][0]["KeyId"])


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        (_stale_key, "rotation", "is not rotated"),
        (_open_key, "no_wildcard_principal", "open to everybody by All"),
        (_disabled_key, "enabled", "is Disabled"),
    ],
    ids=["rotation-off", "wildcard", "disabled"],
)
def test_a_bad_key(world: AccountWorld, change: Change, name: str, word: str) -> None:
    data.key_of(world)
    change(world)

    demand_red(world.judge("keys"), name, word)


@pytest.mark.parametrize(
    ("days", "different", "name", "word"),
    [
        (None, {}, "retention", "no retention is set"),
        (30, {}, "retention", "keeps its lines for 30 days"),
        (3653, {}, "retention", "keeps its lines for 3653 days"),
        (365, {"kmsKeyId": ""}, "encrypted", "the service's own key"),
    ],
    ids=["no-retention", "too-short", "too-long", "not-encrypted"],
)
def test_a_bad_log_group(
    world: AccountWorld, days: int | None, different: dict[str, Any], name: str, word: str
) -> None:
    data.make_log_group(world)
    demand_green(world.judge("logs"))
    data.make_log_group(world, "/bad", days, **different)

    demand_red(world.judge("logs"), name, "1 of 2 log groups", "/bad", word)
