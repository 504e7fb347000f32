"""What can be decided at an expected rate of requests, said before anything moves. Pure.

Counted for zero failures and without the alignment of a bake to its first full minute, so a real rollout sees at
least as many requests: what the forecast calls decidable is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rollout.bounds import upper_bound
from rollout.model import MINUTE_SECONDS, Gates, Plan

_REQUESTS_MAX = 1 << 40  # no limit that a plan can hold needs more to be proven


@dataclass(frozen=True, kw_only=True)
class StageForecast:
    """One stage before 100 percent at the expected rate; `extension_seconds` is None where no time is enough."""

    share_percent: int
    requests_per_second: float
    bake_seconds: float
    requests_in_bake: int
    requests_at_gate: int  # since the first shift, as the error gate counts them
    proves: bool  # its gate has to prove the limit, not only to see no breach of it
    extension_seconds: float | None
    decidable: bool
    failures_allowed: int | None
    minutes_to_prove: int | None
    trigger_armed: bool
    sentences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """All stages; `deployment_seconds` is the time to 100 percent at worst, None where a stage cannot be decided."""

    requests_per_second: float
    requests_to_prove: int
    stages: tuple[StageForecast, ...]
    deployment_seconds: float | None

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(sentence for stage in self.stages for sentence in stage.sentences)


def requests_to_prove(limit_percent: float, confidence: float) -> int:
    """The fewest requests, none of them failed, whose upper bound is under the limit (2,995 for 0.1 % at 95 %)."""
    limit, low, high = limit_percent / 100, 0, 1
    while upper_bound(0, high, confidence) >= limit:
        low, high = high, high * 2
        assert high < _REQUESTS_MAX, f"a limit of {limit_percent} % at {confidence} cannot be proven"
    while high - low > 1:
        middle = (low + high) // 2
        if upper_bound(0, middle, confidence) < limit:
            high = middle
        else:
            low = middle
    return high


def failures_allowed(requests: int, gates: Gates) -> int | None:
    """How many of `requests` may fail while the limit is still proven; None when not even zero proves it."""
    limit, found = gates.error_rate_percent_max / 100, None
    if requests > 0 and upper_bound(0, requests, gates.confidence) < limit:
        low, high = 0, requests
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if upper_bound(middle, requests, gates.confidence) < limit else (low, middle)
        found = low
    return found


def seconds_to_full(plan: Plan, extensions: float = 0.0) -> float:
    """Time to 100 percent at worst: alignment, bake and settle time of every stage before it (contracts, 7)."""
    before = plan.stages[:-1]
    return sum(MINUTE_SECONDS + stage.bake_seconds + plan.settle_seconds for stage in before) + extensions


def forecast(plan: Plan, requests_per_second: float) -> Forecast:
    """What each gate of `plan` can decide at `requests_per_second` over both sides together."""
    assert requests_per_second >= 0, f"{requests_per_second} requests a second"
    needed = requests_to_prove(plan.gates.error_rate_percent_max, plan.gates.confidence)
    stages: list[StageForecast] = []
    before = 0.0
    for index in range(len(plan.stages) - 1):
        stage = _stage(plan, index, requests_per_second=requests_per_second, before=before, needed=needed)
        seconds = stage.bake_seconds + (stage.extension_seconds or 0.0) + plan.settle_seconds
        before += stage.requests_per_second * seconds
        stages.append(stage)
    total = None
    if all(stage.decidable for stage in stages):
        total = seconds_to_full(plan, sum(stage.extension_seconds or 0.0 for stage in stages))
    return Forecast(
        requests_per_second=requests_per_second,
        requests_to_prove=needed,
        stages=tuple(stages),
        deployment_seconds=total,
    )


def _stage(plan: Plan, index: int, *, requests_per_second: float, before: float, needed: int) -> StageForecast:
    stage, gates = plan.stages[index], plan.gates
    rate = requests_per_second * stage.share_percent / 100
    proves = plan.stages[index + 1].share_percent == 100
    in_bake = rate * stage.bake_seconds
    # The error gate before 100 % proves its limit; the earlier ones, and every p95, ask for a number of requests.
    missing = max(gates.p95_samples_min, 0 if proves else gates.requests_min) - in_bake
    missing = max(missing, needed - before - in_bake) if proves else missing
    extension = _extension(missing, rate)
    reached = extension is not None and extension <= plan.extension_seconds_max
    at_gate = math.floor(before + in_bake + rate * (extension if reached and extension else 0.0))
    made = StageForecast(
        share_percent=stage.share_percent,
        requests_per_second=rate,
        bake_seconds=stage.bake_seconds,
        requests_in_bake=math.floor(in_bake),
        requests_at_gate=at_gate,
        proves=proves,
        extension_seconds=extension,
        decidable=reached,
        failures_allowed=failures_allowed(at_gate, gates) if proves else None,
        minutes_to_prove=math.ceil(needed / rate / MINUTE_SECONDS) if rate else None,
        trigger_armed=rate * MINUTE_SECONDS >= plan.triggers.requests_per_minute_min,
        sentences=(),
    )
    said = _sentences(plan, made, requests_per_second=requests_per_second, needed=needed)
    return StageForecast(**{**made.__dict__, "sentences": said})


def _extension(missing: float, rate: float) -> float | None:
    """Whole minutes that a bake has to be extended by to see `missing` more requests."""
    if missing <= 0:
        return 0.0
    return math.ceil(missing / rate / MINUTE_SECONDS) * float(MINUTE_SECONDS) if rate else None


def _sentences(plan: Plan, made: StageForecast, *, requests_per_second: float, needed: int) -> tuple[str, ...]:
    said = (_decision(plan, made, needed), _proof(plan, made, requests_per_second))
    if made.trigger_armed:
        return said
    thin = f"a minute has {made.requests_per_second * MINUTE_SECONDS:.0f} requests for the candidate"
    least = plan.triggers.requests_per_minute_min
    return (*said, f"at {made.share_percent} % {thin}, under the {least} that the error and latency triggers need")


def _decision(plan: Plan, made: StageForecast, needed: int) -> str:
    gates = plan.gates
    bake = f"the {made.share_percent} % bake of {made.bake_seconds / MINUTE_SECONDS:g} min"
    text = f"{bake} sees {made.requests_in_bake:,} requests"
    if made.proves:
        limit = f"< {gates.error_rate_percent_max:g} %"
        text += f", {made.requests_at_gate:,} since the first shift; {needed:,} without a failure prove {limit}"
    else:
        text += f"; its gate needs {max(gates.requests_min, gates.p95_samples_min):,}"
    if made.extension_seconds is None:
        return f"{text}: cannot be decided"
    minutes = f"{made.extension_seconds / MINUTE_SECONDS:g} min"
    if not made.decidable:
        most = f"{plan.extension_seconds_max / MINUTE_SECONDS:g} min"
        return f"{text}: cannot be decided, it would have to be extended by {minutes} and at most {most} are allowed"
    allowed = f", {made.failures_allowed} may fail" if made.failures_allowed else ""
    return f"{text}: can be decided" + (f" when extended by {minutes}" if made.extension_seconds else "") + allowed


def _proof(plan: Plan, made: StageForecast, requests_per_second: float) -> str:
    limit = f"< {plan.gates.error_rate_percent_max:g} %"
    rate = f"at {requests_per_second:g} requests/s the {made.share_percent} % stage"
    if made.minutes_to_prove is None:
        return f"{rate} can never prove {limit}"
    unit = "minute" if made.minutes_to_prove == 1 else "minutes"
    return f"{rate} needs {made.minutes_to_prove:,} {unit} to prove {limit}"
