"""The drills by name: what is broken, when, and which rollout ends how.

Each drill runs in a sandbox of its own with the roles reversed (blue is stable, green is the candidate). One that
proves a trigger also carries a hardship of the rollback itself, so that seven sandboxes serve twenty-odd scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Faults = Mapping[str, Mapping[str, object]]

RELEASE = "release"
COMPONENTS = "components fail and return"
EMERGENCY = "emergency command beside a live engine"


@dataclass(frozen=True, kw_only=True)
class Drill:
    """`faults` are keyed by slot, or "candidate" and "stable"; rates are requests per real second.

    `before`: set before the rollout starts. `at_shift`: once customers meet the candidate. `at_return`: once the
    customers are back. `at_verified`: taken away again once the rollback was verified. `ends`: states to wait for.
    """

    name: str
    rate: float = 60.0
    before: Faults = field(default_factory=dict)
    at_shift: Faults = field(default_factory=dict)
    at_return: Faults = field(default_factory=dict)
    at_verified: Faults = field(default_factory=dict)
    plan: Mapping[str, object] = field(default_factory=dict)
    until_escalated: bool = False
    emergency: bool = False


# At 5 % of 600 requests a second the candidate answers 30 in a virtual minute; a trigger needs 20 to judge one.
_JUDGED_RATE = 600.0
_HALF_FAIL: Faults = {"candidate": {"error_rate": 0.5}}

DRILLS: Mapping[str, Drill] = {
    drill.name: drill
    for drill in (
        Drill(name="candidate answers errors", rate=_JUDGED_RATE, before=_HALF_FAIL),
        Drill(
            name="candidate is slow while the stable side is scaled in",
            rate=_JUDGED_RATE,
            before={"candidate": {"latency_ms": 800, "latency_share": 0.5}},
            at_shift={"cloud": {"stable_scaled_to": 1}},
        ),
        Drill(
            name="candidate burns CPU while container service and alerts are down",
            before={"candidate": {"cpu_percent": 100}, "cloud": {"sns": "down"}},
            at_shift={"cloud": {"ecs": "down"}},
            at_verified={"cloud": {"ecs": "ok"}},
        ),
        Drill(
            name="candidate fills its memory while the stable side is scaled to zero",
            at_shift={"candidate": {"memory_percent": 97}, "cloud": {"stable_scaled_to": 0}},
        ),
        Drill(
            name="candidate's targets fail and the stable side after them",
            plan={"desired_tasks": 3},
            at_shift={"candidate": {"unhealthy_tasks": 2}},
            at_return={"stable": {"health": "fail"}},
            until_escalated=True,
        ),
        Drill(name=EMERGENCY, emergency=True),
    )
}

NAMES = (RELEASE, COMPONENTS, *DRILLS)
