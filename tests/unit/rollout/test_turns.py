"""How `Engine.run` paces its turns: what moved is looked at again at once, and nothing hurries for ever."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from worlds import PLAN, Loop, asked, loop

from rollout.engine import Engine
from rollout.engine import Tick as Turn
from rollout.record import TERMINAL_STATES, State
from tests.fakes.sim_world import MINUTE, START, SimWorld

HURRIED_MAX = 3  # contracts: up to three turns in a row without a wait


class Pace:
    """Runs an engine and remembers what it did in which order: ticks, and waits as None."""

    def __init__(self, run: Loop, *, until: Callable[[Turn], bool] = lambda tick: False) -> None:
        self.run, self.until = run, until
        self.steps: list[Turn | None] = []
        self.engine: Engine = run.engine()
        self.engine._tell = self.steps.append
        clock = self.engine._ports.clock
        wait = clock.wait

        def noted(real_seconds: float) -> None:
            self.steps.append(None)
            wait(real_seconds)

        clock.wait = noted  # type: ignore[method-assign]

    def __call__(self) -> Pace:
        self.engine.run("rule", until=self.until, stop=threading.Event())
        return self

    @property
    def ticks(self) -> list[Turn]:
        return [step for step in self.steps if step is not None]

    @property
    def rows(self) -> list[list[Turn]]:
        """Ticks between two waits."""
        rows: list[list[Turn]] = [[]]
        for step in self.steps:
            if step is None:
                rows.append([])
            else:
                rows[-1].append(step)
        return rows

    def times(self, event: str) -> list[float]:
        return [tick.now.wall for tick in self.ticks if tick.decision is not None and tick.decision.event == event]


def test_a_shift_is_read_back_in_the_same_instant() -> None:
    """Each stage's share is set and seen without a wait in between, forwards and back."""
    with loop(tick_seconds=20.0) as run:
        pace = Pace(run)()
        set_at = {share: at for at, share, _ in run.world.shares}

        assert run.state is State.COMPLETED
        assert pace.times("SHARE_VERIFIED") == [set_at[5], set_at[25], set_at[50]]
        assert pace.times("FULL_SHARE_VERIFIED") == [set_at[100]]
        assert max(map(len, pace.rows)) <= HURRIED_MAX + 1


def test_a_rollback_is_read_back_in_the_same_instant() -> None:
    with loop(tick_seconds=20.0) as run:
        run.world.slots["blue"].error_percent = 5.0
        pace = Pace(run)()

        assert run.record.back is not None
        assert run.record.back.switched_at == run.record.back.decided_at
        assert pace.times("SWITCHED") == pace.times("TRIGGER_TRIPPED")


def test_a_quiet_turn_is_waited_after() -> None:
    """Nothing changed and nothing was done: one tick, one wait; a gate's second reading is a turn of its own."""
    with loop(tick_seconds=20.0) as run:
        pace = Pace(run, until=lambda tick: tick.record.state is State.STABILIZING)()

        for index, step in enumerate(pace.steps[:-1]):
            if step is not None and not step.moved:
                assert pace.steps[index + 1] is None, f"hurried after {step.decision}"
        readings, passes = pace.times("GATE_READ"), pace.times("GATE_PASSED")
        assert [later - earlier for earlier, later in zip(readings, passes, strict=True)] == [20.0] * 3


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        pytest.param([False] * 3, "T.T.T.", id="quiet"),
        pytest.param([True, False, False], "TT.T.", id="one"),
        pytest.param([True] * 3 + [False] * 2, "TTTT.T.", id="three"),
        pytest.param([True] * 4 + [False], "TTTT.T.", id="the-fourth-waits"),
        pytest.param([True] * 8, "TTTT.T.T.T.T.", id="for-ever"),
        pytest.param([True] * 5 + [False] + [True] * 2, "TTTT.T.T.TT", id="a-quiet-one-begins-anew"),
    ],
)
def test_hurried_turns_are_bounded(moved: Sequence[bool], expected: str) -> None:
    """A world that moves with every look is still looked at with waits in between."""
    with loop() as run:
        pace = Pace(run, until=lambda tick: len(pace.ticks) > len(moved))
        first = pace.engine.tick("rule")
        left = list(moved)

        def tick(key: str) -> Turn:
            return replace(first, moved=left.pop(0) if left else False)

        pace.engine.tick = tick  # type: ignore[method-assign]
        pace()

        drawn = "".join("." if step is None else "T" for step in pace.steps)
        assert drawn.startswith(expected)


