"""What the request stream writes down: one line of CSV per request, and a summary that needs no lines.

The file `requests.csv` starts with `HEADER`; each line is one request in the order in which they ended:
sequence, intended (CLOCK_MONOTONIC seconds), epoch (the same instant), kind, outcome, HTTP status (0: none),
slot and version from the answer's headers, latency in milliseconds from the *intended* time, and how much of it
passed before the request really left (lag).
A request's x-request-id is "<run>-<sequence>".
"""

from __future__ import annotations

import math
from collections import Counter
from enum import StrEnum
from typing import NamedTuple, TextIO

HEADER = "sequence,monotonic,epoch,kind,outcome,status,slot,version,latency_ms,lag_ms"
REQUESTS_FILE, SUMMARY_FILE = "requests.csv", "summary.json"

# Latencies are kept in buckets 1 % apart, so that a stream of any length needs the same memory.
_BUCKETS_PER_E = 100.0
_SMALLEST_MILLISECONDS = 0.01


class Outcome(StrEnum):
    """How one request ended. `lb_error`: an error answer without the slot's header, or an answer that is no HTTP."""

    OK = "ok"
    TARGET_ERROR = "target_error"
    LB_ERROR = "lb_error"
    REFUSED = "refused"
    RESET = "reset"
    TIMEOUT = "timeout"
    TLS = "tls"
    NOT_SENT = "not_sent"


class Kind(StrEnum):
    """What sort of request it was."""

    STEADY = "get"
    FRESH = "new"  # on a connection of its own
    SLOW = "slow"
    POST = "post"


class Record(NamedTuple):
    """One request; times in seconds, `latency` and `lag` in milliseconds from `monotonic`, the intended send time."""

    sequence: int
    monotonic: float
    epoch: float
    kind: str
    outcome: str
    status: int
    slot: str
    version: str
    latency: float
    lag: float = 0.0

    @property
    def left(self) -> float:
        """CLOCK_MONOTONIC seconds at which the request really left (or the attempt to open its connection ended)."""
        return self.monotonic + self.lag / 1000

    @property
    def failed(self) -> bool:
        """Whether a customer would have noticed; a request that was never sent is nobody's failure but ours."""
        return self.outcome not in (Outcome.OK, Outcome.NOT_SENT)

    @property
    def ended(self) -> float:
        """CLOCK_MONOTONIC seconds at which the answer was complete or the failure was noticed."""
        return self.monotonic + self.latency / 1000


def outcome_of(status: int, slot: str) -> Outcome:
    """How a complete answer counts: any 2xx or 3xx is good; an error is the target's if the target signed it."""
    if 200 <= status < 400:
        return Outcome.OK
    return Outcome.TARGET_ERROR if slot else Outcome.LB_ERROR


class Tally:
    """Counts that become the summary; memory grows with seconds and slots, not with requests."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.slots: Counter[tuple[str, str]] = Counter()
        self.seconds: dict[int, list[int]] = {}
        self._latencies: Counter[int] = Counter()

    def add(self, record: Record) -> None:
        """Count one request."""
        self.outcomes[record.outcome] += 1
        self.kinds[record.kind] += 1
        self.slots[record.slot, record.outcome] += 1
        second = self.seconds.setdefault(int(record.epoch), [0, 0])
        second[0] += record.outcome != Outcome.NOT_SENT
        second[1] += record.failed
        if record.status:
            milliseconds = max(record.latency, _SMALLEST_MILLISECONDS)
            self._latencies[math.ceil(math.log(milliseconds) * _BUCKETS_PER_E)] += 1

    def percentile(self, share: float) -> float | None:
        """Latency in ms that `share` of the answered requests did not exceed (upper bucket edge, 1 % coarse)."""
        total = sum(self._latencies.values())
        if total == 0:
            return None
        wanted, seen = math.ceil(share * total), 0
        for bucket in sorted(self._latencies):
            seen += self._latencies[bucket]
            if seen >= wanted:
                return round(math.exp(bucket / _BUCKETS_PER_E), 3)
        raise AssertionError("the buckets hold fewer requests than their sum")

    def summary(self) -> dict[str, object]:
        """The counts as JSON: planned = sent + not_sent_in_time; by_second: [epoch second, sent, failed]."""
        not_sent = self.outcomes[Outcome.NOT_SENT]
        failed = {name: count for name, count in sorted(self.outcomes.items()) if name not in _NOT_FAILURES}
        slots: dict[str, dict[str, int]] = {}
        for (slot, outcome), count in sorted(self.slots.items()):
            slots.setdefault(slot, {})[outcome] = count
        return {
            "sent": self.outcomes.total() - not_sent,
            "not_sent_in_time": not_sent,
            "ok": self.outcomes[Outcome.OK],
            "failed_total": sum(failed.values()),
            "failed": failed,
            "by_kind": dict(sorted(self.kinds.items())),
            "by_slot": slots,
            "by_second": [[second, *counts] for second, counts in sorted(self.seconds.items())],
            "latency_ms": {name: self.percentile(share) for name, share in _PERCENTILES.items()},
        }


_NOT_FAILURES = (Outcome.OK, Outcome.NOT_SENT)
_PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


class Recorder:
    """Writes each request to the file and counts it."""

    def __init__(self, file: TextIO) -> None:
        self.tally = Tally()
        self._file = file
        file.write(HEADER + "\n")

    def add(self, record: Record) -> None:
        """Write one line (buffered; `flush` makes it visible)."""
        self.tally.add(record)
        self._file.write(
            f"{record.sequence},{record.monotonic:.6f},{record.epoch:.6f},{record.kind},{record.outcome},"
            f"{record.status},{record.slot},{record.version},{record.latency:.3f},{record.lag:.3f}\n"
        )

    def flush(self) -> None:
        """Hand the lines to the operating system."""
        self._file.flush()


def parse_line(line: str) -> Record:
    """One line of the file. Raises ValueError for a line that was cut short."""
    sequence, monotonic, epoch, kind, outcome, status, slot, version, latency, lag = line.rstrip("\n").split(",")
    return Record(
        sequence=int(sequence),
        monotonic=float(monotonic),
        epoch=float(epoch),
        kind=kind,
        outcome=outcome,
        status=int(status),
        slot=slot,
        version=version,
        latency=float(latency),
        lag=float(lag),
    )
