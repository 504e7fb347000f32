"""ElastiCache: every replication group of the region, and clusters that belong to none."""

from __future__ import annotations

from probes.account.asking import Asker, ClientMaker
from probes.account.declared import Declared
from probes.account.population import Members, Resource, Seen, View, check, equals, known, population, view_of


def view(account: ClientMaker, declared: Declared) -> View:
    """A cluster without a replication group is a member too: it can neither fail over nor be looked past."""
    asker = Asker(account)
    source = "elasticache DescribeReplicationGroups, DescribeCacheClusters"
    return view_of(declared, population("cache", source, lambda: _caches(asker)))


def _caches(asker: Asker) -> Members:
    groups = known(asker.all("elasticache", "describe_replication_groups", "ReplicationGroups"))
    clusters = known(asker.all("elasticache", "describe_cache_clusters", "CacheClusters"))
    alone = [row for row in clusters if not row.get("ReplicationGroupId")]
    return (
        *(Resource(name=row["ReplicationGroupId"], facts=row) for row in groups),
        *(Resource(name=row["CacheClusterId"], facts=row) for row in alone),
    )


@check("cache", rule="is encrypted at rest")
def encrypted(one: Resource, _: Declared) -> Seen:
    """DB-03."""
    return equals(one, "AtRestEncryptionEnabled", True)


@check("cache", rule="is encrypted in transit, without exception")
def encrypted_in_transit(one: Resource, _: Declared) -> Seen:
    """DB-03: in the mode `preferred` it answers plain connections too."""
    if one["TransitEncryptionEnabled"] is not True:
        return Seen(False, "TransitEncryptionEnabled is False")
    mode = str(one.get("TransitEncryptionMode") or "required")
    return Seen(mode, "" if mode == "required" else f"answers plain connections too (mode {mode})")


@check("cache", rule="asks who is there")
def authenticated(one: Resource, _: Declared) -> Seen:
    """DB-03: an auth token, or user groups (RBAC)."""
    users = [str(name) for name in one.get("UserGroupIds") or ()]
    token = bool(one["AuthTokenEnabled"]) if not users else bool(one.get("AuthTokenEnabled"))
    return Seen([token, *users], "" if token or users else "answers everybody who reaches it")


@check("cache", rule="fails over by itself")
def fails_over(one: Resource, _: Declared) -> Seen:
    """DB-03. A cluster that belongs to no replication group has nothing to fail over to."""
    if one.get("CacheClusterId") and not one.get("ReplicationGroupId"):
        return Seen("alone", "belongs to no replication group")
    status = str(one["AutomaticFailover"])
    return Seen(status, "" if status in ("enabled", "enabling") else f"AutomaticFailover is {status}")
