"""A report can be judged by anybody from its own histograms, and one that was edited is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.checks import Verdict
from loadtests.histogram import decode, encode
from loadtests.measurement import LostWorker
from loadtests.recording import Recorder
from loadtests.rejudge import rejudged
from loadtests.report import BadReport, validate_report
from loadtests.thresholds import Limits
from tests.unit.loadtests.load_samples import STATUS, THRESHOLDS, TOKEN, fail, healthy, recorded, report, spread


def hanging() -> Recorder:
    recorder = recorded({STATUS: [*healthy(5990), *[float("inf")] * 10]})
    recorder.missed(STATUS, 7.0)
    return recorder


LOST = LostWorker(id="w1", elapsed_seconds=3.0, sentence="worker w1 was lost after 3 s")


@pytest.mark.parametrize(
    ("recorder", "changes"),
    [
        pytest.param(lambda: None, {}, id="healthy"),
        pytest.param(lambda: recorded({STATUS: spread((5000, 60.0), (1000, 201.0))}), {}, id="slow"),
        pytest.param(lambda: fail(recorded({STATUS: healthy()}), 50), {}, id="errors"),
        pytest.param(hanging, {}, id="hanging and missed"),
        pytest.param(lambda: Recorder(warm_up_seconds=5, limits_seconds=0.2), {}, id="nothing"),
        pytest.param(lambda: None, {"workers_lost": (LOST,), "bottleneck": "CPU at 99 %"}, id="lost and busy"),
        pytest.param(lambda: recorded({STATUS: [i * 0.0001234567 for i in range(1, 3000)]}), {}, id="odd values"),
    ],
)
def test_a_report_is_judged_as_its_run_was(recorder: Callable[[], Recorder | None], changes: dict[str, Any]) -> None:
    """Through JSON and back: same checks, same sentences, same exit code."""
    told, _ = report(recorder(), **changes)
    judgement = rejudged(json.loads(json.dumps(told)))

    assert [check.message for check in judgement.checks] == [check["message"] for check in told["checks"]]
    assert (judgement.verdict, judgement.exit_code) == (told["verdict"], told["exit_code"])


def test_limits_of_names_survive() -> None:
    thresholds = replace(THRESHOLDS, names={TOKEN: Limits(500.0, 1500.0, 4000.0)})
    told, _ = report(
        recorded({STATUS: healthy(), TOKEN: spread((300, 450.0))}, thresholds=thresholds), thresholds=thresholds
    )

    assert rejudged(told).verdict == told["verdict"]
    assert told["names"][TOKEN]["limit_milliseconds"] == 500


@pytest.mark.parametrize(
    ("limit", "verdict"), [(300.0, Verdict.PASS), (150.0, Verdict.PASS), (59.0, Verdict.FAIL), (60.0, Verdict.FAIL)]
)
def test_other_limits_may_be_tried_afterwards(limit: float, verdict: Verdict) -> None:
    """The bucket of the other limit counts as over it: never green by rounding."""
    told, _ = report()

    assert rejudged(told, replace(THRESHOLDS, p95_milliseconds_max=limit)).verdict is verdict


Edit = Callable[[dict[str, Any]], object]


def put(*path: Any, value: Any) -> Edit:
    def edit(told: dict[str, Any]) -> None:
        place = told
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return edit


def thinner(told: dict[str, Any]) -> None:
    """Take the slow ones out of one name's histogram and of all, and out of their counts."""
    for one in (told["names"][STATUS], told["all"]):
        counts = decode(one["histogram"])
        slowest = max(counts)
        one["requests"] -= counts.pop(slowest)
        one["histogram"] = encode(counts)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (put("verdict", value="PASS"), "verdict is 'PASS'"),
        (put("exit_code", value=0), "exit_code is 0"),
        (put("checks", 7, "verdict", value="PASS"), "checks are not"),
        (put("all", "p95", value=150.0), "all: p95 is 150.0"),
        (put("names", STATUS, "p95_high", value=150.0), f"{STATUS}: p95_high"),
        (put("names", STATUS, "at_or_over_limit", value=10), "at or over the limit"),
        (put("names", STATUS, "failures", value=1), "errors are listed, 1 answers failed"),
        (put("names", STATUS, "maximum", value=190.0), "maximum"),
        (put("names", STATUS, "unfinished", value=1), "without an answer"),
        (put("names", STATUS, "limit_milliseconds", value=210.0), "counted against 210 ms"),
        (put("names", STATUS, "parts", 0, "lost", value=1), "parts do not add up"),
        (put("names", STATUS, "histogram", value="HISTFAAAAA"), "no histogram"),
        (put("thresholds", "p95_milliseconds_max", value=300.0), "counted against 200 ms"),
        (put("thresholds", "error_rate_percent_max", value=-1.0), "thresholds: error_rate_percent_max"),
        (put("rate", "reached_per_second", value=500.0), "rate:"),
        (put("rate", "reached_percent", value=99.0), "% reached"),
        (put("generator", "missed", value=3), "generator: 3 missed"),
        (put("series", 8, "sent", value=0), "series"),
        (lambda told: told["names"].pop(TOKEN), "the names have"),
        (lambda told: told["errors"].append({"name": TOKEN, "error": "HTTP 500", "count": 1}), "1 errors are listed"),
        (thinner, "edited"),
    ],
)  # fmt: skip
def test_an_edited_report_is_refused(edit: Edit, says: str) -> None:
    """Of a run with a p95 of 201 ms."""
    told, _ = report(recorded({STATUS: spread((5000, 60.0), (1000, 201.0)), TOKEN: spread((300, 40.0))}))
    edited = copy.deepcopy(told)
    edit(edited)

    with pytest.raises(BadReport, match=r"edited|no histogram|thresholds") as refused:
        rejudged(edited)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "edit",
    [
        put("schema", value=2),
        put("verdict", value="GO"),
        put("subject", "commit", value="main"),
        put("all", "requests", value=-1),
        put("extra", value=1),
        put("checks", value=[]),
        lambda told: told.pop("all"),
    ],
)
def test_a_report_of_another_shape_is_refused(edit: Edit) -> None:
    told, _ = report()
    edit(told)

    with pytest.raises(BadReport, match="breaks schema 1"):
        validate_report(told)


outcomes = st.tuples(
    st.sampled_from([STATUS, TOKEN]),
    st.floats(0, 34.9),
    st.one_of(st.floats(0, 6), st.sampled_from([0.2, 0.19999999999, 0.002048, 150.0])),
    st.sampled_from(["answered", "answered", "failed", "unfinished", "missed"]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(outcomes, max_size=40))
def test_no_honest_report_is_called_edited(sent: list[tuple[str, float, float, str]]) -> None:
    """Whatever happened to its requests: unfinished, missed, at the limit, beyond the histogram's end."""
    recorder = Recorder(warm_up_seconds=5, limits_seconds=0.2)
    for name, at, latency, outcome in sent:
        recorder.late(at, latency / 1000)
        if outcome == "missed":
            recorder.missed(name, at)
            continue
        recorder.started(name, at)
        if outcome != "unfinished":
            recorder.ended(name, at, latency, "HTTP 503" if outcome == "failed" else None)
    told, _ = report(recorder)

    assert rejudged(json.loads(json.dumps(told))).exit_code == told["exit_code"] != 0
