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
LOAD = "load on the version under release"
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


# A trigger needs 20 requests to judge a minute: half of 80 requests a second are 40 in a virtual minute. At a first
# stage of 5 % it would take 600 a second, more than two cores carry beside the release. The bake is long enough for
# ten minutes in a row also after one that was starved of processor time.
_HALF_AT_ONCE = {
    "stages": "[{ share_percent = 50, bake_minutes = 25 }, { share_percent = 100 }]",
    "settling_seconds": 60,
}
_JUDGED_RATE = 80.0
_HALF_FAIL: Faults = {"candidate": {"error_rate": 0.5}}
# What is compared for five minutes after the end is shown by the first drill; the others look for one.
_BRIEFLY = {"settling_seconds": 60}
# The command starts the AWS CLI six times: up to 49 real seconds on a machine without a free processor, 49 minutes of
# the rollout, and the engine has to be live all the while: baking, then holding.
_STILL_ALIVE = {**_BRIEFLY, "hold_seconds_max": 3600}

DRILLS: Mapping[str, Drill] = {
    drill.name: drill
    for drill in (
        Drill(name=EMERGENCY, plan=_STILL_ALIVE, emergency=True),
        Drill(
            name="candidate answers errors",
            rate=_JUDGED_RATE,
            plan={**_HALF_AT_ONCE, "settling_seconds": 300},
            before=_HALF_FAIL,
        ),
        Drill(
            name="candidate is slow while the stable side is scaled in",
            plan=_HALF_AT_ONCE,
            rate=_JUDGED_RATE,
            before={"candidate": {"latency_ms": 800, "latency_share": 0.5}},
            at_shift={"cloud": {"stable_scaled_to": 1}},
        ),
        Drill(
            name="candidate fills its memory while the stable side is scaled to zero",
            plan=_BRIEFLY,
            at_shift={"candidate": {"memory_percent": 97}, "cloud": {"stable_scaled_to": 0}},
        ),
        Drill(
            name="candidate's targets fail and the stable side after them",
            at_shift={"candidate": {"unhealthy_tasks": 2}},
            at_return={"stable": {"health": "fail"}},
            until_escalated=True,
        ),
        Drill(
            name="candidate burns CPU while container service and alerts are down",
            plan={**_HALF_AT_ONCE, "desired_tasks": 2},  # half a processor burnt, not three quarters of one
            before={"candidate": {"cpu_percent": 100}, "cloud": {"sns": "down"}},
            at_shift={"cloud": {"ecs": "down"}},
            at_verified={"cloud": {"ecs": "ok"}},
        ),
    )
}

NAMES = (RELEASE, LOAD, COMPONENTS, *DRILLS)
