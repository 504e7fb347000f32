"""Decisions per second on one core: a rollout that bakes, on a waiting tick and on a tick whose gates are due.

Prints one line. Run with `python -m benchmarks.decide`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from rehearsal.virtual import VirtualRollout
from rollout.bounds import lower_bound, upper_bound
from rollout.decide import decide
from rollout.model import MINUTE_SECONDS, Instant, Plan, Stage
from rollout.seen import BalancerMinute, ListenerReading, Metrics, SideMinute, Situation, TargetCounts

SECONDS = 2.0
PLAN = Plan(
    stages=tuple(
        Stage(share_percent=share, bake_seconds=bake)
        for share, bake in ((5, 900.0), (25, 120.0), (50, 120.0), (100, 0.0))
    )
)
RECORD = VirtualRollout(PLAN, 5).record
START = RECORD.created_at


def minutes(requests: int, errors: int) -> tuple[SideMinute, ...]:
    return tuple(
        SideMinute(
            start=START + index * MINUTE_SECONDS,
            requests=requests,
            target_errors=errors,
            slow=0,
            p95_milliseconds=90.0,
            cpu_percent=4.0,
            memory_percent=40.0,
            healthy=2,
            unhealthy=0,
        )
        for index in range(17)
    )


def situation() -> Situation:
    """17 minutes of 1,000 requests a second, 5 % of them the candidate's, with an error now and then."""
    metrics = Metrics(
        candidate=minutes(3_000, 1),
        stable=minutes(57_000, 9),
        balancer=tuple(BalancerMinute(start=START + i * MINUTE_SECONDS, requests=60_000) for i in range(17)),
        bake_p95_milliseconds=90.0,
        bake_samples=45_000,
    )
    targets = TargetCounts(registered=2, healthy=2, failing=0, read_at=START)
    return Situation(
        listener=ListenerReading(candidate_share=5, attached=True),
        metrics=metrics,
        candidate_targets=targets,
        stable_targets=targets,
    )


def per_second(once: Callable[[], object]) -> float:
    once()
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < SECONDS:
        once()
        count += 1
    return count / spent


def main() -> str:
    """The line that is printed."""
    seen = situation()
    waiting, due = Instant(START + 600.0, START + 600.0), Instant(START + 1020.0, START + 1020.0)
    second = replace(RECORD, bake=replace(RECORD.bake, reading="PASS")) if RECORD.bake else RECORD
    assert decide(PLAN, RECORD, seen, waiting).event == "WAIT"
    assert decide(PLAN, second, seen, due).event == "GATE_PASSED"

    def cold() -> None:
        """A gate judged anew: the bounds are worked out, not remembered."""
        upper_bound.cache_clear()
        lower_bound.cache_clear()
        decide(PLAN, second, seen, due)

    wait, gate = per_second(lambda: decide(PLAN, RECORD, seen, waiting)), per_second(cold)
    return f"decisions per second on one core: {wait:.0f} waiting ticks, {gate:.0f} with all gates due"


if __name__ == "__main__":
    print(main())  # the one line is what this is for
