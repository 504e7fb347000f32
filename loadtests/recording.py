"""What a worker records of its requests, and how the parcels of all workers become one exact record.

A worker keeps counters of each name and second and hands them over as parcels, each the difference to the last one and
each with the sender's own totals. Sums of whole numbers lose nothing, so the merged histogram is that of all requests;
a parcel that was lost, doubled, late or changed is found and named.

Warm-up is a sign: seconds are counted from its end, so what was intended before has a negative number. Nothing here
reads a clock; `at` is the intended time in seconds since this worker's start, so clocks of workers cannot bend a thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtests.histogram import HIGHEST_MICROSECONDS, add, index_of, microseconds
from loadtests.parcels import COUNTERS, PARCEL_SCHEMA, pairs, plain, row_of, summed
from loadtests.tally import Recording, Tally, Timeline, total

OTHERS = "*"  # the limit of every name that has none of its own
ERRORS_MAX = 200  # kinds of errors told apart; a body that changes with each answer must not fill the memory
ERROR_CHARACTERS_MAX = 200
OTHER_ERRORS = "other errors"
SLICES_MAX = 240  # of the series of all names: a point for every third pixel of a plot
SLICES_PER_NAME_MAX = 60  # of each name's: enough to see it grow


class _Cell:
    """Counters of one name in one second."""

    __slots__ = (*COUNTERS, "common_limit_seconds", "counts", "limit_seconds", "maximum_seconds")

    def __init__(self, limit_seconds: float, common_limit_seconds: float) -> None:
        self.started = self.ended = self.failures = self.missed = 0
        self.at_or_over_limit = self.at_or_over_common_limit = 0
        self.maximum_seconds = 0.0
        self.counts: dict[int, int] = {}
        self.limit_seconds = limit_seconds
        self.common_limit_seconds = common_limit_seconds


class Recorder:
    """Counts what one worker sends and receives; four calls in the hot path, none of which yields or raises.

    Args (all in seconds):
        warm_up_seconds: what is intended before is counted apart and never judged.
        limits_seconds: how many latencies reach the limit of their name is counted exactly, beside the histogram. One
            limit for all, or by name with the rest under "*".
        interval_seconds: width of the series over time.
    """

    def __init__(
        self, *, warm_up_seconds: float, limits_seconds: Mapping[str, float] | float, interval_seconds: float = 1.0
    ) -> None:
        limits = dict(limits_seconds) if isinstance(limits_seconds, Mapping) else {OTHERS: limits_seconds}
        assert OTHERS in limits, f"limits need the limit of all other names, {OTHERS!r}"
        assert interval_seconds > 0
        assert warm_up_seconds >= 0
        self._warm_up = warm_up_seconds
        self._interval = interval_seconds
        self._limits = limits
        self._sequence = 0
        self._closed = False
        self._totals: dict[str, list[int]] = {}
        self._arrivals_total = 0
        self._reset()

    def _reset(self) -> None:
        self._cells: dict[tuple[str, int], _Cell] = {}
        self._late: dict[int, int] = {}
        self._late_max_seconds = 0.0
        self._errors: dict[tuple[str, str], int] = {}

    def _cell(self, key: tuple[str, int]) -> _Cell:
        common = self._limits[OTHERS]
        cell = self._cells[key] = _Cell(self._limits.get(key[0], common), common)
        return cell

    def started(self, name: str, at: float) -> None:
        """A request is about to be sent; `at` is its intended time."""
        key = (name, int((at - self._warm_up) // self._interval))
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cell(key)
        cell.started += 1

    def ended(self, name: str, at: float, latency_seconds: float, error: str | None = None) -> None:
        """It was answered, or failed with a short text that groups its kind; `at` is the one it was started with."""
        key = (name, int((at - self._warm_up) // self._interval))
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cell(key)
        cell.ended += 1
        if latency_seconds >= cell.limit_seconds:
            cell.at_or_over_limit += 1
        if latency_seconds >= cell.common_limit_seconds:
            cell.at_or_over_common_limit += 1
        if latency_seconds > cell.maximum_seconds:
            cell.maximum_seconds = latency_seconds
        # histogram.microseconds and histogram.index_of, written out: two calls would double the cost of the hot path.
        value = int(latency_seconds * 1e6)
        if not 0 < value <= HIGHEST_MICROSECONDS:
            value = 1 if value <= 0 else HIGHEST_MICROSECONDS
        shift = value.bit_length() - 11
        index = value if shift <= 0 else (shift << 10) + (value >> shift)
        counts = cell.counts
        counts[index] = counts.get(index, 0) + 1
        if error is not None:
            cell.failures += 1
            if at >= self._warm_up:
                self._count_error(name, error)

    def _count_error(self, name: str, error: str) -> None:
        key = (name, error[:ERROR_CHARACTERS_MAX])
        if key not in self._errors and len(self._errors) >= ERRORS_MAX:
            key = (name, OTHER_ERRORS)
        self._errors[key] = self._errors.get(key, 0) + 1

    def missed(self, name: str, at: float) -> None:
        """An arrival could not be sent, as too many requests were in flight."""
        key = (name, int((at - self._warm_up) // self._interval))
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cell(key)
        cell.missed += 1

    def late(self, at: float, lateness_seconds: float) -> None:
        """An arrival was dispatched so long after its intended time, by the generator's own doing; once per arrival."""
        if at < self._warm_up:
            return
        index = index_of(microseconds(lateness_seconds))
        self._late[index] = self._late.get(index, 0) + 1
        if lateness_seconds > self._late_max_seconds:
            self._late_max_seconds = lateness_seconds

    def parcel(self, *, final: bool) -> dict[str, Any]:
        """What happened since the last parcel, of plain types; call it every few seconds, which bounds the memory.

        The last one is final; recording after it is a bug of the caller.
        """
        assert not self._closed, "the final parcel was already made"
        self._closed = final
        self._sequence += 1
        rows = []
        for (name, second), cell in self._cells.items():
            counted = [getattr(cell, counter) for counter in COUNTERS]
            total = self._totals.setdefault(name, [0] * (len(COUNTERS) + 1))
            for position, value in enumerate((*counted, sum(cell.counts.values()))):
                total[position] += value
            flat = [number for pair in cell.counts.items() for number in pair]
            rows.append([name, second, *counted, cell.maximum_seconds, flat])
        self._arrivals_total += sum(self._late.values())
        parcel = {
            "schema": PARCEL_SCHEMA,
            "sequence": self._sequence,
            "final": final,
            "settings": [self._warm_up, self._interval, sorted(self._limits.items())],
            "rows": rows,
            "late": [number for pair in self._late.items() for number in pair],
            "late_max_seconds": self._late_max_seconds,
            "errors": [[name, error, count] for (name, error), count in self._errors.items()],
            "totals": {name: list(total) for name, total in self._totals.items()},
            "arrivals_total": self._arrivals_total,
        }
        self._reset()
        return parcel


