"""report.html: a pure function of the report. Verdict first, then checks, plots with their figures as text, the rest.

It needs neither network nor script (its own policy forbids both), prints, follows light and dark, and stays under
200 KB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadtests.checks import Verdict, number
from loadtests.exports import QUANTILES
from loadtests.histogram import decode, rank_of, value_at_rank
from loadtests.plots import Axis, Line, Plot, round_axis, svg, tail_axis
from loadtests.report import write_text

PAGE_NAME = "report.html"
PAGE_BYTES_MAX = 200_000
NAMES_SHOWN_MAX = 60
ERRORS_SHOWN_MAX = 40
_ROWS_MAX = 40  # of the text beside a plot; series.csv has every point
_TEXT_MAX = 400
# Place on the axis and distance between the points of the curve: twenty for each nine.
_CURVE_STEP = 0.05
_ALWAYS_FIRST = ("p95", "errors", "rate")
_MARKS = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.INVALID: "!", Verdict.INCONCLUSIVE: "?"}
_COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.INVALID: "red", Verdict.INCONCLUSIVE: "yellow"}


@dataclass(frozen=True)
class Twin:
    """A plot and the same in words: a sentence, and a table with a head."""

    title: str
    picture: Markup
    sentence: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def write_page(directory: Path, report: Mapping[str, Any]) -> Path:
    """Write report.html; its path. Raises OSError."""
    path = directory / PAGE_NAME
    write_text(path, render_page(report))
    return path


def render_page(report: Mapping[str, Any]) -> str:
    """The page; every text of the report in it is escaped and bounded."""
    names = sorted(report["names"].items(), key=lambda entry: _slowness(entry[1]), reverse=True)
    checks = sorted(report["checks"], key=lambda check: _badness(check["verdict"]))
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            report=report,
            names=names[:NAMES_SHOWN_MAX],
            names_more=max(len(names) - NAMES_SHOWN_MAX, 0),
            errors=report["errors"][:ERRORS_SHOWN_MAX],
            errors_more=max(len(report["errors"]) - ERRORS_SHOWN_MAX, 0),
            errors_most=max((error["count"] for error in report["errors"]), default=1),
            deciding=[check for check in checks if _decides(check)],
            others=[check for check in checks if not _decides(check)],
            twins=[twin for twin in (_by_percentile(report), _over_time(report), _rates(report)) if twin],
        )
    )


def _slowness(figures: Mapping[str, Any]) -> float:
    """Names without an answer at their p95 first, then by p95."""
    if not figures["requests"]:
        return float("inf")
    return float("inf") if figures["p95"] is None else float(figures["p95"])


def _decides(check: Mapping[str, Any]) -> bool:
    """What a reader looks for first: whatever is not green, and the p95."""
    return check["name"] in _ALWAYS_FIRST or check["verdict"] not in (Verdict.PASS, Verdict.NOT_APPLICABLE)


def _badness(verdict: str) -> int:
    return list(Verdict).index(Verdict(verdict))


@cache
def templates() -> Environment:
    """The templates of this package: everything is escaped, an unknown name is an error."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["mark"] = lambda verdict: _MARKS.get(verdict, "–")
    environment.filters["colour"] = lambda verdict: _COLOURS.get(verdict, "soft")
    environment.filters["figure"] = figure
    environment.filters["shortened"] = shortened
    return environment


def figure(value: float | None, unit: str = "") -> str:
    """A number as the page shows it; a dash where there is none."""
    return "–" if value is None else f"{number(value)} {unit}".rstrip()


def shortened(text: str) -> str:
    """The text, cut for the page; loadreport.json has all of it."""
    return text if len(text) <= _TEXT_MAX else text[: _TEXT_MAX - 1] + "…"


def _by_percentile(report: Mapping[str, Any]) -> Twin | None:
    everything = report["all"]
    n, counts = everything["requests"], decode(everything["histogram"])
    if not counts:
        return None
    limit = report["thresholds"]["p95_milliseconds_max"]
    x = tail_axis(n)
    places = [step * _CURVE_STEP for step in range(round(x.high / _CURVE_STEP) + 1)]
    points = [(place, _value(counts, n, 1 - 10**-place, everything["maximum"])) for place in places]
    highest = max([limit, *(y for _, y in points if y is not None)])
    plot = Plot(
        title="Latency by percentile, all requests",
        x=x,
        y=round_axis(highest, "milliseconds"),
        lines=[Line("all", "a", points)],
        limits=[(limit, f"p95 limit {number(limit)} ms")],
    )
    rows = [(f"{round(q * 100, 6):g} %", figure(_value(counts, n, q, everything["maximum"]), "ms")) for q in QUANTILES]
    sentence = (
        f"Half of {n} requests took at most {figure(everything['p50'], 'ms')}, 95 % {figure(everything['p95'], 'ms')}"
        f" (limit under {number(limit)} ms), 99 % {figure(everything['p99'], 'ms')};"
        f" the slowest answer took {figure(everything['maximum'], 'ms')}."
    )
    return Twin(plot.title, svg(plot, number=1), sentence, ("at most as slow", "latency"), rows)


