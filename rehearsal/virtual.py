"""Boundaries on a virtual clock: the engine's own decisions over minutes that a table writes down.

No sandbox, no waiting: the plan in force, a record in the state that the scenario names, and one minute after the
other with exactly the figures of the Examples. What answers is `rollout.decide`, the same as in production.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rollout.decide import decide
from rollout.ledger import taken_over
from rollout.model import MINUTE_SECONDS, Instant, Plan, Verdict
from rollout.record import Bake, Decision, Hold, Record, StagePass, State
from rollout.seen import (
    BalancerMinute,
    ListenerReading,
    Metrics,
    ServiceReading,
    SideMinute,
    Situation,
    TargetCounts,
)

_START = 1_700_000_040.0  # a whole minute; any other would do
_REQUESTS = 1000
_STEP_SECONDS = 15.0
_NEVER = _START + 1_000_000 * MINUTE_SECONDS


@dataclass(frozen=True)
class Minute:
    """What one closed minute of the candidate shows; None: no datapoint at all."""

    side: SideMinute | None
    balancer: bool = True


def quiet_minute(**figures: Any) -> Minute:
    """A healthy minute of 1,000 requests, but for `figures`."""
    whole: dict[str, Any] = {
        "start": 0.0,
        "requests": _REQUESTS,
        "slow": 0,
        "p95_milliseconds": 80.0,
        "cpu_percent": 20.0,
        "memory_percent": 30.0,
        "memory_percent_highest": 30.0,
        "healthy": 2,
        "unhealthy": 0,
        **figures,
    }
    return Minute(SideMinute(**whole))


@dataclass(frozen=True)
class Ending:
    """How the minutes ended: `minute` is the number of the closed minute after which the engine took traffic back."""

    decision: Decision
    minute: int | None

    @property
    def rolled_back(self) -> bool:
        return self.minute is not None

    @property
    def sentence(self) -> str:
        if self.minute is None:
            return "goes on"
        return f"rolls back after minute {self.minute}: {self.decision.reason}"


class VirtualRollout:
    """One rollout at a share of the plan in force, fed with minutes."""

    def __init__(self, plan: Plan, share: int) -> None:
        """Raises ValueError when the plan has no stage of that share."""
        shares = [stage.share_percent for stage in plan.stages]
        if share not in shares:
            raise ValueError(f"the plan in force has no stage of {share} %, only {shares}")
        self.plan, self.share = plan, share
        self.record = _record(plan, share, shares)

    def minutes(self, minutes: Sequence[Minute]) -> Ending:
        """Feed the minutes one after the other, then enough quiet ones for the last to be settled.

        The bake is held open, so that what ends the rollout is a trigger and not the gate behind the bake."""
        if self.record.bake is not None:
            self.record = replace(self.record, bake=replace(self.record.bake, first_minute=_NEVER))
        settled = int(self.plan.settle_seconds // MINUTE_SECONDS)
        # Blindness ends with the first datapoint, so a blind ending stays blind.
        after = minutes[-1] if minutes and minutes[-1].side is None else quiet_minute()
        shown = [*minutes, *[after] * settled]
        decision: Decision | None = None
        for count in range(1, len(shown) + 1):
            for part in range(int(MINUTE_SECONDS // _STEP_SECONDS)):
                now = _START + count * MINUTE_SECONDS + part * _STEP_SECONDS
                decision = self._decide(shown[:count], now)
                if decision.record.state is State.ROLLING_BACK:
                    return Ending(decision, count)
                self.record = decision.record
        assert decision is not None, "no minute was fed"
        return Ending(decision, None)

    def _decide(self, shown: Sequence[Minute], now: float) -> Decision:
        rows = [
            replace(minute.side, start=_START + index * MINUTE_SECONDS)
            for index, minute in enumerate(shown)
            if minute.side is not None
        ]
        balancer = [
            BalancerMinute(start=_START + index * MINUTE_SECONDS, requests=_REQUESTS * 4)
            for index, minute in enumerate(shown)
            if minute.balancer
        ]
        metrics = Metrics(candidate=tuple(rows), balancer=tuple(balancer))
        return decide(self.plan, self.record, _situation(self.record, metrics, now), Instant(now, now))

    # ------------------------------------------------------------------------------------------- states

    def paused(self) -> VirtualRollout:
        return self._held("paused by an operator", Verdict.PASS, rule="operator")

    def held(self) -> VirtualRollout:
        return self._held("held for lack of samples", Verdict.LOW_SAMPLE, rule="gates")

    def _held(self, reason: str, verdict: Verdict, *, rule: str) -> VirtualRollout:
        hold = Hold(
            reason=reason,
            verdict=verdict,
            since=_START,
            since_monotonic=_START,
            epoch=self.record.epoch,
            seconds_max=self.plan.hold_seconds_max,
            rule=rule,
        )
        self.record = replace(self.record, state=State.HOLDING, hold=hold, bake=None)
        return self

    def at_full_share(self) -> VirtualRollout:
        full = VirtualRollout(self.plan, 100)
        full.record = replace(full.record, state=State.STABILIZING, reached_full_at=_START)
        return full

    def taken_over(self) -> VirtualRollout:
        """Another engine leads from now on and knows only what is on record."""
        self.record = taken_over(self.record, owner="another engine", now=Instant(_START, _START))
        return self


def _record(plan: Plan, share: int, shares: Sequence[int]) -> Record:
    stage = shares.index(share)
    passes = tuple(
        StagePass(share_percent=earlier, first_minute=_START, last_minute=_START, sentences=())
        for earlier in shares[:stage]
    )
    return Record(
        schema=1,
        rollout_id="virtual",
        environment="virtual",
        rule_arn="virtual",
        plan_sha256="virtual",
        stable="green",
        candidate="blue",
        image="virtual",
        version_name="virtual",
        state=State.BAKING,
        created_at=_START,
        owner="engine",
        stage=stage,
        share_wanted=share,
        share_verified=share,
        entered_at=_START,
        entered_monotonic=_START,
        submitted_at=_START,
        first_shift_at=_START,
        bake=Bake(first_minute=_START, verified_monotonic=_START, epoch=0),
        passes=passes,
        stable_size=2,
    )


def _situation(record: Record, metrics: Metrics, now: float) -> Situation:
    targets = TargetCounts(registered=2, healthy=2, failing=0, read_at=now)
    service = ServiceReading(desired=2, running=2, pending=0, task_definition="virtual:1", rollout_state="COMPLETED")
    return Situation(
        listener=ListenerReading(candidate_share=record.share_wanted, attached=True),
        metrics=metrics,
        stable_targets=targets,
        stable_service=service,
        candidate_service=service,
    )
