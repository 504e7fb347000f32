"""Gates and triggers at their boundaries, answered by the engine's own judgement of the plan in force."""

from __future__ import annotations

from rehearsal.findings.common import finding
from rehearsal.virtual import Ending, Minute, VirtualRollout, quiet_minute
from rollout import judge
from rollout.forward import bake_window
from rollout.model import Instant, Observation, Plan
from rollout.seen import ListenerReading, Situation
from rollout.sight import Sight


def window_of(plan: Plan, share: int) -> judge.BakeWindow:
    """The window that a gate reads at the end of the bake at `share`, as the engine makes it."""
    record = VirtualRollout(plan, share).record
    assert record.bake is not None, "a virtual rollout bakes"
    end = record.bake.first_minute + plan.stages[record.stage].bake_seconds + plan.settle_seconds
    situation = Situation(listener=ListenerReading(candidate_share=share))
    return bake_window(Sight(plan, record, situation, Instant(end, end)), record.bake)


def error_gate(plan: Plan, share: int, *, requests: int, errors: int) -> Observation:
    return judge.judge_error_rate(errors, requests, requests, plan.gates, window_of(plan, share))


def latency_gate(plan: Plan, share: int, *, samples: int, p95: float) -> Observation:
    return judge.judge_p95(p95, samples, plan.gates, window_of(plan, share))


def cpu_gate(plan: Plan, share: int, *, cpu: float) -> Observation:
    return judge.judge_cpu(cpu, cpu, plan.gates, window_of(plan, share))


def memory_gate(plan: Plan, share: int, *, first: float, growth: float) -> Observation:
    window = window_of(plan, share)
    return judge.judge_memory([first + growth * i for i in range(window.minutes)], plan.gates, window)


def gate_says(judged: Observation, wanted: str) -> tuple[Observation, ...]:
    """The gate's verdict against the one that the feature writes down."""
    message = f"the gate says {judged.verdict}, the feature {wanted}: {judged.message}"
    holds = str(judged.verdict) == wanted
    return (
        finding(
            f"{judged.name} boundary",
            holds,
            message,
            value=str(judged.verdict),
            limit=wanted,
            time=judged.time,
        ),
    )


def ends_as(ending: Ending, wanted: str) -> tuple[Observation, ...]:
    """How the minutes ended against what the feature writes down."""
    blind = ending.rolled_back and ending.decision.event == "BLIND"
    spoken = {
        "goes on": not ending.rolled_back,
        "rolls back": ending.rolled_back,
        "rolls back as blind": blind,
    }
    after = f"rolls back after minute {ending.minute}"
    holds = spoken.get(wanted, wanted == after and not blind)
    message = f"the rollout {ending.sentence}; the feature says {wanted}"
    return (finding("trigger boundary", holds, message, value=ending.sentence, limit=wanted, time=_time(ending)),)


def _time(ending: Ending) -> float:
    return ending.decision.record.entered_at or 1.0


def error_minutes(words: str) -> list[Minute]:
    """ "11 refused blind few": errors of 1,000 requests, a minute in which every connection was refused, one without
    datapoints, one of 5 requests that failed."""
    return [_error_minute(word) for word in words.split()]


def _error_minute(word: str) -> Minute:
    if word == "blind":
        return Minute(None)
    if word == "few":
        return quiet_minute(requests=5, target_errors=5)
    if word == "refused":
        return quiet_minute(connection_errors=1000)  # a target that refuses has no 5xx of its own
    return quiet_minute(target_errors=int(word))


def p95_minutes(words: str) -> list[Minute]:
    return [quiet_minute(p95_milliseconds=float(word), slow=None) for word in words.split()]


def slow_minutes(words: str) -> list[Minute]:
    return [quiet_minute(slow=int(word)) for word in words.split()]


def percent_minutes(words: str, figure: str) -> list[Minute]:
    return [quiet_minute(**{figure: float(word)}) for word in words.split()]


def target_minutes(words: str) -> list[Minute]:
    """ "2/3": two of three registered targets fail."""
    pairs = [tuple(map(int, word.split("/"))) for word in words.split()]
    return [quiet_minute(healthy=registered - failing, unhealthy=failing) for failing, registered in pairs]


def waiting(rollout: VirtualRollout, state: str) -> VirtualRollout:
    """Put the rollout into one of the states in which it waits while customers meet the candidate."""
    return {
        "paused by an operator": rollout.paused,
        "held for lack of data": rollout.held,
        "watched with all customers": rollout.at_full_share,
        "taken over by another engine": rollout.taken_over,
    }[state]()
