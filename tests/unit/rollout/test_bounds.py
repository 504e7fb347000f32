"""Confidence bounds are those of the exact binomial distribution (stats-load.md; Clopper and Pearson 1934)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollout.bounds import incomplete_beta, lower_bound, upper_bound


def at_most(k: int, n: int, p: float) -> float:
    """P(X <= k) of a binomial, summed."""
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


counts = st.integers(1, 120).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(max_examples=60, deadline=None)
@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_bounds_solve_their_equations(count: tuple[int, int], confidence: float) -> None:
    """The tail beyond the bound holds exactly the doubt that was asked for."""
    k, n = count
    upper, lower = upper_bound(k, n, confidence), lower_bound(k, n, confidence)

    if k < n:
        assert at_most(k, n, upper) == pytest.approx(1 - confidence, abs=1e-9)
    if k > 0:
        assert 1 - at_most(k - 1, n, lower) == pytest.approx(1 - confidence, abs=1e-9)
    assert 0 <= lower <= k / n <= upper <= 1


@settings(max_examples=40, deadline=None)
@given(counts)
def test_more_failures_raise_both_bounds(count: tuple[int, int]) -> None:
    k, n = count
    if k < n:
        assert upper_bound(k, n, 0.95) <= upper_bound(k + 1, n, 0.95)
        assert lower_bound(k, n, 0.95) < lower_bound(k + 1, n, 0.95)


@pytest.mark.parametrize(("k", "n"), [(0, 2995), (1, 4742), (2, 6294)])
def test_requests_that_prove_a_tenth_of_a_percent(k: int, n: int) -> None:
    """rollout-peers.md 2.4: so many requests with k failures prove less than 0.1 %, one fewer does not."""
    assert upper_bound(k, n, 0.95) < 0.001 <= upper_bound(k, n - 1, 0.95)


@pytest.mark.parametrize(("k", "n"), [(1000, 1_000_000), (999_000, 1_000_000), (10, 10_000_000)])
def test_large_counts_converge(k: int, n: int) -> None:
    low, high = lower_bound(k, n, 0.95), upper_bound(k, n, 0.95)

    assert low < k / n < high
    assert high - low < 4 * math.sqrt(k * (n - k) / n**3) + 1e-6


def test_ends_of_the_scale() -> None:
    assert upper_bound(7, 7, 0.95) == 1.0
    assert lower_bound(0, 7, 0.95) == 0.0
    assert (incomplete_beta(2, 3, 0.0), incomplete_beta(2, 3, 1.0)) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("k", "n", "confidence"), [(1, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (1, 5, 1.0), (1, 5, 0.4)]
)
def test_no_count_no_bound(k: int, n: int, confidence: float) -> None:
    for bound in (upper_bound, lower_bound):
        with pytest.raises(AssertionError):
            bound(k, n, confidence)


def test_a_series_that_does_not_converge_is_an_error() -> None:
    with pytest.raises(ArithmeticError, match="does not converge"):
        incomplete_beta(1e12, 1e12, 0.5)
