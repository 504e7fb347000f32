"""What a rehearsal left behind, as scenarios read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rehearsal_documents import (
    FACTOR,
    MONOTONIC,
    START,
    changed,
    decision,
    made,
    put,
    release,
    request,
    seen,
    taken_back,
)

from probes.stream_record import Outcome
from rehearsal.result import RESULT_FILE, ClockLine, Result, observation_from
from rollout.model import Basis, Verdict


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    document = taken_back()
    result = made(tmp_path, document)

    assert (result.error, result.seconds, result.exit_code) == ("", 60.0, 0)
    assert (result.record, result.plan, result.facts) == (document["record"], document["plan"], document["facts"])
    assert (result.journal, result.operations) == (document["journal"], document["operations"])
    assert (result.alerts, result.run) == (document["alerts"], "run")
    assert result.clock == ClockLine(monotonic=MONOTONIC, virtual=START, factor=FACTOR)


def test_a_rehearsal_that_broke_says_why(tmp_path: Path) -> None:
    """Its document holds nothing else."""
    result = made(tmp_path, {"error": "RehearsalError: waited 60 s in vain", "seconds": 61.5})

    assert result.error == "RehearsalError: waited 60 s in vain"
    assert (result.exit_code, result.rollout, result.planted, result.requests) == (None, None, {}, ())
    assert result.facts == {}
    assert result.ending == "the rollout ended in nothing on record: "


def test_a_result_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Result(tmp_path)


def test_the_end_in_the_engines_words(tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "bad").mkdir()

    assert made(tmp_path / "good", release()).ending == "the rollout ended in COMPLETED: still so after 300 s"
    assert made(tmp_path / "bad", taken_back()).ending.startswith("the rollout ended in ROLLED_BACK: FAIL TRIG-01")


def test_requests_are_in_the_order_in_which_they_were_meant_to_leave(tmp_path: Path) -> None:
    sent = [request(2, 30, "green"), request(0, 60, "blue"), request(1, 0, "green")]

    assert [record.sequence for record in made(tmp_path, release(), sent).requests] == [1, 2, 0]


def test_a_rollout_as_the_results_tell_it(tmp_path: Path) -> None:
    sent = [
        request(0, 0, "green"),
        request(1, 10, "", Outcome.REFUSED),
        request(2, 20, "", Outcome.NOT_SENT),
    ]

    assert made(tmp_path, release(), sent).rollout == {
        "id": "r1",
        "from": "1.0.0",
        "to": "1.1.0",
        "outcome": "COMPLETED",
        "started": "2027-01-15T08:00:00.000+00:00",
        "finished": "2027-01-15T08:56:00.000+00:00",
        "requests_sent": 2,
        "requests_failed": 1,
        "void": None,
    }


def test_a_rollout_without_an_end(tmp_path: Path) -> None:
    rollout = made(tmp_path, changed(release(), put("record", "finished_at", value=None))).rollout

    assert rollout is not None
    assert (rollout["finished"], rollout["requests_sent"]) == (None, 0)


def test_observations_by_topic(tmp_path: Path) -> None:
    document = release()
    document["observations"] = {"database back": [seen("component", basis="emulated"), seen("other", "FAIL")]}
    result = made(tmp_path, document)

    assert [one.verdict for one in result.observations("database back")] == [Verdict.PASS, Verdict.FAIL]
    assert result.observations("database back")[0].basis is Basis.EMULATED
    (nothing,) = result.observations("cache back")
    assert (nothing.verdict, nothing.value) == (Verdict.NO_DATA, None)
    assert "nothing was probed under 'cache back'" in nothing.message


def test_an_observation_needs_a_known_verdict() -> None:
    with pytest.raises(ValueError, match="MAYBE"):
        observation_from(seen("a", "MAYBE"))


@pytest.mark.parametrize(
    ("event", "to", "times"),
    [
        (None, None, [1, 2, 3]),
        ("WAIT", None, [1, 3]),
        (None, "VERIFYING", [2]),
        ("WAIT", "BAKING", [1]),
        ("WAIT", "VERIFYING", []),
    ],
)
def test_decisions_are_found_by_event_and_goal(
    event: str | None, to: str | None, times: list[int], tmp_path: Path
) -> None:
    """Outcomes and changes of the lead are no decisions."""
    document = release()
    document["journal"] = [
        decision(1, "WAIT", "BAKING", "BAKING"),
        {"payload": {"kind": "outcome", "time": START + 1}},
        {"payload": {"kind": "lease", "time": START + 1}},
        decision(2, "SWITCHED", "ROLLING_BACK", "VERIFYING"),
        decision(3, "WAIT", "SETTLING", "SETTLING"),
    ]

    assert [found["time"] - START for found in made(tmp_path, document).decisions(event=event, to=to)] == times


def test_the_first_reading_stays(tmp_path: Path) -> None:
    """A result is a fact: what is read once is not read anew."""
    result = made(tmp_path, release())
    (tmp_path / RESULT_FILE).write_text(json.dumps({"seconds": 0}))

    assert result.seconds == 60.0


@given(st.floats(0, 1e6), st.floats(1e9, 2e9), st.floats(0.5, 600), st.floats(-1e5, 1e5))
def test_the_two_clocks_lead_to_each_other(monotonic: float, virtual: float, factor: float, since: float) -> None:
    line = ClockLine(monotonic=monotonic, virtual=virtual, factor=factor)

    assert line.virtual_at(line.monotonic_at(virtual + since)) == pytest.approx(virtual + since, abs=1e-3)
    assert line.monotonic_at(virtual) == monotonic
    assert line.monotonic_at(virtual + factor) - monotonic == pytest.approx(1.0, abs=1e-3)
