"""Plots of a load report as inline SVG. Colours come from the page's style, so that they follow light, dark and print.

A plot is told apart by more than colour: every line has its own dash and its name at its end. What has no answer leaves
a gap. Coordinates are written with one decimal; a plot stays under 15 KB.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 760, 250
LEFT, RIGHT, TOP, BOTTOM = 62, 96, 14, 40
_TICKS = 5
_LABEL_GAP = 13.0


@dataclass(frozen=True)
class Line:
    """Points (x, y) in units of the axes; None is a gap. `style` is a class of the page's: a, b, c or limit."""

    name: str
    style: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, with ticks at (value, text)."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    title: str

    def share(self, value: float) -> float:
        """Where the value is between the ends, 0 to 1."""
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.0


@dataclass(frozen=True)
class Plot:
    """One plot: `shaded` is a range of x that is not judged; `limits` are values of y with their text."""

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line]
    limits: Sequence[tuple[float, str]] = ()
    shaded: tuple[float, float] | None = None


def round_axis(highest: float, title: str) -> Axis:
    """From 0 to a round number at or over the highest value, in steps of 1, 2 or 5 times a power of ten."""
    rough = max(highest, 1e-9) / _TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999999)
    count = max(math.ceil(highest / step - 1e-9), 1)
    ticks = [(step * number, f"{step * number:g}") for number in range(count + 1)]
    return Axis(0.0, step * count, ticks, title)


def tail_axis(n: int) -> Axis:
    """Quantiles by the logarithm of what lies beyond them, as far as n requests reach: 0, 50, 90, 99, 99.9 %, ..."""
    nines = max(min(math.ceil(math.log10(max(n, 10))), 6), 2)
    quantiles = (0.0, 0.5, *(1 - 10.0**-power for power in range(1, nines + 1)))
    ticks = [(tail(quantile), f"{round(quantile * 100, 6):g}") for quantile in quantiles]
    return Axis(0.0, tail(quantiles[-1]), ticks, "percent of requests at most as slow")


def tail(quantile: float) -> float:
    """The place of a quantile on the axis: 0 for 0 %, 1 for 90 %, 2 for 99 %."""
    return -math.log10(max(1 - quantile, 1e-9))


def svg(plot: Plot, *, number: int) -> Markup:
    """The plot as an SVG element; `number` makes its ids unique within the page."""
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t{number}" class="plot">',
        f'<title id="t{number}">{escape(plot.title)}</title>',
        *_shade(plot),
        *_axes(plot),
        *(_limit(plot, value, text) for value, text in plot.limits),
        *(element for line in plot.lines for element in _line(plot, line)),
        *_names(plot),
        "</svg>",
    ]
    return Markup("".join(parts))  # every text in it went through escape


def _x(plot: Plot, value: float) -> float:
    return LEFT + plot.x.share(value) * (WIDTH - LEFT - RIGHT)


def _y(plot: Plot, value: float) -> float:
    return HEIGHT - BOTTOM - min(plot.y.share(value), 1.0) * (HEIGHT - TOP - BOTTOM)


def _shade(plot: Plot) -> list[str]:
    if plot.shaded is None:
        return []
    start, end = (_x(plot, value) for value in plot.shaded)
    height = HEIGHT - TOP - BOTTOM
    return [
        f'<rect class="shade" x="{start:.1f}" y="{TOP}" width="{max(end - start, 0):.1f}" height="{height}"/>',
        f'<text class="s" x="{start + 4:.1f}" y="{TOP + 11}">warm-up</text>',
    ]


def _axes(plot: Plot) -> list[str]:
    base, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for value, text in plot.y.ticks:
        y = _y(plot, value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    for value, text in plot.x.ticks:
        x = _x(plot, value)
        parts.append(f'<path class="axis" d="M{x:.1f} {base}v4"/>')
        parts.append(f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle">{escape(text)}</text>')
    middle = (LEFT + right) / 2
    parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{base}H{right}"/>')
    parts.append(
        f'<text class="s" x="{middle:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(plot.x.title)}</text>'
    )
    parts.append(
        f'<text class="s" x="14" y="{(TOP + base) / 2:.1f}" text-anchor="middle"'
        f' transform="rotate(-90 14 {(TOP + base) / 2:.1f})">{escape(plot.y.title)}</text>'
    )
    return parts


def _limit(plot: Plot, value: float, text: str) -> str:
    if value > plot.y.high:
        return ""
    y = _y(plot, value)
    return (
        f'<path class="limit" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        f'<text class="limit" x="{LEFT + 4}" y="{y - 4:.1f}">{escape(text)}</text>'
    )


def _line(plot: Plot, line: Line) -> list[str]:
    """Its unbroken pieces; a single point between gaps is a dot."""
    pieces: list[list[str]] = [[]]
    for x, y in line.points:
        if y is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{_x(plot, x):.1f} {_y(plot, y):.1f}")
    found = []
    for piece in pieces:
        if len(piece) == 1:
            across, down = piece[0].split()
            found.append(f'<circle class="{line.style}" cx="{across}" cy="{down}" r="2"/>')
        elif piece:
            found.append(f'<path class="{line.style}" d="M{"L".join(piece)}"/>')
    return found


def _names(plot: Plot) -> list[str]:
    """Each line's name beside its last point, moved apart where they would lie upon each other."""
    ends = []
    for line in plot.lines:
        seen = [(x, y) for x, y in line.points if y is not None]
        if seen:
            ends.append((_y(plot, seen[-1][1]), line))
    parts, above = [], -math.inf
    for y, line in sorted(ends, key=lambda end: end[0]):
        above = max(y, above + _LABEL_GAP)
        x = WIDTH - RIGHT + 6
        parts.append(f'<text class="name {line.style}" x="{x}" y="{above + 4:.1f}">{escape(line.name)}</text>')
    return parts
