"""How verdicts rank, and what a run is called."""

from __future__ import annotations

import pytest

from evidence.verdicts import BADNESS, WEAKNESS, causes, decide_run, rank, weakest, worst
from rollout.model import Basis, Verdict


def scenario(name: str, verdict: str, blocked_by: str | None = None) -> dict:
    return {"id": name, "name": name, "verdict": verdict, "blocked_by": blocked_by}


def test_every_word_has_its_rank() -> None:
    """A verdict that is added to the model and not ranked is found here."""
    assert set(BADNESS) == set(Verdict)
    assert set(WEAKNESS) == set(Basis)
    assert rank("FAIL") < rank("SOURCE_ERROR") < rank("NO_DATA") < rank("LOW_SAMPLE") < rank("BLOCKED") < rank("PASS")


def test_nothing_seen_is_no_data() -> None:
    """The absence of evidence never equals success."""
    assert worst([]) is Verdict.NO_DATA
    assert worst(["PASS", "WAIVED", "LOW_SAMPLE"]) is Verdict.LOW_SAMPLE
    assert weakest([]) is None
    assert weakest(["live", "emulated", "artefact"]) is Basis.EMULATED
    with pytest.raises(ValueError, match="GREEN"):
        worst(["GREEN"])


def test_consequences_are_no_causes() -> None:
    """A blocked scenario counts only where nothing in the run blocked it; a deferral only where it blocked."""
    seen = [
        scenario("a", "LOW_SAMPLE"),
        scenario("b", "BLOCKED", "a"),
        scenario("c", "BLOCKED", "actionlint"),
        scenario("d", "DEFERRED"),
        scenario("e", "DEFERRED"),
        scenario("f", "BLOCKED", "e"),
        scenario("g", "PASS"),
    ]

    assert [cause["id"] for cause in causes(seen)] == ["a", "c", "e"]


RUNS = [
    (["PASS"], {}, ("rehearsal-passed", 0)),
    (["PASS"], {"environment": "production"}, ("go", 0)),
    (["PASS"], {"whole": False}, ("partial", 0)),
    (["PASS"], {"whole": False, "environment": "production"}, ("partial", 0)),
    (["PASS", "DEFERRED"], {}, ("rehearsal-passed", 0)),
    (["PASS", "WAIVED", "NOT_APPLICABLE"], {}, ("rehearsal-passed", 0)),
    (["DEFERRED"], {}, ("no-go", 6)),
    (["PASS", "FAIL"], {}, ("no-go", 1)),
    (["FAIL"], {"whole": False}, ("no-go", 1)),
    (["NO_DATA", "LOW_SAMPLE", "SOURCE_ERROR", "PASS"], {}, ("no-go", 6)),
    (["NO_DATA", "FAIL"], {}, ("no-go", 1)),
    (["NO_DATA"], {"environment": "production"}, ("no-go", 6)),
    ([], {}, ("partial", 5)),
    (["PASS"], {"interrupted": True}, ("partial", 2)),
    (["PASS", "FAIL"], {"interrupted": True}, ("no-go", 2)),
    ([], {"interrupted": True}, ("partial", 2)),
]


@pytest.mark.parametrize(("verdicts", "how", "expected"), RUNS, ids=[f"{'+'.join(r[0])} {r[1]}" for r in RUNS])
def test_a_run_is_decided_by_what_stands_in_its_way(verdicts, how, expected) -> None:
    """contracts.md, sections 1 and 3."""
    scenarios = [scenario(str(number), verdict) for number, verdict in enumerate(verdicts)]

    decision = decide_run(scenarios, **{"environment": "sandbox", "whole": True, **how})

    assert (decision.verdict, decision.exit_code) == expected
    assert decision.sentence


def test_the_sentence_names_the_worst_cause_that_decides() -> None:
    """An undecided scenario is not the reason of a no-go."""
    seen = [scenario("thin", "NO_DATA"), scenario("bad", "FAIL")]

    assert decide_run(seen, environment="sandbox", whole=True).sentence == "no-go: bad is FAIL and 1 more"
