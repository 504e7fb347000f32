"""Statistics are exact and mean what CloudWatch's definitions say."""

from __future__ import annotations

import random

import pytest

from sandbox.cloud.metric_statistics import StatisticError, compute_of, datum_of_set, datum_of_values

DATA = [datum_of_values([1.0, 2.0], [3, 1]), datum_of_values([4.0], [4])]  # 1 1 1 2 4 4 4 4


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("Sum", 21.0),
        ("SampleCount", 8.0),
        ("Average", 2.625),
        ("Minimum", 1.0),
        ("Maximum", 4.0),
        ("p0", 1.0),
        ("p37.5", 1.0),
        ("p37.6", 2.0),
        ("p50", 2.0),
        ("p50.1", 4.0),
        ("p100", 4.0),
        ("TC(1:2)", 1.0),
        ("TC(:2)", 4.0),
        ("TC(2:)", 4.0),
        ("TC(0:1)", 3.0),
        ("TC(25%:75%)", 4.0),
        ("PR(:2)", 50.0),
        ("PR(2:4)", 50.0),
        ("PR(4:)", 0.0),
        ("TS(:2)", 5.0),
        ("TM(:2)", 1.25),
        ("tc50", 4.0),
        ("ts50", 5.0),
        ("tm50", 1.25),
        ("IQM", (1 + 2 + 4 + 4) / 4),
    ],
)
def test_definitions(statistic: str, expected: float) -> None:
    """Lower bounds exclusive, upper bounds inclusive, percentages cut through equal values."""
    assert compute_of(statistic)(DATA) == pytest.approx(expected)


@pytest.mark.parametrize("percent", [50.0, 90.0, 95.0, 99.0, 99.9])
def test_percentiles_equal_those_of_the_plain_list(percent: float) -> None:
    """Weighted by counts or written out one by one: the same value."""
    chance = random.Random(7)
    values = [round(chance.expovariate(5), 3) for _ in range(2_000)]
    ordered = sorted(values)
    rank = next(index for index in range(1, 2_001) if index >= len(values) * percent / 100)
    counted = {value: values.count(value) for value in set(values)}

    assert compute_of(f"p{percent}")([datum_of_values(list(counted), list(counted.values()))]) == ordered[rank - 1]


def test_a_statistic_set_hides_its_percentiles() -> None:
    """CloudWatch answers none, unless all samples are equal."""
    hidden = datum_of_set(count=10, total=20, low=1, high=5)

    assert compute_of("p95")([hidden]) is None
    assert compute_of("Maximum")([hidden]) == 5
    assert compute_of("p95")([datum_of_set(count=10, total=20, low=2, high=2)]) == 2


def test_nothing_inside_the_bounds() -> None:
    """A count of zero is a number, a mean of nothing is none."""
    assert compute_of("TC(9:)")(DATA) == 0
    assert compute_of("TM(9:)")(DATA) is None


@pytest.mark.parametrize("statistic", ["median", "p", "p101", "TC", "TC(a:b)", "WM(1:2)", ""])
def test_unknown_statistics(statistic: str) -> None:
    """Refused, never answered with something else."""
    with pytest.raises(StatisticError):
        compute_of(statistic)
