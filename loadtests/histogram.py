"""Counters of latencies by the index of an HdrHistogram (1 us to 120 s, three significant digits), kept sparse.

A dictionary of index and count costs a third of hdrhistogram's own `record_value` and holds only what was seen; it
becomes an HdrHistogram where one is wanted, and the two are equal bucket by bucket. The index is that of the original
HdrHistogram: values below 2,048 each have their own; above, a value keeps its highest eleven bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil

from hdrh.histogram import HdrHistogram

HIGHEST_MICROSECONDS = 120_000_000
SIGNIFICANT_DIGITS = 3
_BITS = 11  # 2 ** 11 is the first power of two over 2 * 10 ** SIGNIFICANT_DIGITS
_HALF_BITS = _BITS - 1

Counts = Mapping[int, int]


def microseconds(seconds: float) -> int:
    """Whole microseconds, rounded down, within what the histogram can tell: 1 to 120,000,000.

    Rounding down keeps order: a latency at or over a limit never lands under the limit's own bucket.
    """
    return min(max(int(seconds * 1e6), 1), HIGHEST_MICROSECONDS)


def index_of(value_microseconds: int) -> int:
    """The index of the bucket that holds this many microseconds."""
    shift = value_microseconds.bit_length() - _BITS
    return value_microseconds if shift <= 0 else (shift << _HALF_BITS) + (value_microseconds >> shift)


def lowest(index: int) -> int:
    """The least number of microseconds that falls into the bucket."""
    shift = max((index >> _HALF_BITS) - 1, 0)
    return (index - (shift << _HALF_BITS)) << shift


def highest(index: int) -> int:
    """The greatest number of microseconds that falls into the bucket."""
    shift = max((index >> _HALF_BITS) - 1, 0)
    return lowest(index) + (1 << shift) - 1


def add(total: dict[int, int], counts: Counts) -> None:
    """Add the counts to the total."""
    for index, count in counts.items():
        total[index] = total.get(index, 0) + count


def merged(parts: Iterable[Counts]) -> dict[int, int]:
    """The histogram of all values of the parts: exact, in any order."""
    total: dict[int, int] = {}
    for part in parts:
        add(total, part)
    return total


def rank_of(quantile: float, n: int) -> int:
    """The rank of a quantile among n values, 1 to n: nearest rank, the least r with r / n >= quantile."""
    assert n > 0, "no quantile without a value"
    # 0.95 * 20 is 19.000000000000004 in binary: what is a whole number to 9 digits is that number.
    return min(max(ceil(round(quantile * n, 9)), 1), n)


def value_at_rank(counts: Counts, rank: int) -> int | None:
    """Microseconds of the value of this rank (1 is the least), as the greatest of its bucket; None beyond the last."""
    seen = 0
    for index in sorted(counts):
        seen += counts[index]
        if seen >= rank:
            return highest(index)
    return None


def at_or_over(counts: Counts, limit_microseconds: int) -> tuple[int, int]:
    """How many values reach the limit: (at least, at most), as the bucket of the limit itself cannot be split."""
    surely = sum(count for index, count in counts.items() if lowest(index) > limit_microseconds)
    possibly = sum(count for index, count in counts.items() if highest(index) >= limit_microseconds)
    return surely, possibly


def hdr(counts: Counts) -> HdrHistogram:
    """The counts as an HdrHistogram of microseconds."""
    histogram = HdrHistogram(1, HIGHEST_MICROSECONDS, SIGNIFICANT_DIGITS)
    for index, count in counts.items():
        assert histogram.record_value(lowest(index), count), f"index {index} is beyond the histogram"
    return histogram


def encode(counts: Counts) -> str:
    """HdrHistogram V2, compressed, in base64: what every HdrHistogram library reads."""
    return str(hdr(counts).encode().decode("ascii"))


def decode(text: str) -> dict[int, int]:
    """The counts of an encoded histogram.

    Raises:
        ValueError: it is no histogram, or not one of microseconds up to 120 s with three digits.
    """
    try:
        histogram = HdrHistogram.decode(text)
    except Exception as error:  # hdrh raises what base64, zlib and ctypes raise, and bare Exceptions
        raise ValueError(f"no histogram: {type(error).__name__}: {error}") from error
    shape = (histogram.lowest_trackable_value, histogram.highest_trackable_value, histogram.significant_figures)
    if shape != (1, HIGHEST_MICROSECONDS, SIGNIFICANT_DIGITS):
        raise ValueError(f"a histogram of another shape: {shape}")
    length = min(histogram.counts_len, histogram.encoder.payload.counts_len)
    return {index: count for index in range(length) if (count := histogram.counts[index])}
