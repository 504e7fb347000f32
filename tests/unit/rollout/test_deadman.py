"""The dead-man over a simulated world: when it takes traffic back, when it must not, and what is left on record."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from worlds import TARGET, Loop, asked, loop

from rollout.act import Hands
from rollout.deadman import BY, DeadMan, NotTakenBack, Outcome, handler, target_of
from rollout.engine import EngineSettings, Ports
from rollout.errors import BadInput
from rollout.record import State
from tests.fakes.alerts import FakeHeartbeat
from tests.fakes.sim_ports import SimClock

LEASE_SECONDS = 30.0


def deadman(run: Loop, owner: str = "dead-man/f", *, work_seconds: float = 100.0) -> DeadMan:
    clock = SimClock(run.world, 5000.0)
    ports = Ports(
        sources=run._sources(),
        hands=Hands(router=run.router, services=run.services, dns=run.dns),
        store=run.store,
        alerts=run.alerts,
        heartbeat=run.heartbeat,
        clock=clock,
    )
    settings = EngineSettings(owner=owner)
    return DeadMan(ports, settings, key="rule", real_seconds=clock.monotonic, work_seconds=work_seconds)


def orphan(run: Loop, state: State, *, share: int | None = None) -> None:
    """A rollout that came so far and whose only controller was killed ten minutes ago."""
    engine = run.engine()
    run.until_state(engine, state, share=share)
    for _ in range(40):
        run.world.advance(run.tick_seconds)


def told(run: Loop) -> list[str]:
    return [alert.subject for alert in run.alerts.received if alert.subject.startswith("DEAD-MAN")]


@pytest.mark.parametrize(
    ("state", "share"),
    [(State.BAKING, 5), (State.BAKING, 50), (State.STABILIZING, None)],
    ids=["5 %", "50 %", "100 %"],
)
def test_an_orphaned_candidate_loses_its_customers(state: State, share: int | None) -> None:
    with loop() as run:
        orphan(run, state, share=share)
        epoch, raised = run.record.epoch, run.raised()

        found = deadman(run).act()

        assert found.outcome == "TAKEN_BACK"
        assert run.world.share == 0
        assert run.state is State.VERIFYING
        assert run.record.epoch == epoch + 1
        assert run.record.back is not None
        assert (run.record.back.by, run.record.back.switched_at is not None) == (BY, True)
        assert run.raised() == [*raised, 0]
        assert run.store.broken_journal(run.record.rollout_id) == ""
        assert told(run) == [f"DEAD-MAN: TAKEN BACK ({run.record.rollout_id})"]
        assert "NOT verified" in run.alerts.received[-1].text or "NOT verified" in found.detail


def test_a_second_call_changes_nothing() -> None:
    with loop() as run:
        orphan(run, State.BAKING, share=25)
        deadman(run).act()
        before, writes = run.record, list(run.world.shares)

        second = deadman(run, "dead-man/g").act()

        assert second.outcome == "NOTHING_TO_TAKE"
        assert run.record == before
        assert run.world.shares == writes
        assert len(told(run)) == 1


def test_a_controller_that_returns_ends_what_the_dead_man_began() -> None:
    with loop() as run:
        orphan(run, State.BAKING, share=25)
        deadman(run).act()

        run.drive(run.engine("two", offset=77.0))

        assert run.state is State.ROLLED_BACK
        assert run.events()[-5:] == ["ABORT_REQUESTED", "SWITCHED", "HEALTH_VERIFIED", "CLEANED", "SETTLED"]


def test_while_a_controller_lives_nothing_is_written() -> None:
    """Its heartbeat may be lost although it lives: the lease is what tells."""
    with loop(tick_seconds=5.0) as run:
        engine = run.engine()
        run.until_state(engine, State.BAKING, share=5)
        one = deadman(run)
        # The living controller ticks whenever time passes.
        advance = run.world.advance

        def live(seconds: float) -> None:
            advance(seconds)
            engine.tick("rule")

        run.world.advance = live  # type: ignore[method-assign]
        found = one.act()
        run.world.advance = advance  # type: ignore[method-assign]

        assert found.outcome == "CONTROLLER_LIVES"
        assert (run.record.owner, run.world.share, run.record.back) == ("one", 5, None)
        assert told(run) == []


def test_a_whole_lease_is_watched_first() -> None:
    with loop() as run:
        run.until_state(run.engine(), State.BAKING, share=5)
        began = run.world.now

        deadman(run).act()

        switched = next(at for at, share, _ in reversed(run.world.shares) if share == 0)
        assert switched - began >= LEASE_SECONDS


def test_a_time_that_does_not_suffice_is_an_error_and_no_success() -> None:
    with loop() as run:
        run.until_state(run.engine(), State.BAKING, share=5)

        with pytest.raises(NotTakenBack, match="still in state BAKING"):
            deadman(run, work_seconds=LEASE_SECONDS / 2).act()
        assert run.world.share == 5


def test_without_a_rollout_nothing_happens() -> None:
    with loop() as run:
        run.drive(run.engine())
        writes = list(run.world.shares)

        assert deadman(run).act().outcome == "NO_ROLLOUT"
        assert run.world.shares == writes
        assert told(run) == []


def test_a_candidate_without_customers_is_left_alone() -> None:
    with loop(confirm=True) as run:
        run.until_state(run.engine(), State.READY)
        before = run.record

        assert deadman(run).act().outcome == "NOTHING_TO_TAKE"
        assert run.record == before


def test_customers_that_somebody_gave_a_candidate_before_its_time_are_taken_back() -> None:
    with loop(confirm=True) as run:
        run.until_state(run.engine(), State.READY)
        run.world.share = 40

        assert deadman(run).act().outcome == "TAKEN_BACK"
        assert run.world.share == 0


@pytest.mark.parametrize("state", [State.RETIRING, State.SETTLING])
def test_a_proven_candidate_keeps_its_customers_and_people_are_told(state: State) -> None:
    """The old side may be gone by then: giving it the customers would be the outage."""
    with loop() as run:
        orphan(run, state)
        before = run.record

        found = deadman(run).act()

        assert (found.outcome, found.alert) == ("PROVEN", "sent")
        assert (run.world.share, run.record) == (100, before)
        assert told(run) == [f"DEAD-MAN: NO CONTROLLER ({run.record.rollout_id})"]


def test_a_return_that_nobody_ended_is_ended() -> None:
    with loop() as run:
        orphan(run, State.BAKING, share=25)
        run.world.down.add("elb")
        with pytest.raises(NotTakenBack):
            deadman(run).act()
        left = run.state
        run.world.down.discard("elb")

        assert left is State.ROLLING_BACK
        assert deadman(run, "dead-man/g").act().outcome == "TAKEN_BACK"
        assert run.world.share == 0


def test_a_dead_stable_side_gets_its_tasks_before_its_customers() -> None:
    with loop() as run:
        orphan(run, State.STABILIZING)
        run.services.scale(run.record.stable, 0)
        run.world.advance(60.0)

        deadman(run, work_seconds=600.0).act()

        assert run.world.slots[run.record.stable].desired >= 2
        assert run.record.back is not None
        assert run.record.back.capacity_first
        assert run.world.share == 0


def test_an_operators_pause_does_not_stop_it_and_is_not_lost_unread() -> None:
    with loop() as run:
        orphan(run, State.BAKING, share=5)
        run.store.request("rule", asked("pause"))

        assert deadman(run).act().outcome == "TAKEN_BACK"
        assert run.world.share == 0


# ------------------------------------------------------------------------------------------------ without a store


def test_without_a_store_the_tags_tell_who_is_stable() -> None:
    with loop() as run:
        orphan(run, State.BAKING, share=25)
        run.world.down.add("store")

        found = deadman(run).act()

        assert found.outcome == "TAKEN_BACK"
        assert "nothing is on record" in found.detail
        assert run.world.share == 0


def test_without_a_store_and_without_a_split_nothing_is_guessed() -> None:
    with loop() as run:
        orphan(run, State.STABILIZING)
        run.world.down.add("store")

        with pytest.raises(NotTakenBack, match="is not known"):
            deadman(run).act()
        assert run.world.share == 100


def test_a_store_that_falls_silent_while_it_watches_keeps_nobody_on_the_candidate() -> None:
    with loop() as run:
        orphan(run, State.BAKING, share=25)
        one = deadman(run)
        wait = run.world.advance

        def fail_after(seconds: float) -> None:
            wait(seconds)
            run.world.down.add("store")

        run.world.advance = fail_after  # type: ignore[method-assign]
        assert one.act().outcome == "TAKEN_BACK"
        assert run.world.share == 0


def test_a_plan_that_somebody_changed_does_not_keep_customers_either() -> None:
    with loop() as run:
        orphan(run, State.BAKING, share=25)
        run.store.records["rule"] = replace(run.record, plan_sha256="another")

        assert deadman(run).act().outcome == "TAKEN_BACK"
        assert run.world.share == 0


def test_it_gives_no_sign_of_life() -> None:
    """A beat would tell the alarm, and people, that a controller lives."""
    with loop() as run:
        orphan(run, State.BAKING, share=25)
        run.close()
        run.heartbeat = FakeHeartbeat()

        deadman(run).act()

        assert run.heartbeat.beats == []


# ------------------------------------------------------------------------------------------------ its outside


EVENT = {"source": "aws.cloudwatch", "alarmData": {"alarmName": "release-heartbeat", "state": {"value": "ALARM"}}}
GIVEN = {
    "environment": "production",
    "region": "us-east-1",
    "rule_arn": "rule",
    "listener_arn": "listener",
    "target_group_arns": dict(TARGET.target_group_arns),
    "cluster_name": "cluster",
    "service_names": dict(TARGET.service_names),
    "container_name": "shop-api",
    "state_table": "rollouts",
    "alert_topic_arn": "topic",
}


@pytest.mark.parametrize(
    "event",
    [{}, {**EVENT, "source": "aws.events"}, {**EVENT, "alarmData": {"state": {"value": "OK"}}}],
    ids=["nothing", "another source", "an alarm that ended"],
)
def test_only_an_alarm_that_fired_is_acted_on(event: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="no alarm that fired"):
        handler(event, None)


def test_the_target_is_read_whole() -> None:
    target = target_of({"DEADMAN_TARGET": json.dumps(GIVEN)})

    assert (target.key, target.region, target.target_group_arns) == ("rule", "us-east-1", TARGET.target_group_arns)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (None, "not set"),
        ("{", "no JSON"),
        ("[]", "alert_topic_arn"),
        (json.dumps({**GIVEN, "colour": "red"}), "colour"),
        (json.dumps({name: value for name, value in GIVEN.items() if name != "rule_arn"}), "rule_arn"),
    ],
    ids=["unset", "cut", "list", "unknown", "missing"],
)
def test_a_wrong_target_is_refused_by_name(text: str | None, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        target_of({} if text is None else {"DEADMAN_TARGET": text})


def test_an_outcome_is_a_document() -> None:
    found = Outcome(outcome="NO_ROLLOUT", detail="no rollout is active")

    assert json.loads(json.dumps(vars(found)))["outcome"] == "NO_ROLLOUT"
