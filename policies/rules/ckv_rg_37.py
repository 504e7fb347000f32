"""PostgreSQL takes plaintext connections unless its parameter group forbids them."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.tree import Resource, Tree
from policies.values import Unknown


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for database in tree.of("aws_db_instance"):
        if (
            database.values.get("replicate_source_db") is None
            or database.values.get("parameter_group_name") is not None
        ):
            yield _judge(tree, database)


def _judge(tree: Tree, database: Resource) -> Judged:
    name = database.values.get("parameter_group_name")
    groups = tree.meant(name, "aws_db_parameter_group")
    if not groups:
        if isinstance(name, Unknown):
            return deferred(database, name, "which parameters it has")
        return fails(database, "its parameter group is the default one or not declared here: TLS is not forced")
    for parameter in groups[0].blocks("parameter"):
        if isinstance(parameter, Unknown):
            return deferred(database, parameter, "whether TLS is forced")
        if parameter.get("name") == "rds.force_ssl":
            value = parameter.get("value")
            if isinstance(value, Unknown):
                return deferred(database, value, "whether TLS is forced")
            return holds(database) if str(value) == "1" else fails(database, f"rds.force_ssl is {value}")
    return fails(database, f"{groups[0].address} does not set rds.force_ssl")


RULE = Rule(
    id="CKV_RG_37",
    says="The database refuses connections without TLS",
    remedy='Add parameter { name = "rds.force_ssl" value = "1" } to its aws_db_parameter_group.',
    controls=("DB-01", "PROC-08"),
    judge=judge,
)
