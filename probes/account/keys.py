"""KMS: every key that the environment manages itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.policy_documents import opens_to_everybody
from probes.account.population import Members, Resource, Seen, View, check, known, population, view_of


def view(account: ClientMaker, declared: Declared) -> View:
    """Customer managed keys that are not on their way out; a key that cannot be described is a member without facts."""
    asker = Asker(account)
    return view_of(declared, population("key", "kms ListKeys", lambda: _keys(asker)))


def _keys(asker: Asker) -> Members:
    found = []
    for row in known(asker.all("kms", "list_keys", "Keys")):
        about = asker.field("kms", "describe_key", "KeyMetadata", KeyId=row["KeyId"])
        if isinstance(about, Unread):
            found.append(Resource(name=row["KeyId"], facts=dict.fromkeys(("KeySpec", "policy"), about)))
        elif about["KeyManager"] == "CUSTOMER" and about["KeyState"] != "PendingDeletion":
            found.append(_key(asker, about))
    return tuple(found)


def _key(asker: Asker, about: Mapping[str, Any]) -> Resource:
    name = about["KeyId"]
    facts = {**about, "policy": asker.field("kms", "get_key_policy", "Policy", KeyId=name, PolicyName="default")}
    if _rotates(about):
        facts["rotation"] = asker.field("kms", "get_key_rotation_status", "KeyRotationEnabled", KeyId=name)
    return Resource(name=f"{name} ({about['Description']})" if about.get("Description") else name, facts=facts)


def _rotates(about: Mapping[str, Any]) -> bool:
    """KMS rotates symmetric keys of its own material only (developer guide, rotating keys)."""
    return about.get("KeySpec") == "SYMMETRIC_DEFAULT" and about.get("Origin") == "AWS_KMS"


@check("key", rule="is rotated every year")
def rotation(one: Resource, _: Declared) -> Seen:
    """SEC-01. Other kinds of keys cannot be rotated by KMS and are told as what they are."""
    if one["KeySpec"] != "SYMMETRIC_DEFAULT" or one.get("Origin") != "AWS_KMS":
        return Seen(f"{one['KeySpec']}, {one.get('Origin')}: KMS rotates no such key")
    value = one["rotation"]
    return Seen(value, "" if value is True else "is not rotated")


@check("key", rule="is open to nobody but named principals")
def no_wildcard_principal(one: Resource, _: Declared) -> Seen:
    """SEC-01."""
    wide = opens_to_everybody(one["policy"])
    return Seen(list(wide), f"open to everybody by {', '.join(wide)}" if wide else "")


@check("key", rule="is enabled")
def enabled(one: Resource, _: Declared) -> Seen:
    """SEC-01: what is encrypted under a disabled key cannot be read by a rollback either."""
    state = str(one["KeyState"])
    return Seen(state, "" if state == "Enabled" else f"is {state}")
