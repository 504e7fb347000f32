"""What the known servers claim of themselves: plans that are their law, an open truth that a simulation confirms."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.loadservers.analytic import OpenTruth
from tests.loadservers.behaviour import Behaviour, Stall
from tests.loadservers.lane import Lane, percentiles
from tests.loadservers.laws import Constant, Lognormal, Normal, law_of, normal_with_p95
from tests.loadservers.planned import ERROR, HANG, STRATA, fates, latencies

STALL = Stall(period_seconds=10.0, length_seconds=1.0)


@pytest.mark.parametrize("law", [Lognormal(60.0, 0.5), Normal(190.0, 5.0), normal_with_p95(201.0)], ids=repr)
def test_a_law_is_the_inverse_of_itself(law: Lognormal | Normal) -> None:
    for share in (0.001, 0.5, 0.95, 0.999):
        assert law.share_within(law.quantile(share)) == pytest.approx(share)


@pytest.mark.parametrize("p95", [199.0, 201.0, 204.0])
def test_a_narrow_law_has_the_p95_that_is_asked_for(p95: float) -> None:
    assert law_of(f"normal95:{p95}").quantile(0.95) == pytest.approx(p95)


@pytest.mark.parametrize("text", ["", "constant", "normal:1", "uniform:1:2", "lognormal:a:b"])
def test_what_is_no_law_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no law|could not convert"):
        law_of(text)


def test_every_block_of_a_plan_holds_the_law() -> None:
    """Ten of each two hundred lie over the 95th percentile, and two over the 99th: a sample without sampling error."""
    law = Lognormal(60.0, 0.5)
    planned = latencies(law, 7)

    for start in range(0, len(planned), STRATA):
        block = planned[start : start + STRATA]
        assert sum(value > law.quantile(0.95) for value in block) == 10
        assert sum(value > law.quantile(0.99) for value in block) == 2
    assert sorted(planned)[math.ceil(0.95 * len(planned)) - 1] == pytest.approx(law.quantile(0.95), rel=1e-3)


def test_fates_are_as_many_as_declared() -> None:
    planned = fates(Behaviour(hang_percent=10.0, error_percent=0.1))

    assert (planned.count(HANG), planned.count(ERROR), len(planned)) == (100, 1, 1000)


@given(st.floats(0.0, 100.0))
def test_the_end_of_a_stall_lies_in_none(seconds: float) -> None:
    end = STALL.end_if_within(seconds)

    assert end >= seconds
    assert STALL.end_if_within(end) == end


def test_the_first_period_has_no_stall() -> None:
    assert STALL.end_if_within(0.5) == 0.5
    assert STALL.end_if_within(10.25) == 11.0


def test_the_open_truth_is_what_a_simulation_finds() -> None:
    """Half a million arrivals at all moments of a period, each served as the lane serves it."""
    law, dice = Lognormal(60.0, 0.5), random.Random(3)
    count = 500_000
    seen = []
    for _ in range(count):
        arrival = 10.0 + dice.random() * 10.0
        service = law.median_milliseconds * math.exp(law.sigma * dice.gauss(0.0, 1.0)) / 1000.0
        seen.append(STALL.end_if_within(STALL.end_if_within(arrival) + service) - arrival)
    found, truth = percentiles(seen), OpenTruth(law, STALL)

    assert found.p50 == pytest.approx(truth.quantile(0.5), rel=0.01)
    assert found.p95 == pytest.approx(truth.quantile(0.95), rel=0.02)
    assert found.p99 == pytest.approx(truth.quantile(0.99), rel=0.01)


def test_without_a_stall_the_open_truth_is_the_law() -> None:
    assert OpenTruth(Constant(50.0)).quantile(0.95) == pytest.approx(50.0)


def test_a_lane_notes_what_it_did_and_what_it_had_planned() -> None:
    lane = Lane(Behaviour(law="constant:100", leak_milliseconds_per_second=10.0))
    for arrived in (5.0, 6.0):
        lane.fate(arrived)
        lane.answered(arrived, lane.due(arrived), lane.due(arrived) + 0.002)
    truth = lane.truth(skip_seconds=0.5)

    assert truth["requests"] == 2
    assert truth["planned"]["p95"] == pytest.approx(110.0)
    assert truth["taken"]["p95"] == pytest.approx(112.0)


def test_of_no_latency_there_is_no_percentile() -> None:
    assert math.isnan(percentiles([]).p95)
