"""A copy that burns with the original is no recovery; a copy outside the residency list is a transfer of data."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import ne

from policies.rule import Judged, Rule, deferred, demand, fails, holds
from policies.settings import Settings
from policies.tree import Resource, Tree
from policies.values import Unknown


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    databases = tree.of("aws_db_instance")
    replicas = [one for one in databases if one.values.get("replicate_source_db") is not None]
    for primary in [one for one in databases if one not in replicas]:
        own = [one for one in replicas if primary in tree.meant(one.values["replicate_source_db"], "aws_db_instance")]
        unseen = [one.values["replicate_source_db"] for one in replicas if not _sources(tree, one)]
        if own:
            yield holds(primary)
        elif any(isinstance(value, Unknown) for value in unseen):
            yield deferred(primary, unseen, "whether it has a replica")
        else:
            yield fails(primary, "it has no replica in another region")
    for replica in replicas:
        yield from _judge(tree, replica, settings)


def _sources(tree: Tree, replica: Resource) -> list[Resource]:
    return tree.meant(replica.values["replicate_source_db"], "aws_db_instance")


def _judge(tree: Tree, replica: Resource, settings: Settings) -> Iterator[Judged]:
    allowed, region = settings.residency_regions, replica.region
    why = f"its region {region} is not on the residency list ({', '.join(allowed)})"
    yield demand(replica, region, lambda one: one in allowed, why)
    for source in _sources(tree, replica):
        if isinstance(source.region, Unknown):
            yield deferred(replica, source.region, "whether it is in another region than its source")
        else:
            yield demand(replica, region, partial(ne, source.region), "it is in its source's region")
    key = replica.values.get("kms_key_id")
    # A key is regional: a replica in another region cannot use its source's (RDS, Encrypting resources).
    yield holds(replica) if key is not None else fails(replica, "it names no key of its own region")


RULE = Rule(
    id="CKV_RG_36",
    says="Every database has a replica in another region that is on the residency list, with its own key",
    remedy="Add an aws_db_instance with replicate_source_db, provider = aws.<alias of that region> and kms_key_id.",
    controls=("DB-02", "VAL-12"),
    judge=judge,
)
