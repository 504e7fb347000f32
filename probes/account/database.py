"""RDS: every database of the region, and its replicas wherever they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from probes.account.asking import Asker, Unread
from probes.account.declared import Declared
from probes.account.population import (
    Members,
    Resource,
    Seen,
    Unknown,
    View,
    check,
    equals,
    known,
    population,
    view_of,
)
from probes.account.session import Account

_LAG_WINDOW = timedelta(minutes=10)


def view(account: Account, declared: Declared) -> View:
    """Databases are what customers write to; a replica is looked up in the region that its ARN names."""
    asker = Asker(account)
    rows = asker.all("rds", "describe_db_instances", "DBInstances")
    return view_of(
        declared,
        population("database", "rds DescribeDBInstances", lambda: _databases(asker, known(rows))),
        population("replica", "rds DescribeDBInstances", lambda: _replicas(account, known(rows))),
        sandbox=asker.sandbox,
    )


def _databases(asker: Asker, rows: tuple[Mapping[str, Any], ...]) -> Members:
    return tuple(
        Resource(
            name=row["DBInstanceIdentifier"],
            facts={**row, "parameters": _parameters(asker, row), "region": _region(row["DBInstanceArn"])},
        )
        for row in rows
        if not row.get("ReadReplicaSourceDBInstanceIdentifier")
    )


def _parameters(asker: Asker, row: Mapping[str, Any]) -> Mapping[str, str] | Unread:
    """Parameters of the instance's group that have a value, by name."""
    values: dict[str, str] = {}
    for group in row.get("DBParameterGroups", ()):
        name = group["DBParameterGroupName"]
        found = asker.all("rds", "describe_db_parameters", "Parameters", DBParameterGroupName=name)
        if isinstance(found, Unread):
            return found
        values |= {one["ParameterName"]: str(one["ParameterValue"]) for one in found if "ParameterValue" in one}
    return values


def _region(arn: str) -> str:
    return arn.split(":")[3]


def _replicas(account: Account, rows: tuple[Mapping[str, Any], ...]) -> Members:
    """Of every database: what it names as replicas. One in another region is named by its ARN."""
    return tuple(
        _replica(account, home=_region(row["DBInstanceArn"]), named=named)
        for row in rows
        for named in row.get("ReadReplicaDBInstanceIdentifiers", ())
    )


def _replica(account: Account, *, home: str, named: str) -> Resource:
    region = _region(named) if named.startswith("arn:") else home
    name = named.rsplit(":", 1)[-1]
    asker = Asker(replace(account, region=region))
    found = asker.all("rds", "describe_db_instances", "DBInstances", DBInstanceIdentifier=name)
    facts: dict[str, Any] = {"region": region, "home": home, "lag": _lag(asker, name, now=account.wall())}
    if isinstance(found, Unread):
        facts |= dict.fromkeys(("StorageEncrypted", "DBInstanceStatus"), found)
    else:
        facts |= dict(found[0]) if found else {}
    return Resource(name=f"{name} ({region})", facts=facts)


def _lag(asker: Asker, name: str, *, now: float) -> float | Unread | None:
    """The worst ReplicaLag, seconds, of the last ten minutes; None where CloudWatch has no value."""
    end = datetime.fromtimestamp(now, UTC)
    points = asker.field(
        "cloudwatch",
        "get_metric_statistics",
        "Datapoints",
        Namespace="AWS/RDS",
        MetricName="ReplicaLag",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": name}],
        StartTime=end - _LAG_WINDOW,
        EndTime=end,
        Period=60,
        Statistics=["Maximum"],
    )
    if isinstance(points, Unread):
        return points
    return max((float(point["Maximum"]) for point in points or ()), default=None)


# ------------------------------------------------------------------------------------------------ databases


@check("database", rule="is PostgreSQL")
def is_postgres(one: Resource, _: Declared) -> Seen:
    """DB-01."""
    engine = str(one["Engine"])
    return Seen([engine, one.get("EngineVersion")], "" if "postgres" in engine else f"runs {engine}")


