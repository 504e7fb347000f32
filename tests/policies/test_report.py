"""From answers and exceptions to verdicts: pure tables."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

import evidence.verdicts
from policies.report import Exceptions, Report, build
from policies.settings import NotApplicable, Unusable
from policies.suppressions import Suppression, read_suppressions
from policies.verdict import BADNESS, Verdict, exit_code, worst
from rollout.model import Verdict as EngineVerdict

TODAY = date(2026, 11, 24)
ROOT = "infrastructure/environments/staging"


def answer(verdict: str, resource: str = "aws_x.y") -> dict[str, Any]:
    return {"resource": resource, "verdict": verdict, "why": "because", "file": "main.tf", "line": 3, "end_line": 5}


def results(judged: dict[str, list[dict[str, Any]]], skips: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    policy = {"id": "CKV_RG_1", "says": "so", "remedy": "Do.", "controls": ["A-1"], "judged": judged}
    return {
        "schema": 1, "checkov": "3", "python": "3.11", "inputs": [], "gaps": [], "read": {}, "deferred_paths": [],
        "skips": skips or [], "policies": [policy],
    }  # fmt: skip


def suppression(**other: Any) -> Suppression:
    values = {
        "policy": "CKV_RG_1", "resources": ("aws_x.*",), "roots": ("*",), "owner": "platform", "reason": "until then",
        "approver": "security", "expires": date(2026, 12, 31),
    }  # fmt: skip
    return Suppression(**{**values, **other})  # type: ignore[arg-type]


def report(
    judged: dict[str, list[dict[str, Any]]],
    *suppressions: Suppression,
    skips: list[dict[str, Any]] | None = None,
    excused: tuple[NotApplicable, ...] = (),
) -> Report:
    exceptions = Exceptions(suppressions=suppressions, not_applicable=excused, today=TODAY)
    return build(results(judged, skips), exceptions)


@pytest.mark.parametrize(
    ("verdicts", "expected", "code"),
    [
        (["PASS"], "PASS", 0),
        (["PASS", "FAIL"], "FAIL", 1),
        (["PASS", "DEFERRED"], "DEFERRED", 6),
        (["FAIL", "DEFERRED"], "FAIL", 1),
        (["PASS", "SOURCE_ERROR"], "SOURCE_ERROR", 6),
        ([], "NO_DATA", 6),
    ],
)
def test_a_policy_is_its_worst_resource_and_nothing_is_no_data(verdicts: list[str], expected: str, code: int) -> None:
    made = report({ROOT: [answer(one) for one in verdicts]})

    assert made.policy("CKV_RG_1").verdict == expected
    assert made.exit_code == code
    assert len(made.policy("CKV_RG_1").population) == len(verdicts)


def test_one_root_without_anything_to_judge_is_not_hidden_by_another() -> None:
    made = report({ROOT: [answer("PASS")], "other": []})

    assert made.policy("CKV_RG_1").verdict is Verdict.NO_DATA
    assert "other holds no resource" in made.policy("CKV_RG_1").reason


def test_not_applicable_is_declared_and_excuses_only_where_there_is_nothing() -> None:
    excused = (NotApplicable(policies=("CKV_RG_1",), roots=("infra*",), reason="not built", owner="platform"),)

    assert report({ROOT: []}, excused=excused).policy("CKV_RG_1").verdict is Verdict.NOT_APPLICABLE
    assert report({ROOT: [answer("FAIL")]}, excused=excused).policy("CKV_RG_1").verdict is Verdict.FAIL
    assert report({"elsewhere": []}, excused=excused).policy("CKV_RG_1").verdict is Verdict.NO_DATA


def test_a_policy_that_was_never_evaluated_is_no_data_and_no_error() -> None:
    """A misspelt id in a scenario must not pass (checkov -c CKV_AWS_99999 exits 0)."""
    assert report({ROOT: [answer("PASS")]}).policy("CKV_AWS_99999").verdict is Verdict.NO_DATA


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (suppression(), "WAIVED"),
        (suppression(expires=TODAY), "WAIVED"),
        (suppression(expires=date(2026, 11, 23)), "FAIL"),
        (suppression(policy="CKV_RG_2"), "FAIL"),
        (suppression(resources=("aws_z.*",)), "FAIL"),
        (suppression(roots=("infrastructure/environments/production",)), "FAIL"),
    ],
)
def test_an_exception_waives_what_it_covers_until_its_last_day(entry: Suppression, expected: str) -> None:
    made = report({ROOT: [answer("FAIL")]}, entry)

    assert made.policy("CKV_RG_1").verdict == expected
    assert (f"expired on {entry.expires}" in made.policy("CKV_RG_1").findings[0].why) is (entry.expires < TODAY)


@pytest.mark.parametrize("verdict", ["DEFERRED", "SOURCE_ERROR"])
def test_an_exception_accepts_findings_and_never_missing_evidence(verdict: str) -> None:
    assert report({ROOT: [answer(verdict)]}, suppression()).policy("CKV_RG_1").verdict == verdict


def test_brackets_of_an_address_are_no_pattern() -> None:
    entry = suppression(resources=('aws_x.y["blue"]',))

    assert entry.covers("CKV_RG_1", root=ROOT, resource='aws_x.y["blue"]')
    assert not entry.covers("CKV_RG_1", root=ROOT, resource="aws_x.yb")


def test_an_exception_that_matches_nothing_is_reported_and_one_for_no_policy_is_a_problem() -> None:
    made = report({ROOT: [answer("PASS")]}, suppression(), suppression(policy="CKV_RG_999"))

    assert any("matches nothing" in note for note in made.notes)
    assert any("CKV_RG_999" in problem for problem in made.problems)
    assert made.exit_code == 1


def test_a_comment_that_asks_to_look_away_is_a_problem_unless_an_exception_says_so() -> None:
    """checkov obeys such comments, with or without a reason, and cannot be told not to (#4027)."""
    skip = [{"policy": "CKV_RG_1", "file": "main.tf", "line": 4, "reason": ""}]
    alone = report({ROOT: [answer("PASS")]}, skips=skip)
    covered = report({ROOT: [answer("FAIL")]}, suppression(), skips=skip)
    expired = report({ROOT: [answer("FAIL")]}, suppression(expires=date(2026, 1, 1)), skips=skip)

    assert alone.exit_code == 1
    assert "main.tf:4" in alone.problems[0]
    assert covered.problems == ()
    assert covered.exit_code == 0
    assert len(expired.problems) == 1


GOOD = """
[[suppression]]
policy = "CKV_RG_1"
resources = ["aws_x.y"]
roots = ["*"]
owner = "platform"
reason = "until then"
approver = "security"
expires = 2027-01-31
"""


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("", "", None),
        ('owner = "platform"\n', "", "owner"),
        ('reason = "until then"', 'reason = " "', "reason is empty"),
        ('approver = "security"\n', "", "approver"),
        ('approver = "security"', 'approver = "Platform"', "approved their own"),
        ("expires = 2027-01-31\n", "", "expires"),
        ("2027-01-31", '"2027-01-31"', "no day"),
        ("2027-01-31", "2028-01-31", "more than a year"),
        ('["aws_x.y"]', "[]", "resources is no list"),
        ('roots = ["*"]', 'roots = ["*"]\nnote = "x"', "note"),
        ("[[suppression]]", "[[supression]]", "unknown tables"),
        ("[[suppression]]", "[[suppression", "cannot be read"),
    ],
)
def test_an_exception_has_owner_reason_approver_and_end(tmp_path: Path, old: str, new: str, what: str | None) -> None:
    file = tmp_path / "suppressions.toml"
    file.write_text(GOOD.replace(old, new) if old else GOOD, encoding="utf-8")
    if what is None:
        assert read_suppressions(file, today=TODAY)[0].expires == date(2027, 1, 31)
        return

    with pytest.raises(Unusable, match=what):
        read_suppressions(file, today=TODAY)


def test_the_shipped_exceptions_are_readable() -> None:
    assert isinstance(read_suppressions(today=TODAY), tuple)


def test_our_words_and_their_order_are_the_engines() -> None:
    """policies imports only itself, so its words are written twice; they must stay the same."""
    shared = [verdict.value for verdict in evidence.verdicts.BADNESS if verdict.value in set(Verdict)]

    assert [verdict.value for verdict in BADNESS] == shared
    assert {verdict.value for verdict in Verdict} <= {verdict.value for verdict in EngineVerdict}


def test_nothing_at_all_is_not_decidable() -> None:
    assert worst([]) is Verdict.NO_DATA
    assert exit_code([]) == 6
