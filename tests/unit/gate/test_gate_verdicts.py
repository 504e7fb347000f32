"""What a scenario comes to, and what the run makes of it."""

from __future__ import annotations

import json
from datetime import date

import pytest

from gate.verdicts import NotPassed, deferred, waived
from rollout.model import Verdict

ENDS = [
    ("@PRE-01", "Passes", "Then days left is PASS", "PASS", None),
    ("@PRE-01", "Fails", "Then days left is FAIL", "FAIL", "days left 41 days, limit 30 days, n=1, endpoint"),
    ("@PRE-01", "Is thin", "Then days left is LOW_SAMPLE", "LOW_SAMPLE", "days left 41"),
    ("@PRE-01", "Sees nothing", "Then days left is NO_DATA", "NO_DATA", "days left 41"),
    ("@PRE-01", "Is refused", "Then days left is SOURCE_ERROR", "SOURCE_ERROR", "days left 41"),
    ("@PRE-01", "Asserts", "Then it asserts", "FAIL", "3 of 4 targets are healthy"),
    ("@PRE-01", "Fails plainly", "Then it fails plainly", "FAIL", "a plain failure"),
    ("@PRE-01", "Breaks", "Then it breaks", "SOURCE_ERROR", "broke: KeyError: 'weights' (demo_steps.py:"),
    ("@PRE-01", "Is skipped", "Then it is skipped", "NO_DATA", "no attestation on file"),
    ("@PRE-01", "Records nothing", "Then nothing is recorded", "NO_DATA", "without an observation is not evidence"),
    ("@PRE-01", "Is silent late", "Then days left is PASS; And nothing is recorded", "NO_DATA", "recorded nothing"),
    ("@PRE-01", "Gets nothing", "Then no observation comes back", "NO_DATA", "it looked at nothing"),
    ("@PRE-01", "Samples nothing", "Then nothing was sampled", "NO_DATA", "sample of 0"),
    ("@PRE-01", "Has no time", "Then the virtual clock has no time", "SOURCE_ERROR", "needs its time"),
    ("@PRE-01", "Says no word", "Then days left is FINE", "SOURCE_ERROR", "'FINE' is not a valid Verdict"),
    ("@PRE-01", "Does not apply", "Then it does not apply", "NOT_APPLICABLE", "the plan needs no window"),
    ("@PRE-01", "Is for later", "Then it is for later", "DEFERRED", "deferred until 2999-01-31, owner release manager"),
    ("@PRE-01", "Is overdue", "Then it is overdue", "BLOCKED", "overdue since 2020-01-31"),
    ("@PRE-01", "Lacks a tool", "Then a tool is missing", "BLOCKED", "the pinned lint of workflows is not installed"),
    ("@PRE-01", "Is emulated", "Then it is emulated", "PASS", None),
]


@pytest.fixture(scope="module")
def _one_run(request):
    """All ends in one run; the project of the first test that asks is kept for the others."""
    return {}


@pytest.fixture
def ends(project, _one_run):
    if not _one_run:
        project.feature("pre_deployment", *((tags, title, steps) for tags, title, steps, *_ in ENDS))
        _one_run["code"], _one_run["output"] = project.run()
        _one_run["scenarios"] = {s["name"]: s for s in project.results()["scenarios"]}
        _one_run["results"] = project.results()
        _one_run["junit"] = (project.path / "build/evidence/latest/junit.xml").read_text()
    return _one_run


@pytest.mark.parametrize(("title", "verdict", "message"), [(e[1], e[3], e[4]) for e in ENDS], ids=[e[1] for e in ENDS])
def test_every_end_of_a_scenario_has_its_verdict_and_message(ends, title, verdict, message) -> None:
    """No end but observed PASS is PASS."""
    scenario = ends["scenarios"][title]

    assert scenario["verdict"] == verdict
    assert scenario["message"] is None if message is None else message in scenario["message"]


def test_a_failing_scenario_shows_in_output_and_junit(ends) -> None:
    """Message, place and verdict, without a traceback."""
    assert ends["code"] == 1
    assert "features/pre_deployment/sheet.feature:9: Fails" in ends["output"]
    assert "days left 41 days, limit 30 days, n=1, endpoint" in ends["output"]
    assert "no-go: Fails is FAIL" in ends["output"]
    assert "Traceback" not in ends["output"]
    assert "LOW_SAMPLE" in ends["junit"]


def test_steps_carry_their_own_verdicts(ends) -> None:
    """The step that stopped the scenario, and those that never ran."""
    late = ends["scenarios"]["Is silent late"]["steps"]
    applies = ends["scenarios"]["Does not apply"]["steps"]

    assert [(step["text"], step["verdict"]) for step in late] == [
        ("When it is looked at", "PASS"),
        ("Then days left is PASS", "PASS"),
        ("And nothing is recorded", "NO_DATA"),
    ]
    assert [step["verdict"] for step in applies] == ["PASS", "NOT_APPLICABLE"]


