"""Secrets Manager: every secret of the region, and how tasks come by them. Values are never read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from probes.account import task_definitions
from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.population import Members, Resource, Seen, View, check, known, population, view_of

_DAY_SECONDS = 86_400.0


def view(account: ClientMaker, declared: Declared) -> View:
    """Secrets that are not on their way out, and one member for each reference of a container to one."""
    asker = Asker(account)
    rows = asker.all("secretsmanager", "list_secrets", "SecretList")
    return view_of(
        declared,
        population("secret", "secretsmanager ListSecrets", lambda: tuple(_secret(row) for row in known(rows))),
        population("secret reference", "ecs DescribeTaskDefinition", lambda: _references(asker, declared, rows)),
    )


def _secret(row: Mapping[str, Any]) -> Resource:
    facts = {**row, "RotationEnabled": bool(row.get("RotationEnabled"))}  # AWS leaves it out where it was never on
    since = row.get("LastRotatedDate") or row.get("CreatedDate")
    if isinstance(since, datetime):
        facts["age_days"] = (time.time() - since.timestamp()) / _DAY_SECONDS
    return Resource(name=row["Name"], facts=facts)


def _references(asker: Asker, declared: Declared, rows: tuple[Any, ...] | Unread) -> Members:
    found: list[Resource] = []
    arns = frozenset(str(row["ARN"]) for row in known(rows))
    for arn in sorted(known(task_definitions.in_use(asker, declared))):
        definition = known(asker.field("ecs", "describe_task_definition", "taskDefinition", taskDefinition=arn))
        found += [
            Resource(
                name=f"{arn.rsplit('/', 1)[-1]} {container['name']} {secret['name']}",
                facts={"from": str(secret["valueFrom"]), "secrets": arns},
            )
            for container in definition["containerDefinitions"]
            for secret in container.get("secrets", ())
        ]
    return tuple(found)


@check("secret", rule="is rotated by itself, and was in time", limit=lambda declared: declared.rotation_days_max)
def rotation(one: Resource, declared: Declared) -> Seen:
    """SEC-02. Switched on is not done: the last rotation, or the creation, must be young enough."""
    if not one["RotationEnabled"]:
        return Seen(False, "is not rotated")
    days = round(float(one["age_days"]), 1)
    return Seen(days, "" if days <= declared.rotation_days_max else f"was last rotated {days:g} days ago")


@check("secret", rule="is encrypted with a key of ours")
def own_key(one: Resource, _: Declared) -> Seen:
    """SEC-02. AWS leaves KmsKeyId out where its own default key is used."""
    name, key = one["Name"], one.get("KmsKeyId")
    return Seen([name, key], "" if key else "is encrypted with the account's default key")


@check("secret reference", rule="names a secret that exists, by its ARN")
def by_reference(one: Resource, _: Declared) -> Seen:
    """SEC-02: an ARN may go on with the JSON key, stage and version (ECS developer guide, `valueFrom`)."""
    source = str(one["from"])
    if source.startswith("arn:") and ":ssm:" in source:
        return Seen(source, "is a parameter, and no secret")
    whole = ":".join(source.split(":")[:7])
    return Seen(whole, "" if whole in one["secrets"] else f"{source} is no secret of this account and region")
