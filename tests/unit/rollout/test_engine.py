"""Whole rollouts through `Engine.tick` over a simulated world: order, exact virtual times, what customers meet."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from worlds import DNS, PLAN, Loop, asked, check_tick, eventually, loop

from rollout.engine import Engine
from rollout.errors import InvariantBroken, RolloutError, SourceError
from rollout.lease import LeaseSettings
from rollout.model import Plan, Triggers
from rollout.record import State
from tests.fakes.sim_world import IMAGES, MINUTE, START, SimWorld, Slot

FORWARD = [
    "PREPARING", "READY", "SHIFTING", "BAKING", "SHIFTING", "BAKING", "SHIFTING", "BAKING", "SHIFTING",
    "STABILIZING", "RETIRING", "SETTLING", "COMPLETED",
]  # fmt: skip
BACK = ["ROLLING_BACK", "VERIFYING", "CLEANING", "SETTLING_BACK", "ROLLED_BACK"]


def baking(run: Loop, share: int = 5) -> Engine:
    """An engine whose rollout bakes at this share."""
    engine = run.engine()
    run.until_state(engine, State.BAKING, share=share)
    return engine


# ------------------------------------------------------------------------------------------------ the way forward


def test_a_good_release_reaches_all_customers() -> None:
    """PROC-10, PROC-11, MET-02: stages in order, each for its bake, 30 verified minutes at 100 %, 5 of settling."""
    with loop(tick_seconds=5.0) as run:
        record = run.drive(run.engine())

        assert record.state is State.COMPLETED
        assert run.states() == FORWARD
        assert run.raised() == [5, 25, 50, 100]
        assert [proof.share_percent for proof in record.passes] == [5, 25, 50]
        minutes = [(proof.last_minute - proof.first_minute) / MINUTE + 1 for proof in record.passes]
        assert minutes == [15, 2, 2]
        assert record.submitted_at is not None
        assert record.reached_full_at is not None
        assert record.finished_at is not None
        # 28 minutes at worst, and for each stage the ticks of a second reading, a shift and its read-back.
        assert record.reached_full_at - record.submitted_at <= 28 * MINUTE + 3 * 4 * run.tick_seconds
        assert record.finished_at - record.reached_full_at >= (30 + 5) * MINUTE
        assert (run.world.slots["green"].desired, run.world.slots["blue"].desired) == (0, 2)
        assert run.store.broken_journal(record.rollout_id) == ""
        assert run.store.guards == {}
        assert run.subjects() == ["ROLLOUT STARTED", "ALL TRAFFIC SHIFTED, WATCHING", "ROLLOUT COMPLETED"]
        assert len(set(run.heartbeat.beats)) == 1
        assert len(run.heartbeat.beats) >= 60


def test_each_share_is_watched_from_its_first_full_minute() -> None:
    """design.md 4.4, I9: alignment, bake and settle time lie between two shifts."""
    with loop() as run:
        run.drive(run.engine())
        at = {share: time - START for time, share, _ in run.world.shares}

        for share, following, bake in [(5, 25, 900), (25, 50, 120), (50, 100, 120)]:
            aligned = (at[share] // MINUTE + 1) * MINUTE
            assert at[following] - aligned >= bake + 120, f"{share} % was watched too short"


def test_the_next_release_uses_the_slots_the_other_way_round() -> None:
    """Test case 12 of rollout-peers.md 2.8: nothing hard-codes a colour."""
    world = SimWorld(stable="blue", candidate="green")
    with loop(world=world, tick_seconds=20.0) as run:
        record = run.drive(run.engine())

        assert (record.state, record.stable, record.candidate) == (State.COMPLETED, "blue", "green")
        assert {query.candidate for query in run.metrics.queries} == {"green"}
        assert (world.slots["blue"].desired, world.slots["green"].desired) == (0, 2)


def test_a_second_release_follows_the_first_on_the_same_rule() -> None:
    with loop(tick_seconds=20.0) as run:
        run.drive(run.engine("first"))
        world = run.world
        world.stable, world.candidate, world.share = "blue", "green", 0.0
        second = run.submit(IMAGES["blue"])
        done = run.drive(run.engine("second"))

        assert (done.rollout_id, done.state) == (second.rollout_id, State.COMPLETED)
        assert [record.state for record in run.store.history()] == [State.COMPLETED] * 2


def test_a_confirmation_is_awaited_without_any_customer_on_the_candidate() -> None:
    with loop(confirm=True) as run:
        engine = run.engine()
        run.until_state(engine, State.READY)
        run.world.advance(300)
        engine.tick("rule")

        assert run.world.shares == []
        run.store.request("rule", asked("confirm"))
        assert run.drive(engine).state is State.COMPLETED


def test_a_confirmation_that_never_comes_ends_before_traffic() -> None:
    with loop(confirm=True) as run:
        record = run.drive(run.engine())

        assert record.state is State.FAILED
        assert "nobody confirmed within 900 s" in record.reason
        assert (run.world.shares, run.world.slots["blue"].desired) == ([], 0)
        assert run.world.slots["green"].scaling_minimum == 0, "the hold on the stable side was not released"


def test_dns_is_changed_before_the_old_side_goes_and_its_ttl_is_waited_for() -> None:
    """PROC-12, DUR-10."""
    with loop(plan=replace(PLAN, dns=DNS), tick_seconds=20.0) as run:
        run.drive(run.engine())
        changed = run.dns.changes[0][0]
        scaled = next(time for time, call in run.world.calls if call == "scale green 0")

        assert run.state is State.COMPLETED
        assert [slot for _, slot in run.dns.changes] == ["blue"]
        assert scaled - changed >= DNS.ttl_seconds


def test_dns_that_never_syncs_holds_then_goes_back_with_the_record() -> None:
    """DUR-10: the record is put back although the change was never seen INSYNC."""
    with loop(plan=replace(PLAN, dns=DNS), tick_seconds=20.0) as run:
        run.world.dns_in_sync = False
        record = run.drive(run.engine())

        assert record.state is State.ROLLED_BACK
        assert run.events()[-6:-4] == ["DNS_NOT_IN_SYNC", "HOLD_EXPIRED"]
        assert next(slot for _, slot in run.dns.changes) == "blue"
        assert run.world.dns_value == "g"


# ------------------------------------------------------------------------------------------------ before any customer


@pytest.mark.parametrize(
    ("dial", "reason"),
    [
        ({"never_ready": True}, "not ready within 900 s: 0 of 2 tasks running"),
        ({"crashes": True, "never_ready": True}, "3 tasks of the candidate died"),
    ],
    ids=["never-ready", "crashes-on-start"],
)
def test_a_candidate_that_does_not_come_up_meets_nobody(dial: dict[str, bool], reason: str) -> None:
    """DUR-01, DUR-02."""
    with loop() as run:
        for name, value in dial.items():
            setattr(run.world.slots["blue"], name, value)
        record = run.drive(run.engine())

        assert record.state is State.FAILED
        assert reason in record.reason
        assert (run.world.shares, run.world.slots["blue"].desired) == ([], 0)
        assert run.subjects() == ["ROLLOUT FAILED BEFORE TRAFFIC"]


def test_dead_tasks_of_an_earlier_image_say_nothing_about_this_one() -> None:
    with loop() as run:
        run.world.slots["blue"].failed_tasks = 7
        run.until_state(run.engine(), State.BAKING)


def test_somebody_gives_the_candidate_customers_before_the_first_shift() -> None:
    """They are taken back and seen back; the rollout does not go on."""
    with loop() as run:
        run.world.slots["blue"].never_ready = True
        run.world.at(60, lambda world: world.set_share(30, "somebody"))
        record = run.drive(run.engine())

        assert record.state is State.ROLLED_BACK
        assert "already has 30 %" in (record.back.cause if record.back else "")
        assert (run.world.share, run.raised()) == (0, [0])


def test_an_abort_before_traffic_ends_it() -> None:
    with loop() as run:
        engine = run.engine()
        engine.tick("rule")
        run.store.request("rule", asked("abort"))

        assert run.drive(engine).state is State.FAILED
        assert run.world.shares == []


# ------------------------------------------------------------------------------------------------ triggers


@pytest.mark.parametrize(
    ("dial", "value", "rule", "minutes"),
    [
        pytest.param("error_percent", 5.0, "TRIG-01", 5, id="errors"),
        pytest.param("slow_percent", 10.0, "TRIG-02", 5, id="latency"),
        pytest.param("cpu", 95.0, "TRIG-03", 10, id="cpu"),
        pytest.param("memory", 97.0, "TRIG-04", 5, id="memory"),
        pytest.param("unhealthy", 2, "TRIG-05", 3, id="health"),
    ],
)
def test_each_trigger_takes_traffic_back(dial: str, value: float, rule: str, minutes: int) -> None:
    """TRIG-01 to TRIG-05, RB-01 to RB-05, MET-03."""
    with loop() as run:
        engine = baking(run)
        run.world.advance(MINUTE - run.world.now % MINUTE)
        harmed_at = run.world.now
        setattr(run.world.slots["blue"], dial, value)
        record = run.drive(engine)
        assert record.back is not None
        assert record.back.verified_at is not None
        assert record.back.switched_at is not None

        assert record.state is State.ROLLED_BACK
        assert run.states()[-5:] == BACK
        assert record.back.rule == rule
        # decided within the publish delay and a tick or two after the last minute closed, never before it
        assert 0 <= record.back.decided_at - harmed_at - minutes * MINUTE <= 60
        assert record.back.switched_at - record.back.decided_at <= 2 * run.tick_seconds
        assert record.back.verified_at - record.back.decided_at < 300
        assert run.raised() == [5, 0]
        assert run.world.slots["blue"].desired == 0
        assert run.subjects() == [
            "ROLLOUT STARTED", "ROLLBACK INITIATED", "ROLLBACK VERIFIED", "ROLLBACK COMPLETED",
        ]  # fmt: skip


@pytest.mark.parametrize("percent", [1.0, 0.9], ids=["exactly-1-percent", "under"])
def test_errors_within_the_trigger_do_not_trip_it(percent: float) -> None:
    """1 % is not over 1 %: the gate decides at the end of the bake, not the trigger."""
    with loop() as run:
        run.world.slots["blue"].error_percent = percent
        record = run.drive(run.engine())

        assert record.back is not None
        assert record.back.rule == "gates"


@pytest.mark.parametrize("state", [State.SHIFTING, State.HOLDING, State.STABILIZING])
def test_triggers_stay_armed(state: State) -> None:
    """Test cases 8 and 25 of rollout-peers.md 2.8; design.md 5: pauses, approval waits and the stability included."""
    with loop() as run:
        engine = baking(run)
        if state is State.STABILIZING:
            run.until_state(engine, state)
        elif state is State.HOLDING:
            run.store.request("rule", asked("pause"))
            run.until_state(engine, state)
        else:
            run.drive(engine, until=lambda now: now.state is State.BAKING and "GATE_READ" in now.events())
            run.world.slots["blue"].unhealthy = 1  # one healthy target of two: it may not grow, and waits
            run.world.advance(1)
            run.until_state(engine, state)
        run.world.slots["blue"].error_percent = 5.0
        record = run.drive(engine, minutes=30)

        assert run.states()[-6] == state
        assert record.back is not None
        assert record.back.rule == "TRIG-01"


def test_a_trigger_wins_over_a_gate_that_cannot_be_decided() -> None:
    """Test case 9 of rollout-peers.md 2.8: failing and inconclusive in one tick rolls back."""
    with loop() as run:
        engine = baking(run)
        run.drive(engine, until=lambda now: now.seconds > 14 * MINUTE)
        run.world.slots["blue"].error_percent = 5.0
        run.drive(engine, until=lambda now: now.seconds > 17 * MINUTE)
        run.world.down.add("metrics")
        record = run.drive(engine)

        assert record.state is State.ROLLED_BACK


def test_a_shared_incident_rolls_back_unless_the_plan_says_hold() -> None:
    """contracts 8: the plan may say that an incident of both sides holds; the hold has an end as every other."""
    for policy, events in [("rollback", ["TRIGGER_TRIPPED"]), ("hold", ["SHARED_INCIDENT", "HOLD_EXPIRED"])]:
        with loop(plan=replace(PLAN, shared_incident=policy)) as run:
            engine = baking(run)
            for slot in run.world.slots.values():
                slot.error_percent = 5.0
            record = run.drive(engine)

            assert record.state is State.ROLLED_BACK
            assert [event for event in run.events() if event in events] == events


def test_a_rollback_by_one_trigger_in_a_shared_hold() -> None:
    with loop(plan=replace(PLAN, shared_incident="hold")) as run:
        engine = baking(run)
        for slot in run.world.slots.values():
            slot.error_percent = 5.0
        run.until_state(engine, State.HOLDING)
        run.world.slots["blue"].unhealthy = 2
        record = run.drive(engine, minutes=12)

        assert record.back is not None
        assert record.back.rule == "TRIG-05"


# ------------------------------------------------------------------------------------------------ gates and holds


def test_half_a_percent_of_errors_is_a_failed_gate() -> None:
    """design.md 14.16: 0.1 to 1 % is a gate's business; read twice, then rolled back."""
    with loop() as run:
        run.world.slots["blue"].error_percent = 0.5
        record = run.drive(run.engine())

        assert record.state is State.ROLLED_BACK
        assert run.events()[3:6] == ["GATE_READ", "GATE_FAILED", "SWITCHED"]
        assert record.back is not None
        assert "FAIL GATE-01 0.50" in record.back.cause


