"""`rollout history` and `rollout explain`: what was, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_world import Desk, chained

from rollout.cli.exits import Exit
from rollout.cli.explain import as_line, first_cause, story


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


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
        assert lines[2] == f"First cause, 2027-01-15 08:07:20Z in BAKING: TRIGGER_TRIPPED, {tripped}."
        assert lines[3] == f"  decided by: {tripped}"
        assert "  2027-01-15 08:07:20Z ROLLING_BACK: SetShare(candidate=0)" in lines
        assert lines[-2] == "Way back: decided 2027-01-15 08:07:20Z by engine, verified after 1 min 20 s."
        assert lines[-1].startswith("Journal: ")
        assert lines[-1].endswith("entries, the chain of hashes is intact.")

    def test_a_good_release_shows_its_passes(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk("run")
        capsys.readouterr()

        assert desk("explain", desk.record.rollout_id) == Exit.DONE
        out = capsys.readouterr().out
        assert "Cause: nothing stood in its way." in out
        assert "Passed 5 %, 2027-01-15 08:03:00Z to 2027-01-15 08:18:00Z:\n  PASS GATE-01 0 %" in out

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
        desk.world.slots["blue"].error_percent = 5.0
        desk("run")
        entries = desk.connection.store.journals[desk.record.rollout_id]
        entries[5]["payload"]["reason"] = "nothing happened"
        capsys.readouterr()

        assert desk("explain") == Exit.BAD_INPUT
        out, err = capsys.readouterr()
        assert "Journal: journal entry 6: its content was changed after it was written." in out
        assert "tampered with or is incomplete" in err

    def test_a_journal_that_was_cut_off_shows(self, desk: Desk) -> None:
        desk.world.slots["blue"].error_percent = 5.0
        desk("run")
        desk.connection.store.journals[desk.record.rollout_id].pop()

        assert desk("explain") == Exit.BAD_INPUT

    def test_the_whole_journal(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        desk("run", "--wait-seconds", "0")
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
