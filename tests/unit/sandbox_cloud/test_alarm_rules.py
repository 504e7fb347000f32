"""The tables of the CloudWatch user guide ("Configuring how CloudWatch alarms treat missing data"), as tests."""

from __future__ import annotations

import pytest

from sandbox.cloud.alarm_rules import Limits, RuleError, composite_children, judge, judge_composite

MODES = ("missing", "ignore", "breaching", "notBreaching")
KEPT = "kept"  # the state before
NAMES = {"O": "OK", "A": "ALARM", "I": "INSUFFICIENT_DATA", "K": KEPT}


def _states(row: str, needed: int) -> str:
    """The four modes' states for a range as the guide prints it: newest last; X breaches, 0 does not, - is missing."""
    values = [{"X": 9.0, "0": 1.0, "-": None}[sign] for sign in reversed(row.split())]
    found = []
    for mode in MODES:
        limits = Limits(comparison="GreaterThanThreshold", threshold=5.0, periods=3, needed=needed, missing=mode)
        found.append(judge(values, limits, current=KEPT))
    return "".join(next(short for short, name in NAMES.items() if name == state) for state in found)


@pytest.mark.parametrize(
    ("row", "expected"),
    [("0 - X - X", "OOOO"), ("- - - - 0", "OOOO"), ("- - - - -", "IKAO"), ("0 X X - X", "AAAA"), ("- - X - -", "AKAO")],
)
def test_three_of_three(row: str, expected: str) -> None:
    """The guide's first table: with enough real datapoints the setting does not matter."""
    assert _states(row, 3) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [("0 - X - X", "AAAA"), ("0 0 X 0 X", "AAAA"), ("0 - X - -", "OOAO"), ("- - - - 0", "OOAO"), ("- - - X -", "AKAO")],
)
def test_two_of_three(row: str, expected: str) -> None:
    """The guide's second table: M of N."""
    assert _states(row, 2) == expected


STATES = {"a": "ALARM", "b": "OK", "c d": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('ALARM("a")', True),
        ("ALARM(b)", False),
        ("ALARM(a) AND NOT ALARM(b)", True),
        ("OK(a) OR OK(b)", True),
        ("ALARM(b) AND ALARM(a) OR TRUE", True),
        ("ALARM(b) AND (ALARM(a) OR TRUE)", False),
        ('INSUFFICIENT_DATA("c d")', True),
        ('ALARM("arn:aws:cloudwatch:us-east-1:123456789012:alarm:a")', True),
        ("NOT NOT FALSE", False),
    ],
)
def test_composite_rules(rule: str, expected: bool) -> None:
    """AND binds stronger than OR, NOT strongest; names or ARNs, with or without quotes."""
    assert judge_composite(rule, STATES) is expected


@pytest.mark.parametrize("rule", ["", "ALARM(a) ALARM(b)", "ALARM(nobody)", "(ALARM(a)", "os", "AND", "OK(a) OR"])
def test_bad_rules(rule: str) -> None:
    """Refused with a reason."""
    with pytest.raises(RuleError):
        judge_composite(rule, STATES)


def test_children() -> None:
    """Which alarms a rule depends on."""
    assert composite_children('ALARM(a) AND NOT OK("c d")') == ["a", "c d"]
