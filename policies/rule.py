"""What a policy is: one sentence that holds or not for each resource that it speaks of.

A rule answers for every resource of its population, in three words: PASS, FAIL, or DEFERRED where the value that
decides is known only after the apply. A resource may be judged on several points; its worst one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from policies.settings import Settings
from policies.tree import Origin, Resource, Tree
from policies.values import Unknown, Value, unknowns
from policies.verdict import Verdict, worst


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One resource under one rule: the verdict, why, and for DEFERRED what is not known yet."""

    resource: Resource
    verdict: Verdict
    why: str


Judge = Callable[[Tree, Settings], Iterator[Judged]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A policy of ours. `remedy` says what to write; `origins`: what it can be read from (a plan has no lifecycle)."""

    id: str
    says: str
    remedy: str
    controls: tuple[str, ...]
    judge: Judge
    origins: tuple[Origin, ...] = (Origin.SOURCE, Origin.PLAN)


def holds(resource: Resource, why: str = "as it should be") -> Judged:
    return Judged(resource=resource, verdict=Verdict.PASS, why=why)


def fails(resource: Resource, why: str) -> Judged:
    return Judged(resource=resource, verdict=Verdict.FAIL, why=why)


def deferred(resource: Resource, value: Value, why: str) -> Judged:
    """`value` holds at least one Unknown; the first one is named."""
    what = next((unknown.what for unknown in unknowns(value)), "a value")
    return Judged(resource=resource, verdict=Verdict.DEFERRED, why=f"{why}: {what} is known only after the apply")


def demand(resource: Resource, value: Value, test: Callable[[Value], bool], why: str) -> Judged:
    """PASS where `value` passes the test, FAIL with `why` where not, DEFERRED where it is Unknown."""
    if isinstance(value, Unknown):
        return deferred(resource, value, why)
    return holds(resource) if test(value) else fails(resource, why)


def demand_true(resource: Resource, path: str, why: str) -> Judged:
    """The attribute is set and true; absent is false."""
    return demand(resource, resource.one(path), is_true, why)


def is_true(value: Value) -> bool:
    return value is True or value == "true"


def number(value: Value) -> float | None:
    """A number, also one written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def demand_number(resource: Resource, path: str, test: Callable[[float], bool], why: str) -> Judged:
    """The attribute is a number that passes the test; absent or no number fails."""
    return demand(resource, resource.one(path), lambda value: (n := number(value)) is not None and test(n), why)


def combined(judged: Iterable[Judged]) -> list[Judged]:
    """One answer per resource: the worst verdict, with every reason that has it."""
    found: dict[int, list[Judged]] = {}
    for one in judged:
        found.setdefault(id(one.resource), []).append(one)
    return [_combined(points) for points in found.values()]


def _combined(points: list[Judged]) -> Judged:
    verdict = worst(point.verdict for point in points)
    reasons = dict.fromkeys(point.why for point in points if point.verdict is verdict)
    if verdict is Verdict.PASS and points[0].resource.uncertain:
        return deferred(points[0].resource, Unknown("its count"), "whether it is made at all")
    return Judged(resource=points[0].resource, verdict=verdict, why="; ".join(reasons))
