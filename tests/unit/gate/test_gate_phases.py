"""Phases in order, alone and on several workers, and what an interrupted run leaves."""

from __future__ import annotations

import os
import signal
import time

import pytest

from gate.phases import PhaseFile, earlier, first_blocker, wait_for
from gate.recorder import ScenarioFacts
from gate.verdicts import NotPassed


def facts(name: str, phase: str) -> ScenarioFacts:
    return ScenarioFacts(
        id=name, feature="f", line=1, name=name, example=None, tags=(), phase=phase, control="PRE-01", steps=()
    )


PRE, DEPLOYMENT, ROLLBACK, POST = (
    facts("pre", "pre"),
    facts("deployment", "deployment"),
    facts("rollback", "rollback"),
    facts("post", "post"),
)


def decided(**verdicts: str) -> dict:
    return {
        name: {"verdict": verdict.split(":")[0], "blocked_by": verdict.partition(":")[2] or None}
        for name, verdict in verdicts.items()
    }


def test_only_selected_earlier_phases_are_waited_for() -> None:
    """A phase that was not selected blocks nothing."""
    assert earlier([POST, PRE, DEPLOYMENT], "post") == [PRE, DEPLOYMENT]
    assert earlier([POST, ROLLBACK], "pre") == []


@pytest.mark.parametrize(
    ("verdicts", "blocker"),
    [
        ({"pre": "PASS", "deployment": "NOT_APPLICABLE"}, None),
        ({"pre": "WAIVED", "deployment": "PASS"}, None),
        ({"pre": "PASS", "deployment": "FAIL"}, "deployment"),
        ({"pre": "DEFERRED", "deployment": "BLOCKED:pre"}, "pre"),
        ({"pre": "LOW_SAMPLE", "deployment": "FAIL"}, "pre"),
        ({"pre": "PASS", "deployment": "BLOCKED:actionlint"}, "deployment"),
    ],
)
def test_the_first_cause_blocks(verdicts, blocker) -> None:
    """Not the consequence; and only PASS, a declared NOT_APPLICABLE and a waiver open."""
    found = first_blocker([PRE, DEPLOYMENT], decided(**verdicts))

    assert (found[0].id if found else None) == blocker


def test_waiting_has_an_end(tmp_path) -> None:
    """A deadline, and a run that stopped, both end it with NO_DATA; half a line is left for later."""
    state = PhaseFile(tmp_path)
    with pytest.raises(NotPassed, match=r"not decided within 0\.05 s"):
        wait_for(state, [PRE], 0.05)
    state.decide({"id": "pre", "verdict": "PASS", "blocked_by": None})
    (tmp_path / "phases.jsonl").open("a").write('{"id": "depl')

    assert list(wait_for(state, [PRE], 1)) == ["pre"]

    (tmp_path / "phases.jsonl").write_text('{"stop": true}\n')
    with pytest.raises(NotPassed, match="the run stopped before 'pre' was decided"):
        wait_for(state, [PRE], 60)


@pytest.fixture
def four_phases(project):
    """Two scenarios in each phase; the second of deployment is thin."""
    for directory, control, verdict in (
        ("pre_deployment", "PRE-01", "PASS"),
        ("deployment", "DUR-01", "LOW_SAMPLE"),
        ("rollback", "RB-01", "PASS"),
        ("emergency", "POST-01", "PASS"),
    ):
        project.feature(
            directory,
            (f"@{control}", f"{directory} one", "Then days left is PASS"),
            (f"@{control}", f"{directory} two", f"Then days left is {verdict}"),
        )
    return project


def test_later_phases_are_blocked_and_name_the_cause(four_phases) -> None:
    """Blocked scenarios make no fixture and run no step; the run is not decidable, since nothing failed."""
    code, output = four_phases.run()

    assert code == 6
    blocked = [s for s in four_phases.results()["scenarios"] if s["verdict"] == "BLOCKED"]
    assert [s["name"] for s in blocked] == ["rollback one", "rollback two", "emergency one", "emergency two"]
    assert {s["blocked_by"] for s in blocked} == {"features/deployment/sheet.feature::test_deployment_two"}
    assert {step["verdict"] for s in blocked for step in s["steps"]} == {"BLOCKED"}
    assert len(four_phases.ran) == 4
    assert "blocked by the deployment phase: DUR-01 'deployment two' is LOW_SAMPLE" in output


def test_blocking_can_be_switched_off_for_defects(four_phases) -> None:
    """A planted defect wants every red scenario, not the first."""
    code, _ = four_phases.run("--no-phase-blocking")

    assert code == 6
    assert sorted(four_phases.verdicts().values()) == ["LOW_SAMPLE"] + ["PASS"] * 7


def test_a_phase_that_was_not_selected_blocks_nothing(four_phases) -> None:
    """`-m post` judges the post phase alone."""
    assert four_phases.run("-m", "post or rollback")[0] == 0
    assert set(four_phases.verdicts("latest-partial").values()) == {"PASS"}