def test_too_few_requests_extend_then_hold_then_roll_back() -> None:
    """contracts 7: LOW_SAMPLE extends within what is left of 30 minutes, holds 900 s, rolls back."""
    with loop(world=SimWorld(requests_per_second=3.0)) as run:  # 9 candidate requests a minute: 135 in the bake
        record = run.drive(run.engine())
        events = run.events()

        assert record.state is State.ROLLED_BACK
        assert 1 <= events.count("GATE_THIN") <= 10
        assert events[events.index("GATE_UNDECIDED") :][:2] == ["GATE_UNDECIDED", "HOLD_EXPIRED"]
        assert run.raised() == [5, 0]


def test_an_extension_that_suffices_grows_late_and_proven() -> None:
    with loop(world=SimWorld(requests_per_second=4.3)) as run:  # 12.9 a minute: 200 after 16 minutes
        engine = run.engine()
        record = run.until_state(engine, State.BAKING, share=25)

        assert run.events().count("GATE_THIN") == 1
        assert record.passes[0].last_minute - record.passes[0].first_minute == 15 * MINUTE


def test_extensions_end_with_the_deployment_time() -> None:
    """contracts 7: they may use what is left to 30 minutes, the later stages taken into account."""
    plan = replace(PLAN, extension_seconds_max=3600.0)
    with loop(plan=plan, world=SimWorld(requests_per_second=1.0)) as run:
        record = run.until_state(run.engine(), State.HOLDING)
        assert record.submitted_at is not None

        assert run.world.now - record.submitted_at <= (30 - 10) * MINUTE + 30
        assert record.hold is not None
        assert record.hold.verdict == "LOW_SAMPLE"


