"""Bucket policies as S3 reads them.

Corrects moto 5.2.5, which takes a statement for one that applies whatever its Condition says: a bucket that refuses
plain HTTP (Deny where aws:SecureTransport is false) refuses everybody. Here the emulated endpoint stands for AWS's TLS
one, so aws:SecureTransport is true, and a statement with any other condition applies to nobody, because who calls and
from where is not emulated.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping, Sequence
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

_TRANSPORT = "aws:securetransport"
_LOG_SERVICE = "logging.s3.amazonaws.com"


def install() -> None:
    """Correct moto for this process. Safe to call twice."""
    FakeBucket.get_permission = _get_permission  # type: ignore[method-assign]  # moto has no hook for it
    FakeBucket._log_permissions_enabled_policy = staticmethod(lets_log_service_write)  # type: ignore[method-assign]


def applies(statement: Mapping[str, Any]) -> bool:
    """Whether a policy statement's conditions hold for a call to the emulated endpoint (over TLS, from nowhere)."""
    return all(
        operator == "Bool" and key.lower() == _TRANSPORT and str(value).lower() == "true"
        for operator, keys in (statement.get("Condition") or {}).items()
        for key, value in keys.items()
    )


def lets_log_service_write(target_bucket: Any, target_prefix: str | None) -> bool:
    """Whether a bucket's policy lets S3's log service put objects under a prefix."""
    wanted = f"arn:aws:s3:::{target_bucket.name}/{target_prefix or ''}log"
    return any(
        statement["Effect"] == "Allow"
        and _LOG_SERVICE in _listed(_services(statement))
        and {"s3:PutObject", "s3:*"} & set(_listed(statement.get("Action")))
        and any(fnmatch.fnmatchcase(wanted, pattern) for pattern in _listed(statement.get("Resource")))
        for statement in _statements(target_bucket)
    )


def _get_permission(self: Any, action: str, resource: str) -> Any:
    applying = [one for one in _statements(self) if applies(one)]
    if not applying:
        return PermissionResult.NEUTRAL
    policy = {**json.loads(self.policy), "Statement": applying}
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)


def _statements(bucket: Any) -> Sequence[Mapping[str, Any]]:
    return _listed(json.loads(bucket.policy).get("Statement")) if bucket.policy else []


def _services(statement: Mapping[str, Any]) -> Any:
    principal = statement.get("Principal")
    return principal.get("Service") if isinstance(principal, Mapping) else None


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]
