"""DynamoDB: every table of the region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.population import Resource, Seen, Unknown, View, check, known, population, view_of


def view(account: ClientMaker, declared: Declared) -> View:
    """Tables by name; those that hold sessions, as declared, a second time under a kind of their own."""
    asker = Asker(account)
    names = asker.all("dynamodb", "list_tables", "TableNames")
    source = "dynamodb ListTables"
    return view_of(
        declared,
        population("table", source, lambda: tuple(_table(asker, name) for name in known(names))),
        population("session table", source, lambda: _sessions(asker, declared, known(names))),
    )


def _table(asker: Asker, name: str) -> Resource:
    facts: dict[str, Any] = {}
    table = asker.field("dynamodb", "describe_table", "Table", TableName=name)
    for fact in ("TableStatus", "SSEDescription", "DeletionProtectionEnabled"):
        if isinstance(table, Unread):
            facts[fact] = table
        elif fact in (table or {}):
            facts[fact] = table[fact]
    backups = asker.field("dynamodb", "describe_continuous_backups", "ContinuousBackupsDescription", TableName=name)
    return Resource(name=name, facts={**facts, "backups": backups})


def _sessions(asker: Asker, declared: Declared, names: tuple[str, ...]) -> tuple[Resource, ...]:
    """A declared table that does not exist is a member without facts."""
    return tuple(
        Resource(
            name=name,
            facts={
                "ttl": asker.field("dynamodb", "describe_time_to_live", "TimeToLiveDescription", TableName=name),
            }
            if name in names
            else {},
        )
        for name in sorted(declared.session_tables)
    )


@check("table", rule="is encrypted with a key of ours, whose use can be audited")
def encrypted(one: Resource, _: Declared) -> Seen:
    """DB-04. AWS leaves SSEDescription out for tables under a key that AWS owns and nobody else can see."""
    state = one["TableStatus"]
    found: Mapping[str, Any] = one.get("SSEDescription") or {}
    good = found.get("Status") in ("ENABLED", "UPDATING") and found.get("SSEType") == "KMS"
    return Seen([state, found.get("Status"), found.get("SSEType")], "" if good else "is under a key that AWS owns")


@check("table", rule="can be recovered to any moment")
def recoverable(one: Resource, _: Declared) -> Seen:
    """DB-04: point-in-time recovery."""
    found: Mapping[str, Any] = one["backups"]["PointInTimeRecoveryDescription"]
    status = str(found["PointInTimeRecoveryStatus"])
    return Seen(status, "" if status == "ENABLED" else f"point-in-time recovery is {status}")


@check("table", rule="cannot be deleted by mistake")
def deletion_protection(one: Resource, _: Declared) -> Seen:
    """DB-04. AWS always says it; a table that says nothing is not judged."""
    value = one["DeletionProtectionEnabled"]
    return Seen(value, "" if value is True else "may be deleted by one call")


@check("session table", rule="forgets sessions by itself")
def sessions_expire(one: Resource, _: Declared) -> Seen:
    """DB-04, GDPR 5(1)(e)."""
    ttl: Mapping[str, Any] = one["ttl"]
    if not ttl:
        raise Unknown("AWS did not say whether items expire")
    status = str(ttl["TimeToLiveStatus"])
    good = status in ("ENABLED", "ENABLING")
    return Seen([status, ttl.get("AttributeName")], "" if good else f"TTL is {status}")