def test_a_gate_without_data_holds_and_starts_the_bake_anew_when_it_is_back() -> None:
    """contracts 7: NO_DATA and SOURCE_ERROR hold; within the blind budget the bake goes on anew."""
    with loop() as run:
        engine = baking(run)
        run.drive(engine, until=lambda now: now.seconds > 17 * MINUTE)
        run.world.down.add("metrics")
        run.until_state(engine, State.HOLDING)
        run.world.down.clear()
        record = run.drive(engine)

        assert record.state is State.COMPLETED
        assert "DATA_BACK" in run.events()
        assert record.passes[0].first_minute - START > 17 * MINUTE


@pytest.mark.parametrize("how", ["metrics down", "no datapoints"])
def test_a_version_that_nobody_can_see_is_taken_back(how: str) -> None:
    """Test cases 4, 5 and 29: blind budget of 3 closed minutes past settle (contracts 8)."""
    with loop() as run:
        engine = baking(run)
        blind_from = run.world.now
        if how == "metrics down":
            run.world.down.add("metrics")
        else:
            run.world.slots["blue"].silent = True
        record = run.drive(engine)

        assert record.state is State.ROLLED_BACK
        assert record.back is not None
        assert record.back.rule == "blind budget"
        assert 3 * MINUTE <= record.back.decided_at - blind_from <= (3 + 1 + 2 + 1) * MINUTE


