"""Credentials of another account must not be enough to apply this environment there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.tree import Origin, Resource, Tree
from policies.values import unknowns

_ACCOUNT = re.compile(r"\d{12}")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for provider in tree.of("provider"):
        if provider.name == "aws":
            yield _account(provider)
            yield _region(provider)


def _account(provider: Resource) -> Judged:
    accounts = provider.all("allowed_account_ids")
    if any(True for _ in unknowns(accounts)):
        return deferred(provider, accounts, "which account it works in")
    if len(accounts) != 1 or not _ACCOUNT.fullmatch(str(accounts[0])):
        named = ", ".join(map(str, accounts)) or "none"
        return fails(provider, f"it works in any account that the credentials belong to (allowed: {named})")
    return holds(provider)


def _region(provider: Resource) -> Judged:
    region = provider.one("region")
    if any(True for _ in unknowns(region)):
        return deferred(provider, region, "which region it works in")
    return holds(provider) if region else fails(provider, "it works in whatever region the environment names")


RULE = Rule(
    id="CKV_RG_57",
    says="Nothing is planned in another account or region than the declared one",
    remedy="Set region and allowed_account_ids = [<the account>] on every aws provider.",
    controls=("IAC-04",),
    judge=judge,
    origins=(Origin.SOURCE,),
)
