"""Collecting feature files: what is found, under which names, in which order, and what is refused."""

from __future__ import annotations

import pytest

from gate.lint import read_sheet, repeated_names
from gate.register import Control, Register

REGISTER = Register(
    controls={name: Control(id=name, says=name) for name in ("PRE-01", "PRE-02")}, topics={"tls": "certificates"}
)
WHEN = "    When it is looked at\n"
GOOD = """@tls
Feature: Certificates
  Why it matters.

  Background:
    Given a release

  @PRE-01
  Scenario: The certificate holds
    When it is looked at
    Then days left is PASS

  @PRE-02
  Scenario Outline: The <name> holds
    When it is looked at
    Then days left is <verdict>

    Examples: at the limit
      | name | verdict |
      | key  | PASS    |
"""


def test_a_good_sheet_has_no_problems() -> None:
    """Backgrounds, outlines and inherited tags are no problem."""
    sheet = read_sheet(GOOD, REGISTER)

    assert sheet.problems == ()
    assert [scenario.tags for scenario in sheet.scenarios] == [("tls", "PRE-01"), ("tls", "PRE-02")]
    assert sheet.description.strip() == "Why it matters."


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        pytest.param("Scenario: The", "Scnario: The", 9, "not Gherkin", id="syntax"),
        pytest.param("    When it is looked at\n    Then days left is PASS\n", "", 9, "has no steps", id="no steps"),
        pytest.param("    Then days left is PASS\n", "", 9, "has no Then", id="no Then"),
        pytest.param(f"{WHEN}    Then days left is P", "    Then days left is P", 9, "0 When", id="no When"),
        pytest.param(f"{WHEN}    Then days left is P", f"{WHEN}    And b\n    Then P", 9, "2 When", id="two Whens"),
        pytest.param("      | key  | PASS    |\n", "", 18, "without rows", id="no rows"),
        pytest.param("@tls", "@tsl", 9, "unknown tag @tsl", id="unknown tag"),
        pytest.param("  @PRE-01\n", "", 8, "0 control tags", id="no control"),
        pytest.param("@PRE-01", "@PRE-01 @PRE-02", 9, "2 control tags", id="two controls"),
        pytest.param("@PRE-01", "@PRE-99", 9, "unknown tag @PRE-99", id="control not in the register"),
        pytest.param("The certificate holds", "It should hold", 9, "'should'", id="should"),
        pytest.param("The certificate holds", "a b c d e f g h i j k l m", 9, "13 words", id="long title"),
        pytest.param("The certificate holds", "", 9, "without a title", id="no title"),
        pytest.param("    Given a release", "    When a release", 6, "When in a Background", id="background"),
    ],
)
def test_what_a_gate_must_not_accept_is_named_with_its_line(old: str, new: str, line: int, what: str) -> None:
    """Each change to the good sheet is found, at its line, with a remedy."""
    assert old in GOOD

    problems = read_sheet(GOOD.replace(old, new, 1), REGISTER).problems

    assert any(problem.line == line and what in problem.what and problem.remedy for problem in problems), problems


@pytest.mark.parametrize(("text", "what"), [("", "no Feature"), ("Feature: x\n", "no scenarios")])
def test_an_empty_sheet_is_a_problem(text: str, what: str) -> None:
    """A file that checks nothing is not accepted."""
    assert [what in problem.what for problem in read_sheet(text, REGISTER).problems] == [True]


def test_a_name_used_twice_names_the_first_place() -> None:
    """In one file or in two: only one of the two would run, or be found."""
    seen: dict[str, tuple[str, int]] = {}
    sheet = read_sheet(GOOD, REGISTER)

    assert repeated_names(sheet, "a.feature", seen) == []
    assert repeated_names(sheet, "a.feature", seen) == []  # the same file again
    assert "a.feature:9" in repeated_names(sheet, "b.feature", seen)[0].what


@pytest.fixture
def three_phases(project):
    project.feature("post_deployment", ("@POST-01", "All is tested", "Then days left is PASS"))
    project.feature("deployment", ("@DUR-01", "The candidate is there", "Then days left is PASS"))
    project.feature("compliance", ("@hipaa @PRE-02", "Data is encrypted", "Then days left is PASS"))
    project.feature(
        "pre_deployment",
        ("@tls @PRE-01", "The certificate holds", "Given the key is 1; When 200 requests come; Then days left is PASS"),
    )
    return project