def test_two_blind_minutes_stay() -> None:
    """Exactly below the budget; the gate then waits for whole minutes."""
    with loop() as run:
        engine = baking(run)
        run.world.at(5 * MINUTE, lambda world: setattr(world.slots["blue"], "silent", True))
        run.world.at(7 * MINUTE, lambda world: setattr(world.slots["blue"], "silent", False))
        run.drive(engine, until=lambda now: now.state is not State.BAKING)

        assert "BLIND" not in run.events()


def test_a_pause_holds_and_a_resume_goes_on() -> None:
    with loop(tick_seconds=20.0) as run:
        engine = baking(run)
        run.store.request("rule", asked("pause"))
        run.until_state(engine, State.HOLDING)
        run.drive(engine, until=lambda now: now.record.hold is not None and now.seconds > 10 * MINUTE)
        run.store.request("rule", asked("resume"))
        record = run.drive(engine)

        assert record.state is State.COMPLETED
        assert record.passes[0].first_minute - START > 10 * MINUTE, "the bake starts anew after a hold"


@pytest.mark.parametrize("extended", [False, True])
def test_a_hold_ends_after_900_seconds_unless_extended(extended: bool) -> None:
    """contracts 7: any hold, an operator's too."""
    with loop() as run:
        engine = baking(run)
        run.store.request("rule", asked("pause"))
        held = run.until_state(engine, State.HOLDING)
        if extended:
            run.store.request("rule", asked("extend", seconds=600))
        record = run.drive(engine)
        assert record.back is not None
        assert held.hold is not None

        assert record.state is State.ROLLED_BACK
        lasted = record.back.decided_at - held.hold.since
        assert 0 <= lasted - (1500 if extended else 900) <= 2 * run.tick_seconds


def test_a_pause_asked_for_while_getting_ready_is_kept() -> None:
    with loop() as run:
        engine = run.engine()
        engine.tick("rule")
        run.store.request("rule", asked("pause"))
        run.until_state(engine, State.HOLDING)

        assert run.raised() == []


def test_a_resume_from_before_a_hold_does_not_wave_it_through() -> None:
    with loop() as run:
        engine = baking(run)
        run.store.request("rule", asked("resume"))
        run.drive(engine, until=lambda now: now.seconds > 17 * MINUTE)
        run.world.slots["blue"].memory = 99.0
        run.world.down.add("metrics")
        run.until_state(engine, State.HOLDING)
        run.drive(engine, until=lambda now: now.state is not State.HOLDING)

        assert "RESUME_REQUESTED" not in run.events()


@pytest.mark.parametrize("share", [5, 25, 50, 100])
def test_an_abort_takes_traffic_back_from_every_share(share: int) -> None:
    with loop(tick_seconds=20.0) as run:
        engine = run.engine()
        run.until_state(engine, State.STABILIZING if share == 100 else State.BAKING, share=share)
        run.store.request("rule", asked("abort"))
        record = run.drive(engine)

        assert (record.state, run.world.share) == (State.ROLLED_BACK, 0)
        assert record.back is not None
        assert (record.back.by, record.back.cause) == ("ada", "ada: because")


def test_an_abort_while_the_old_side_is_going_brings_it_back_first() -> None:
    """RB-01: the stable side was scaled to zero a moment ago; its targets may still look healthy."""
    with loop(tick_seconds=5.0) as run:
        engine = run.engine()
        run.until_state(engine, State.RETIRING)
        run.drive(engine, until=lambda now: now.world.slots["green"].desired == 0)
        run.store.request("rule", asked("abort"))
        record = run.drive(engine)
        calls = [call for _, call in run.world.calls]

        assert record.state is State.ROLLED_BACK
        assert record.back is not None
        assert record.back.capacity_first
        assert calls.index("scale green 2") < calls.index("share 0", calls.index("share 100"))


# ------------------------------------------------------------------------------------------------ foreign writes


def test_a_share_set_to_zero_is_an_abort_and_never_rises_again() -> None:
    """contracts 9, I13."""
    with loop() as run:
        engine = baking(run, 25)
        run.world.set_share(0, "somebody")
        record = run.drive(engine)

        assert record.state is State.ABORTED_EXTERNALLY
        assert run.raised() == [5, 25]
        assert record.back is not None
        assert (record.back.by, record.back.external) == ("unknown", True)
        assert run.subjects()[1] == "ROLLOUT ABORTED BY SOMEBODY ELSE"


@pytest.mark.parametrize("state", [State.SHIFTING, State.HOLDING, State.STABILIZING, State.RETIRING, State.SETTLING])
def test_a_foreign_abort_is_accepted_in_every_state(state: State) -> None:
    with loop(tick_seconds=20.0) as run:
        engine = baking(run, 25)
        if state is State.HOLDING:
            run.store.request("rule", asked("pause"))
        if state is State.SHIFTING:
            run.world.slots["blue"].unhealthy = 1
        run.until_state(engine, state)
        run.world.set_share(0, "somebody")
        record = run.drive(engine)

        assert record.state is State.ABORTED_EXTERNALLY
        assert (run.world.share, run.world.slots["green"].healthy) == (0, 2)


