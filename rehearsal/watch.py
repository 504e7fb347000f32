"""Whether the machine was there while a rehearsal ran.

A rehearsed minute lasts a real second, and gates judge response times over two of them: a machine that stands still for
a third of a second, or is too slow for the load for as long, turns a good release red. A process of its own, which does
nothing but ask to be woken, notes every time that it was woken late, and every processor that the host took away; and
the side that nobody changed shows what both sides share. None of it says anything about the release.
"""

from __future__ import annotations

import json
import select
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path

from probes.stream_record import Kind, Record
from rehearsal.warm import Fork

# 200 ms is the limit of the 95th percentile: over two seconds it takes a pause of three tenths to reach it.
STALL_SECONDS = 0.2
# Of one processor within a second, by the kernel's own account (proc(5), /proc/stat, "steal").
STOLEN_SECONDS = 0.25
# Of the limit of 200 ms three quarters; 4 to 30 ms are usual when nothing disturbs.
SLOW_MILLISECONDS = 150.0
_ENOUGH = 50
_TICK_SECONDS = 0.02
_WINDOW_SECONDS = 1.0
_STAT = Path("/proc/stat")
_STEAL_FIELD = 8
_TICKS_PER_SECOND = 100  # USER_HZ, on every platform that Linux and Python share


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """One moment in which the machine was not there. `monotonic`: when it began, in seconds; `seconds`: how much was
    missed; `what`: a sentence."""

    monotonic: float
    seconds: float
    what: str


@contextmanager
def watched(path: Path) -> Iterator[None]:
    """Keep watch until the block ends; what is noted goes to `path`, for `disturbances`."""
    watch = Fork(lambda: keep_watch(path), path.with_suffix(".log"))
    try:
        yield
    finally:
        watch.end()


def keep_watch(path: Path) -> int:
    """Until SIGTERM: note each disturbance as it happens, a line of JSON each, after a first line that says so."""
    with path.open("w", encoding="utf-8", buffering=1) as file:
        file.write(json.dumps({"watching_since": time.monotonic()}) + "\n")
        window_began, taken = time.monotonic(), stolen_seconds()
        while True:
            asked = time.monotonic()
            select.select([], [], [], _TICK_SECONDS)
            woken = time.monotonic()
            found = [] if (late := woken - asked - _TICK_SECONDS) < STALL_SECONDS else [_stood_still(asked, late)]
            if woken - window_began >= _WINDOW_SECONDS:
                now = stolen_seconds()
                found += taken_away(taken, now, began=window_began, ended=woken)
                window_began, taken = woken, now
            file.writelines(json.dumps(asdict(one)) + "\n" for one in found)


def _stood_still(asked: float, late: float) -> Disturbance:
    return Disturbance(monotonic=asked, seconds=late, what=f"the machine stood still for {late:.2f} s")


def taken_away(
    before: Mapping[str, float], after: Mapping[str, float], *, began: float, ended: float
) -> list[Disturbance]:
    """Processors of which the host took a quarter or more between two readings of `stolen_seconds`."""
    window = ended - began
    gone = {name: seconds - before[name] for name, seconds in after.items() if name in before}
    return [
        Disturbance(
            monotonic=began, seconds=seconds, what=f"the host took {seconds:.2f} s of {name} within {window:.2f} s"
        )
        for name, seconds in gone.items()
        if seconds >= STOLEN_SECONDS * window
    ]


def stolen_seconds(text: str | None = None) -> dict[str, float]:
    """By processor, since the machine started; empty where the kernel does not say."""
    if text is None:
        text = _STAT.read_text(encoding="ascii") if _STAT.exists() else ""
    rows = [line.split() for line in text.splitlines() if line.startswith("cpu") and line[3:4].isdigit()]
    return {row[0]: int(row[_STEAL_FIELD]) / _TICKS_PER_SECOND for row in rows if len(row) > _STEAL_FIELD}


def disturbances(path: Path) -> Sequence[Disturbance] | None:
    """What a watch noted, in its order; None if nobody watched."""
    if not path.exists():
        return None
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    if not lines or "watching_since" not in lines[0]:
        return None
    return tuple(Disturbance(**line) for line in lines[1:])


def in_words(seen: Sequence[Disturbance] | None) -> str:
    """The worst of them in a sentence; empty when the machine was there all the time, or nobody knows."""
    if not seen:
        return ""
    worst = max(seen, key=lambda one: one.seconds)
    more = f", and {len(seen) - 1} more" if len(seen) > 1 else ""
    return f"{worst.what}{more}"


def slow_without_change(requests: Iterable[Record], stable: str) -> Iterator[Disturbance]:
    """Seconds in which the side that nobody changed was about as slow as the gate's limit: it is the control group, and
    what slows both sides is what they share. Only the time since a request left counts, and seconds with enough of
    them; at the full share there is no control group any more."""
    seconds: dict[int, list[float]] = {}
    for request in requests:
        if request.slot == stable and request.kind == Kind.STEADY:
            seconds.setdefault(int(request.monotonic), []).append(request.latency - request.lag)
    for second, milliseconds in sorted(seconds.items()):
        if len(milliseconds) < _ENOUGH:
            continue
        p95 = sorted(milliseconds)[ceil(0.95 * len(milliseconds)) - 1]
        if p95 >= SLOW_MILLISECONDS:
            what = f"the unchanged side, {stable}, took {p95:.0f} ms too (p95 of a second)"
            yield Disturbance(monotonic=float(second), seconds=p95 / 1_000, what=what)