def test_a_control_is_its_worst_scenario_and_weakest_basis(ends) -> None:
    """PRE-01 holds every end of the table."""
    control = next(control for control in ends["results"]["controls"] if control["id"] == "PRE-01")

    assert (control["verdict"], control["basis"]) == ("FAIL", "emulated")


EXITS = [
    pytest.param("Then days left is PASS", 0, "rehearsal-passed", id="pass"),
    pytest.param("Then it does not apply", 0, "rehearsal-passed", id="not applicable"),
    pytest.param("Then days left is FAIL", 1, "no-go", id="fail"),
    pytest.param("Then it asserts", 1, "no-go", id="assertion"),
    pytest.param("Then a tool is missing", 1, "no-go", id="blocked from outside"),
    pytest.param("Then days left is LOW_SAMPLE", 6, "no-go", id="low sample"),
    pytest.param("Then days left is NO_DATA", 6, "no-go", id="no data"),
    pytest.param("Then it breaks", 6, "no-go", id="broken check"),
    pytest.param("Then it is skipped", 6, "no-go", id="skip"),
    pytest.param("Then it is for later", 6, "no-go", id="only deferred"),
]


@pytest.mark.parametrize(("steps", "code", "verdict"), EXITS)
def test_exit_codes_tell_the_cause(project, steps, code, verdict) -> None:
    """contracts.md, section 3."""
    project.feature("post_deployment", ("@POST-01", "All is tested", steps))

    assert project.run()[0] == code
    assert project.results()["verdict"] == verdict


def test_nothing_that_ran_is_a_code_of_its_own(project) -> None:
    """A selection that finds nothing is not green."""
    project.feature("post_deployment", ("@POST-01", "All is tested", "Then days left is PASS"))

    code, output = project.run("-k", "nothinglikethat")

    assert code == 5
    assert "nothing ran" in output


RELEASE = """
[environments.staging]
drills = true
[environments.production]
"""


@pytest.mark.parametrize(
    ("release", "arguments", "variables", "code", "told"),
    [
        ("", (), {}, 0, "environment sandbox"),
        ("", (), {"CI": "0"}, 0, "environment sandbox"),
        ("", (), {"CI": "true"}, 4, "compulsory because CI is set; declared are: sandbox"),
        ("", ("--environment", "sandbox"), {"CI": "true"}, 0, "environment sandbox"),
        (RELEASE, (), {}, 4, "declared are: sandbox, staging, production"),
        (RELEASE, ("--environment", "prod"), {}, 4, "--environment prod: not declared"),
        (RELEASE, ("--environment", "production"), {}, 0, "go: every scenario holds in production"),
        ("environments = 3", (), {}, 4, "environments must be tables"),
        ("[environments", (), {}, 4, "not readable as TOML"),
        ("", ("--max-warnings", "3"), {}, 4, "leave it out"),
    ],
)
def test_the_environment_is_named_where_it_must_be(project, release, arguments, variables, code, told) -> None:
    """A real environment is never reached, or missed, by default."""
    project.write("release.toml", release)
    project.feature("post_deployment", ("@POST-01", "All is tested", "Then days left is PASS"))

    got, output = project.run(*arguments, **variables)

    assert got == code, output
    assert told in output


def test_outside_the_sandbox_imitations_and_drills_are_no_data(project) -> None:
    """Emulated is never PASS there, and a drill runs only where the environment opts in."""
    project.write("release.toml", RELEASE)
    project.feature(
        "pre_deployment",
        ("@PRE-01", "Is emulated", "Then it is emulated"),
        ("@PRE-02 @drill", "Is a drill", "Then days left is PASS"),
    )

    assert project.run("--environment", "production")[0] == 6
    assert project.verdicts() == {"Is emulated": "NO_DATA", "Is a drill": "NO_DATA"}
    assert project.scenario("Is a drill")["message"] == (
        "drills do not run in production; a signed bundle of the same digest is needed"
    )
    assert len(project.ran) == 1  # the drill's When was not reached

    project.run("--environment", "staging")
    assert project.verdicts() == {"Is emulated": "NO_DATA", "Is a drill": "PASS"}

    assert project.run("--environment", "sandbox")[0] == 0


WAIVER = '[[waivers]]\ncontrol = "PRE-01"\nby = "B. Owner"\nreason = "repaired on Monday"\nuntil = {until}\n'


