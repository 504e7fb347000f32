"""Intended times: the declared rate, ramps, shares that add up, and a Poisson process that is one."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean, pvariance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.arrivals import Share, intended_times, rate_at
from loadtests.traffic import Profile, Stage, Traffic

PERCENT = st.one_of(st.just(0.0), st.floats(0.5, 400.0))
STAGES = st.lists(
    st.builds(Stage, seconds=st.floats(0.1, 20.0), from_percent=PERCENT, percent=PERCENT), min_size=1, max_size=4
)


def traffic(stages: list[Stage], *, per_second: float = 10.0, arrivals: str = "constant") -> Traffic:
    return Traffic(
        name="t",
        arrivals=arrivals,
        arrivals_per_second=per_second,
        in_flight_max=1,
        timeout_seconds=1.0,
        seed=None,
        mix={"a": 1.0},
        profile=Profile(name="p", warm_up_seconds=0.0, stages=tuple(stages)),
        sha256="",
    )


def level(seconds: float) -> list[Stage]:
    return [Stage(seconds=seconds, from_percent=100.0, percent=100.0)]


def expected_until(wanted: Traffic, elapsed: float) -> float:
    """The integral of the rate, by the trapezoid rule, which is exact on a broken line."""
    total, start = 0.0, 0.0
    for stage in wanted.profile.stages:
        part = min(max(elapsed - start, 0.0), stage.seconds)
        at = stage.from_percent + (stage.percent - stage.from_percent) * part / stage.seconds
        total += wanted.arrivals_per_second * part * (stage.from_percent + at) / 200
        start += stage.seconds
    return total


def test_a_constant_rate_has_even_gaps() -> None:
    times = list(intended_times(traffic(level(2.0)), Share(), seed=0))

    assert times == pytest.approx([0.05 + 0.1 * number for number in range(20)])


@given(STAGES, st.integers(1, 5))
def test_the_number_of_arrivals_is_the_integral_of_the_rate_at_any_time(stages: list[Stage], workers: int) -> None:
    """Of all workers together; a rounding of one half either way, on every arrival."""
    wanted = traffic(stages)
    every = sorted(
        time for rank in range(workers) for time in intended_times(wanted, Share(rank=rank, workers=workers), seed=0)
    )

    assert all(0 <= time <= wanted.profile.seconds for time in every)
    assert [expected_until(wanted, time) for time in every] == pytest.approx(
        [number + 0.5 for number in range(len(every))], abs=1e-6
    )
    assert abs(len(every) - wanted.arrivals_expected) <= 0.5 + 1e-6


@given(STAGES, st.integers(0, 2**63 - 1), st.sampled_from(["constant", "poisson"]))
def test_times_never_fall_and_stay_within_the_profile(stages: list[Stage], seed: int, kind: str) -> None:
    wanted = traffic(stages, arrivals=kind)
    times = list(intended_times(wanted, Share(), seed=seed))

    assert all(earlier <= later for earlier, later in pairwise(times))
    assert all(0 <= time <= wanted.profile.seconds for time in times)


@given(st.integers(0, 2**63 - 1))
def test_a_seed_repeats_itself(seed: int) -> None:
    wanted = traffic(level(5.0), arrivals="poisson")

    assert list(intended_times(wanted, Share(), seed=seed)) == list(intended_times(wanted, Share(), seed=seed))


@pytest.mark.parametrize("workers", [1, 3])
def test_gaps_of_a_poisson_process_are_exponential(workers: int) -> None:
    """Kolmogorov and Smirnov's distance of the merged gaps, at a level that one seed in a million exceeds."""
    wanted = traffic(level(1000.0), arrivals="poisson")
    times = sorted(
        t for rank in range(workers) for t in intended_times(wanted, Share(rank=rank, workers=workers), seed=7)
    )
    gaps = sorted(later - earlier for earlier, later in pairwise([0.0, *times]))
    distance = max(abs((1 - math.exp(-10.0 * gap)) - number / len(gaps)) for number, gap in enumerate(gaps))

    assert distance < 2.7 / math.sqrt(len(gaps))
    assert fmean(gaps) == pytest.approx(0.1, rel=0.05)
    assert pvariance(gaps) == pytest.approx(0.01, rel=0.15)


def test_workers_draw_differently() -> None:
    wanted = traffic(level(10.0), arrivals="poisson")
    first, second = (list(intended_times(wanted, Share(rank=rank, workers=2), seed=1)) for rank in range(2))

    assert not set(first) & set(second)


@given(STAGES)
def test_the_rate_at_a_time_is_the_slope_of_the_number(stages: list[Stage]) -> None:
    wanted = traffic(stages)
    start = 0.0
    for stage in stages:
        middle = start + stage.seconds / 2
        assert rate_at(wanted, middle) == pytest.approx(10.0 * (stage.from_percent + stage.percent) / 200)
        start += stage.seconds
    assert rate_at(wanted, start + 1) == 0.0


@pytest.mark.parametrize(("rank", "workers"), [(1, 1), (-1, 2), (0, 0)])
def test_a_rank_is_one_of_the_workers(rank: int, workers: int) -> None:
    with pytest.raises(ValueError, match=f"rank {rank}"):
        Share(rank=rank, workers=workers)
