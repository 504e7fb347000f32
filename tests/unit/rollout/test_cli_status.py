"""`rollout status`, `history` and `explain`: what people and programs are told."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_world import KEY, Desk

from rollout.cli.exits import Exit
from rollout.errors import SourceError
from rollout.record import State


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def left_in(desk: Desk, state: State, *, vanish: bool = False) -> None:
    """A rollout that its controller left in this state, in order or without a word."""

    def leave() -> None:
        if vanish:
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    desk.when(state, leave)
    desk("run")
    desk.connection.on_tick = lambda: None


class TestStatus:
    """Where it is, what happens next, who leads."""

    def test_nothing_was_ever_released(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        assert desk("status") == Exit.DONE
        assert desk("status", "--json") == Exit.DONE

        assert capsys.readouterr().out == "No rollout is on record in sandbox.\n{}\n"

    def test_a_bake_in_words(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        """Golden: everything a person at night needs, without a controller."""
        left_in(desk, State.BAKING)
        capsys.readouterr()

        assert desk("status") == Exit.RUNNING

        out = re.sub(r"revision \d+\.\d+", "revision N", capsys.readouterr().out)
        assert out.splitlines() == [
            "shop-api 1.0.0 (green) -> 1.1.0 (blue)",
            "Rollout 1800000000-blue-cccccccccccc is BAKING, stage 1 of 4.",
            "5 % of the customers are on blue, 5 % wanted.",
            "Next: the gates are read at 2027-01-15 08:20:00Z at the earliest; a PASS moves 25 %.",
            "Leader: nobody leads it; last change 2027-01-15 08:02:20Z, 0 s ago (revision N).",
            "Go on with `rollout run`, or take traffic back with `rollout rollback --reason ...`.",
        ]

    def test_a_leader_and_a_request_are_named(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        left_in(desk, State.BAKING, vanish=True)
        desk("pause", "--reason", "lunch")
        capsys.readouterr()
        desk.world.advance(125)

        assert desk("status") == Exit.RUNNING

        out = capsys.readouterr().out
        assert "Leader: led by host/1/abc; last change 2027-01-15 08:02:20Z, 2 min 5 s ago" in out
        assert "Asked for and not yet answered: pause by ada." in out
        assert "Go on with" not in out

    def test_without_a_journal_the_record_is_enough(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left_in(desk, State.BAKING)
        monkeypatch.setattr(desk.connection.store, "journal", _no_answer)

        assert desk("status") == Exit.RUNNING
        assert "last change 2027-01-15 08:02:20Z" in capsys.readouterr().out

    def test_the_end_has_no_next(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk("run")
        capsys.readouterr()

        assert desk("status") == Exit.DONE
        out = capsys.readouterr().out
        assert "Ended 2027-01-15 09:08:20Z, 1 h 8 min in all." in out
        assert "Next" not in out

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            (State.PREPARING, "Next: when blue is healthy, 5 % of the customers move."),
            (State.READY, "Next: the first shift follows."),
            (State.SHIFTING, "Next: 5 % has to be read back from the listener."),
            (State.STABILIZING, "Next: the old side is retired at 2027-01-15 09:03:00Z at the earliest, if no trigger"),
            (State.RETIRING, "Next: green is scaled down when nothing leads to it any more."),
            (State.SETTLING, "Next: it ends at 2027-01-15 09:08:20Z at the earliest."),
        ],
    )
    def test_what_follows_each_state(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], state: State, words: str
    ) -> None:
        left_in(desk, state, vanish=True)
        capsys.readouterr()

        assert desk("status") == Exit.RUNNING
        assert words in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("state", "code", "words"),
        [
            (State.HOLDING, Exit.HOLDING, "without an answer it is rolled back at 2027-01-15 08:"),
            (State.ROLLING_BACK, Exit.RUNNING, "green has to be read back with all customers"),
            (State.VERIFYING, Exit.RUNNING, "the health of green has to be verified"),
            (State.CLEANING, Exit.ROLLED_BACK, "blue is scaled down"),
            (State.SETTLING_BACK, Exit.ROLLED_BACK, "it ends at 2027-01-15 08:"),
        ],
    )
    def test_what_follows_on_the_way_back(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], state: State, code: Exit, words: str
    ) -> None:
        desk.world.slots["blue"].error_percent = 5.0
        if state is State.HOLDING:
            desk.world.at(150, lambda world: _pause(desk))
        left_in(desk, state, vanish=True)
        capsys.readouterr()

        assert desk("status") == code
        assert words in capsys.readouterr().out

    def test_for_a_program(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        left_in(desk, State.BAKING)
        capsys.readouterr()

        assert desk("status", "--json") == Exit.RUNNING

        document = json.loads(capsys.readouterr().out)
        assert document["state"] == "BAKING"
        assert (document["stage"], document["stages"], document["share_verified"]) == (1, 4, 5)
        assert document["from"] == {"slot": "green", "version": "1.0.0"}
        assert document["to"]["slot"] == "blue"
        assert document["exit_code"] == 13
        assert document["hold"] is None

    def test_waiting_for_the_end(self, desk: Desk) -> None:
        left_in(desk, State.BAKING)
        engine = desk.connection.engine()
        desk.connection.clock.on_wait = lambda: _tick_on(desk, engine.tick)

        assert desk("status", "--wait") == Exit.DONE
        engine._outbox.close(1.0)

    def test_waiting_has_an_end(self, desk: Desk) -> None:
        left_in(desk, State.BAKING)

        assert desk("status", "--wait", "--timeout", "0.05") == Exit.RUNNING


def _pause(desk: Desk) -> None:
    desk("pause", "--reason", "lunch")


def _no_answer(*_: object) -> None:
    raise SourceError("the journal does not answer")


def _tick_on(desk: Desk, tick: Callable[[str], object]) -> None:
    desk.world.advance(20)
    tick(KEY)