def test_a_waiver_opens_until_its_day_has_passed(project) -> None:
    """Valid: WAIVED with both names and the real state. Expired: no effect, and named."""
    project.feature(
        "pre_deployment",
        ("@PRE-01", "Is red", "Then days left is FAIL"),
        ("@PRE-02", "Is green", "Then days left is PASS"),
    )
    project.write("release.toml", WAIVER.format(until="2999-01-31"))

    assert project.run()[0] == 0
    scenario = project.scenario("Is red")
    assert (scenario["verdict"], scenario["by"], scenario["until"]) == ("WAIVED", "B. Owner", "2999-01-31")
    assert "it is FAIL: days left 41 days" in scenario["message"]

    project.write("release.toml", WAIVER.format(until="2020-01-31"))

    assert project.run()[0] == 1
    scenario = project.scenario("Is red")
    assert (scenario["verdict"], scenario["by"]) == ("FAIL", None)
    assert "the waiver by B. Owner expired on 2020-01-31 and has no effect" in scenario["message"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WAIVER.format(until='"soon"'), "lacks until (a date)"),
        ('[[waivers]]\ncontrol = "PRE-01"\nuntil = 2999-01-31\n', "lacks by, reason"),
        (WAIVER.format(until="2999-01-31").replace("PRE-01", "PRE-99"), "a waiver for PRE-99"),
        (WAIVER.format(until="2999-01-31") * 2, "two waivers for PRE-01"),
    ],
)
def test_a_waiver_that_is_not_whole_is_a_usage_error(project, text, told) -> None:
    """A waiver nobody answers for opens nothing."""
    project.write("release.toml", text)
    project.feature("pre_deployment", ("@PRE-01", "Is red", "Then days left is FAIL"))

    code, output = project.run()

    assert code == 4
    assert told in output


def test_a_register_that_is_wrong_is_a_usage_error(project) -> None:
    """A control twice, a reference to nothing, no register at all."""
    project.feature("pre_deployment", ("@PRE-01", "Is green", "Then days left is PASS"))
    register = (project.path / "features/controls.toml").read_text()

    for text, told in (
        (register + '\n[[control]]\nid = "PRE-01"\nsays = "again"\n', "PRE-01 stands there twice"),
        (register + '\n[[control]]\nid = "X-01"\nsays = "x"\nrests_on = ["X-99"]\n', "X-01 refers to X-99"),
        (register + '\n[[control]]\nid = "X-01"\n', "without id or says"),
        (register + '\n[[control]]\nid = "X-01"\nsays = "x"\neffect = "some"\n', "effect 'some'"),
        ("[[control", "not readable as TOML"),
    ):
        project.write("features/controls.toml", text)
        code, output = project.run()
        assert code == 4
        assert told in output
    (project.path / "features/controls.toml").unlink()
    assert project.run()[0] == 4


def test_secrets_do_not_reach_the_evidence(project) -> None:
    """Neither by value nor through the text of a step."""
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
    project.feature("pre_deployment", ("@PRE-01", "Leaks", f"Then the token {token} leaks"))

    assert project.run()[0] == 0

    directory = (project.path / "build/evidence/latest").resolve()
    assert token not in (directory / "results.json").read_text()
    assert token not in (directory / "report.html").read_text()
    observation = project.scenario("Leaks")["steps"][-1]["observations"][0]
    assert observation["value"] == {"token": "[redacted]", "slot": "blue", "count": 3}


def test_facts_of_fixtures_reach_the_results(project) -> None:
    """Later values win, dicts merge, a rollout is replaced by its id, parts add up."""
    project.feature("pre_deployment", ("@PRE-01", "Notes", "When facts are noted; Then days left is PASS"))

    _, output = project.run()

    results = project.results()
    assert (results["account"], results["region"], results["clock"]) == ("123456789012", "us-east-1", {"factor": 60})
    assert {"engine", "probe", "pytest", "python"} <= set(results["tools"])
    assert list(results["image_digests"]) == ["1.1.0"]
    assert [(r["id"], r["outcome"], r["requests_sent"]) for r in results["rollouts"]] == [("r-1", "done", 10)]
    assert results["parts"] == [{"name": "rehearsal", "seconds": 4.0}]
    assert "rehearsal 4.0" in output


def test_evidence_that_breaks_its_schema_is_never_green(project) -> None:
    """A fact of the wrong shape is found when it is written, and the run is not decidable."""
    steps = (project.path / "demo_steps.py").read_text()
    (project.path / "demo_steps.py").write_text(steps.replace('account="123456789012"', "account=123"))
    project.feature("pre_deployment", ("@PRE-01", "Notes", "When facts are noted; Then days left is PASS"))

    code, output = project.run()

    assert code == 6
    assert "$.account" in output
    assert not (project.path / "build/evidence/latest").exists()
    [directory] = (project.path / "build/evidence").iterdir()
    assert json.loads((directory / "results.invalid.json").read_text())["account"] == 123


def test_a_verdict_that_travels_cannot_be_pass() -> None:
    """Only observations make a scenario PASS."""
    with pytest.raises(ValueError, match="cannot carry PASS"):
        NotPassed(Verdict.PASS, "fine")


def test_helpers_end_with_their_word() -> None:
    """An expired waiver is FAIL, a deferral names day and owner."""
    with pytest.raises(NotPassed) as expired:
        waived("B. Owner", date(2020, 1, 1), "for a day")
    with pytest.raises(NotPassed) as valid:
        waived("B. Owner", date(2999, 1, 1), "for a while")
    with pytest.raises(NotPassed) as later:
        deferred(date(2999, 1, 1), "release manager", "review")

    assert [e.value.verdict for e in (expired, valid, later)] == [Verdict.FAIL, Verdict.WAIVED, Verdict.DEFERRED]
    assert (later.value.by, later.value.until) == ("release manager", "2999-01-01")
