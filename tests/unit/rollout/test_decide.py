"""The table is complete: no reachable situation lacks a row, no row is beyond reach, no invariant breaks."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import (
    BACK,
    DNS,
    HOLD,
    PLAN,
    SHIFTED,
    Loop,
    asked,
    counts,
    errors_of,
    instant,
    loop,
    metrics,
    minute,
    record,
    service,
    sight,
    situation,
)

from rollout.decide import TABLE, decide
from rollout.errors import InvariantBroken
from rollout.events import find_event
from rollout.invariants import check
from rollout.model import Plan, Verdict
from rollout.record import TERMINAL_STATES, Bake, Hold, Record, SetShare, StagePass, State
from rollout.seen import DnsReading, ListenerReading, Metrics, PublicReading, SideMinute, Situation
from rollout.sight import Event, Sight
from tests.fakes.sim_world import MINUTE, START

BAD, QUIET, THIN = errors_of("F" * 40), errors_of("S" * 40), errors_of("S" * 40, requests=5)
SEEN = (
    metrics(QUIET),
    metrics(BAD, stable=BAD),
    metrics(BAD),
    metrics(THIN, total=100),
    metrics(errors_of("S" * 39 + "b")),
    metrics(errors_of("F" * 40, bad=5)),
    Metrics(),
    Metrics(error="denied"),
)
STAGED = {State.SHIFTING, State.BAKING, State.HOLDING}
GOING_BACK = {State.ROLLING_BACK, State.VERIFYING, State.CLEANING, State.SETTLING_BACK}
FULL = {State.STABILIZING, State.RETIRING, State.SETTLING, State.COMPLETED}


class Dice:
    """Draws a reachable situation of a state, from a chance that can be hypothesis' or a plain one."""

    def __init__(self, pick: Any) -> None:
        self.pick = pick

    def some(self, *options: Any) -> Any:
        return options[self.pick(len(options))]

    def sight(self, state: State) -> Sight:
        plan = replace(PLAN, dns=self.some(None, DNS), shared_incident=self.some("rollback", "hold"))
        rec = self.record(state)
        live = self.some(None, 0, rec.share_wanted, rec.share_verified, 12.5, 100)
        seconds = self.some(0.0, 59.0, 6 * MINUTE, 17 * MINUTE, 34 * MINUTE)
        return Sight(plan, rec, self.situation(live), instant(seconds))

    def situation(self, live: float | None) -> Situation:
        error = "throttled" if live is None else None
        return situation(
            listener=ListenerReading(candidate_share=live, attached=self.some(True, False), error=error),
            metrics=self.some(*SEEN),
            candidate_targets=self.some(counts(2, read_at=START + 2000), counts(1, 2), counts(0), None),
            stable_targets=self.some(counts(2), counts(0, 2), None),
            candidate_service=self.some(service(2), service(0), service(2, failed_tasks=4), None),
            stable_service=self.some(service(2, image="old"), service(0, image="old"), None),
            public=self.some(PublicReading(in_a_row=5), PublicReading(in_a_row=0), None),
            dns=self.some(DnsReading(value="b", in_sync=True, resolved_value="b"), None),
        )

    def record(self, state: State) -> Record:
        stage = (
            3
            if state in FULL
            else self.some(0, 1, 2)
            if state is State.BAKING
            else self.some(0, 1, 2, 3)
            if state in STAGED
            else -1
        )
        share = PLAN.stages[stage].share_percent if stage >= 0 else 0
        passes = tuple(
            StagePass(share_percent=one.share_percent, first_minute=START, last_minute=START, sentences=())
            for one in PLAN.stages[: max(stage, 0)]
        )
        verified = share if state is not State.SHIFTING else self.some(0 if stage == 0 else 5, share)
        epoch = self.some(0, 1)
        bake = Bake(
            first_minute=START,
            verified_monotonic=0.0,
            epoch=self.some(0, epoch),
            reading=self.some("", "PASS", "FAIL"),
            extended_seconds=self.some(0.0, 600.0),
        )
        rec = record(
            state,
            stage=stage,
            share_wanted=share,
            share_verified=verified,
            passes=passes,
            epoch=epoch,
            entered_epoch=epoch,
            bake=bake if state in (State.BAKING, State.STABILIZING) else None,
            hold=self.hold(epoch) if state is State.HOLDING else None,
            first_shift_at=START if stage >= 0 and state is not State.SHIFTING else self.some(None, START),
            reached_full_at=START if state in FULL else None,
            submitted_at=START if stage >= 0 else None,
            confirm=self.some(True, False),
            repairs=self.some(0, 1),
            idle_cpu_percent=29.0,
            dns_changed_at=self.some(None, START) if state is State.RETIRING else None,
            request=self.some(None, *(asked(kind) for kind in ("abort", "pause", "resume", "extend", "confirm"))),
        )
        if state in GOING_BACK:
            back = replace(BACK, external=self.some(True, False), escalated=self.some(True, False), epoch=epoch)
            rec = replace(rec, back=back, share_wanted=0, stage=self.some(-1, 0, 3))
        return rec

    def hold(self, epoch: int) -> Hold:
        verdict = self.some(Verdict.LOW_SAMPLE, Verdict.NO_DATA, Verdict.FAIL)
        return replace(HOLD, verdict=verdict, epoch=epoch, rule=self.some("gates", "operator"))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@given(st.data(), st.sampled_from(sorted(State, key=str)))
