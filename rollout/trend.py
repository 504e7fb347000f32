"""How sure it is that a series rises. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

_TREND_MINUTES_MIN = 10
_TREND_DEVIATIONS = 2.33  # one-sided 99 % of a normal


def sure_slope(values: Sequence[float]) -> float:
    """Least-squares slope per step less 2.33 standard errors, never below 0; 0 for fewer than ten values."""
    n = len(values)
    if n < _TREND_MINUTES_MIN:
        return 0.0
    middle, mean = (n - 1) / 2, sum(values) / n
    spread = sum((i - middle) ** 2 for i in range(n))
    slope = sum((i - middle) * (value - mean) for i, value in enumerate(values)) / spread
    residual = sum((value - mean - slope * (i - middle)) ** 2 for i, value in enumerate(values))
    error = math.sqrt(residual / (n - 2) / spread)
    return max(0.0, slope - _TREND_DEVIATIONS * error)