def test_a_drift_is_repaired_once_and_the_bake_starts_anew() -> None:
    """design.md 4.4: drift restarts the bake; a lowered share rises with a fresh health reading only."""
    with loop() as run:
        engine = baking(run, 25)
        before = run.record.bake
        run.world.set_share(12.5, "somebody")
        run.drive(engine, until=lambda now: now.state is State.BAKING and now.record.repairs == 1)

        assert (run.world.share, run.raised()[-1]) == (25, 25)
        assert run.record.bake != before
        assert "LISTENER REPAIRED" in run.subjects()


def test_a_drift_upwards_is_lowered_at_once() -> None:
    with loop() as run:
        engine = baking(run, 25)
        run.world.set_share(80, "somebody")
        engine.tick("rule")

        assert run.world.share == 25


def test_a_lowered_share_stays_low_while_the_candidate_is_not_healthy() -> None:
    """I2, also for a repair."""
    with loop() as run:
        engine = baking(run, 25)
        run.world.slots["blue"].unhealthy = 1
        run.world.advance(MINUTE)
        run.world.set_share(10, "somebody")
        for _ in range(12):
            check_tick(engine.tick("rule"))
            run.world.advance(run.tick_seconds)

        assert (run.world.share, run.state) == (10, State.SHIFTING)
        run.world.slots["blue"].unhealthy = 0
        run.until_state(engine, State.BAKING)
        assert run.world.share == 25


def test_a_second_drift_holds() -> None:
    with loop() as run:
        engine = baking(run, 25)
        run.world.set_share(40, "terraform")
        run.drive(engine, until=lambda now: now.record.repairs == 1 and now.state is State.BAKING)
        run.world.set_share(40, "terraform")
        record = run.until_state(engine, State.HOLDING)

        assert record.hold is not None
        assert record.hold.rule == "foreign write"
        assert run.drive(engine).state is State.ROLLED_BACK


def test_a_drift_after_the_end_of_stability_is_put_right_in_place() -> None:
    with loop(tick_seconds=20.0) as run:
        engine = run.engine()
        run.until_state(engine, State.SETTLING)
        run.world.set_share(60, "somebody")
        record = run.drive(engine)

        assert (record.state, run.world.share, record.repairs) == (State.COMPLETED, 100, 1)


def test_a_rise_during_the_rollback_is_lowered_again() -> None:
    """I3, I13: rolled back means still so after settling."""
    with loop() as run:
        engine = baking(run)
        run.store.request("rule", asked("abort"))
        run.until_state(engine, State.SETTLING_BACK)
        run.world.set_share(50, "somebody")
        record = run.drive(engine)

        assert (record.state, run.world.share) == (State.ROLLED_BACK, 0)


# ------------------------------------------------------------------------------------------------ the way back is lost


@pytest.mark.parametrize("lost", ["detached", "scaled in", "unhealthy"])
def test_a_way_back_that_is_lost_during_stability_is_restored(lost: str) -> None:
    """PROC-11: stable still registered, at its size and healthy."""
    with loop(tick_seconds=20.0) as run:
        engine = run.engine()
        run.until_state(engine, State.STABILIZING)
        stable = run.world.slots["green"]
        if lost == "detached":
            run.world.attached = False
        elif lost == "scaled in":
            stable.desired = 1
        else:
            stable.unhealthy = 2
            run.world.at(run.seconds + 600, lambda world: setattr(stable, "unhealthy", 0))
        run.drive(engine, until=lambda now: "STABLE_SIDE_LOST" in now.events())
        run.world.advance(MINUTE)
        record = run.drive(engine)

        assert record.state is State.COMPLETED
        assert "THE WAY BACK IS NOT WARM" in run.subjects()


def test_a_listener_that_cannot_be_read_is_not_a_lost_way_back() -> None:
    with loop(tick_seconds=20.0) as run:
        engine = run.engine()
        run.until_state(engine, State.STABILIZING)
        run.world.down.add("elb")
        run.world.at(run.seconds + 300, lambda world: world.down.clear())
        record = run.drive(engine)

        assert record.state is State.COMPLETED
        assert "STABLE_SIDE_LOST" not in run.events()


def test_capacity_comes_first_when_nobody_could_take_the_customers() -> None:
    """RB-01: with the reason in the record."""
    with loop() as run:
        engine = baking(run, 50)
        stable = run.world.slots["green"]
        stable.desired = stable.running = stable.healthy = 0
        stable.ready_in_seconds = 40
        run.world.advance(MINUTE)
        run.store.request("rule", asked("abort"))
        record = run.drive(engine)
        calls = [call for _, call in run.world.calls]

        assert record.state is State.ROLLED_BACK
        assert record.back is not None
        assert record.back.capacity_first
        assert calls.index("scale green 2") < calls.index("share 0", calls.index("share 50"))


def test_a_stable_side_that_was_scaled_in_is_brought_back_to_size() -> None:
    """RB-02; test case 20 of rollout-peers.md 2.8."""
    with loop() as run:
        engine = baking(run)
        stable = run.world.slots["green"]
        stable.desired = 1
        run.world.advance(MINUTE)
        run.store.request("rule", asked("abort"))
        record = run.drive(engine)

        assert record.state is State.ROLLED_BACK
        assert stable.desired == 2


