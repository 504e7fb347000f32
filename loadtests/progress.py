"""One line that says how a run goes: rewritten in place on a terminal, a new line every ten seconds without one."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import TextIO

from loadtests.checks import number
from loadtests.live import Live

LINE_EVERY_SECONDS = 10.0
ERRORS_SHOWN_MAX = 10
ERROR_CHARACTERS_MAX = 120
_CLEAR = "\r\x1b[2K"
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


class Progress:
    """Shows moments of a run on a stream.

    Args:
        stream: where to write; it is flushed after each line.
        terminal: the line may be rewritten in place.
        colour: errors and a p95 over its limit may be red.
        columns: of the terminal; a longer line would not be rewritten as a whole.
    """

    def __init__(
        self, stream: TextIO, *, terminal: bool, colour: bool, limit_milliseconds: float, columns: int = 100
    ) -> None:
        self._stream = stream
        self._terminal = terminal
        self._colour = colour and terminal
        self._limit = limit_milliseconds
        self._columns = columns
        self._last: Live | None = None
        self._written_at: float | None = None

    def show(self, live: Live) -> None:
        """Show this moment; without a terminal at most every ten seconds of the run."""
        due = self._written_at is None or live.elapsed_seconds - self._written_at >= LINE_EVERY_SECONDS
        if self._terminal or due:
            text = line(live, self._last)[: self._columns - 1]
            self._write(f"{_CLEAR}{self._coloured(text, live)}" if self._terminal else f"{text}\n")
            self._written_at = live.elapsed_seconds
            self._last = live

    def end(self, errors: Mapping[tuple[str, str], int]) -> None:
        """Leave the line and list the errors, the most frequent first."""
        if self._terminal:
            self._write("\n")
        self._write(grouped(errors))

    def _coloured(self, text: str, live: Live) -> str:
        bad = live.failures or live.missed or (live.p95 is not None and live.p95 >= self._limit)
        return f"{_RED}{text}{_PLAIN}" if self._colour and bad else text

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def progress_on(stream: TextIO, environ: Mapping[str, str], *, limit_milliseconds: float) -> Progress:
    """As stream and environment ask for: TERM=dumb and CI are no terminals; NO_COLOR (no-color.org): no colour."""
    terminal = stream.isatty() and environ.get("TERM", "") != "dumb" and not environ.get("CI")
    columns = environ.get("COLUMNS", "")
    return Progress(
        stream,
        terminal=terminal,
        colour=not environ.get("NO_COLOR"),
        limit_milliseconds=limit_milliseconds,
        columns=int(columns) if columns.isdigit() and int(columns) > 0 else 100,
    )


def line(live: Live, before: Live | None) -> str:
    """The moment in words; the rate is that since the moment before."""
    seconds = live.elapsed_seconds - (before.elapsed_seconds if before else 0.0)
    reached = (live.sent - (before.sent if before else 0)) / seconds if seconds > 0 else 0.0
    percent = 100 * live.failures / live.answered if live.answered else 0.0
    parts = [
        f"{live.elapsed_seconds:5.0f} s{' (warm-up)' if live.warming_up else ''}",
        f"{reached:.0f} of {live.wanted_per_second:.0f} req/s",
        f"p50 {_milliseconds(live.p50)} p95 {_milliseconds(live.p95)} p99 {_milliseconds(live.p99)} ms",
        f"errors {live.failures} ({percent:.3g} %)",
        f"in flight {live.in_flight}",
    ]
    if live.missed:
        parts.append(f"missed {live.missed}")
    return "  ".join(parts)


def grouped(errors: Mapping[tuple[str, str], int]) -> str:
    """A line for each kind of error, the most frequent first; nothing without errors."""
    most_first = sorted(errors.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = [f"{count:8d}  {_printable(name)}: {_printable(error)}\n" for (name, error), count in most_first]
    more = len(shown) - ERRORS_SHOWN_MAX
    rest = f"{'':8}  and {more} more kinds in loadreport.json\n" if more > 0 else ""
    return "".join(["errors:\n", *shown[:ERRORS_SHOWN_MAX], rest]) if shown else ""


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}" if value >= 10 else number(round(value, 1))


def _printable(text: str) -> str:
    """An answer's text must not steer a terminal, nor fill it."""
    clean = "".join(one if unicodedata.category(one)[0] != "C" else "?" for one in text)
    return clean if len(clean) <= ERROR_CHARACTERS_MAX else clean[: ERROR_CHARACTERS_MAX - 1] + "…"
