"""The live view: a pure model of a tick, how it is drawn, and when sentences take its place."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from cli_world import Desk
from rich.console import Console

from rollout.act import Outcome
from rollout.cli.lines import Lines
from rollout.cli.outlook import leader, seconds_left, what_next, where
from rollout.cli.screen import Screen, is_ascii, progress, render, wants_screen
from rollout.cli.sentences import _BY_EVENT, sentences
from rollout.cli.view import view_of
from rollout.engine import Tick
from rollout.model import Verdict
from rollout.record import Hold, Record, SetShare, State
from rollout.sight import Event
from tests.fakes.sim_world import START
from tests.unit.rollout import worlds

BAKING = """\
shop-api 1.0.0 (green) -> 1.1.0 (blue)
rollout  1800000000-blue-cccccccccccc, led here
state    BAKING, stage 1 of 4
share    5 % wanted, 5 % read back, 5.0 % of the requests
time     17 min 20 s since the start, 2 min 40 s left here
now      baking
+------------------------------------------------------------------------------------------------------+
|   | check    | value | rule                                                  |       n | minutes over|
|---+----------+-------+-------------------------------------------------------+---------+-------------|
|ok | GATE-01  |   0 % | error rate < 0.1 %                                    |  44,000 |             |
|ok | GATE-02  | 90 ms | p95 < 200 ms                                          |  42,000 |             |
|ok | GATE-03  |  12 % | CPU < 70 %                                            |       - |             |
|ok | GATE-04  |  40 % | memory < 80 %                                         |       - |             |
|ok | SHARE    |   5 % | observed share = 5 %                                  | 840,000 |             |
|ok | BALANCER |   0 % | load balancer errors above their level before < 0.1 % | 840,000 |             |
|ok | TRIG-01  |   0 % | error rate > 1 %                                      |   3,000 | 0/5         |
|ok | TRIG-02  | 90 ms | p95 > 500 ms                                          |   3,000 | 0/5         |
|ok | TRIG-03  |   4 % | CPU > 90 %                                            |       - | 0/10        |
|ok | TRIG-04  |  40 % | memory > 95 %                                         |       - | 0/5         |
|ok | TRIG-05  |   0 % | failing targets > 50 %                                |       2 | 0/3         |
+------------------------------------------------------------------------------------------------------+
"""


@pytest.fixture(scope="module")
def good_ticks(tmp_path_factory: pytest.TempPathFactory) -> list[Tick]:
    """Every tick of a good release."""
    return ticks_of(Desk(tmp_path_factory.mktemp("good")))


def ticks_of(desk: Desk) -> list[Tick]:
    desk("run")
    return desk.connection.ticks


def drawn(tick: Tick, *, ascii_only: bool = True, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(render(view_of(tick, "shop-api"), ascii_only=ascii_only))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def at(ticks: list[Tick], state: State, number: int = 0) -> Tick:
    return [tick for tick in ticks if tick.record.state is state][number]


class TestTheModel:
    """view_of is a pure function of one tick."""

    def test_a_bake(self, good_ticks: list[Tick]) -> None:
        tick = at(good_ticks, State.BAKING, 46)
        view = view_of(tick, "shop-api")

        assert view == view_of(tick, "shop-api")
        assert (view.share_wanted, view.share_observed, view.requests_share) == (5, 5, 5.0)
        assert (view.elapsed_seconds, view.left_seconds) == (1040.0, 160.0)
        assert [line.name for line in view.triggers] == [f"TRIG-0{number}" for number in range(1, 6)]

    def test_the_first_minute_has_no_gate_yet(self, good_ticks: list[Tick]) -> None:
        view = view_of(at(good_ticks, State.BAKING), "shop-api")

        assert view.gates == ()
        assert len(view.triggers) == 5
        assert {line.value for line in view.triggers} == {"-"}

    def test_before_the_first_shift_nothing_is_armed(self, good_ticks: list[Tick]) -> None:
        view = view_of(good_ticks[0], "shop-api")

        assert (view.gates, view.triggers, view.stage) == ((), (), "0 of 4")

    def test_the_last_stage_shows_its_stability_time(self, good_ticks: list[Tick]) -> None:
        view = view_of(at(good_ticks, State.STABILIZING, 10), "shop-api")

        assert view.stage == "4 of 4"
        assert view.left_seconds is not None
        assert 1500 < view.left_seconds < 1920

    def test_the_end_stops_the_clock(self, good_ticks: list[Tick]) -> None:
        last = good_ticks[-1]
        later = replace(last, now=replace(last.now, wall=last.now.wall + 9999))

        assert view_of(later, "shop-api").elapsed_seconds == view_of(last, "shop-api").elapsed_seconds
        assert view_of(last, "shop-api").triggers == ()

    def test_a_trip_shows_its_minutes(self, tmp_path: Path) -> None:
        desk = Desk(tmp_path)
        desk.world.slots["blue"].error_percent = 5.0
        tick = at(ticks_of(desk), State.ROLLING_BACK)

        first = view_of(tick, "shop-api").triggers[0]
        assert (first.value, first.rule, first.n, first.verdict) == ("5 %", "error rate > 1 %", "3,000", Verdict.FAIL)
        assert first.consecutive == "5/5"

    def test_somebody_else_leads(self, good_ticks: list[Tick]) -> None:
        bake = at(good_ticks, State.BAKING, 5)
        view = view_of(Tick(record=bake.record, plan=bake.plan, now=bake.now), "shop-api")

        assert (view.leader, view.share_observed, view.triggers) == ("led by host/1/abc", None, ())
        assert view.note == bake.record.reason

    def test_what_does_not_work_is_the_note(self, good_ticks: list[Tick]) -> None:
        bake = at(good_ticks, State.BAKING, 5)
        assert bake.situation is not None
        outcome = Outcome(SetShare(5), "throttled")

        assert view_of(replace(bake, error="no store"), "s").note == "no store"
        assert view_of(replace(bake, outcomes=(outcome,)), "s").note == "SetShare(candidate=5): throttled"
        assert view_of(replace(bake, situation=replace(bake.situation, errors=("no ecs",))), "s").note == "no ecs"


class TestHolds:
    """A hold shows its reason and how long it may last."""

    def held(self, **more: object) -> Record:
        hold = Hold(
            reason="paused",
            verdict=Verdict.PASS,
            since=START,
            since_monotonic=0.0,
            epoch=0,
            seconds_max=900.0,
        )
        return worlds.record(State.HOLDING, hold=hold, stage=0, **more)

    def test_it_is_measured_on_the_leaders_clock(self) -> None:
        now = worlds.instant(500, monotonic=300)

        assert seconds_left(self.held(), worlds.PLAN, now) == 600
        assert seconds_left(self.held(epoch=2), worlds.PLAN, now) == 400

    def test_it_is_drawn(self) -> None:
        tick = Tick(record=self.held(), plan=worlds.PLAN, now=worlds.instant(300))

        assert "hold     paused (rolled back in 10 min unless answered)" in drawn(tick)

    def test_words_without_a_hold(self) -> None:
        record = worlds.record(State.HOLDING, reason="why", share_verified=5)

        assert where(record) == "Holding with 5 % of the customers on blue: why"
        assert seconds_left(record, worlds.PLAN, worlds.instant(0)) is None

    def test_ends_have_neither_leader_nor_future(self) -> None:
        record = worlds.record(State.ABORTED_EXTERNALLY, reason="taken away")

        assert (leader(record), what_next(record, worlds.PLAN)) == ("", "")
        assert where(record) == "Rolled back by somebody else, green has all customers: taken away"

    def test_a_start_that_waits_for_a_person(self) -> None:
        record = worlds.record(State.READY, confirm=True)

        assert what_next(record, worlds.PLAN) == "it waits for `rollout confirm`"


class TestDrawing:
    """rich draws the model; golden where the terminal is poor."""

    def test_a_bake_in_ascii(self, good_ticks: list[Tick]) -> None:
        picture = drawn(at(good_ticks, State.BAKING, 46))

        assert picture == BAKING
        assert picture.isascii()

    def test_a_bake_with_marks(self, good_ticks: list[Tick]) -> None:
        picture = drawn(at(good_ticks, State.BAKING, 46), ascii_only=False)

        assert picture.count("✔") == 11
        assert "─" in picture

    def test_a_narrow_terminal_keeps_the_values(self, good_ticks: list[Tick]) -> None:
        picture = drawn(at(good_ticks, State.BAKING, 46), width=70)

        assert max(len(line) for line in picture.splitlines()) <= 70
        for value in ("44,000", "840,000", "90 ms", "0/10", "BALANCER"):
            assert value in picture

    def test_without_a_table(self, good_ticks: list[Tick]) -> None:
        assert drawn(good_ticks[0]).splitlines()[-1].startswith("now ")

    @pytest.mark.parametrize(("encoding", "expected"), [("ascii", True), ("latin-1", True), ("utf-8", False)])
    def test_the_encoding_decides(self, encoding: str, expected: bool) -> None:
        console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding=encoding))

        assert is_ascii(console) is expected


class FakeTerminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class TestWhereItGoes:
    """Live in a terminal, sentences everywhere else."""

    @pytest.mark.parametrize(
        ("variables", "log_format", "expected"),
        [
            ({}, "text", True),
            ({"TERM": "xterm"}, "text", True),
            ({"TERM": "dumb"}, "text", False),
            ({"CI": "true"}, "text", False),
            ({"CI": "0"}, "text", True),
            ({}, "json", False),
        ],
    )
    def test_a_person_at_a_terminal(self, variables: dict[str, str], log_format: str, expected: bool) -> None:
        assert wants_screen(FakeTerminal(), variables, log_format) is expected
        assert not wants_screen(io.StringIO(), variables, log_format)

    def test_the_reporter_fits(self) -> None:
        assert isinstance(progress(FakeTerminal(), {}, service="s", log_format="text"), Screen)
        assert isinstance(progress(io.StringIO(), {}, service="s", log_format="text"), Lines)

    def test_no_color_is_honoured(self, good_ticks: list[Tick]) -> None:
        """Cursor movements are allowed, colours are not."""
        stream = FakeTerminal()
        variables = {"NO_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "50"}
        with progress(stream, variables, service="shop-api", log_format="text") as tell:
            tell(at(good_ticks, State.BAKING, 46))

        assert "GATE-01" in stream.getvalue()
        assert "\x1b[32m" not in stream.getvalue()

    def test_at_most_five_repaints_a_second(self, good_ticks: list[Tick]) -> None:
        """Ticks arrive 50 times a second here; every sentence is printed all the same."""
        stream = FakeTerminal()
        times = iter(range(10_000))
        console = Console(file=stream, width=120, height=50, _environ={"TERM": "xterm"})
        screen = Screen(console, service="shop-api", seconds=lambda: next(times) / 200)
        with screen as tell:
            for tick in good_ticks:
                tell(tick)

        seconds = next(times) / 200
        assert 2 <= screen.repaints <= seconds * 5 + 2
        assert "Advance shop-api: 25 % to blue, read back" in stream.getvalue()
        assert "Complete shop-api" in stream.getvalue()

    def test_a_screen_without_a_tick(self) -> None:
        with Screen(Console(file=FakeTerminal(), _environ={}), service="s") as screen:
            assert screen.repaints == 0


class TestSentences:
    """A tick that repeats what was said is silent."""

    def test_the_same_tick_twice(self, good_ticks: list[Tick]) -> None:
        ready = next(tick for tick in good_ticks if tick.decision and tick.decision.event == "CANDIDATE_READY")

        assert len(sentences(ready, good_ticks[0], "s")) == 1
        assert sentences(ready, ready, "s") == ()

    def test_every_event_has_a_sentence(self) -> None:
        """WAIT says nothing; INVARIANT_BROKEN is the engine's own."""
        assert set(_BY_EVENT) == {str(event) for event in Event} - {"WAIT"} | {"INVARIANT_BROKEN"}

    def test_a_candidate_that_has_customers_too_early(self, tmp_path: Path) -> None:
        desk = Desk(tmp_path)
        desk.world.at(30, lambda world: world.set_share(30, "somebody"))
        ticks = ticks_of(desk)
        exposed = next(tick for tick in ticks if tick.decision and tick.decision.event == "CANDIDATE_EXPOSED")

        assert [said.text for said in sentences(exposed, ticks[ticks.index(exposed) - 1], "shop-api")] == [
            "Roll back shop-api: the candidate already has 30 % of the customers before the first shift; "
            "the customers are taken back"
        ]

    def test_an_event_that_nobody_thought_of(self, good_ticks: list[Tick]) -> None:
        bake = at(good_ticks, State.BAKING, 5)
        assert bake.decision is not None
        odd = replace(bake, decision=replace(bake.decision, event="ODD", reason="something {strange}"))

        assert [said.text for said in sentences(odd, bake, "s")] == ["Notice s: something {strange}"]

    def test_a_rollout_that_nobody_leads(self, good_ticks: list[Tick]) -> None:
        bake = at(good_ticks, State.BAKING, 5)
        tick = Tick(record=replace(bake.record, owner=""), plan=bake.plan, now=bake.now)

        assert [said.text for said in sentences(tick, None, "s")] == [
            f"Follow s: nobody leads yet; {bake.record.rollout_id} is BAKING with 5 % on blue"
        ]
        assert sentences(tick, tick, "s") == ()
