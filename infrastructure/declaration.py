"""What an environment of infrastructure/ declares about itself, for the checks of its account.

Names and limits come from its outputs (`terraform output -json`), where its state lies from backend.hcl, and what the
engine's role may do from the published policy. Everything else of Declared is the guide's own and stays at its default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infrastructure.backend_file import read_backend
from probes.account.declared import DIRECT, Declared, declared_of
from probes.account.gateway import KINDS

# Every one has to be there: a check without its name would have nothing to look at.
FROM_OUTPUTS = frozenset(
    {
        "region", "account_id", "topology", "load_balancer_arn", "listener_arn", "rule_arn", "target_group_arns",
        "cluster_name", "service_names", "residency", "nat_per_zone", "backup_days_min", "replica_lag_seconds_max",
        "session_tables", "public_routes", "pull_roles", "deploy_roles", "engine_role",
    }
)  # fmt: skip
FROM_FILES = frozenset({"state_bucket", "state_key", "engine_actions", "not_applicable"})
# Nothing of the environment's own: limits of the guide, and what this infrastructure does without. The load balancer
# carries the web ACL, no name of Cloud Map is for callers, no repository lets anybody push by its policy, and the state
# is locked by a file in its bucket.
STANDING = frozenset(
    {
        "entrance_arn", "public_service_name", "push_roles", "state_lock_table", "endpoints", "zones_min", "tasks_min",
        "tasks_max", "service_timeout_seconds", "log_days_min", "log_days_max", "rotation_days_max",
    }
)  # fmt: skip
_CONTROLLER = Path(__file__).resolve().parents[1] / "rollout" / "policies" / "controller.json"
# State and alerts are encrypted with keys that the published policy cannot know: modules/release/roles.tf, "keys".
KEY_ACTIONS = frozenset({"kms:Decrypt", "kms:GenerateDataKey"})
_NO_GATEWAY = "the direct topology has no API gateway"


class DeclarationError(ValueError):
    """The outputs lack what the checks need; the message names it."""


def declaration(environment: str, outputs: Mapping[str, Any]) -> Declared:
    """Of an environment's outputs by name, as plain values. Raises DeclarationError, or BackendError."""
    missing = sorted(name for name in FROM_OUTPUTS if outputs.get(name) in (None, ""))
    if missing:
        raise DeclarationError(f"the outputs lack {', '.join(missing)}: apply, then write them anew")
    backend = read_backend(environment)
    return declared_of(
        {name: outputs[name] for name in FROM_OUTPUTS},
        state_bucket=backend.bucket,
        state_key=backend.key,
        engine_actions=published_actions() | KEY_ACTIONS,
        not_applicable=dict.fromkeys(KINDS, _NO_GATEWAY) if outputs["topology"] == DIRECT else {},
    )


def published_actions(path: Path = _CONTROLLER) -> frozenset[str]:
    """Every action of the controller's published policy."""
    statements = json.loads(path.read_text(encoding="utf-8"))["Statement"]
    return frozenset(action for one in statements for action in _listed(one["Action"]))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
