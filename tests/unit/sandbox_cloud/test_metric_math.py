"""Metric math is interpreted from a whitelist; missing data stays missing."""

from __future__ import annotations

import pytest

from sandbox.cloud.metric_math import MathError, evaluate, referenced_ids

GRID = [0.0, 60.0, 120.0]
SERIES = {"a": {0.0: 10.0, 60.0: 20.0}, "b": {60.0: 4.0, 120.0: 0.0}}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b", {60.0: 24.0}),
        ("a / b", {60.0: 5.0}),
        ("b / 0", {}),
        ("-a * 2", {0.0: -20.0, 60.0: -40.0}),
        ("2 ^ 3", {0.0: 8.0, 60.0: 8.0, 120.0: 8.0}),
        ("FILL(b, 1)", {0.0: 1.0, 60.0: 4.0, 120.0: 0.0}),
        ("FILL(a, REPEAT)", {0.0: 10.0, 60.0: 20.0, 120.0: 20.0}),
        ("FILL(a, b)", {0.0: 10.0, 60.0: 20.0, 120.0: 0.0}),
        ("IF(a > 15, 1, 0)", {0.0: 0.0, 60.0: 1.0}),
        ("IF(a > 15, b)", {60.0: 4.0}),
        ("a > 5 AND a < 15 || a == 20", {0.0: 1.0, 60.0: 1.0}),
        ("SUM([a, b])", {0.0: 10.0, 60.0: 24.0, 120.0: 0.0}),
        ("MAX(METRICS())", {0.0: 10.0, 60.0: 20.0, 120.0: 0.0}),
        ("a / SUM(a)", {0.0: 1 / 3, 60.0: 2 / 3}),
        ("AVG(METRICS('a'))", {0.0: 10.0, 60.0: 20.0}),
        ("CEIL(ABS(0 - a) / 15)", {0.0: 1.0, 60.0: 2.0}),
    ],
)
def test_expressions(expression: str, expected: dict[float, float]) -> None:
    """A missing side or a division by zero is no datapoint, never a zero."""
    assert evaluate(expression, SERIES, grid=GRID) == pytest.approx(expected)


@pytest.mark.parametrize(
    "expression",
    ["c + 1", "a.b", "a[0]", "lambda: 1", "open('x')", "METRICS()", "[a, b] + 1", "SUM(a, b)", "a <", "'t'", "a<b<3"],
)
def test_everything_else_is_refused(expression: str) -> None:
    """No attribute, call or syntax outside the list is looked at."""
    with pytest.raises(MathError):
        evaluate(expression, SERIES, grid=GRID)


def test_referenced_ids() -> None:
    """Function names and REPEAT are not ids."""
    assert referenced_ids("IF(FILL(errors, REPEAT) > 1, rate, 0)") == {"errors", "rate"}