@check("database", rule="stands in more than one zone")
def multi_zone(one: Resource, _: Declared) -> Seen:
    """DB-01."""
    return equals(one, "MultiAZ", True)


@check("database", rule="is encrypted at rest")
def encrypted(one: Resource, _: Declared) -> Seen:
    """DB-01."""
    return equals(one, "StorageEncrypted", True)


@check("database", rule="keeps automated backups for enough days", limit=lambda declared: declared.backup_days_min)
def backed_up(one: Resource, declared: Declared) -> Seen:
    """DB-01: retention 0 switches automated backups off (RDS user guide, backup retention period)."""
    days = int(one["BackupRetentionPeriod"])
    return Seen(days, "" if days >= declared.backup_days_min else f"keeps backups for {days} days")


@check("database", rule="refuses connections without TLS")
def tls_forced(one: Resource, _: Declared) -> Seen:
    """DB-01: `rds.force_ssl`. PostgreSQL 15 and later have it on by default, and then AWS gives the value too."""
    value = one["parameters"].get("rds.force_ssl")
    if value is None:
        raise Unknown("its parameter groups do not say rds.force_ssl")
    return Seen(value, "" if value == "1" else f"rds.force_ssl is {value}")


@check("database", rule="cannot be deleted by mistake")
def deletion_protection(one: Resource, _: Declared) -> Seen:
    """DB-01."""
    return equals(one, "DeletionProtection", True)


@check("database", rule="has no public address")
def private(one: Resource, _: Declared) -> Seen:
    """NET-01, HIPAA 164.312(e)(1)."""
    return equals(one, "PubliclyAccessible", False)


@check("database", rule="lies in a region on the residency list", limit=lambda declared: sorted(declared.residency))
def resident(one: Resource, declared: Declared) -> Seen:
    """VAL-12."""
    return Seen(one["region"], "" if one["region"] in declared.residency else f"lies in {one['region']}")


# ------------------------------------------------------------------------------------------------ replicas


@check("database", rule="has a replica in another region")
def replica_elsewhere(one: Resource, _: Declared) -> Seen:
    """DB-02: a region can be lost."""
    regions = sorted(
        _region(n) if n.startswith("arn:") else one["region"] for n in one["ReadReplicaDBInstanceIdentifiers"]
    )
    return Seen(regions, "" if set(regions) - {one["region"]} else "has no replica in another region")


@check("replica", rule="lies in a region on the residency list", limit=lambda declared: sorted(declared.residency))
def replica_resident(one: Resource, declared: Declared) -> Seen:
    """DB-02, design.md 14.20: disaster recovery is no reason to leave the regions that were agreed."""
    return Seen(one["region"], "" if one["region"] in declared.residency else f"lies in {one['region']}")


@check("replica", rule="is encrypted at rest with a key of its region")
def replica_encrypted(one: Resource, _: Declared) -> Seen:
    """DB-02, design.md 14.20. A multi-region key has an ARN in each region."""
    if not one["StorageEncrypted"]:
        return Seen(False, "StorageEncrypted is False")
    key = str(one["KmsKeyId"])
    return Seen(key, "" if f":{one['region']}:" in key else f"its key {key} belongs to another region")


@check(
    "replica",
    rule="lags less than the objective",
    limit=lambda declared: declared.replica_lag_seconds_max,
    imitated=True,
)
def replica_lag(one: Resource, declared: Declared) -> Seen:
    """DB-02. CloudWatch ReplicaLag, worst of ten minutes; -1 means that replication is not active."""
    lag = one["lag"]
    if lag is None:
        raise Unknown("CloudWatch has no ReplicaLag of the last ten minutes: its lag is unknown")
    if lag < 0:
        return Seen(lag, "replication is not active (ReplicaLag -1)")
    return Seen(lag, "" if lag < declared.replica_lag_seconds_max else f"lags {lag:g} s")