def test_a_failing_command_is_not_hurried() -> None:
    """The load balancer refuses the shift: it is tried once a turn, with a wait before the next try."""
    with loop(tick_seconds=20.0) as run:
        tries: list[float] = []
        set_share = run.router.set_share

        def counted(*, stable: str, candidate: str, share_percent: int) -> None:
            tries.append(run.world.now)
            set_share(stable=stable, candidate=candidate, share_percent=share_percent)

        run.router.set_share = counted  # type: ignore[method-assign]
        pace = Pace(run, until=lambda tick: tick.record.state is State.BAKING)
        run.world.at(130, lambda world: world.down.add("elb"))
        run.world.at(400, lambda world: world.down.clear())
        pace()

        failing = [at for at in tries if 130 < at - START < 400]
        assert len(failing) > 5
        assert {later - earlier for earlier, later in itertools.pairwise(failing)} == {20.0}
        assert not any(tick.moved for tick in pace.ticks if any(outcome.error for outcome in tick.outcomes))


def test_a_command_without_an_effect_is_not_hurried() -> None:
    """The load balancer accepts the shift and never shows it: looked at once more at once, then once a turn."""
    with loop(tick_seconds=20.0) as run:
        run.router.set_share = lambda **share: None  # type: ignore[method-assign]
        run.world.attached = True
        pace = Pace(run, until=lambda tick: tick.now.wall - START > 400)()

        waiting = [row for row in pace.rows if row[-1].record.state is State.SHIFTING]
        assert len(waiting) > 5
        assert [tick.moved for tick in waiting[0]] == [True, True, False], "confirmed, commanded, and looked at again"
        assert [len(row) for row in waiting[1:]] == [1] * (len(waiting) - 1)
        assert all(tick.outcomes for row in waiting[1:] for tick in row)


def test_a_rollback_that_cannot_switch_is_not_hurried() -> None:
    """The state changed, so it is looked at once more at once; from then on it is tried once a turn."""
    with loop(tick_seconds=20.0) as run:
        pace = Pace(run, until=lambda tick: tick.now.wall - START > 20 * MINUTE)
        run.world.slots["blue"].error_percent = 5.0
        run.world.at(440, lambda world: world.down.add("elb"))
        pace()

        going = [row for row in pace.rows if any(tick.record.state is State.ROLLING_BACK for tick in row)]
        assert len(going) > 10
        assert [len(row) for row in going[1:]] == [1] * (len(going) - 1)
        assert len(going[0]) <= 2


def test_a_follower_and_a_silent_store_are_not_hurried() -> None:
    with loop(tick_seconds=5.0) as run:
        leader = run.engine("one")
        run.until_state(leader, State.BAKING)
        pace = Pace(run, until=lambda tick: len(pace.ticks) >= 4)
        pace.engine._lease.owner = "two"
        pace()

        assert [len(row) for row in pace.rows] == [1] * 4
        run.world.down.add("store")
        for _ in range(3):
            assert not leader.tick("rule").moved


@pytest.mark.parametrize("tick_seconds", [1.0, 15.0])
def test_a_run_costs_few_turns_more_than_its_waits(tick_seconds: float) -> None:
    with loop(tick_seconds=tick_seconds) as run:
        pace = Pace(run, until=lambda tick: tick.record.state in {State.STABILIZING, *TERMINAL_STATES})()
        moves = sum(tick.moved for tick in pace.ticks)

        assert run.state is State.STABILIZING
        assert len(pace.ticks) - pace.steps.count(None) <= moves <= 20


# ------------------------------------------------------------------------------------------------ at rest


def test_the_projection_leaves_out_what_the_candidate_uses_at_rest() -> None:
    """60 % at rest and 0.05 % for each percent of the customers: fine at all customers, without idle use 300 %."""
    with loop(tick_seconds=20.0) as run:
        blue = run.world.slots["blue"]
        blue.cpu = 60.0
        pace = Pace(run, until=lambda tick: tick.record.state in {State.STABILIZING, *TERMINAL_STATES})
        follow_share(run, lambda share: 60.0 + 0.05 * share)
        pace()

        assert run.state is State.STABILIZING
        assert run.record.idle_cpu_percent == pytest.approx(60.0)
        said = [text for proof in run.record.passes for text in proof.sentences if "GATE-03" in text]
        assert [text.split("projected ")[1] for text in said] == [
            "61.2 % at a share of 25 %",
            "62.5 % at a share of 50 %",
            "65.0 % at a share of 100 %",
        ]