def test_a_stable_side_that_never_becomes_healthy_is_never_called_a_success() -> None:
    """RB-03, RB-05: escalates once, goes on trying, keeps the candidate."""
    with loop(tick_seconds=20.0) as run:
        engine = baking(run)
        run.world.slots["green"].unhealthy = 1
        run.store.request("rule", asked("abort"))
        record = run.drive(engine, minutes=30)

        assert record.state is State.VERIFYING
        assert run.world.slots["blue"].desired == 2
        assert run.subjects().count("ROLLBACK NOT VERIFIED") == 1
        run.world.slots["green"].unhealthy = 0
        assert run.drive(engine).state is State.ROLLED_BACK


# ------------------------------------------------------------------------------------------------ parts that are down


@pytest.mark.parametrize("part", ["ecs", "metrics", "public", "dns"])
def test_traffic_goes_back_while_a_part_is_down(part: str) -> None:
    """design.md 4.6: it needs the load balancer and nothing else; the end waits for the part."""
    with loop(tick_seconds=20.0) as run:
        engine = baking(run)
        run.world.down.add(part)
        run.store.request("rule", asked("abort"))
        run.drive(engine, until=lambda now: now.world.share == 0, minutes=1)
        run.world.at(run.seconds + 240, lambda world: world.down.clear())

        assert run.drive(engine).state is State.ROLLED_BACK


def test_a_candidate_that_cannot_be_scaled_down_does_not_keep_the_rollback_open() -> None:
    with loop(tick_seconds=20.0) as run:
        engine = baking(run)
        run.world.down.add("ecs")
        run.store.request("rule", asked("abort"))
        record = run.drive(engine)

        assert record.state is State.ROLLED_BACK
        assert "CANDIDATE NOT SCALED DOWN" in run.subjects()


def test_a_load_balancer_that_refuses_is_asked_until_it_answers_and_people_are_told() -> None:
    """RB-03, test case 10: a switch that does not come about escalates after 5 minutes."""
    with loop(tick_seconds=20.0) as run:
        engine = baking(run)
        run.world.down.add("elb")
        run.store.request("rule", asked("abort"))
        run.drive(engine, until=lambda now: now.record.back is not None and now.record.back.escalated)
        assert run.state is State.ROLLING_BACK
        run.world.down.clear()

        assert run.drive(engine).state is State.ROLLED_BACK
        assert run.subjects().count("ROLLBACK NOT VERIFIED") == 1


def test_traffic_goes_back_while_the_store_is_down_and_the_cause_is_told_later() -> None:
    """design.md 4.6: harm that shows while the store is silent; not journalled as somebody else's abort."""
    with loop(tick_seconds=5.0) as run:
        engine = baking(run)
        run.world.slots["blue"].error_percent = 5.0
        run.drive(engine, until=lambda now: now.world.now - START > 5 * MINUTE)
        run.world.at(run.seconds + 1, lambda world: None)
        while not (tripped := _would_trip(run)):
            check_tick(engine.tick("rule"))
            run.world.advance(run.tick_seconds)
            assert run.seconds < 900
        run.world.down.add("store")
        for _ in range(4):
            check_tick(engine.tick("rule"))
            run.world.advance(run.tick_seconds)

        assert tripped
        assert run.world.share == 0
        assert run.state is State.BAKING, "nothing was stored"
        run.world.down.clear()
        record = run.drive(engine)
        assert record.state is State.ROLLED_BACK
        assert record.back is not None
        assert record.back.rule == "TRIG-01"
        assert "ROLLBACK INITIATED" in run.subjects()


def _would_trip(run: Loop) -> bool:
    """The next tick reads the fifth bad minute."""
    tallies = [t for (slot, start), t in sorted(run.world.tallies.items()) if slot == "blue" and start < run.world.now]
    bad = [t.errors / t.requests > 0.01 for t in tallies if t.requests]
    closed = run.world.now % MINUTE >= run.world.publish_delay
    return sum(bad[:-1]) >= 5 and closed


def test_a_store_that_is_down_advances_nothing() -> None:
    with loop() as run:
        engine = baking(run)
        run.world.down.add("store")
        for _ in range(200):
            engine.tick("rule")
            run.world.advance(run.tick_seconds)

        assert (run.world.share, run.state) == (5, State.BAKING)


def test_a_switch_back_that_was_decided_outlives_the_lease_of_a_silent_store() -> None:
    """Cannot give up: load balancer and store are both down when the abort comes, the store stays down."""
    with loop() as run:
        engine = baking(run)
        run.world.down.add("elb")
        run.store.request("rule", asked("abort"))
        run.until_state(engine, State.ROLLING_BACK)
        run.world.down.add("store")
        for _ in range(10):
            engine.tick("rule")
            run.world.advance(run.tick_seconds)
        assert run.world.share == 5
        run.world.down.discard("elb")
        engine.tick("rule")

        assert run.world.share == 0


def test_a_lost_answer_of_the_store_changes_nothing_twice() -> None:
    """Fault 16: the write held although its answer was lost."""
    with loop(tick_seconds=20.0) as run:
        engine = run.engine()
        engine.tick("rule")
        for state in (State.SHIFTING, State.BAKING):
            run.store.lose_replies = 1
            run.until_state(engine, state)
        record = run.drive(engine)

        assert record.state is State.COMPLETED
        assert run.raised() == [5, 25, 50, 100]
        assert run.store.broken_journal(record.rollout_id) == ""