def test_a_reachable_situation_has_a_row_and_breaks_no_invariant(data: st.DataObject, state: State) -> None:
    dice = Dice(lambda n: data.draw(st.integers(0, n - 1)))
    seen = dice.sight(state)
    decision = decide(seen.plan, seen.record, seen.situation, seen.now)

    check(seen, decision)
    for command in decision.commands:
        if isinstance(command, SetShare) and seen.record.back is not None:
            assert command.candidate == 0, "I13"
    if decision.record.state in GOING_BACK:
        assert decision.record.share_wanted == 0
    again = decide(seen.plan, seen.record, seen.situation, seen.now)
    assert again == decision, "a decision made twice is the same decision"


def test_no_row_is_beyond_reach() -> None:
    """What `TABLE` says can happen does happen, in some of many situations; nothing else does."""
    dice = Dice(random.Random(7).randrange)  # a repeatable walk, no secret
    found: set[tuple[State, Event]] = set()
    for state in State:
        for _ in range(3000 if state is State.BAKING else 400):
            seen = dice.sight(state)
            found.add((state, find_event(seen).event))

    assert sorted(map(str, found - set(TABLE))) == []
    assert sorted(map(str, set(TABLE) - found)) == []


def test_a_missing_row_names_state_and_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TABLE, (State.COMPLETED, Event.WAIT))  # type: ignore[arg-type]

    with pytest.raises(InvariantBroken, match="no transition for WAIT in COMPLETED"):
        decide(PLAN, record(State.COMPLETED), situation(100), instant(0))


def test_ends_have_no_way_out() -> None:
    assert {row.to for (state, _), row in TABLE.items() if state in TERMINAL_STATES} == TERMINAL_STATES


def test_nothing_leads_from_going_back_to_the_way_forward() -> None:
    """I13, by the table itself."""
    ways = {row.to for (state, _), row in TABLE.items() if state in GOING_BACK}

    assert ways <= GOING_BACK | {State.ROLLED_BACK, State.ABORTED_EXTERNALLY}


def test_only_what_was_answered_is_dropped() -> None:
    rec = record(State.READY, request=asked("pause"))
    at_rest = situation(0, metrics=Metrics(candidate=(minute(0, None),)))
    kept = decide(PLAN, rec, at_rest, instant(90)).record.request
    confirmed = replace(rec, request=asked("confirm"))
    dropped = decide(PLAN, confirmed, at_rest, instant(90)).record.request

    assert (kept, dropped) == (rec.request, None)
    assert decide(PLAN, confirmed, situation(0), instant(90)).record == confirmed, "not answered yet, not dropped yet"


@pytest.mark.parametrize(
    ("minutes", "idle"),
    [
        pytest.param((minute(-1, None, cpu_percent=90.0), minute(0, None, cpu_percent=7.0)), 7.0, id="not-the-start"),
        pytest.param((minute(0, None, cpu_percent=8.0), minute(1, None, cpu_percent=5.0)), 5.0, id="the-lowest"),
        pytest.param((), 0.0, id="never-seen-all-counts"),
    ],
)
def test_what_the_candidate_uses_at_rest_is_remembered(minutes: tuple[SideMinute, ...], idle: float) -> None:
    """GATE-03's projection subtracts it: it does not grow with the customers' share."""
    seen = situation(0, metrics=Metrics(candidate=minutes))
    after = decide(PLAN, record(State.READY), seen, instant(421)).record

    assert (after.state, after.idle_cpu_percent) == (State.SHIFTING, idle)


@pytest.mark.parametrize(("kind", "kept"), [("resume", False), ("extend", False), ("pause", True), ("confirm", True)])
def test_a_hold_forgets_answers_from_before_it(kind: str, kept: bool) -> None:
    bake = Bake(first_minute=START, verified_monotonic=0.0, epoch=0)
    rec = record(State.BAKING, **SHIFTED, bake=bake, request=asked(kind))
    blind = situation(5, metrics=replace(SEEN[0], error="denied"))
    seen = sight(rec, blind, 17 * MINUTE)
    after = decide(seen.plan, seen.record, seen.situation, seen.now).record

    assert after.state is State.HOLDING
    assert (after.request is not None) is kept or kind == "pause"


