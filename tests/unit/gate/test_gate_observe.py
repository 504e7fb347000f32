"""What a step may record, and where it stops."""

from __future__ import annotations

import pytest

from gate.observe import Observe
from gate.recorder import Recorder, as_json, sentence
from gate.verdicts import NotPassed
from rollout.model import Basis, Observation, Verdict


def seen(name: str, verdict: str, **fields: object) -> Observation:
    return Observation(name=name, value=1, verdict=Verdict(verdict), time=0.0, **fields)


def test_all_that_a_probe_returned_is_kept_before_the_step_stops() -> None:
    """The worst decides; what came after it is not lost."""
    observe = Observe(Recorder())

    with pytest.raises(NotPassed) as stopped:
        observe.add(seen("a", "PASS"), seen("b", "NO_DATA"), seen("c", "FAIL", message="c is over"), seen("d", "PASS"))

    assert (stopped.value.verdict, stopped.value.message) == (Verdict.FAIL, "c is over")
    assert [entry["name"] for entry in observe.seen] == ["a", "b", "c", "d"]


def test_a_pass_lets_the_step_go_on_and_is_kept() -> None:
    """Evidence is what was seen, on PASS too."""
    observe = Observe(Recorder())

    observe("days left", 41, verdict=Verdict.PASS, limit=30, basis="artefact")

    assert [(o["value"], o["limit"], o["basis"], o["clock"]) for o in observe.seen] == [(41, 30, "artefact", "real")]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, TypeError),
        ({"verdict": "FINE"}, ValueError),
        ({"verdict": "PASS", "basis": "hearsay"}, ValueError),
        ({"verdict": "PASS", "colour": "blue"}, TypeError),
        ({"verdict": "PASS", "n": -1}, ValueError),
        ({"verdict": "PASS", "clock": "virtual"}, ValueError),
    ],
)
def test_a_field_that_is_wrong_is_said_at_once(fields, error) -> None:
    """A step that records nonsense breaks where it does so."""
    with pytest.raises(error):
        Observe(Recorder())("days left", 41, **fields)


def test_a_pass_must_be_earned() -> None:
    """Zero samples pass nothing, imitations pass nothing outside the sandbox; a FAIL stays one."""
    nothing = seen("errors", "PASS", n=0)
    imitation = seen("blocked", "PASS", basis=Basis.EMULATED)

    for environment, observation, verdict in (
        ("sandbox", nothing, Verdict.NO_DATA),
        ("production", imitation, Verdict.NO_DATA),
        ("production", seen("errors", "FAIL", n=0, basis=Basis.EMULATED), Verdict.FAIL),
    ):
        with pytest.raises(NotPassed) as stopped:
            Observe(Recorder(environment=environment)).add(observation)
        assert stopped.value.verdict is verdict
    Observe(Recorder()).add(imitation)


def test_the_sentence_says_what_the_fields_say() -> None:
    """Where a probe gave no message of its own."""
    observation = seen("p95", "FAIL", limit=200, unit="ms", n=1204, window_seconds=900.0, source="CloudWatch")

    assert sentence(observation) == "p95 1 ms, limit 200 ms, n=1204, window 900 s, CloudWatch"


def test_values_become_plain_json() -> None:
    """Sets are ordered, infinities are words, objects are their text."""
    value = {"zones": {"b", "a"}, "rate": float("inf"), "pair": (1, None), Verdict.PASS: Verdict.FAIL}
    observation = Observation(name="x", value=value, verdict=Verdict.PASS, time=0.0)

    assert as_json(observation)["value"] == {"zones": ["a", "b"], "rate": "inf", "pair": [1, None], "PASS": "FAIL"}