def test_alerts_that_cannot_be_sent_delay_nothing_and_beats_go_on() -> None:
    """RB-04: and the dead-man must not take a silent mailbox for a dead engine."""
    with loop(tick_seconds=20.0) as run:
        run.alerts.fault = SourceError("sns is down", hint="Wait.")
        engine = baking(run)
        run.store.request("rule", asked("abort"))
        record = run.drive(engine)

        assert record.state is State.ROLLED_BACK
        assert len(record.outbox) == 4, "unsent alerts stay in the record"
        eventually(lambda: len(run.heartbeat.beats) > 5)


def test_no_store_at_the_start_is_an_error() -> None:
    with loop() as run:
        run.world.down.add("store")

        with pytest.raises(SourceError):
            run.engine().tick("rule")


def test_nothing_on_record_is_an_error() -> None:
    with loop() as run, pytest.raises(RolloutError, match="no rollout is on record"):
        run.engine().tick("another rule")


def test_a_plan_that_was_changed_in_flight_is_refused() -> None:
    """I17."""
    with loop() as run:
        document = dict(run.store.plans[run.record.rollout_id])
        document["settle_seconds"] = 1.0
        run.store.plans[run.record.rollout_id] = document

        with pytest.raises(InvariantBroken, match="I17"):
            run.engine().tick("rule")


# ------------------------------------------------------------------------------------------------ several controllers


def test_two_engines_one_leads() -> None:
    """I4, I5; test case 17."""
    with loop(tick_seconds=5.0) as run:
        first, second = run.engine("one"), run.engine("two", offset=5_000_000.0)
        run.drive(first, second, until=lambda now: now.state is State.BAKING)

        assert {tick.record.owner for tick in run.ticks if tick.leading} == {"one"}
        assert run.raised() == [5]


def test_a_takeover_in_mid_bake_starts_the_bake_anew() -> None:
    """I9: the bake's time is observed by one controller; the clock of the other says nothing."""
    with loop(tick_seconds=5.0) as run:
        first = baking(run)
        run.drive(first, until=lambda now: now.seconds > 10 * MINUTE)
        began = run.record.bake
        second = run.engine("two", offset=9.0)
        run.drive(second, until=lambda now: now.record.owner == "two" and now.record.bake != began)
        lead = run.record
        assert began is not None
        assert lead.bake is not None

        assert lead.epoch == 2
        assert lead.bake.first_minute - START > 10 * MINUTE
        assert run.drive(second).state is State.COMPLETED
        assert (run.record.passes[0].last_minute - run.record.passes[0].first_minute) == 14 * MINUTE


def test_a_takeover_forgets_no_bad_minute() -> None:
    """TRIG-01 mutant: count lost on takeover."""
    with loop(tick_seconds=5.0) as run:
        first = baking(run)
        run.world.advance(MINUTE - run.world.now % MINUTE)
        harmed = run.world.now
        run.world.slots["blue"].error_percent = 5.0
        run.drive(first, until=lambda now: now.world.now - harmed > 3 * MINUTE)
        record = run.drive(run.engine("two", offset=0.0))

        assert record.back is not None
        assert record.back.decided_at - harmed <= 6 * MINUTE


def test_a_restart_waits_for_a_read_back() -> None:
    """design.md 4.4: a bake starts at a verified read-back, after a takeover too."""
    with loop(tick_seconds=5.0) as run:
        baking(run)
        run.world.down.add("elb")
        second = run.engine("two")
        run.drive(second, until=lambda now: now.record.owner == "two")
        for _ in range(5):
            second.tick("rule")
            run.world.advance(5)
        assert "BAKE_RESTARTED" not in run.events()
        run.world.down.clear()
        run.drive(second, until=lambda now: "BAKE_RESTARTED" in now.events())


@pytest.mark.parametrize("state", [State.STABILIZING, State.HOLDING, State.ROLLING_BACK, State.VERIFYING])
def test_a_takeover_in_any_state_ends_well(state: State) -> None:
    with loop(tick_seconds=20.0) as run:
        first = baking(run)
        if state is State.HOLDING:
            run.store.request("rule", asked("pause"))
        if state in (State.ROLLING_BACK, State.VERIFYING):
            run.world.down.add("elb" if state is State.ROLLING_BACK else "public")
            run.store.request("rule", asked("abort"))
        run.until_state(first, state)
        second = run.engine("two", offset=-77.0)
        run.drive(second, until=lambda now: now.record.owner == "two")
        run.world.down.clear()
        record = run.drive(second)

        assert record.state is (State.COMPLETED if state is State.STABILIZING else State.ROLLED_BACK)
        assert run.store.broken_journal(record.rollout_id) == ""


def test_an_engine_that_lost_its_lease_writes_nothing() -> None:
    """I5; fault 10: a controller that slept meets another one's epoch."""
    with loop(tick_seconds=5.0) as run:
        first = baking(run)
        second = run.engine("two")
        run.drive(second, until=lambda now: now.record.owner == "two")
        written, journal = list(run.router.writes), len(run.store.journals[run.record.rollout_id])
        tick = first.tick("rule")

        assert (tick.leading, tick.decision) == (False, None)
        assert run.router.writes == written
        assert len(run.store.journals[run.record.rollout_id]) == journal


def test_a_write_between_load_and_store_is_a_conflict_that_costs_the_lead() -> None:
    with loop(tick_seconds=5.0) as run:
        engine = run.engine()
        engine.tick("rule")
        held = run.store.write

        def meddle(*args: object) -> object:
            run.store.records["rule"] = replace(run.store.records["rule"], revision=99)
            run.store.write = held  # type: ignore[method-assign]
            return held(*args)  # type: ignore[arg-type]

        run.store.write = meddle  # type: ignore[method-assign, assignment]
        run.drive(engine, until=lambda now: bool(now.ticks[-1].error), minutes=5)

        assert "changed by somebody else" in run.ticks[-1].error
        assert not engine.tick("rule").leading


