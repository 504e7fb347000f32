"""Distributions of latency in milliseconds, each by its quantile and its cumulative distribution."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

_STANDARD = NormalDist()
Z95 = _STANDARD.inv_cdf(0.95)


class Law(Protocol):
    """A distribution of latencies."""

    def quantile(self, share: float) -> float:
        """The latency in milliseconds that a share (0 < share < 1) of requests stays within."""
        ...

    def share_within(self, milliseconds: float) -> float:
        """The share of requests that take at most so long, 0 to 1."""
        ...


@dataclass(frozen=True)
class Constant:
    """Every request takes the same."""

    milliseconds: float

    def quantile(self, share: float) -> float:
        assert 0.0 < share < 1.0
        return self.milliseconds

    def share_within(self, milliseconds: float) -> float:
        return 1.0 if milliseconds >= self.milliseconds else 0.0


@dataclass(frozen=True)
class Normal:
    """Bell-shaped, cut at zero; so narrow in use that the cut has no mass."""

    mean_milliseconds: float
    deviation_milliseconds: float

    def quantile(self, share: float) -> float:
        return max(0.0, self.mean_milliseconds + self.deviation_milliseconds * _STANDARD.inv_cdf(share))

    def share_within(self, milliseconds: float) -> float:
        if milliseconds < 0.0:
            return 0.0
        return _STANDARD.cdf((milliseconds - self.mean_milliseconds) / self.deviation_milliseconds)


@dataclass(frozen=True)
class Lognormal:
    """Skewed with a long tail, as services are; sigma is the deviation of the logarithm."""

    median_milliseconds: float
    sigma: float

    def quantile(self, share: float) -> float:
        return self.median_milliseconds * math.exp(self.sigma * _STANDARD.inv_cdf(share))

    def share_within(self, milliseconds: float) -> float:
        if milliseconds <= 0.0:
            return 0.0
        return _STANDARD.cdf(math.log(milliseconds / self.median_milliseconds) / self.sigma)


def normal_with_p95(p95_milliseconds: float, *, mean_milliseconds: float = 190.0) -> Normal:
    """A narrow normal law around the mean whose 95th percentile is exactly the given one."""
    assert p95_milliseconds > mean_milliseconds
    return Normal(mean_milliseconds, (p95_milliseconds - mean_milliseconds) / Z95)


def law_of(text: str) -> Law:
    """`constant:MS`, `normal:MEAN:DEVIATION`, `normal95:P95` or `lognormal:MEDIAN:SIGMA`. Raises ValueError."""
    kind, *numbers = text.split(":")
    values = [float(number) for number in numbers]
    kinds: dict[tuple[str, int], Callable[..., Law]] = {
        ("constant", 1): Constant,
        ("normal", 2): Normal,
        ("normal95", 1): normal_with_p95,
        ("lognormal", 2): Lognormal,
    }
    made = kinds.get((kind, len(values)))
    if made is None:
        known = "constant:MS, normal:MEAN:DEVIATION, normal95:P95, lognormal:MEDIAN:SIGMA"
        raise ValueError(f"{text!r} is no law: {known}")
    return made(*values)
