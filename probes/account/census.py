"""How many resources of each kind exist, and from which call: the population that every other check speaks of."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from probes.account.asking import Unread
from probes.account.declared import Declared
from probes.account.population import Check, Population, View, counted, plural
from probes.account.session import Account
from probes.question import Question
from rollout.model import Observation, Verdict

# One module per service, in the order in which a person reads about an environment.
SERVICES = (
    *("network", "security_groups", "balancer", "firewall", "gateway", "containers", "task_definitions", "scaling"),
    *("discovery", "registry", "database", "cache", "tables", "storage", "state", "keys", "secrets", "roles", "logs"),
    *("trail", "detector"),
)


def service(name: str) -> ModuleType:
    """The module of a service. Raises KeyError for a name that is none."""
    if name not in SERVICES:
        raise KeyError(f"{name} is no service; there are {', '.join(SERVICES)}")
    return importlib.import_module(f"probes.account.{name}")


def checks(name: str) -> tuple[Check, ...]:
    """The checks of one service, in the order in which its module has them."""
    return tuple(
        one for one in vars(service(name)).values() if isinstance(one, Check) and one.name.startswith(f"{name}.")
    )


def all_checks() -> Mapping[str, Check]:
    """Every check by its name (`database.encrypted`)."""
    return {check.name: check for name in SERVICES for check in checks(name)}


def views(account: Account, declared: Declared, *names: str) -> Mapping[str, View]:
    """One look at each of these services, or at all of them."""
    return {name: service(name).view(account, declared) for name in names or SERVICES}


def judged(seen: Mapping[str, View], *names: str) -> tuple[Observation, ...]:
    """What these checks (all of the services that were looked at, without a name) make of the views.

    Raises KeyError for a check that does not exist or whose service was not looked at.
    """
    wanted = names or tuple(check.name for name in seen for check in checks(name))
    known = all_checks()
    return tuple(known[name](seen[name.split(".", 1)[0]]) for name in wanted)


def populations(seen: Mapping[str, View]) -> Iterator[tuple[Population, Declared]]:
    """Every population of the views, each kind once."""
    told: set[str] = set()
    for view in seen.values():
        for kind, population in view.populations.items():
            if kind not in told:
                told.add(kind)
                yield population, view.declared


def census(seen: Mapping[str, View]) -> tuple[Observation, ...]:
    """One observation per kind: how many there are and how they are called.

    Listed is PASS, unread SOURCE_ERROR, none NO_DATA unless the environment declared that it has none; so is one that
    the environment names and nobody found.
    """
    return tuple(_counted(population, declared) for population, declared in populations(seen))


def _counted(population: Population, declared: Declared) -> Observation:
    question = Question(name=f"census.{population.kind}", rule="the kind can be listed", source=population.source)
    if isinstance(population.members, Unread):
        return question.source_error(f"the {plural(population.kind)} could not be listed: {population.members.cause}")
    names = tuple(one.name for one in population.members)
    absent = [one.name for one in population.members if not one.facts]
    if absent:
        return question.no_data(f"declared, but not found: {', '.join(absent)}", value=names)
    if names:
        return question.passed(names, counted(len(names), population.kind), n=len(names))
    reason = declared.not_applicable.get(population.kind)
    if reason:
        return question.answer(
            Verdict.NOT_APPLICABLE, names, message=f"no {population.kind}, as declared: {reason}", n=0
        )
    return question.no_data(f"no {population.kind} exists, and nobody declared why", value=names)


def inventory(seen: Mapping[str, View]) -> dict[str, Any]:
    """Names by kind, sorted; None for a kind that could not be listed. What `drift` compares with."""
    return {
        population.kind: None
        if isinstance(population.members, Unread)
        else sorted(one.name for one in population.members if one.facts)
        for population, _ in populations(seen)
    }


def drift(seen: Mapping[str, View], declared_inventory: Mapping[str, Any]) -> tuple[Observation, ...]:
    """PRE-01: what exists against an inventory taken before, one observation per kind of the inventory.

    A kind of the inventory that was not looked at, could not be listed, or was unread when the inventory was taken is
    SOURCE_ERROR or NO_DATA, never equal.
    """
    present = {population.kind: population for population, _ in populations(seen)}
    return tuple(_drifted(kind, present.get(kind), wanted=names) for kind, names in sorted(declared_inventory.items()))


def _drifted(kind: str, population: Population | None, *, wanted: Any) -> Observation:
    source = population.source if population else "nothing"
    question = Question(name=f"drift.{kind}", rule="exactly what was declared exists", source=source, limit=wanted)
    if population is None or wanted is None:
        return question.no_data(f"the {plural(kind)} were not looked at, or not known when the inventory was taken")
    if isinstance(population.members, Unread):
        return question.source_error(f"the {plural(kind)} could not be listed: {population.members.cause}")
    have = sorted(one.name for one in population.members if one.facts)
    gone, new = sorted(set(wanted) - set(have)), sorted(set(have) - set(wanted))
    if not have and not wanted:
        return question.no_data(f"no {kind} exists and none was declared: nothing was compared", value=have)
    if not gone and not new:
        return question.passed(have, f"{len(have)} {plural(kind)}, as declared", n=len(have))
    told = [f"gone: {', '.join(gone)}"] if gone else []
    told += [f"not declared: {', '.join(new)}"] if new else []
    return question.failed(have, f"{plural(kind)} differ: {'; '.join(told)}", n=len(have))
