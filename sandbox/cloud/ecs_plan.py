"""What ECS's scheduler does next with a service: a pure function.

Source: ECS developer guide, "Deploy services by replacing tasks": healthy tasks never fall under
minimumHealthyPercent, tasks never exceed maximumPercent, unhealthy tasks of old revisions go first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """What counts about a task that is wanted and running, or about to."""

    id: str
    is_primary: bool  # of the newest deployment
    is_healthy: bool
    zone: str
    created: float


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The service's aim and the room a deployment has."""

    desired: int
    minimum_healthy_percent: int = 100
    maximum_percent: int = 200
    may_start: bool = True  # False while starts are held back after failures


@dataclass(frozen=True, kw_only=True)
class Steps:
    """How many tasks to start, and which to stop."""

    start: int
    stop: Sequence[str]


def plan(wanted: Wanted, tasks: Sequence[TaskFacts]) -> Steps:
    """The next steps towards `desired` healthy tasks of the primary deployment."""
    primary = [task for task in tasks if task.is_primary]
    old = [task for task in tasks if not task.is_primary]
    surplus = max(0, len(primary) - wanted.desired)
    stop = [*_surplus(primary, surplus), *_replaceable(wanted, tasks, old=old)]
    room = math.floor(wanted.desired * wanted.maximum_percent / 100) - len(tasks)
    missing = wanted.desired - len(primary)
    start = max(0, min(missing, room)) if wanted.may_start else 0
    return Steps(start=start, stop=stop)


def _surplus(primary: Sequence[TaskFacts], count: int) -> Sequence[str]:
    """Whom to stop when scaling in: unhealthy first, then the newest of the fullest zone."""
    left, chosen = list(primary), []
    for _ in range(count):
        zones = Counter(task.zone for task in left)
        victim = max(left, key=lambda task: (not task.is_healthy, zones[task.zone], task.created, task.id))
        left.remove(victim)
        chosen.append(victim.id)
    return chosen


def _replaceable(wanted: Wanted, tasks: Sequence[TaskFacts], *, old: Sequence[TaskFacts]) -> Sequence[str]:
    """Old tasks that may go: all unhealthy ones, and healthy ones above the healthy minimum."""
    minimum = math.ceil(wanted.desired * wanted.minimum_healthy_percent / 100)
    spare = max(0, sum(1 for task in tasks if task.is_healthy) - minimum)
    unhealthy = [task.id for task in old if not task.is_healthy]
    healthy = sorted((task for task in old if task.is_healthy), key=lambda task: (task.created, task.id))
    return [*unhealthy, *[task.id for task in healthy[:spare]]]


def zone_for(zones: Sequence[str], occupied: Sequence[str], *, leaving: Sequence[str] = (), one_zone: bool) -> str:
    """The zone of the next task: the emptiest one, the first of equals; with `one_zone` always the first.

    `leaving` are the zones of tasks that this one's deployment replaces: they only decide between equals, else two new
    tasks would share the one zone of three that two old ones left free.
    """
    if one_zone:
        return zones[0]
    counts, going = Counter(occupied), Counter(leaving)
    return min(zones, key=lambda zone: (counts[zone], going[zone], zones.index(zone)))
