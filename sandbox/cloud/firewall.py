"""WAFv2: moto's store of web ACLs, and which managed groups stand before a load balancer and block.

moto 5.2.5 keeps the configuration and looks at no request; the edge refuses what the groups that block would refuse
(`sandbox.edge.firewall`), so a change of an ACL is in effect when its call answers, as one of a listener is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.wafv2.models import wafv2_backends
from moto.wafv2.responses import WAFV2Response

from sandbox.cloud.world import ACCOUNT_ID, REGION, World

_CHANGES = frozenset({"AssociateWebACL", "DisassociateWebACL", "UpdateWebACL", "DeleteWebACL"})


class FirewallApi(WAFV2Response):
    """The API handler; one instance per call. `changed` rebuilds what the edge reads."""

    def __init__(self, world: World, changed: Callable[[], None]) -> None:
        super().__init__()
        self._world = world
        self._changed = changed

    def call_action(self) -> Any:
        answer = super().call_action()
        if answer[0] < 300 and self._get_action() in _CHANGES:
            self._changed()
            self._world.notify("listener")
        return answer


def blocking_groups(load_balancer_arn: str) -> tuple[str, ...]:
    """Groups that AWS manages and that block what reaches a load balancer, sorted; call with the world's lock held."""
    backend = wafv2_backends[ACCOUNT_ID][REGION]
    acl = backend.get_web_acl_for_resource(load_balancer_arn)
    return tuple(sorted(filter(None, map(_blocks, acl.rules)))) if acl else ()


def _blocks(rule: Any) -> str:
    """The group of a rule that refuses; empty for a rule that is something else, or only counts."""
    group = rule.statement.get("ManagedRuleGroupStatement")
    return str(group["Name"]) if group and "None" in (rule.override_action or {}) else ""
