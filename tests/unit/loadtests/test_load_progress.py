"""The line of progress: in place on a terminal, a line now and then without one, no colour where none is wanted."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from loadtests.live import Live, checks_so_far, live_of
from loadtests.progress import ERRORS_SHOWN_MAX, grouped, line, progress_on
from loadtests.recording import Merged
from tests.unit.loadtests.load_samples import STATUS, THRESHOLDS, healthy, recorded, spread

LIVE = Live(
    elapsed_seconds=12.0,
    warming_up=False,
    sent=2400,
    wanted_per_second=200.0,
    answered=1400,
    failures=0,
    missed=0,
    in_flight=12,
    p50=61.2,
    p95=138.0,
    p99=187.0,
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, environ: dict[str, str], *moments: Live) -> str:
    progress = progress_on(stream, environ, limit_milliseconds=200.0)
    for moment in moments:
        progress.show(moment)
    return stream.getvalue()


def test_a_moment_in_words() -> None:
    before = replace(LIVE, elapsed_seconds=11.0, sent=2202)

    assert line(LIVE, before) == ("   12 s  198 of 200 req/s  p50 61 p95 138 p99 187 ms  errors 0 (0 %)  in flight 12")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"p95": None}, "p95 – p99"),
        ({"p50": 0.84}, "p50 0.8 "),
        ({"failures": 7}, "errors 7 (0.5 %)"),
        ({"missed": 3}, "missed 3"),
        ({"warming_up": True}, "(warm-up)"),
        ({"answered": 0, "p50": None}, "errors 0 (0 %)"),
    ],
)
def test_what_is_special_is_said(change: dict[str, object], says: str) -> None:
    assert says in line(replace(LIVE, **change), None)  # type: ignore[arg-type]


def test_a_terminal_has_one_line_that_is_rewritten() -> None:
    text = shown(Terminal(), {}, LIVE, replace(LIVE, elapsed_seconds=13.0))

    assert "\n" not in text
    assert text.count("\r\x1b[2K") == 2
    assert "\x1b[31m" not in text


@pytest.mark.parametrize("environ", [{}, {"TERM": "dumb"}, {"CI": "true"}])
def test_without_a_terminal_there_is_a_line_every_ten_seconds(environ: dict[str, str]) -> None:
    stream = Terminal() if environ else io.StringIO()
    text = shown(stream, environ, *(replace(LIVE, elapsed_seconds=second) for second in range(31)))

    assert [one.split(" s")[0].strip() for one in text.splitlines()] == ["0", "10", "20", "30"]
    assert "\x1b" not in text
    assert "\r" not in text


@pytest.mark.parametrize(
    ("environ", "live", "red"),
    [
        ({}, replace(LIVE, p95=200.0), True),
        ({}, replace(LIVE, failures=1), True),
        ({}, replace(LIVE, p95=199.9), False),
        ({"NO_COLOR": "1"}, replace(LIVE, failures=1), False),
        ({"NO_COLOR": ""}, replace(LIVE, failures=1), True),
    ],
)
def test_red_is_for_what_is_bad_and_only_where_colour_is_wanted(environ: dict[str, str], live: Live, red: bool) -> None:
    assert ("\x1b[31m" in shown(Terminal(), environ, live)) == red


def test_a_narrow_terminal_is_never_wrapped() -> None:
    text = shown(Terminal(), {"COLUMNS": "40"}, LIVE)

    assert len(text.removeprefix("\r\x1b[2K")) == 39


def test_errors_are_grouped_most_frequent_first() -> None:
    errors = {("GET /a", "HTTP 503"): 2, ("GET /b", "timeout"): 30}

    assert grouped(errors) == "errors:\n      30  GET /b: timeout\n       2  GET /a: HTTP 503\n"
    assert grouped({}) == ""


def test_an_error_cannot_steer_the_terminal_nor_fill_it() -> None:
    errors = {("GET /a", f"\x1b[2J\n{number}" + "x" * 300): 1 for number in range(ERRORS_SHOWN_MAX + 5)}
    text = grouped(errors)

    assert "\x1b" not in text
    assert "and 5 more kinds" in text
    assert len(text.splitlines()) == ERRORS_SHOWN_MAX + 2
    assert max(map(len, text.splitlines())) < 150


def test_the_line_ends_before_the_errors() -> None:
    stream = Terminal()
    progress = progress_on(stream, {}, limit_milliseconds=200.0)
    progress.show(LIVE)
    progress.end({("GET /a", "HTTP 503"): 2})

    assert stream.getvalue().endswith("in flight 12\nerrors:\n       2  GET /a: HTTP 503\n")


def merged() -> Merged:
    """5,900 answered, 100 in flight."""
    record = Merged()
    record.add("w0", recorded({STATUS: [*healthy(5900), *[float("inf")] * 100]}).parcel(final=False))
    return record


def test_what_is_in_flight_is_not_held_against_a_run_that_goes_on() -> None:
    live = live_of(merged(), THRESHOLDS, elapsed_seconds=20.0, wanted_per_second=200.0, warm_up_seconds=5.0)

    assert (live.sent, live.answered, live.in_flight, live.failures) == (6000, 5900, 100, 0)
    assert live.p95 == pytest.approx(60, rel=0.001)
    assert {check.verdict for check in checks_so_far(merged().so_far(), THRESHOLDS)} == {"PASS"}


def test_checks_so_far_are_those_of_latency_and_errors() -> None:
    record = Merged()
    record.add("w0", recorded({STATUS: spread((900, 60.0), (100, 640.0))}).parcel(final=False))
    checks = {check.name: check.verdict for check in checks_so_far(record.so_far(), THRESHOLDS)}

    assert set(checks) == {"p95", f"p95 {STATUS}", "p99", "maximum", "errors"}
    assert checks["p95"] == "FAIL"
    assert all(check.verdict == "FAIL" for check in checks_so_far({}, THRESHOLDS)), "nothing is not good"
