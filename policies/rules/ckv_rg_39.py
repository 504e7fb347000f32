"""The cache holds sessions: they are encrypted, nobody reads them without a password, and one node may die."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand_true, fails, holds
from policies.settings import Settings
from policies.tree import Resource, Tree


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for cache in tree.of("aws_elasticache_replication_group"):
        yield demand_true(cache, "transit_encryption_enabled", "it is not encrypted in transit")
        yield demand_true(cache, "at_rest_encryption_enabled", "it is not encrypted at rest")
        yield demand_true(cache, "automatic_failover_enabled", "it does not fail over by itself")
        yield demand_true(cache, "multi_az_enabled", "its nodes may be in one zone")
        yield _authentication(cache)
    for cluster in tree.of("aws_elasticache_cluster"):
        if cluster.values.get("replication_group_id") is None and cluster.one("engine") in ("redis", "valkey"):
            yield fails(cluster, "a single node can neither fail over nor be encrypted in transit with a password")


def _authentication(cache: Resource) -> Judged:
    given = [cache.values.get(key) for key in ("auth_token", "user_group_ids")]
    return (
        holds(cache) if any(value not in (None, "", []) for value in given) else fails(cache, "it asks for no password")
    )


RULE = Rule(
    id="CKV_RG_39",
    says="The cache is encrypted at rest and in transit, asks for a password, and fails over",
    remedy="Set both encryptions, automatic_failover_enabled, multi_az_enabled, and auth_token or user_group_ids.",
    controls=("DB-03",),
    judge=judge,
)
