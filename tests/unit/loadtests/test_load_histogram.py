"""The sparse counters are an HdrHistogram, bucket by bucket, and tell what they know about a limit."""

from __future__ import annotations

import math

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.histogram import (
    HIGHEST_MICROSECONDS,
    at_or_over,
    decode,
    encode,
    hdr,
    highest,
    index_of,
    lowest,
    merged,
    microseconds,
    rank_of,
    value_at_rank,
)

values = st.integers(1, HIGHEST_MICROSECONDS)
latencies = st.floats(0, 130, allow_nan=False)


def counted(numbers: list[int]) -> dict[int, int]:
    return merged({index_of(number): 1} for number in numbers)


@given(values)
def test_an_index_is_that_of_the_original(value: int) -> None:
    """hdrhistogram's own index, and a bucket that holds the value within a thousandth of it."""
    index = index_of(value)

    assert index == HdrHistogram(1, HIGHEST_MICROSECONDS, 3).get_counts_array_index(value)
    assert lowest(index) <= value <= highest(index)
    assert highest(index) - lowest(index) <= value / 1000
    assert index_of(lowest(index)) == index_of(highest(index)) == index


@settings(max_examples=40, deadline=None)
@given(st.lists(values, max_size=60))
def test_counts_become_the_histogram_that_recorded_them(numbers: list[int]) -> None:
    recorded = HdrHistogram(1, HIGHEST_MICROSECONDS, 3)
    for number in numbers:
        recorded.record_value(number)
    counts = counted(numbers)
    ours = hdr(counts)

    assert list(ours.counts) == list(recorded.counts)
    assert ours.get_total_count() == len(numbers)
    assert decode(encode(counts)) == counts


@given(st.lists(st.lists(values, max_size=20), max_size=4))
def test_a_merge_is_the_histogram_of_all(parts: list[list[int]]) -> None:
    assert merged(map(counted, parts)) == counted([number for part in parts for number in part])


@given(st.lists(values, min_size=1, max_size=60), st.integers(1, 60))
def test_a_rank_is_found_within_its_bucket(numbers: list[int], rank: int) -> None:
    """Against the sorted values; a rank beyond the last value has none."""
    found = value_at_rank(counted(numbers), rank)

    if rank > len(numbers):
        assert found is None
    else:
        assert found == highest(index_of(sorted(numbers)[rank - 1]))


@pytest.mark.parametrize(
    ("quantile", "n", "rank"),
    [(0.95, 20, 19), (0.95, 21, 20), (0.95, 1, 1), (0.95, 100, 95), (0.99, 1000, 990), (0.0, 5, 1), (1.0, 5, 5)],
)
def test_ranks_are_nearest(quantile: float, n: int, rank: int) -> None:
    """The least rank that holds the share: 19 of 20 are 95 %, as 0.95 * 20 is a little over 19 in binary only."""
    assert rank_of(quantile, n) == rank


@given(st.lists(latencies, max_size=60), st.sampled_from([0.001, 0.2, 0.199999, 0.5, 1.0, 0.002048]))
def test_the_limit_is_bracketed(seconds: list[float], limit: float) -> None:
    """The exact number of latencies at or over the limit lies between what the histogram surely and possibly holds."""
    counts = counted([microseconds(latency) for latency in seconds])
    surely, possibly = at_or_over(counts, microseconds(limit))

    assert surely <= sum(latency >= limit for latency in seconds) <= possibly


@given(latencies, latencies)
def test_rounding_keeps_the_order(first: float, second: float) -> None:
    low, high = sorted((first, second))

    assert microseconds(low) <= microseconds(high)
    assert 1 <= microseconds(low) <= HIGHEST_MICROSECONDS
    assert math.isclose(microseconds(high), high * 1e6, abs_tol=1.0) or not 1e-6 <= high <= 120


@pytest.mark.parametrize("text", ["", "no", "HISTFAAAAA", encode({5: 1})[:-8]])
def test_what_is_no_histogram_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no histogram"):
        decode(text)


def test_a_histogram_of_another_shape_is_refused() -> None:
    """Nanoseconds would read as microseconds."""
    other = HdrHistogram(1, 3_600_000_000_000, 3)
    other.record_value(7)

    with pytest.raises(ValueError, match="another shape"):
        decode(other.encode().decode())