def test_a_candidate_that_was_never_seen_at_rest_is_projected_whole() -> None:
    """No datapoint of it before the first shift: all its CPU counts as the customers', which errs to the safe side."""
    with loop(tick_seconds=20.0) as run:
        blue = run.world.slots["blue"]
        blue.silent, blue.cpu = True, 30.0
        pace = Pace(run, until=lambda tick: tick.record.share_verified == 5)()
        assert run.record.idle_cpu_percent == 0.0
        waited = [tick for tick in pace.ticks if tick.decision and tick.decision.reason.startswith("measuring")]
        assert waited[-1].now.wall - START == pytest.approx(20 + PLAN.settle_seconds + 300, abs=run.tick_seconds)

        blue.silent = False
        record = run.drive(run.engine("two"))
        assert record.state is State.ROLLED_BACK
        assert record.back is not None
        assert "GATE-03" in record.back.cause
        assert "projected 150.0 %" in record.back.cause


def test_waiting_at_rest_is_no_part_of_the_deployment_time() -> None:
    """MET-02 counts from the moment in which everything is ready for the first shift."""
    with loop(tick_seconds=20.0) as run:
        Pace(run, until=lambda tick: tick.record.state is State.BAKING)()

        assert run.record.submitted_at == run.record.first_shift_at == START + 140
        assert run.record.bake is not None
        assert run.record.bake.first_minute == START + 180


def test_a_confirmation_after_a_measured_minute_is_answered_at_once() -> None:
    with loop(tick_seconds=20.0, confirm=True) as run:
        run.world.at(300, lambda world: run.store.request("rule", asked("confirm")))
        Pace(run, until=lambda tick: tick.record.state is State.BAKING)()

        assert run.record.first_shift_at == START + 300


def test_another_controller_need_not_measure_again() -> None:
    """The minutes since READY are facts of the candidate, not of the controller that saw them."""
    with loop(tick_seconds=20.0, confirm=True) as run:
        run.until_state(run.engine("one"), State.READY)
        run.world.advance(200)
        run.store.request("rule", asked("confirm"))
        second = run.engine("two", offset=7.0)
        run.drive(second, until=lambda now: now.record.owner == "two")
        led = run.seconds
        run.until_state(second, State.BAKING)

        assert run.seconds - led <= 3 * run.tick_seconds
        assert run.record.idle_cpu_percent == pytest.approx(2.0)


def follow_share(run: Loop, cpu: Callable[[float], float]) -> None:
    """The candidate's CPU follows its share from now on."""
    set_share = run.world.set_share

    def following(share: float, by: str) -> None:
        set_share(share, by)
        run.world.slots["blue"].cpu = cpu(share)

    run.world.set_share = following  # type: ignore[method-assign]


# ------------------------------------------------------------------------------------------------ what is shown


def test_a_minute_that_is_not_published_yet_is_not_shown_as_missing() -> None:
    """The newest closed minute has no datapoint at the first tick after it: no gate is called NO_DATA for that."""
    with loop(tick_seconds=5.0, world=SimWorld(publish_delay=55.0)) as run:
        pace = Pace(run, until=lambda tick: tick.record.state in {State.STABILIZING, *TERMINAL_STATES})()
        shown = {
            str(seen.verdict)
            for tick in pace.ticks
            if tick.decision is not None and tick.record.state is State.BAKING
            for seen in tick.decision.observations
            if seen.name.startswith("GATE")
        }

        assert run.state is State.STABILIZING
        assert shown <= {"PASS", "LOW_SAMPLE"}


def test_minutes_that_stay_silent_are_shown_as_missing_once_a_later_one_is_there() -> None:
    with loop(tick_seconds=20.0) as run:
        blue = run.world.slots["blue"]
        run.world.at(300, lambda world: setattr(blue, "silent", True))
        run.world.at(360, lambda world: setattr(blue, "silent", False))
        pace = Pace(run, until=lambda tick: tick.now.wall - START > 450)()
        shown = {
            tick.now.wall - START: str(seen.verdict)
            for tick in pace.ticks
            if tick.decision is not None
            for seen in tick.decision.observations
            if seen.name == "GATE-01"
        }

        assert {shown[at] for at in shown if at < 440} == {"PASS"}
        assert {shown[at] for at in shown if at >= 440} == {"NO_DATA"}