@dataclass
class _Sender:
    """What one worker has told so far."""

    sequence: int = 0
    final: bool = False
    sums: dict[str, list[int]] = field(default_factory=dict)
    arrivals: int = 0


class Merged:
    """The parcels of all workers as one record.

    A parcel that does not follow the last one, or whose sums are not the sender's, becomes a problem with the worker's
    name and is not counted: a record with a problem proves nothing, and says so.
    """

    def __init__(self) -> None:
        self._senders: dict[str, _Sender] = {}
        self._settings: list[Any] | None = None
        self._problems: list[str] = []
        self._names: dict[str, Tally] = {}
        self._warm_up = Tally()
        self._series: Timeline | None = None
        self._series_by_name: dict[str, Timeline] = {}
        self._late: dict[int, int] = {}
        self._late_max_seconds = 0.0
        self._errors: dict[tuple[str, str], int] = {}

    def joined(self, worker_id: str) -> None:
        """The worker takes part; without a final parcel of it the record has a problem."""
        self._senders.setdefault(worker_id, _Sender())

    def add(self, worker_id: str, parcel: Mapping[str, Any]) -> None:
        """Add a worker's next parcel; what is wrong with it becomes a problem, nothing is raised."""
        self.joined(worker_id)
        sender = self._senders[worker_id]
        try:
            problem = self._add(sender, parcel)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            problem = f"sent a parcel that cannot be read ({type(error).__name__}: {error})"
        if problem:
            self._problems.append(f"worker {worker_id} {problem}")

    def _add(self, sender: _Sender, parcel: Mapping[str, Any]) -> str | None:
        """The problem of the parcel, or None after it was added as a whole."""
        refused = self._refused(sender, parcel)
        if refused:
            return refused
        rows = [row_of(row) for row in parcel["rows"]]
        late = pairs(parcel["late"])
        errors = [(str(name), str(error), int(count)) for name, error, count in parcel["errors"]]
        sums = summed(sender.sums, rows)
        arrivals = sender.arrivals + sum(late.values())
        told = {str(name): [int(value) for value in values] for name, values in parcel["totals"].items()}
        if (sums, arrivals) != (told, parcel["arrivals_total"]):
            return f"sent parcel {parcel['sequence']} whose counts do not add up to its own totals"
        late_max_seconds = float(parcel["late_max_seconds"])
        # Nothing below can fail: a parcel is added as a whole or not at all.
        sender.sequence, sender.final = parcel["sequence"], bool(parcel["final"])
        sender.sums, sender.arrivals = sums, arrivals
        for name, second, tally in rows:
            self._add_row(name, second, tally)
        add(self._late, late)
        self._late_max_seconds = max(self._late_max_seconds, late_max_seconds)
        for name, kind, count in errors:
            self._errors[name, kind] = self._errors.get((name, kind), 0) + count
        return None

    def _refused(self, sender: _Sender, parcel: Mapping[str, Any]) -> str | None:
        sequence, expected = int(parcel["sequence"]), sender.sequence + 1
        if int(parcel["schema"]) != PARCEL_SCHEMA:
            return f"speaks another version of parcels ({parcel['schema']}, not {PARCEL_SCHEMA}): install the same"
        if sender.final:
            return f"sent parcel {sequence} after its final one"
        if sequence != expected:
            what = "again or out of order" if sequence < expected else "but nothing between"
            return f"sent parcel {sequence} after {sender.sequence}, {what}"
        settings = plain(parcel["settings"])
        if self._settings is None:
            self._settings = settings
            self._series = Timeline(SLICES_MAX, float(settings[1]))
        if settings != self._settings:
            return f"recorded under other settings: {settings}, the others {self._settings}"
        return None

    def _add_row(self, name: str, second: int, tally: Tally) -> None:
        assert self._series is not None, "the settings came with the first parcel"
        self._series.add(second, tally)
        if second < 0:
            self._warm_up.add(tally)
            return
        self._names.setdefault(name, Tally()).add(tally)
        assert self._settings is not None, "likewise"
        timeline = self._series_by_name.setdefault(name, Timeline(SLICES_PER_NAME_MAX, float(self._settings[1])))
        timeline.add(second, tally)

    def all(self) -> Tally:
        """All names of the measured time so far."""
        return total(list(self._names.values()))

    def result(self) -> Recording:
        """The record so far, a copy; complete only where `problems` is empty."""
        ended = tuple(worker for worker, sender in self._senders.items() if sender.final)
        silent = [
            f"worker {worker} did not hand in its final parcel (its last was {sender.sequence})"
            for worker, sender in self._senders.items()
            if not sender.final
        ]
        impossible = [
            f"{name}: {tally.ended} answers to {tally.started} requests"
            for name, tally in self._names.items()
            if tally.ended > tally.started
        ]
        return Recording(
            names={name: total([tally]) for name, tally in sorted(self._names.items())},
            warm_up=total([self._warm_up]),
            series=self._series.slices() if self._series else (),
            series_by_name={name: timeline.slices() for name, timeline in sorted(self._series_by_name.items())},
            lateness=dict(self._late),
            lateness_max_seconds=self._late_max_seconds,
            errors=dict(self._errors),
            workers=tuple(self._senders),
            ended=ended,
            problems=(*self._problems, *silent, *impossible),
            warm_up_seconds=float(self._settings[0]) if self._settings else 0.0,
        )
