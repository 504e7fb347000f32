"""One day of backups is gone before a weekend's mistake is noticed."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, demand_number, demand_true
from policies.settings import Settings
from policies.tree import Tree


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    days = settings.backup_retention_days_min
    for database in tree.of("aws_db_instance"):
        if database.values.get("replicate_source_db") is None:
            why = f"backups are kept for less than {days} days"
            yield demand_number(database, "backup_retention_period", lambda n: n >= days, why)
            yield demand_true(database, "multi_az", "it stands in one zone")


RULE = Rule(
    id="CKV_RG_38",
    says="The database stands in two zones and keeps its backups for at least 7 days",
    remedy="Set backup_retention_period = 7 or more, and multi_az = true.",
    controls=("DB-01", "PRE-06"),
    judge=judge,
)
