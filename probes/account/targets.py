"""Where the load balancer finds tasks that serve: addresses of the healthy targets."""

from __future__ import annotations

from collections.abc import Iterable

from probes.account.asking import Asker, ClientMaker, Unread

Address = tuple[str, int]


def healthy_targets(account: ClientMaker, group_arns: Iterable[str]) -> tuple[Address, ...] | Unread:
    """(IP address, port) of every target that its group says is healthy, each once; Unread where one group is."""
    asker = Asker(account)
    found: dict[Address, None] = {}
    for arn in group_arns:
        rows = asker.field("elbv2", "describe_target_health", "TargetHealthDescriptions", TargetGroupArn=arn)
        if isinstance(rows, Unread):
            return rows
        for row in rows or ():
            if row["TargetHealth"]["State"] == "healthy":
                found[str(row["Target"]["Id"]), int(row["Target"]["Port"])] = None
    return tuple(found)
