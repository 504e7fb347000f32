"""The way past the load balancer, tried: every task that it finds healthy is asked directly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.account.targets import healthy_targets
from probes.direct import serves_no_stranger
from rollout.model import Observation

if TYPE_CHECKING:
    from rehearsal.plugin import World


def past_the_balancer(place: World) -> tuple[Observation, ...]:
    """`direct.refused` over the healthy targets of both slots."""
    targets = healthy_targets(place.account, place.target.target_group_arns.values())
    return (serves_no_stranger(targets, source="targets of both groups"),)
