"""How a parcel of counters is written and read: plain lists and numbers, which msgpack and JSON carry unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loadtests.tally import Tally

PARCEL_SCHEMA = 1
# Of a row of a parcel, after the name and the second; a maximum and a flat histogram follow.
COUNTERS = ("started", "ended", "failures", "missed", "at_or_over_limit", "at_or_over_common_limit")


def plain(value: Any) -> Any:
    """Tuples as lists: msgpack and JSON know no tuples."""
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def pairs(flat: Sequence[int]) -> dict[int, int]:
    """{index: count} of index, count, index, count, ...; each index once, no count under 1."""
    counts = dict(zip(map(int, flat[::2]), map(int, flat[1::2]), strict=True))
    if len(counts) * 2 != len(flat) or any(count < 1 or index < 0 for index, count in counts.items()):
        raise ValueError("a histogram with an index twice, or with a count below 1")
    return counts


def row_of(row: Sequence[Any]) -> tuple[str, int, Tally]:
    """(name, second, tally) of a row.

    Raises:
        ValueError, TypeError: it is none.
    """
    name, second, *counted, maximum_seconds, flat = row
    if len(counted) != len(COUNTERS) or min(counted) < 0:
        raise ValueError(f"a row of {len(counted)} counters")
    tally = Tally(maximum_seconds=float(maximum_seconds), counts=pairs(flat))
    for counter, value in zip(COUNTERS, counted, strict=True):
        setattr(tally, counter, int(value))
    return str(name), int(second), tally


def summed(before: Mapping[str, Sequence[int]], rows: Sequence[tuple[str, int, Tally]]) -> dict[str, list[int]]:
    """The sender's counters and histogram totals by name, with these rows."""
    sums = {name: list(values) for name, values in before.items()}
    for name, _, tally in rows:
        values = sums.setdefault(name, [0] * (len(COUNTERS) + 1))
        for position, counter in enumerate(COUNTERS):
            values[position] += getattr(tally, counter)
        values[-1] += sum(tally.counts.values())
    return sums
