"""The page says the verdict first, shows every plot in words too, runs nothing, asks nobody, and stays small."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from loadtests.page import PAGE_BYTES_MAX, render_page, thinned
from loadtests.plots import Axis, Line, Plot, round_axis, svg, tail_axis
from loadtests.recording import Recorder
from tests.unit.loadtests.load_samples import STATUS, fail, healthy, recorded, report, spread

EVIL = '<script>alert("1")</script>'


def page(recorder: Recorder | None = None, **changes: Any) -> str:
    return render_page(report(recorder, **changes)[0])


def heading(text: str) -> list[str]:
    return re.findall(r"<h[12]>(.*?)</h[12]>", text)


def test_the_verdict_comes_first_and_red_checks_before_the_plots() -> None:
    text = page(recorded({STATUS: spread((5000, 60.0), (1000, 201.0))}))

    assert heading(text)[:2] == ["✗ FAIL", "What decides"]
    assert text.index("p95 of all requests is 201 ms") < text.index("<svg")
    assert text.index("every arrival was sent") > text.index("<svg")


def test_nothing_runs_and_nothing_is_asked_for() -> None:
    text = page(fail(recorded({STATUS: healthy()}), 20))

    assert "default-src 'none'" in text
    assert not re.search(r"<(script|img|link|iframe|object|form)|https?://(?!staging)|url\(|@import|\son\w+=", text)


def test_names_and_errors_are_data() -> None:
    recorder = recorded({STATUS: healthy(), EVIL: spread((300, 40.0))})
    recorder.started(STATUS, 6.0)
    recorder.ended(STATUS, 6.0, 0.1, EVIL)
    text = page(recorder, host=f"https://{EVIL}.example")

    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 3


def test_every_plot_has_a_sentence_and_a_table() -> None:
    text = page(recorded({STATUS: healthy()}))

    assert text.count("<svg") == text.count("<figcaption>") == text.count("<details>") == 3
    assert "Half of 6000 requests took at most 60.031 ms" in text
    assert "The p95 of 0 of 30 measured intervals was at or over 200 ms" in text


def test_pictures_are_well_formed_and_have_a_title() -> None:
    for picture in re.findall(r"<svg.*?</svg>", page(), re.DOTALL):
        root = ElementTree.fromstring(picture)
        assert root.get("role") == "img"
        assert root.find("title").text  # type: ignore[union-attr]
        assert root.get("aria-labelledby") == root.find("title").get("id")  # type: ignore[union-attr]


def test_dark_and_print_have_colours_of_their_own() -> None:
    text = page()

    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_a_run_without_a_request_has_a_page() -> None:
    text = page(Recorder(warm_up_seconds=5, limits_seconds=0.2))

    assert "✗ FAIL" in text
    assert "Nothing was recorded" in text


def test_a_large_run_stays_small() -> None:
    """A hundred names, hundreds of errors, an hour."""
    names = {f"GET /v1/things/{number}": spread((60, 30.0 + number)) for number in range(100)}
    recorder = recorded(names)
    for second in range(3600):
        recorder.started(STATUS, 5.0 + second)
        recorder.ended(STATUS, 5.0 + second, 0.05, "x" * 190 + str(second))

    assert len(page(recorder).encode()) < PAGE_BYTES_MAX


def test_what_had_no_answer_is_said() -> None:
    text = page(recorded({STATUS: [*healthy(5400), *[float("inf")] * 600]}))

    assert "without an answer" in text
    assert "600 requests had no answer" in text


def test_the_comparison_is_shown() -> None:
    told, _ = report()
    baseline = {"run_id": "before", "p95": 60.0, "p95_low": 60.0, "p95_high": 60.0, "change_percent": 1.0}
    text = render_page({**told, "baseline": {**baseline, "sentence": "p95 60 ms, surely <slower>."}})

    assert "surely &lt;slower&gt;." in text


@pytest.mark.parametrize(
    ("highest", "top"), [(0.0, 1e-9), (7.0, 8.0), (200.0, 200.0), (201.0, 250.0), (1343.0, 1500.0)]
)
def test_an_axis_ends_at_a_round_number(highest: float, top: float) -> None:
    axis = round_axis(highest, "milliseconds")

    assert axis.high == pytest.approx(top, abs=1e-9)
    assert axis.ticks[0][0] == 0
    assert 2 <= len(axis.ticks) <= 7


@pytest.mark.parametrize(("n", "last"), [(1, "99"), (100, "99"), (101, "99.9"), (12_000, "99.999"), (10**9, "99.9999")])
def test_the_tail_goes_as_far_as_the_requests_reach(n: int, last: str) -> None:
    assert tail_axis(n).ticks[-1][1] == last


def test_what_has_no_answer_leaves_a_gap() -> None:
    axis = Axis(0, 10, [], "x")
    line = Line("p95", "a", [(0, 1.0), (1, 2.0), (2, None), (3, 4.0), (4, None)])
    picture = svg(Plot("t", axis, axis, [line]), number=1)

    assert picture.count('<path class="a"') == 1
    assert picture.count('<circle class="a"') == 1


def test_names_of_lines_do_not_lie_upon_each_other() -> None:
    axis = Axis(0, 10, [], "x")
    lines = [Line(name, "a", [(0, 5.0), (1, 5.0)]) for name in ("one", "two", "three")]
    places = [
        float(y)
        for y in re.findall(r'class="name a" x="\d+" y="([\d.]+)"', svg(Plot("t", axis, axis, lines), number=1))
    ]

    assert len(places) == 3
    assert all(below - above >= 12 for above, below in pairwise(places))


def test_a_table_beside_a_plot_has_forty_rows_and_the_last() -> None:
    series = [{"second": number} for number in range(239)]

    assert len(thinned(series)) <= 40
    assert thinned(series)[-1] == series[-1]
