"""Plans as Terraform writes them, as small as a test needs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def resource(
    address: str,
    after: dict[str, Any] | None,
    *,
    unknown: dict[str, Any] | None = None,
    expressions: dict[str, Any] | None = None,
    **change: Any,
) -> dict[str, Any]:
    """One resource with all that the three parts of a plan say of it; `change`: actions, before, sensitive marks."""
    return {
        "address": address,
        "after": after,
        "unknown": unknown or {},
        "expressions": expressions,
        "change": {"actions": ["create"], "before": None, **change},
    }


def plan(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A plan whose resources all stand in the root module."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {
            "root_module": {"resources": [_planned(one) for one in resources if one["after"] is not None]}
        },
        "resource_changes": [_change(one) for one in resources],
        "configuration": {"root_module": {"resources": [_configured(one) for one in resources]}},
        "errored": False,
        "complete": True,
        **more,
    }


def _named(one: dict[str, Any]) -> dict[str, Any]:
    kind, name = one["address"].partition("[")[0].split(".")[-2:]
    return {"address": one["address"], "mode": "managed", "type": kind, "name": name}


def _planned(one: dict[str, Any]) -> dict[str, Any]:
    return {**_named(one), "values": one["after"]}


def _change(one: dict[str, Any]) -> dict[str, Any]:
    return {**_named(one), "change": {"after": one["after"], "after_unknown": one["unknown"], **one["change"]}}


def _configured(one: dict[str, Any]) -> dict[str, Any]:
    made = {**_named(one), "provider_config_key": "aws", "address": one["address"].partition("[")[0]}
    return made if one["expressions"] is None else {**made, "expressions": one["expressions"]}


def saved(path: Path, document: dict[str, Any]) -> Path:
    file = path / "plan.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file
