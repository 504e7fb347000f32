"""State on one machine is lost with it, and two applies at once destroy it."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, demand_true, fails, holds
from policies.settings import Settings
from policies.tree import Origin, Resource, Tree
from policies.values import Unknown


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    backends = tree.of("backend")
    if not backends:
        for terraform in tree.of("terraform"):
            yield fails(terraform, "its state is kept on the machine that applies: there is no backend")
    for backend in backends:
        if backend.one("type") != "s3":
            yield fails(backend, f"its state is kept by {backend.one('type')}, not in an encrypted, locked bucket")
            continue
        yield demand_true(backend, "encrypt", "its state is not encrypted by the bucket's key")
        yield _lock(backend)


def _lock(backend: Resource) -> Judged:
    table, file = backend.one("dynamodb_table"), backend.one("use_lockfile")
    if file is True or (isinstance(table, str) and table):
        return holds(backend)
    unknown = [one for one in (table, file) if isinstance(one, Unknown)]
    return (
        deferred(backend, unknown, "whether it locks")
        if unknown
        else fails(backend, "two applies may run at once: no lock")
    )


RULE = Rule(
    id="CKV_RG_47",
    says="Terraform's state is remote, locked and encrypted",
    remedy='Write backend "s3" { encrypt = true, use_lockfile = true }, in the root or in its backend file.',
    controls=("IAC-02",),
    judge=judge,
    origins=(Origin.SOURCE,),
)
