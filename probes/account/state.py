"""The bucket of Terraform's state: what the whole environment can be rebuilt, or taken over, with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError

from probes.account import storage
from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.population import (
    NOT_UNDERSTOOD,
    Members,
    Resource,
    Seen,
    Unknown,
    View,
    check,
    known,
    population,
    view_of,
)

_LOCK_SUFFIX = ".tflock"  # what `use_lockfile` of Terraform's S3 backend puts beside the state while it works
_LOCK_BYTES_MAX = 64 * 1024


def view(account: ClientMaker, declared: Declared) -> View:
    """The declared bucket with the state object and the traces of its lock."""
    asker = Asker(account)
    return view_of(declared, population("state bucket", "s3 GetBucket*", lambda: _bucket(asker, declared)))


def _bucket(asker: Asker, declared: Declared) -> Members:
    name = declared.state_bucket
    if not name:
        return ()
    known(asker.one("s3", "head_bucket", Bucket=name))  # one that does not exist is told by this call's refusal
    found = storage.bucket(asker, name)
    return (
        Resource(name=name, facts={**found.facts, "keys": _keys(asker, declared), "locks": _locks(asker, declared)}),
    )


def _keys(asker: Asker, declared: Declared) -> frozenset[str] | Unread:
    rows = asker.all("s3", "list_objects_v2", "Contents", Bucket=declared.state_bucket, Prefix=declared.state_key)
    return rows if isinstance(rows, Unread) else frozenset(str(row["Key"]) for row in rows)


@dataclass(frozen=True)
class StateLock:
    """A lock as Terraform wrote it: its id, and for which operation it was held."""

    id: str
    operation: str


def locks_of(account: ClientMaker, *, bucket: str, key: str) -> frozenset[str] | Unread:
    """Versions of the lock of this state: in a versioned bucket every lock that was held leaves one behind."""
    rows = Asker(account).all("s3", "list_object_versions", "Versions", Bucket=bucket, Prefix=key + _LOCK_SUFFIX)
    return rows if isinstance(rows, Unread) else frozenset(str(row["VersionId"]) for row in rows)


def operation_of(account: ClientMaker, *, bucket: str, key: str, version: str) -> StateLock | Unread:
    """One of those locks. Its JSON is Terraform's statemgr.LockInfo (internal/states/statemgr/locker.go)."""
    body = Asker(account).field("s3", "get_object", "Body", Bucket=bucket, Key=key + _LOCK_SUFFIX, VersionId=version)
    if isinstance(body, Unread):
        return body
    try:
        lock = json.loads(body.read(_LOCK_BYTES_MAX))
        return StateLock(str(lock["ID"]), str(lock["Operation"]))
    except (*NOT_UNDERSTOOD, BotoCoreError) as error:
        return Unread(f"the lock's version {version} is not understood, {type(error).__name__}: {error}")


def _locks(asker: Asker, declared: Declared) -> list[str] | Unread:
    """A lock table that works, or versions of the lock object: in a versioned bucket every lock leaves one behind."""
    if declared.state_lock_table:
        table = asker.field("dynamodb", "describe_table", "Table", TableName=declared.state_lock_table)
        if isinstance(table, Unread):
            return table
        return [f"table {table['TableName']}"] if _is_lock(table) else []
    lock = declared.state_key + _LOCK_SUFFIX
    rows = asker.all("s3", "list_object_versions", "Versions", Bucket=declared.state_bucket, Prefix=lock)
    return rows if isinstance(rows, Unread) else [f"{row['Key']} {row['VersionId']}" for row in rows]


def _is_lock(table: Any) -> bool:
    """Terraform locks by the partition key `LockID` (S3 backend, DynamoDB state locking)."""
    keys = {row["AttributeName"] for row in table["KeySchema"] if row["KeyType"] == "HASH"}
    return table["TableStatus"] == "ACTIVE" and keys == {"LockID"}


@check("state bucket", rule="is open to nobody outside")
def private(one: Resource, declared: Declared) -> Seen:
    """IAC-02: state holds what every secret of the environment was when it was made."""
    return storage.private.judge(one, declared)


@check("state bucket", rule="is encrypted with a key of KMS")
def encrypted(one: Resource, declared: Declared) -> Seen:
    """IAC-02."""
    return storage.encrypted.judge(one, declared)


@check("state bucket", rule="keeps old versions")
def versioned(one: Resource, declared: Declared) -> Seen:
    """IAC-02: the way back from a broken state."""
    return storage.versioned.judge(one, declared)


@check("state bucket", rule="holds the state", limit=lambda declared: declared.state_key)
def holds_state(one: Resource, declared: Declared) -> Seen:
    """IAC-02: a bucket that is all in order and empty means that the state is somewhere else."""
    if not declared.state_key:
        raise Unknown("the outputs do not name the state's key")
    return Seen(sorted(one["keys"]), "" if declared.state_key in one["keys"] else "does not hold the state")


@check("state bucket", rule="its state is locked while it is changed")
def locked(one: Resource, _: Declared) -> Seen:
    """IAC-02: two applies at once leave a state that fits neither."""
    found = one["locks"]
    return Seen(found, "" if found else "there is no lock table, and no lock was ever taken")