def test_two_that_take_the_lease_at_once_one_gets_it() -> None:
    with loop(tick_seconds=5.0) as run:
        first, second = run.engine("one"), run.engine("two")
        load = run.store.load
        stale = load("rule")
        first.tick("rule")
        run.store.load = lambda key: stale  # type: ignore[method-assign]

        assert not second.tick("rule").leading
        run.store.load = load  # type: ignore[method-assign]
        assert run.record.owner == "one"


def test_a_renewal_that_meets_another_epoch_loses_the_lead() -> None:
    with loop(tick_seconds=5.0) as run:
        engine = baking(run)
        stale = run.store.load("rule")
        run.store.records["rule"] = replace(run.record, epoch=9, owner="two")
        run.store.load = lambda key: stale  # type: ignore[method-assign]
        run.world.advance(25.0)

        assert not engine.tick("rule").leading


def test_a_follower_without_a_store_waits() -> None:
    with loop(tick_seconds=5.0) as run:
        baking(run)
        second = run.engine("two")
        second.tick("rule")
        run.world.down.add("store")
        tick = second.tick("rule")

        assert (tick.leading, "does not answer" in tick.error) == (False, True)


def test_an_outcome_that_cannot_be_noted_is_noted_later() -> None:
    with loop(tick_seconds=5.0) as run:
        engine = run.engine()
        engine.tick("rule")
        prepare = run.services.prepare

        def falls_silent(*args: object, **more: object) -> str:
            run.world.down.add("store")
            return prepare(*args, **more)  # type: ignore[arg-type]

        run.services.prepare = falls_silent  # type: ignore[method-assign]
        run.world.slots["blue"].desired = 0
        engine.tick("rule")
        run.world.down.clear()
        run.services.prepare = prepare  # type: ignore[method-assign]

        assert run.drive(engine).state is State.COMPLETED


def test_too_little_lease_left_keeps_hands_off() -> None:
    """Fault 15: a call must not outlive the lease."""
    with loop(tick_seconds=5.0, lease=LeaseSettings(lease_seconds=30.0, guard_seconds=31.0)) as run:
        engine = run.engine()
        run.drive(engine, until=lambda now: now.seconds > 60)

        assert run.world.calls == []
        assert "too little of the lease is left" in str(run.ticks[-1].outcomes[0])


# ------------------------------------------------------------------------------------------------ run


def test_run_ends_with_the_rollout_and_releases_the_lease() -> None:
    with loop(tick_seconds=20.0) as run:
        seen: list[State] = []
        engine = run.engine()
        engine._tell = lambda tick: seen.append(tick.record.state)
        record = engine.run("rule", until=lambda tick: False, stop=threading.Event())

        assert (record.state, record.owner, record.outbox) == (State.COMPLETED, "", ())
        assert list(dict.fromkeys(seen))[-1] is State.COMPLETED
        assert run.subjects()[-1] == "ROLLOUT COMPLETED"
        assert run.store.broken_journal(record.rollout_id) == ""


def test_run_that_is_stopped_hands_over_at_once() -> None:
    with loop(tick_seconds=5.0) as run:
        stop = threading.Event()
        record = run.engine("one").run("rule", until=lambda tick: tick.record.state is State.BAKING, stop=stop)
        assert (record.state, record.owner) == (State.BAKING, "")
        second = run.engine("two")

        assert second.tick("rule").leading


def test_run_that_does_not_lead_leaves_the_record_alone() -> None:
    with loop(tick_seconds=5.0) as run:
        baking(run)
        stop = threading.Event()
        stop.set()
        record = run.engine("two").run("rule", until=lambda tick: False, stop=stop)

        assert record.owner == "one"


def test_a_farewell_that_cannot_be_stored_lets_the_lease_lapse() -> None:
    with loop(tick_seconds=5.0) as run:
        engine = run.engine()

        def until(tick: object) -> bool:
            run.world.down.add("store")
            return True

        assert engine.run("rule", until=until, stop=threading.Event()).owner == "one"


def test_every_effect_was_announced_before_it_happened() -> None:
    """I6: each share that was set stands as an intent in an earlier entry."""
    with loop(tick_seconds=20.0) as run:
        run.drive(run.engine())
        entries = [entry["payload"] for entry in run.store.journals[run.record.rollout_id]]

        for time, share in run.router.writes:
            wanted = "PrepareCandidate" if share == 0 else f"SetShare(candidate={share})"
            assert any(wanted in " ".join(entry.get("intents", ())) and entry["time"] <= time for entry in entries), (
                f"{share} % was set without an intent"
            )


def test_the_look_back_of_a_plan_without_minutes_is_harmless() -> None:
    plan: Plan = replace(PLAN, triggers=replace(Triggers(), look_back_minutes=1))
    with loop(plan=plan, tick_seconds=20.0) as run:
        assert run.drive(run.engine()).state is State.COMPLETED


def test_slots_are_plain_values() -> None:
    """The simulated world starts as a fresh sandbox does."""
    world = SimWorld()

    assert world.slots["green"] == Slot(image=IMAGES["green"], version="1.0.0", desired=2, running=2, healthy=2)
