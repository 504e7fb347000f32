"""What a request stream shows: pure functions from its records to observations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from probes.question import Question
from probes.stream_record import HEADER, Outcome, Record, parse_line
from rollout.model import Observation, Verdict

# Four standard deviations: one false alarm in 16,000 windows. A gate is looked at in some tens of windows per run.
DEFAULT_Z = 4.0
_SOURCE = "request stream"


def read_records(path: Path) -> tuple[Record, ...]:
    """Every complete line of a requests.csv, by sequence; a last line cut short by a crash is left out.

    Raises ValueError if the file is not one of ours or is broken before its last line.
    """
    lines = path.read_text(encoding="ascii").split("\n")
    if lines[0] != HEADER:
        raise ValueError(f"{path} is not a request stream: it does not start with {HEADER!r}")
    return tuple(sorted(parse_line(line) for line in lines[1:-1]))


@dataclass(frozen=True, kw_only=True)
class Window:
    """Half-open span of real send times, CLOCK_MONOTONIC seconds: start <= t < end."""

    start: float
    end: float

    def holds(self, record: Record) -> bool:
        """Whether the request left in this span (one that was never sent: was meant to)."""
        return self.start <= record.left < self.end


@dataclass(frozen=True, kw_only=True)
class Share:
    """Answers that `slot` gave (k) of all that named a slot (n), with the Wilson interval at `z`."""

    slot: str
    k: int
    n: int
    z: float
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """k/n; None when nothing was answered."""
        return self.k / self.n if self.n else None


def wilson(k: int, n: int, *, z: float) -> tuple[float, float]:
    """Wilson score interval for k of n; (0, 1) when n is 0. Raises ValueError unless 0 <= k <= n and z > 0."""
    if not 0 <= k <= n or z <= 0:
        raise ValueError(f"wilson needs 0 <= k <= n and z > 0, not k={k}, n={n}, z={z}")
    if n == 0:
        return 0.0, 1.0
    share, square = k / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    # Exact at the ends: all of n is consistent with a share of 1, none of n with a share of 0.
    return (0.0 if k == 0 else max(0.0, middle - half)), (1.0 if k == n else min(1.0, middle + half))


def observed_share(records: Iterable[Record], slot: str, *, window: Window, z: float = DEFAULT_Z) -> Share:
    """The share of a slot among all answers of the window that named one."""
    answered = [record for record in records if window.holds(record) and record.slot]
    k = sum(record.slot == slot for record in answered)
    low, high = wilson(k, len(answered), z=z)
    return Share(slot=slot, k=k, n=len(answered), z=z, low=low, high=high)


def share_followed(share: Share, wanted: float, *, least: int = 200) -> Observation:
    """Whether an observed share (0..1) is what the plan wanted, within the binomial tolerance.

    0 and 1 are exact: a single request elsewhere breaks them. LOW_SAMPLE under `least` answers.
    """
    question = Question(
        name=f"share.{share.slot}",
        rule=f"observed share of {share.slot} is {wanted:.0%} within its Wilson interval (z = {share.z:g})",
        limit=wanted,
        source=_SOURCE,
    )
    if share.value is None:
        return question.no_data("no answer of the window names a slot")
    seen = f"{share.k} of {share.n} answers came from {share.slot} ({share.value:.2%})"
    if share.n < least:
        return question.answer(
            Verdict.LOW_SAMPLE, share.value, message=f"{seen}; at least {least} answers are needed", n=share.n
        )
    exact = wanted in (0.0, 1.0)
    holds = share.value == wanted if exact else share.low <= wanted <= share.high
    tolerance = "" if exact else f", interval {share.low:.2%} to {share.high:.2%}"
    message = f"{seen}{tolerance}; wanted {wanted:.0%}"
    return (question.passed if holds else question.failed)(share.value, message, n=share.n)


def request_id(run: str, record: Record) -> str:
    """The x-request-id that this request carried."""
    return f"{run}-{record.sequence}"


def unexplained_failures(records: Iterable[Record], run: str, *, planted: Collection[str]) -> tuple[Record, ...]:
    """Failures that the candidate did not give on purpose.

    Only an error answer signed by the target can be explained, by its id in the candidate's log of planted errors;
    refused, reset, timed out and load balancer errors always count.
    """
    known = frozenset(planted)
    return tuple(
        record
        for record in records
        if record.failed and not (record.outcome == Outcome.TARGET_ERROR and request_id(run, record) in known)
    )


def nobody_noticed(records: Sequence[Record], run: str, *, planted: Collection[str] = ()) -> Observation:
    """MET-04: no request failed, but for the planted errors; names the first failures by id, cause and instant."""
    question = Question(
        name="stream.failures", rule="no request of the steady stream fails", limit=0, unit="requests", source=_SOURCE
    )
    sent = sum(record.outcome != Outcome.NOT_SENT for record in records)
    if sent == 0:
        return question.no_data("the stream sent nothing")
    failures = unexplained_failures(records, run, planted=planted)
    if not failures:
        explained = sum(record.failed for record in records)
        return question.passed(0, f"0 of {sent} requests failed ({explained} planted errors left out)", n=sent)
    first = ", ".join(
        f"{request_id(run, record)} {record.outcome} {record.status or 'no status'} {record.slot or 'no slot'}"
        f" at +{record.monotonic - records[0].monotonic:.2f} s"
        for record in failures[:3]
    )
    return question.failed(len(failures), f"{len(failures)} of {sent} requests failed; the first: {first}", n=sent)


def stream_was_steady(records: Sequence[Record], window: Window, *, largest_gap_seconds: float = 1.0) -> Observation:
    """Whether the stream can speak for the whole window: it covers it without a gap, and sent what it planned.

    NO_DATA otherwise: silence of ours proves nothing about the target.
    """
    question = Question(
        name="stream.steady",
        rule="the stream sends without a gap over the whole window and leaves out less than 1 %",
        limit=largest_gap_seconds,
        unit="s",
        source=_SOURCE,
        window_seconds=window.end - window.start,
    )
    planned = [record for record in records if window.holds(record)]
    sent = sorted(record.left for record in planned if record.outcome != Outcome.NOT_SENT)
    instants = [window.start, *sent, window.end]
    gap = max(after - before for before, after in itertools.pairwise(instants))
    missed = len(planned) - len(sent)
    seen = f"largest gap {gap:.2f} s, {missed} of {len(planned)} requests not sent in time"
    if gap > largest_gap_seconds or missed * 100 >= max(len(planned), 1):
        return question.no_data(f"the stream cannot speak for this window: {seen}", value=gap)
    return question.passed(gap, seen, n=len(sent))


def served_after(records: Iterable[Record], slot: str, *, after: float) -> tuple[Record, ...]:
    """Requests that left after an instant (CLOCK_MONOTONIC) and that `slot` still answered, in the records' order."""
    return tuple(record for record in records if record.slot == slot and record.left > after)


def last_served(records: Iterable[Record], slot: str) -> Record | None:
    """The request whose answer by `slot` came last; None if it answered none."""
    answered = [record for record in records if record.slot == slot]
    return max(answered, key=lambda record: record.ended, default=None)


def slot_went_quiet(records: Sequence[Record], slot: str, *, after: float, within_seconds: float) -> Observation:
    """Rollback in customers' terms: no request sent later than `within_seconds` after the instant reached the slot."""
    question = Question(
        name=f"stream.last_from_{slot}",
        rule=f"{slot} answers no request sent later than {within_seconds:g} s after the order",
        limit=within_seconds,
        unit="s",
        source=_SOURCE,
    )
    if not any(record.left > after + within_seconds for record in records):
        return question.no_data(f"the stream ended before {within_seconds:g} s had passed")
    late = served_after(records, slot, after=after)
    seconds = max((record.left - after for record in late), default=0.0)
    message = f"the last request answered by {slot} left {seconds:.3f} s after the order ({len(late)} left after it)"
    return (question.failed if seconds > within_seconds else question.passed)(seconds, message, n=len(records))