def test_a_deferral_opens_nothing_but_the_last_phase_needs_nothing_opened(project) -> None:
    """In post it stands in nobody's way; before, it blocks and the run is no-go."""
    project.feature(
        "post_deployment",
        ("@POST-01", "All is tested", "Then days left is PASS"),
        ("@POST-02", "The review is held", "Then it is for later"),
    )

    assert project.run()[0] == 0

    project.feature("pre_deployment", ("@PRE-01", "Known later", "Then it is for later"))

    assert project.run()[0] == 1
    assert project.verdicts()["All is tested"] == "BLOCKED"


def without_time(results: dict) -> dict:
    """The results without what two runs may differ in."""
    moving = ("run_id", "started", "finished", "selection")
    kept = {name: value for name, value in results.items() if name not in moving}
    for scenario in kept["scenarios"]:
        scenario["seconds"] = 0
        for step in scenario["steps"]:
            step["seconds"] = 0
            for observation in step["observations"]:
                observation["time"] = 0
    return kept


def test_two_workers_say_what_one_process_says(four_phases) -> None:
    """Same verdicts, same blockers, same order in the file, same exit code."""
    code_alone, _ = four_phases.run_apart()
    alone = without_time(four_phases.results())

    code_two, output = four_phases.run_apart("-n", "2")

    assert code_two == code_alone, output
    assert without_time(four_phases.results()) == alone


def test_no_way_to_distribute_ends_in_a_deadlock(four_phases) -> None:
    """worksteal would queue a scenario behind one that waits for it; the gate keeps the order."""
    code, output = four_phases.run_apart("-n", "3", "--dist", "worksteal", "--phase-deadline-seconds", "20")

    assert code == 6, output
    assert "was not decided within" not in output


def test_a_worker_that_dies_is_a_source_error_and_blocks(project) -> None:
    """Nobody knows what it would have seen; the others do not wait for it for ever."""
    project.feature(
        "pre_deployment",
        ("@PRE-01", "Dies", "When the process dies; Then days left is PASS"),
        *((f"@PRE-0{n}", f"Lives {n}", "Then days left is PASS") for n in (1, 2, 3)),
    )
    project.feature("post_deployment", ("@POST-01", "Comes later", "Then days left is PASS"))

    code, output = project.run_apart("-n", "2", "--phase-deadline-seconds", "20")

    assert code == 6, output
    verdicts = project.verdicts()
    assert verdicts.pop("Dies") == "SOURCE_ERROR"
    assert verdicts.pop("Comes later") == "BLOCKED"
    assert set(verdicts.values()) == {"PASS"}


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_stopping_at_the_first_failure_is_partial(project, workers) -> None:
    """-x leaves scenarios undecided, so the run is not whole, and says why it is red."""
    project.feature(
        "pre_deployment",
        ("@PRE-01", "Fails", "Then days left is FAIL"),
        *((f"@PRE-0{n}", f"Comes later {n}", "Then days left is PASS") for n in (1, 2, 3)),
    )
    project.feature("post_deployment", ("@POST-01", "Comes last", "Then days left is PASS"))

    code, output = project.run_apart("-x", *workers) if workers else project.run("-x")

    assert code == 1, output
    assert project.results("latest-partial")["complete"] is False
    assert project.scenario("Fails", "latest-partial")["verdict"] == "FAIL"


def test_last_failed_runs_what_was_not_green(four_phases) -> None:
    """--lf takes the blocked ones along, and says partial at best."""
    four_phases.run("-p", "cacheprovider")
    thin = four_phases.path / "features/deployment/sheet.feature"
    thin.write_text(thin.read_text().replace("LOW_SAMPLE", "PASS"))

    code, output = four_phases.run("-p", "cacheprovider", "--lf")

    assert code == 0, output
    assert set(four_phases.verdicts("latest-partial")) == {
        "deployment two",
        "rollback one",
        "rollback two",
        "emergency one",
        "emergency two",
    }


@pytest.mark.parametrize(
    ("number", "workers"),
    [(signal.SIGINT, ()), (signal.SIGTERM, ("-n", "2"))],
    ids=["interrupt", "terminate two workers"],
)
def test_an_interrupted_run_leaves_its_evidence(project, started, number, workers) -> None:
    """Exit 2, complete is false, what was decided is kept, `latest` is not moved."""
    project.feature(
        "pre_deployment",
        ("@PRE-01", "Is quick", "Then days left is PASS"),
        ("@PRE-02", "Takes a while", "When it takes a while; Then days left is PASS"),
    )
    process = started(*workers)
    give_up = time.monotonic() + 30
    while not (project.path / "started").exists() and process.poll() is None:
        assert time.monotonic() < give_up, "the slow scenario never started"
        signal.sigtimedwait([], 0.05)
    if workers:
        _until_decided(project, give_up)
    os.kill(process.pid, number)

    output, _ = process.communicate(timeout=40)

    assert process.returncode == 2, output
    results = project.results("latest-partial")
    assert (results["complete"], results["verdict"]) == (False, "partial")
    assert project.verdicts("latest-partial") == {"Is quick": "PASS"}
    assert not (project.path / "build/evidence/latest").exists()


def _until_decided(project, give_up: float) -> None:
    """On two workers the quick scenario may still be under way when the slow one starts."""
    while not any("PASS" in path.read_text() for path in project.path.glob("build/evidence/*/work/phases.jsonl")):
        assert time.monotonic() < give_up, "the quick scenario was never decided"
        signal.sigtimedwait([], 0.05)
