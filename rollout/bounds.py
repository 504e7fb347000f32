"""Exact binomial confidence bounds (Clopper and Pearson 1934) on the standard library alone."""

from __future__ import annotations

import math
from functools import lru_cache

_TINY = 1e-300
_STEPS = 60  # halvings of [0, 1]: narrower than a double can tell


def _continued_fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the regularized incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    result = d
    for m in range(1, 10_000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 + numerator * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + numerator / c
            c = c if abs(c) > _TINY else _TINY
            factor = c * d
            result *= factor
        if abs(factor - 1.0) < 1e-14:
            return result
    raise ArithmeticError(f"incomplete beta({a}, {b}, {x}) does not converge")


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularized incomplete beta function I_x(a, b) for a, b > 0 and 0 <= x <= 1."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1.0) / (a + b + 2.0):
        return math.exp(log_front) * _continued_fraction(a, b, x) / a
    return 1.0 - math.exp(log_front) * _continued_fraction(b, a, 1.0 - x) / b


def _check(k: int, n: int, confidence: float) -> None:
    assert 0 <= k <= n, f"{k} of {n} is no count"
    assert n > 0, "no bound without a request"
    assert 0.5 <= confidence < 1.0, f"confidence {confidence} is not in [0.5, 1)"


@lru_cache(maxsize=4096)
def upper_bound(k: int, n: int, confidence: float) -> float:
    """One-sided upper bound of a rate after `k` of `n`: the rate p with P(X <= k | p) = 1 - confidence."""
    _check(k, n, confidence)
    if k == n:
        return 1.0
    low, high = k / n, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        # P(X <= k | p) = I_(1-p)(n - k, k + 1)
        if incomplete_beta(n - k, k + 1, 1.0 - middle) > 1.0 - confidence:
            low = middle
        else:
            high = middle
    return high


@lru_cache(maxsize=4096)
def lower_bound(k: int, n: int, confidence: float) -> float:
    """One-sided lower bound of a rate after `k` of `n`: the rate p with P(X >= k | p) = 1 - confidence."""
    _check(k, n, confidence)
    if k == 0:
        return 0.0
    low, high = 0.0, k / n
    for _ in range(_STEPS):
        middle = (low + high) / 2
        # P(X >= k | p) = I_p(k, n - k + 1)
        if incomplete_beta(k, n - k + 1, middle) < 1.0 - confidence:
            low = middle
        else:
            high = middle
    return low
