"""Sessions end: a table of them that keeps every one is a record of everybody (GDPR art. 5(1)(e))."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand_true
from policies.settings import Settings
from policies.tree import Resource, Tree
from policies.values import Unknown


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for table in tree.of("aws_dynamodb_table"):
        if settings.session_tables in _names(table):
            yield demand_true(table, "ttl.enabled", "sessions in it never end")


def _names(table: Resource) -> str:
    """The table's own name, and its address where the name is not known."""
    name = table.values.get("name")
    return (f"{table.address} {'' if isinstance(name, Unknown) else name}").lower()


RULE = Rule(
    id="CKV_RG_40",
    says="Tables of sessions forget them by themselves",
    remedy='Add ttl { attribute_name = "expires_at" enabled = true } to the table.',
    controls=("DB-04", "VAL-12"),
    judge=judge,
)
