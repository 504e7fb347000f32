"""Bucket policies with conditions.

Corrects moto 5.2.5, which takes a statement for one that applies whatever its Condition says: a bucket that refuses
plain HTTP (Deny where aws:SecureTransport is false) refuses everybody. Here the emulated endpoint stands for AWS's TLS
one, so aws:SecureTransport is true, and a statement with any other condition applies to nobody, because who calls and
from where is not emulated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

_TRANSPORT = "aws:securetransport"


def install() -> None:
    """Correct moto for this process. Safe to call twice."""
    FakeBucket.get_permission = _get_permission  # type: ignore[method-assign]  # moto has no hook for it


def applies(statement: Mapping[str, Any]) -> bool:
    """Whether a policy statement's conditions hold for a call to the emulated endpoint (over TLS, from nowhere)."""
    return all(
        operator == "Bool" and key.lower() == _TRANSPORT and str(value).lower() == "true"
        for operator, keys in (statement.get("Condition") or {}).items()
        for key, value in keys.items()
    )


def _get_permission(self: Any, action: str, resource: str) -> Any:
    policy = json.loads(self.policy) if self.policy else {}
    statements = policy.get("Statement") or []
    if isinstance(statements, Mapping):
        statements = [statements]
    applying = [one for one in statements if applies(one)]
    if not applying:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps({**policy, "Statement": applying})).is_action_permitted(action, resource)
