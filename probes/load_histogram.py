"""An HdrHistogram from a file of somebody else: bounded before it is decoded, and asked by counts, never by averages.

The encoding is V2, compressed, in base64 (HdrHistogram's wiki, "V2 Encoding"); values are whole microseconds.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hdrh.codec import HdrCookieException, HdrLengthException
from hdrh.histogram import HdrHistogram

from probes.strict_json import Unparsable

LOWEST_MICROSECONDS, HIGHEST_MICROSECONDS, SIGNIFICANT_DIGITS = 1, 120_000_000, 3
# All buckets of this range with a count of nine bytes each take 0.4 MB; what is larger is none of ours.
_ENCODED_CHARACTERS_MAX = 400_000
_DECODED_BYTES_MAX = 1_000_000
_OUTER_HEADER_BYTES = 8  # cookie and length
_WRONG = (HdrCookieException, HdrLengthException, ValueError, IndexError, OverflowError, RuntimeError, TypeError)


@dataclass(frozen=True)
class Bucket:
    """Values from `lowest` to `highest` microseconds, both included, cannot be told apart; `count` of them."""

    lowest: int
    highest: int
    count: int


@dataclass(frozen=True)
class Histogram:
    """What was counted, by rising values, empty buckets left out."""

    buckets: tuple[Bucket, ...]

    @cached_property
    def total(self) -> int:
        """How many values were recorded."""
        return sum(bucket.count for bucket in self.buckets)

    def quantile_milliseconds(self, share: float, *, more: int = 0) -> float:
        """The value of rank ceil(share * n), rounded up to the end of its bucket; `more` values above every limit are
        counted in n. Infinite where that rank is one of them, or nothing was recorded."""
        return self.at_rank(max(1, math.ceil(share * (self.total + more) - 1e-9)))

    def at_rank(self, rank: int) -> float:
        """Milliseconds of the value of this rank, 1 to n, at the end of its bucket; infinite beyond the last one."""
        for bucket in self.buckets:
            rank -= bucket.count
            if rank <= 0:
                return bucket.highest / 1000
        return math.inf

    def at_or_over(self, limit_milliseconds: float) -> tuple[int, int]:
        """How many values lie at or over the limit: at least, and at most, since the bucket that holds the limit holds
        values on either side of it."""
        limit = limit_milliseconds * 1000
        least = sum(bucket.count for bucket in self.buckets if bucket.lowest >= limit)
        return least, sum(bucket.count for bucket in self.buckets if bucket.highest >= limit)


def merged(parts: Iterable[Histogram]) -> Histogram:
    """The histogram of all values of the parts."""
    counts: dict[tuple[int, int], int] = {}
    for bucket in (bucket for part in parts for bucket in part.buckets):
        place = (bucket.lowest, bucket.highest)
        counts[place] = counts.get(place, 0) + bucket.count
    return Histogram(tuple(Bucket(*place, count) for place, count in sorted(counts.items())))


def decode_histogram(encoded: str) -> Histogram:
    """The histogram in its text. Raises probes.strict_json.Unparsable for what is none, or one of another range."""
    decoded = _decoded(_bounded(encoded))
    shape = (decoded.lowest_trackable_value, decoded.highest_trackable_value, decoded.significant_figures)
    if shape != (LOWEST_MICROSECONDS, HIGHEST_MICROSECONDS, SIGNIFICANT_DIGITS):
        raise Unparsable(f"the histogram is of another range: {shape[0]} to {shape[1]} with {shape[2]} digits")
    counts = decoded.counts[: min(decoded.counts_len, decoded.encoder.payload.counts_len)]
    if min(counts, default=0) < 0:
        raise Unparsable("the histogram holds a negative count")
    return Histogram(tuple(_bucket(decoded, index, int(count)) for index, count in enumerate(counts) if count))


def _bucket(decoded: Any, index: int, count: int) -> Bucket:
    value = decoded.get_value_from_index(index)
    highest = decoded.get_highest_equivalent_value(value)
    return Bucket(int(decoded.get_lowest_equivalent_value(value)), int(highest), count)


def _bounded(encoded: str) -> bytes:
    """The text's own bytes, if they unfold to no more than a histogram can be: it decides how much memory we take."""
    if len(encoded) > _ENCODED_CHARACTERS_MAX:
        raise Unparsable(f"the histogram is longer than {_ENCODED_CHARACTERS_MAX} characters")
    try:
        packed = base64.b64decode(encoded, validate=True)[_OUTER_HEADER_BYTES:]
        unfolding = zlib.decompressobj()
        unfolding.decompress(packed, _DECODED_BYTES_MAX)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise Unparsable(f"the histogram is not readable: {error}") from None
    if unfolding.unconsumed_tail or not unfolding.eof:
        raise Unparsable("the histogram is cut off, or unfolds to more than one can be")
    return encoded.encode("ascii")


def _decoded(encoded: bytes) -> Any:
    try:
        return HdrHistogram.decode(encoded)
    except _WRONG as error:
        raise Unparsable(f"the histogram is not readable: {str(error) or type(error).__name__}") from None
