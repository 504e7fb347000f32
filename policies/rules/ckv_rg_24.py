"""A zone fails as a whole; what lives in one only fails with it."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.tree import Resource, Tree
from policies.values import Unknown

_USERS = {
    "aws_lb": "subnets",
    "aws_ecs_service": "network_configuration.subnets",
    "aws_db_subnet_group": "subnet_ids",
    "aws_elasticache_subnet_group": "subnet_ids",
}
_ZONES_MIN = 2


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for kind, path in _USERS.items():
        for user in tree.of(kind):
            yield _judge(tree, user, path)


def _judge(tree: Tree, user: Resource, path: str) -> Judged:
    subnets = [subnet for value in user.all(path) for subnet in tree.meant(value, "aws_subnet")]
    zones = [subnet.values.get("availability_zone", Unknown(f"the zone of {subnet.address}")) for subnet in subnets]
    if len({str(zone) for zone in zones if not isinstance(zone, Unknown)}) >= _ZONES_MIN:
        return holds(user)
    unknown = [zone for zone in zones if isinstance(zone, Unknown)]
    unknown += [value for value in user.all(path) if isinstance(value, Unknown) and not tree.meant(value, "aws_subnet")]
    if unknown:
        return deferred(user, unknown, "over how many zones it is spread")
    return fails(user, f"it is in {len(set(map(str, zones)))} zone, not in {_ZONES_MIN} or more")


RULE = Rule(
    id="CKV_RG_24",
    says="Load balancer, services, databases and caches are spread over at least two zones",
    remedy="Name subnets of at least two availability zones.",
    controls=("NET-01", "PRE-01"),
    judge=judge,
)
