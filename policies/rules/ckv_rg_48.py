"""A provider that is not pinned makes tomorrow's plan another plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from policies.rule import Judged, Rule, demand, fails, holds
from policies.settings import Settings
from policies.tree import Origin, Resource, Tree
from policies.values import Unknown, Value

# Bounded above: an exact version, ~>, or an upper limit beside the lower one.
_BOUNDED = re.compile(r"^\s*=?\s*\d|~>|<")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    blocks = tree.of("terraform")
    required = {
        name: value for block in blocks for one in block.blocks("required_providers") for name, value in _pairs(one)
    }
    for block in blocks:
        if block.values.get("required_providers"):
            yield from _versions(block, block.blocks("required_providers"))
    if blocks:
        versions = [block for block in blocks if block.one("required_version") is not None]
        yield holds(versions[0]) if versions else fails(blocks[0], "it names no version of Terraform")
        locked = any(block.one("lock_file") is True for block in blocks)
        yield holds(blocks[0]) if locked else fails(blocks[0], "its .terraform.lock.hcl is missing")
    for provider in tree.of("provider"):
        known = provider.name in required
        yield holds(provider) if known else fails(provider, "it stands in no required_providers")


def _pairs(block: Value) -> list[tuple[str, Value]]:
    return list(block.items()) if isinstance(block, Mapping) else []


def _versions(block: Resource, requirements: list[Value]) -> Iterator[Judged]:
    for requirement in requirements:
        for name, value in _pairs(requirement):
            version = value if isinstance(value, str | Unknown) else value.get("version")
            yield demand(
                block, version, lambda one: bool(_BOUNDED.search(str(one or ""))), f"{name} is not pinned ({version})"
            )


RULE = Rule(
    id="CKV_RG_48",
    says="Terraform and its providers are pinned and locked",
    remedy='Write version = "~> 5.100", required_version, and commit .terraform.lock.hcl.',
    controls=("IAC-04",),
    judge=judge,
    origins=(Origin.SOURCE,),
)
