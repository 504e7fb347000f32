"""Histograms from somebody else's file: counted exactly, bounded before they are unfolded, refused by name."""

from __future__ import annotations

import base64
import math
import struct
import zlib

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.load_histogram import Histogram, decode_histogram
from probes.strict_json import Unparsable


def encoded(values: list[int], *, highest: int = 120_000_000, digits: int = 3) -> str:
    histogram = HdrHistogram(1, highest, digits)
    for value in values:
        histogram.record_value(value)
    return str(histogram.encode().decode("ascii"))


def packed(payload: bytes) -> str:
    """Bytes with the header of a V2 histogram in front, as the encoding has it."""
    folded = zlib.compress(payload)
    return base64.b64encode(struct.pack(">II", 0x1C849314, len(folded)) + folded).decode("ascii")


@given(st.lists(st.integers(1, 120_000_000), min_size=1, max_size=60), st.integers(1, 120_000))
@settings(max_examples=60, deadline=None)
def test_a_count_at_or_over_a_limit_is_bounded_by_the_bucket_of_the_limit(values: list[int], limit: int) -> None:
    histogram = decode_histogram(encoded(values))

    least, most = histogram.at_or_over(limit)
    assert least <= sum(value >= limit * 1000 for value in values) <= most
    assert histogram.total == len(values)


@given(st.lists(st.integers(1, 120_000_000), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
@settings(max_examples=60, deadline=None)
def test_a_quantile_is_the_value_of_its_rank_within_a_thousandth(values: list[int], share: float) -> None:
    true = sorted(values)[math.ceil(round(share * len(values), 9)) - 1] / 1000

    seen = decode_histogram(encoded(values)).quantile_milliseconds(share)
    assert true <= seen + 1e-9 <= true * 1.001 + 0.002


def test_requests_without_a_time_push_the_quantile_beyond_every_limit() -> None:
    histogram = decode_histogram(encoded([1000] * 94))

    assert histogram.quantile_milliseconds(0.95, more=4) == pytest.approx(1.0)
    assert histogram.quantile_milliseconds(0.95, more=6) == math.inf
    assert Histogram(()).quantile_milliseconds(0.95) == math.inf


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "readable|cut off", id="empty"),
        pytest.param("not base64!", "not readable", id="no base64"),
        pytest.param("QUJD" * 20, "not readable", id="no zlib"),
        pytest.param(encoded([1, 2, 3])[:-8], "not readable|cut off", id="truncated"),
        pytest.param(encoded([5], highest=1_000_000), "another range", id="foreign range"),
        pytest.param(encoded([5], digits=2), "another range", id="foreign digits"),
        pytest.param(packed(b"\0" * 100), "not readable", id="no histogram inside"),
        pytest.param(packed(b"\0" * 5_000_000), "more than one can be", id="unfolds to five megabytes"),
        pytest.param("A" * 500_000, "longer than", id="oversized"),
    ],
)
def test_what_is_no_histogram_of_ours_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(Unparsable, match=says):
        decode_histogram(text)


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_histogram_or_refused(payload: bytes, headed: bool) -> None:
    """The header of the payload in front of anything, so that the counts themselves are hostile."""
    header = struct.pack(">Iiiiqqd", 0x1C849313, len(payload), 0, 3, 1, 120_000_000, 1.0)

    try:
        seen = decode_histogram(packed(header + payload if headed else payload))
    except Unparsable:
        seen = Histogram(())
    assert all(bucket.count > 0 for bucket in seen.buckets)