def test_node_ids_read_well_and_phases_are_in_order(three_phases) -> None:
    """A person can type the name of a scenario, and pre comes before deployment before post."""
    code, output = three_phases.run("features/", "--collect-only", "-q")

    assert code == 0
    assert [line for line in output.splitlines() if "::" in line] == [
        "features/compliance/sheet.feature::test_data_is_encrypted",
        "features/pre_deployment/sheet.feature::test_the_certificate_holds",
        "features/deployment/sheet.feature::test_the_candidate_is_there",
        "features/post_deployment/sheet.feature::test_all_is_tested",
    ]
    assert not (three_phases.path / "build").exists()  # looking is not running


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-m", "PRE-01"), {"The certificate holds"}),
        (("-m", "pre and hipaa"), {"Data is encrypted"}),
        (("-m", "post or deployment"), {"All is tested", "The candidate is there"}),
        (("-m", "pre and not PRE-01"), {"Data is encrypted"}),
        (("-k", "requests"), {"The certificate holds"}),
        (("-k", "encrypted or candidate"), {"Data is encrypted", "The candidate is there"}),
        (("features/deployment",), {"The candidate is there"}),
        (("features/compliance/sheet.feature::test_data_is_encrypted",), {"Data is encrypted"}),
        (("--deselect", "features/compliance", "-m", "pre"), {"The certificate holds"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_selections_find_their_scenarios_and_are_partial(three_phases, arguments, expected) -> None:
    """Every way pytest has to select works, and none of them may say more than `partial`."""
    code, _ = three_phases.run(*arguments)

    assert code == 0
    assert set(three_phases.verdicts("latest-partial")) == expected
    assert three_phases.results("latest-partial")["verdict"] == "partial"
    assert three_phases.results("latest-partial")["complete"] is False
    assert not (three_phases.path / "build/evidence/latest").exists()


def test_a_whole_run_in_the_sandbox_is_a_rehearsal(three_phases) -> None:
    """The sandbox never says go."""
    code, output = three_phases.run()

    assert code == 0, output
    assert three_phases.results()["verdict"] == "rehearsal-passed"
    assert three_phases.results()["complete"] is True
    assert "rehearsal passed" in output


BROKEN = [
    pytest.param("@tpyo @PRE-03", "A typo", "Then days left is PASS", "unknown tag @tpyo", id="unknown tag"),
    pytest.param("@PRE-03", "Undefined", "Then who wrote it", "undefined step: Then who wrote it", id="undefined"),
    pytest.param("@PRE-03", "Ambiguous", "Given one is two; Then days left is PASS", "demo_steps.py:", id="ambiguous"),
    pytest.param("@PRE-03", "All is tested", "Then days left is PASS", "has the name of", id="name of another file"),
]


@pytest.mark.parametrize(("tags", "title", "steps", "what"), BROKEN)
def test_a_broken_collection_runs_nothing(three_phases, tags, title, steps, what) -> None:
    """Exit 2, the place and the remedy in the output, and no step was reached."""
    if title == "Ambiguous":
        with (three_phases.path / "demo_steps.py").open("a") as file:
            file.write('\n@given(parsers.parse("one is {value}"))\ndef one(value): pass\n')
    three_phases.feature("rollback", (tags, title, steps), name="broken")

    code, output = three_phases.run()

    assert code == 2, output
    assert what in output
    assert "features/rollback/broken.feature:" in output
    assert three_phases.ran == []
    assert not list((three_phases.path / "build/evidence").glob("*"))


def test_a_broken_collection_runs_nothing_on_two_workers(three_phases) -> None:
    """xdist by itself would run what could be collected."""
    three_phases.feature("rollback", ("@RB-01", "Undefined", "Then nobody wrote this"))

    code, output = three_phases.run_apart("-n", "2")

    assert code == 2, output
    assert "undefined step: Then nobody wrote this" in output
    assert three_phases.ran == []


def test_a_sheet_without_a_phase_is_refused(project) -> None:
    """A file directly in features/ has no place in the order."""
    project.write("features/loose.feature", GOOD)

    code, output = project.run()

    assert code == 2
    assert "features/loose.feature:1: no phase for this directory" in output


def test_ordinary_tests_stay_ordinary(project) -> None:
    """`pytest tests/` knows nothing of environments, evidence or verdicts."""
    project.write("tests/test_it.py", "import pytest\ndef test_a(): pass\ndef test_b(): pytest.skip('later')\n")
    project.write("tests/other.feature", "Feature: not ours\n")

    code, output = project.run("tests/", CI="1")

    assert code == 0, output
    assert "1 passed, 1 skipped" in output
    assert not (project.path / "build").exists()


def test_tests_beside_the_features_can_fail_the_run(three_phases) -> None:
    """Asked for both, a failing test is not hidden by green scenarios."""
    three_phases.write("tests/test_it.py", "def test_a(): assert False\n")

    code, output = three_phases.run("features", "tests")

    assert code == 1
    assert "tests beside the features failed" in output