def _value(counts: Mapping[int, int], n: int, quantile: float, maximum: float) -> float | None:
    value = value_at_rank(counts, rank_of(quantile, n))
    return None if value is None else min(value / 1000, maximum)


def _over_time(report: Mapping[str, Any]) -> Twin | None:
    series = report["series"]
    if not series:
        return None
    limit = report["thresholds"]["p95_milliseconds_max"]
    lines = [
        Line(name, style, [(_middle(point), point[name]) for point in series])
        for name, style in (("p99", "c"), ("p95", "a"), ("p50", "b"))
    ]
    highest = max([limit, *(y for line in lines for _, y in line.points if y is not None)])
    plot = Plot(
        title="Latency over time, by intended time",
        x=_time_axis(report),
        y=round_axis(highest, "milliseconds"),
        lines=lines,
        limits=[(limit, f"p95 limit {number(limit)} ms")],
        shaded=_warm_up(report),
    )
    measured = [p for p in series if p["second"] >= report["traffic"]["warm_up_seconds"] and p["sent"]]
    over = sum(point["p95"] is None or point["p95"] >= limit for point in measured)
    sentence = f"The p95 of {over} of {len(measured)} measured intervals was at or over {number(limit)} ms."
    rows = [
        (_moment(p), figure(p["p50"]), figure(p["p95"]), figure(p["p99"]), str(p["failures"])) for p in thinned(series)
    ]
    return Twin(plot.title, svg(plot, number=2), sentence, ("seconds", "p50 ms", "p95 ms", "p99 ms", "failed"), rows)


def _rates(report: Mapping[str, Any]) -> Twin | None:
    series, rate = report["series"], report["rate"]
    if not series:
        return None
    lines = [
        Line(name, style, [(_middle(point), point[field] / point["seconds"]) for point in series])
        for name, style, field in (("wanted", "limit", "wanted"), ("sent", "a", "sent"), ("answered", "b", "answered"))
    ]
    plot = Plot(
        title="Requests per second, wanted and reached",
        x=_time_axis(report),
        y=round_axis(max(y or 0.0 for line in lines for _, y in line.points), "requests/s"),
        lines=lines,
        shaded=_warm_up(report),
    )
    sentence = (
        f"{figure(rate['reached_per_second'])} of {figure(rate['wanted_per_second'])} requests per second were reached,"
        f" {figure(rate['reached_percent'], '%')}; {report['generator']['missed']} arrivals were missed."
    )
    rows = [
        (_moment(p), *(f"{p[field] / p['seconds']:.1f}" for field in ("wanted", "sent", "answered")))
        for p in thinned(series)
    ]
    head = ("seconds", "wanted/s", "sent/s", "answered/s")
    return Twin(plot.title, svg(plot, number=3), sentence, head, rows)


def _middle(point: Mapping[str, Any]) -> float:
    return float(point["second"] + point["seconds"] / 2)


def _moment(point: Mapping[str, Any]) -> str:
    return f"{point['second']:g}"


def _time_axis(report: Mapping[str, Any]) -> Axis:
    """From the start of the test to its last interval."""
    last = report["series"][-1]
    end = last["second"] + last["seconds"]
    axis = round_axis(end, "seconds since the start of the test")
    return Axis(0.0, end, [tick for tick in axis.ticks if tick[0] <= end], axis.title)


def _warm_up(report: Mapping[str, Any]) -> tuple[float, float] | None:
    seconds = report["traffic"]["warm_up_seconds"]
    return (0.0, min(seconds, _time_axis(report).high)) if seconds > 0 else None


def thinned(series: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """At most 40 points, evenly chosen, the last among them; series.csv has all."""
    step = -(-len(series) // _ROWS_MAX)
    return [point for place, point in enumerate(series) if (len(series) - 1 - place) % step == 0]
