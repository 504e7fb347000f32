"""`rollout status`, `history` and `explain`: what people and programs are told."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_world import KEY, Desk, chained

from rollout.cli.exits import Exit
from rollout.cli.explain import as_line, first_cause, story
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
    desk.connection.clock.on_wait = lambda: None


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
            "Next: the gates are read at 2027-01-15 08:19:00Z at the earliest; a PASS moves 25 %.",
            "Leader: nobody leads it; last change 2027-01-15 08:01:40Z, 0 s ago (revision N).",
            "Go on with `rollout run`, or take traffic back with `rollout rollback --reason ...`.",
        ]

    def test_a_leader_and_a_request_are_named(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        left_in(desk, State.BAKING, vanish=True)
        desk("pause", "--reason", "lunch")
        capsys.readouterr()
        desk.world.advance(125)

        assert desk("status") == Exit.RUNNING

        out = capsys.readouterr().out
        assert "Leader: led by host/1/abc; last change 2027-01-15 08:01:20Z, 2 min 25 s ago" in out
        assert "Asked for and not yet answered: pause by ada." in out
        assert "Go on with" not in out

    def test_without_a_journal_the_record_is_enough(
        self, desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left_in(desk, State.BAKING)
        monkeypatch.setattr(desk.connection.store, "journal", _no_answer)

        assert desk("status") == Exit.RUNNING
        assert "last change 2027-01-15 08:01:20Z" in capsys.readouterr().out

    def test_the_end_has_no_next(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk("run")
        capsys.readouterr()

        assert desk("status") == Exit.DONE
        out = capsys.readouterr().out
        assert "Ended 2027-01-15 09:07:40Z, 1 h 7 min in all." in out
        assert "Next" not in out

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            (State.PREPARING, "Next: when blue is healthy, 5 % of the customers move."),
            (State.READY, "Next: the first shift follows."),
            (State.SHIFTING, "Next: 5 % has to be read back from the listener."),
            (State.STABILIZING, "Next: the old side is retired at 2027-01-15 09:02:00Z at the earliest, if no trigger"),
            (State.RETIRING, "Next: green is scaled down when nothing leads to it any more."),
            (State.SETTLING, "Next: it ends at 2027-01-15 09:07:40Z at the earliest."),
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
            desk.world.at(90, lambda world: _pause(desk))
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


class TestHistory:
    """Past rollouts with their outcome."""

    def test_none(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        assert desk("history") == Exit.DONE
        assert capsys.readouterr().out == "No rollout is on record in sandbox.\n"

    def test_the_newest_first(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk.world.slots["blue"].error_percent = 5.0
        desk("run", "--drill")
        desk.world.slots["blue"].error_percent = 0.0
        desk("run")
        capsys.readouterr()

        assert desk("history") == Exit.DONE
        head, second, first = capsys.readouterr().out.splitlines()
        assert head.split() == ["ROLLOUT", "STARTED", "TOOK", "VERSIONS", "OUTCOME", "REASON"]
        assert "completed" in second
        assert "13 min 40 s  1.0.0 (green) -> 1.1.0 (blue)  rolled back (drill)  FAIL TRIG-01 5 %" in first
        assert first.endswith("...")

        assert desk("history", "--json") == Exit.DONE
        rows = json.loads(capsys.readouterr().out)
        assert [(row["outcome"], row["drill"]) for row in rows] == [("completed", False), ("rolled back", True)]
        assert rows[1]["seconds"] == 820


class TestExplain:
    """The first cause, the deciding samples, what was done, and whether the journal is intact."""

    def test_a_rollback(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk.world.slots["blue"].error_percent = 5.0
        desk("run")
        capsys.readouterr()

        assert desk("explain") == Exit.DONE

        tripped = "FAIL TRIG-01 5 %, error rate > 1 %, n=3000, 5 of 5 consecutive minutes over"
        lines = capsys.readouterr().out.splitlines()
        assert lines[1] == "Outcome: rolled back; started 2027-01-15 08:00:00Z, 13 min 40 s in all."
        assert lines[2] == f"First cause, 2027-01-15 08:06:20Z in BAKING: TRIGGER_TRIPPED, {tripped}."
        assert lines[3] == f"  decided by: {tripped}"
        assert "  2027-01-15 08:06:20Z ROLLING_BACK: SetShare(candidate=0)" in lines
        assert lines[-2] == "Way back: decided 2027-01-15 08:06:20Z by engine, verified after 2 min."
        assert lines[-1].startswith("Journal: ")
        assert lines[-1].endswith("entries, the chain of hashes is intact.")

    def test_a_good_release_shows_its_passes(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk("run")
        capsys.readouterr()

        assert desk("explain", desk.record.rollout_id) == Exit.DONE
        out = capsys.readouterr().out
        assert "Cause: nothing stood in its way." in out
        assert "Passed 5 %, 2027-01-15 08:02:00Z to 2027-01-15 08:17:00Z:\n  PASS GATE-01 0 %" in out

    def test_an_earlier_rollout_by_its_name(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk.world.slots["blue"].error_percent = 5.0
        desk("run")
        first = desk.record.rollout_id
        desk.world.slots["blue"].error_percent = 0.0
        desk("run", "--wait-seconds", "0")
        capsys.readouterr()

        assert desk("explain", first) == Exit.DONE
        assert f"Rollout {first}" in capsys.readouterr().out
        assert desk("explain", "nonsense") == Exit.BAD_INPUT
        assert f"no rollout 'nonsense' is on record. On record are: {first}." in capsys.readouterr().err

    def test_none(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        assert desk("explain") == Exit.BAD_INPUT
        assert "no rollout is on record in sandbox" in capsys.readouterr().err

    def test_a_changed_past_shows(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk("run")
        entries = desk.connection.store.journals[desk.record.rollout_id]
        entries[5]["payload"]["reason"] = "nothing happened"
        capsys.readouterr()

        assert desk("explain") == Exit.BAD_INPUT
        out, err = capsys.readouterr()
        assert "Journal: journal entry 6: its content was changed after it was written." in out
        assert "tampered with or is incomplete" in err

    def test_a_journal_that_was_cut_off_shows(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk("run")
        desk.connection.store.journals[desk.record.rollout_id].pop()

        assert desk("explain") == Exit.BAD_INPUT

    def test_the_whole_journal(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        left_in(desk, State.BAKING)
        capsys.readouterr()

        desk("explain", "--journal")
        lines = capsys.readouterr().out.splitlines()
        entries = desk.connection.store.journals[desk.record.rollout_id]
        assert lines[-len(entries) :] == [as_line(entry) for entry in entries]
        assert lines[-len(entries)] == "   1 2027-01-15 08:00:00Z lease    PREPARING  host/1/abc leads from nobody"

        desk("explain", "--json")
        assert json.loads(capsys.readouterr().out) == entries

    def test_a_persons_abort_is_a_cause_and_a_thin_bake_is_not(self) -> None:
        payloads = [
            {"event": "GATE_THIN", "verdict": "LOW_SAMPLE"},
            {"kind": "outcome"},
            {"event": "ABORT_REQUESTED", "verdict": "PASS"},
            {"event": "BLIND", "verdict": "NO_DATA"},
        ]

        assert first_cause(chained(payloads)) == payloads[2]
        assert first_cause(chained(payloads[3:])) == payloads[3]
        assert first_cause(chained(payloads[:2])) is None

    def test_an_observation_without_a_sentence(self, desk: Desk) -> None:
        seen = {"verdict": "FAIL", "name": "TRIG-01", "value": 3, "unit": "%"}
        payload = {
            "time": 0.0,
            "state": "BAKING",
            "event": "TRIGGER_TRIPPED",
            "verdict": "FAIL",
            "reason": "r",
            "observations": [seen],
        }

        desk("run", "--wait-seconds", "0")

        lines = story(desk.record, chained([payload]), "", whole=False)

        assert lines[3] == "  decided by: FAIL TRIG-01 3 %"
