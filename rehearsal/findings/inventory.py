"""What the account holds against the inventory that was taken when it was applied (PRE-01)."""

from __future__ import annotations

from collections.abc import Mapping

from probes.account import census
from probes.account.inventory import Inventory
from probes.account.population import View
from rehearsal.findings.checks import LiveAccount
from rollout.model import Observation

# Kinds that an apply makes once and the engine goes on making: a release registers its own task definition.
ENGINES_OWN = frozenset({"task definition"})


def present(account: LiveAccount, inventory: Inventory | Observation) -> tuple[Observation, ...]:
    """`census.<kind>`: how many there are now of each kind that the apply left; none of one is no pass."""
    if isinstance(inventory, Observation):
        return (inventory,)
    wanted = {kind for kind, names in inventory.kinds.items() if names != []}
    return tuple(one for one in census.census(_views(account)) if one.name.removeprefix("census.") in wanted)


def unchanged(account: LiveAccount, inventory: Inventory | Observation) -> tuple[Observation, ...]:
    """`drift.<kind>`: the names of each kind are the inventory's; a security group's rule is named by what it allows.

    What the engine makes itself is left out, and so is a kind that neither of them has; one that the inventory does not
    know was never declared, and is NO_DATA.
    """
    if isinstance(inventory, Observation):
        return (inventory,)
    seen = _views(account)
    have = census.inventory(seen)
    wanted = {kind: inventory.kinds.get(kind) for kind in sorted({*have, *inventory.kinds} - ENGINES_OWN)}
    held = {kind: names for kind, names in wanted.items() if (names, have.get(kind)) != ([], [])}
    return census.drift(seen, held)


def _views(account: LiveAccount) -> Mapping[str, View]:
    return {name: account.view(name) for name in census.SERVICES}
