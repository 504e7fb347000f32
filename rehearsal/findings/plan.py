"""The plan in force against what the features write down: at least as strict, or not in order."""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.findings.common import finding
from rollout.model import MINUTE_SECONDS, Observation, Plan

_MINUTE = 60.0


def has_shares(plan: Plan, shares: Sequence[int]) -> tuple[Observation, ...]:
    have = [stage.share_percent for stage in plan.stages]
    return (finding("plan.shares", have == list(shares), f"stages at {have} %", value=have, limit=list(shares)),)


def first_bake(plan: Plan, minutes_min: float) -> tuple[Observation, ...]:
    minutes = plan.stages[0].bake_seconds / _MINUTE
    message = f"the first stage bakes {minutes:g} min, at least {minutes_min:g}"
    return (finding("plan.first_bake", minutes >= minutes_min, message, value=minutes, limit=minutes_min, unit="min"),)


def later_bakes(plan: Plan, minutes_min: float) -> tuple[Observation, ...]:
    """The stage of all customers bakes for the stability time, which has a scenario of its own."""
    bakes = [stage.bake_seconds / _MINUTE for stage in plan.stages[1:-1]]
    holds = bool(bakes) and min(bakes) >= minutes_min
    message = f"later stages bake {', '.join(f'{bake:g}' for bake in bakes)} min, at least {minutes_min:g} each"
    return (finding("plan.later_bakes", holds, message, value=bakes, limit=minutes_min, unit="min"),)


def stability(plan: Plan, minutes_min: float) -> tuple[Observation, ...]:
    minutes = plan.stability_seconds / _MINUTE
    message = f"all customers are watched for {minutes:g} min, at least {minutes_min:g}"
    return (finding("plan.stability", minutes >= minutes_min, message, value=minutes, limit=minutes_min, unit="min"),)


def reaches_all_in(plan: Plan, minutes_max: float) -> tuple[Observation, ...]:
    """Alignment, bake and settle of every stage before the last (contracts: plan defaults and times)."""
    each = [MINUTE_SECONDS + stage.bake_seconds + plan.settle_seconds for stage in plan.stages[:-1]]
    minutes = sum(each) / _MINUTE
    message = f"at worst {minutes:g} min to all customers, limit {minutes_max:g} min"
    return (finding("plan.minutes", minutes < minutes_max, message, value=minutes, limit=minutes_max, unit="min"),)
