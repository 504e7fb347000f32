"""How steps hand on what probes and findings answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rehearsal.result import Result
from rollout.model import Observation, Verdict


def dated(run: Result, observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """Observations without a time get the rehearsal's end, on the virtual clock."""
    return tuple(seen if seen.time else replace(seen, time=run.clock.virtual) for seen in observations)


def named(observations: Iterable[Observation], *names: str) -> tuple[Observation, ...]:
    """Those whose name starts with one of `names`; if there are none, whatever kept them from being asked."""
    rows = tuple(observations)
    wanted = tuple(seen for seen in rows if seen.name.startswith(names))
    return wanted or tuple(seen for seen in rows if seen.verdict is not Verdict.PASS)
