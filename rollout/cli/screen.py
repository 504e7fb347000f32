"""Progress on a terminal: a live view that is repainted at most five times a second, with every sentence above it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rollout.cli.lines import Lines
from rollout.cli.sentences import sentences
from rollout.cli.view import Line, View, view_of
from rollout.cli.words import duration, percent
from rollout.engine import Tick
from rollout.model import Verdict

_REPAINT_SECONDS = 0.2
_MARKS = {
    Verdict.PASS: ("✔", "ok", "green"),
    Verdict.FAIL: ("✖", "X", "bold red"),
    Verdict.LOW_SAMPLE: ("◌", "..", "yellow"),
    Verdict.NO_DATA: ("?", "?", "yellow"),
    Verdict.SOURCE_ERROR: ("!", "!", "magenta"),
}


class Reporter(Protocol):
    """Shows progress while it is entered; called with every tick."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def __call__(self, tick: Tick) -> None: ...


def wants_screen(stream: TextIO, variables: Mapping[str, str], log_format: str) -> bool:
    """A person is watching: a terminal that can move its cursor, not a CI job, and no log was asked for."""
    in_ci = variables.get("CI", "") not in ("", "0")
    return log_format == "text" and stream.isatty() and variables.get("TERM") != "dumb" and not in_ci


def progress(stream: TextIO, variables: Mapping[str, str], *, service: str, log_format: str) -> Reporter:
    """The reporter that fits where the output goes; a context manager that is called with every tick."""
    if wants_screen(stream, variables, log_format):
        return Screen(Console(file=stream, _environ=variables), service=service)
    return Lines(stream, service=service, as_json=log_format == "json")


def is_ascii(console: Console) -> bool:
    """The output cannot carry the marks and lines of Unicode."""
    return not (console.encoding or "").lower().startswith("utf")


def render(view: View, *, ascii_only: bool) -> Group:
    """The whole view as something rich can draw."""
    head = Table.grid(padding=(0, 2))
    head.add_column(style="dim", no_wrap=True)
    head.add_column(overflow="fold")
    for name, value in _header(view):
        head.add_row(name, value)
    parts: list[Table | Text] = [Text(view.title, style="bold"), head]
    if view.gates or view.triggers:
        parts.append(_table(view, ascii_only=ascii_only))
    return Group(*parts)


def _header(view: View) -> list[tuple[str, Text]]:
    share = f"{view.share_wanted} % wanted, {percent(view.share_observed)} read back"
    if view.requests_share is not None:
        share += f", {view.requests_share:.1f} % of the requests"
    left = "" if view.left_seconds is None else f", {duration(view.left_seconds)} left here"
    rows = [
        ("rollout", Text(f"{view.rollout_id}, {view.leader}")),
        ("state", Text(f"{view.state}, stage {view.stage}")),
        ("share", Text(share)),
        ("time", Text(f"{duration(view.elapsed_seconds)} since the start{left}")),
    ]
    if view.hold:
        rows.append(("hold", Text(view.hold, style="yellow")))
    rows.append(("now", Text(view.note)))
    return rows


def _table(view: View, *, ascii_only: bool) -> Table:
    table = Table(box=box.ASCII if ascii_only else box.SIMPLE_HEAD, pad_edge=False)
    for title in ("", "check", "value", "rule", "n", "minutes over"):
        right = title in ("value", "n")
        # On a narrow terminal the rule wraps, so that values and verdicts stay whole.
        table.add_column(title, justify="right" if right else "left", no_wrap=title != "rule", overflow="fold")
    for line in (*view.gates, *view.triggers):
        table.add_row(*_cells(line, ascii_only=ascii_only))
    return table


def _cells(line: Line, *, ascii_only: bool) -> tuple[Text, ...]:
    mark, plain, style = _MARKS.get(line.verdict, ("-", "-", ""))
    texts = (line.name, line.value, line.rule, line.n, line.consecutive)
    return (Text(plain if ascii_only else mark, style=style), *(Text(text) for text in texts))


class Screen:
    """Told of every tick; repaints when something is new, five times a second at most."""

    def __init__(self, console: Console, *, service: str, seconds: Callable[[], float] = time.monotonic) -> None:
        self._console, self._service, self._seconds = console, service, seconds
        self._ascii = is_ascii(console)
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._before: Tick | None = None
        self._painted_at = float("-inf")
        self.repaints = 0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._before is not None:
            self._paint(self._before)
        self._live.stop()

    def __call__(self, tick: Tick) -> None:
        for said in sentences(tick, self._before, self._service):
            self._console.print(Text(said.text), soft_wrap=True)
        self._before = tick
        if self._seconds() - self._painted_at >= _REPAINT_SECONDS:
            self._paint(tick)

    def _paint(self, tick: Tick) -> None:
        self._painted_at = self._seconds()
        self.repaints += 1
        self._live.update(render(view_of(tick, self._service), ascii_only=self._ascii), refresh=True)