# ------------------------------------------------------------------------------------------------ a random world

ACTS = (
    "errors", "refuse", "cpu", "memory", "sick", "silent", "heal", "heal", "heal", "elb", "ecs", "metrics", "store",
    "health", "public", "pause", "resume", "extend", "abort", "foreign zero", "foreign share", "scale stable", "peer",
    "wait", "wait", "wait", "wait",
)  # fmt: skip


DIALS = {
    "errors": ("error_percent", 3.0),
    "refuse": ("error_percent", 100.0),
    "cpu": ("cpu", 95.0),
    "memory": ("memory", 97.0),
    "sick": ("unhealthy", 2),
    "silent": ("silent", True),
}
PARTS = {"elb", "ecs", "metrics", "store", "health", "public"}
ASKED = {"pause", "resume", "extend", "abort"}
FOREIGN = {"foreign zero": 0, "foreign share": 33}


def do(run: Loop, act: str) -> None:
    """One thing that can happen to a rollout."""
    world = run.world
    if act in DIALS:
        setattr(world.slots["blue"], *DIALS[act])
    elif act == "heal":
        heal(run)
    elif act in PARTS:
        world.down.add(act)
    elif act in ASKED:
        ask(run, act)
    elif act in FOREIGN and world.share > 0:
        world.set_share(FOREIGN[act], "somebody")
    elif act == "scale stable":
        world.slots["green"].desired = min(1, world.slots["green"].desired)


def ask(run: Loop, kind: str) -> None:
    waiting = run.store.requests.get("rule")
    free = waiting is None or waiting.kind != "abort"
    if free and run.state not in TERMINAL_STATES and "store" not in run.world.down:
        run.store.request("rule", asked(kind, seconds=60))


def heal(run: Loop) -> None:
    """All faults stop."""
    blue = run.world.slots["blue"]
    blue.error_percent, blue.cpu, blue.memory, blue.unhealthy, blue.silent = 0.0, None, 40.0, 0, False
    run.world.down.clear()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 6)), max_size=14))
def test_a_random_world(story: list[tuple[str, int]]) -> None:
    """I1, I2, I3, I6, I9, I10, I12, I13, I17 over whatever happens; when it stops, the rollout ends in bounded time."""
    with loop(tick_seconds=30.0) as run:
        engines = [run.engine("one")]
        watch = Watch(run)
        engines[0].tick("rule")  # a controller that starts without a store is an error, told elsewhere
        for act, minutes in story:
            do(run, act)
            if act == "peer" and "store" not in run.world.down:
                engines = [run.engine(f"peer {len(run.engines)}", offset=float(len(run.engines)))]
            run.drive(
                *engines, until=lambda now, end=run.world.now + minutes * MINUTE: watch.ok(now) and now.world.now >= end
            )
        heal(run)
        record = run.drive(*engines, until=lambda now: watch.ok(now) and now.state in TERMINAL_STATES, minutes=300)
        watch.ended(record)


class Watch:
    """The invariants of design.md 4, looked at after every tick."""

    def __init__(self, run: Loop) -> None:
        self.run, self.plan_sha256 = run, run.record.plan_sha256
        self.writes = 0
        self.back = False

    def ok(self, run: Loop) -> bool:
        rec = run.record
        assert rec.plan_sha256 == self.plan_sha256, "I17"
        for time, share in run.router.writes[self.writes :]:
            assert 0 <= share <= 100, "I1"
            assert not (self.back and share > 0), f"I13: {share} % after a rollback"
            proven = {proof.share_percent for proof in rec.passes}
            assert {s.share_percent for s in run.plan.stages if s.share_percent < share} <= proven, "I10"
            assert time <= run.world.now
        self.writes = len(run.router.writes)
        self.back = self.back or rec.back is not None
        return True

    def ended(self, rec: Record) -> None:
        run = self.run
        assert run.store.broken_journal(rec.rollout_id) == "", "I6"
        for proof in rec.passes:
            bake = next(s.bake_seconds for s in run.plan.stages if s.share_percent == proof.share_percent)
            assert proof.last_minute - proof.first_minute >= bake - MINUTE, "I9"
        if rec.state in (State.ROLLED_BACK, State.ABORTED_EXTERNALLY):
            assert run.world.share == 0, "I3"
        if rec.state is State.COMPLETED:
            assert run.world.share == 100
        assert run.subjects(), "I7: nobody was told"


def test_the_plan_that_decides_is_the_plan_that_was_given() -> None:
    """A stage of 10 % instead of 5 %: its share, not the default's."""
    plan: Plan = replace(PLAN, stages=(replace(PLAN.stages[0], share_percent=10), *PLAN.stages[1:]))
    with loop(plan=plan) as run:
        run.until_state(run.engine(), State.BAKING)

        assert run.world.share == 10
