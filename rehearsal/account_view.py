"""How the account looks at one moment of a rehearsal, kept as facts that scenarios compare."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from probes.account.balancer import rule_view, target_group_view
from probes.account.containers import service_view
from probes.account.session import account_of
from probes.account.zone import records

if TYPE_CHECKING:
    from rehearsal.scene import Scene


def look_at_account(scene: Scene) -> dict[str, Any]:
    """Both services, both target groups, the rule and the zone."""
    account, target = account_of(scene.outputs), scene.target
    return {
        "monotonic": time.monotonic(),
        "virtual": scene.connection.clock.wall(),
        "services": {s: service_view(account, target.cluster_name, n) for s, n in target.service_names.items()},
        "groups": {slot: target_group_view(account, arn) for slot, arn in target.target_group_arns.items()},
        "rule": rule_view(account, target.rule_arn),
        "zone": target.hosted_zone_id,
        "records": records(account, target.hosted_zone_id),
    }
