"""A load report proves something only when it is of this version, recent, whole, unedited, and good by histograms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import loadreport_samples as samples
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.load_histogram import decode_histogram
from probes.load_judge import judge_report
from probes.load_limits import Wanted, read_thresholds, read_traffic
from probes.load_report import BYTES_MAX, Kind
from probes.load_times import response_time
from probes.question import worst
from probes.strict_json import Unparsable
from rollout.model import Basis, Observation, Verdict

PASS, FAIL, LOW, NONE, ERROR = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.LOW_SAMPLE,
    Verdict.NO_DATA,
    Verdict.SOURCE_ERROR,
)
ALL = "load.p95 all requests"


def judge(document: Mapping[str, Any], **changes: Any) -> dict[str, Observation]:
    seen = judge_report(samples.encoded(document), samples.wanted(**changes))
    return {one.name: one for one in seen}


def test_a_good_report_passes_every_rule_and_says_where_it_comes_from() -> None:
    seen = judge(samples.document())

    assert {one.verdict for one in seen.values()} == {PASS}, {n: o.message for n, o in seen.items()}
    assert {one.basis for one in seen.values()} == {Basis.ARTEFACT}
    assert all("[loadreport.json]" in one.message for one in seen.values())
    assert len(seen) == 14


def test_a_run_that_was_watched_is_live() -> None:
    seen = judge(samples.document(), basis=Basis.LIVE)

    assert {one.basis for one in seen.values()} == {Basis.LIVE}


# ------------------------------------------------------------------------------------------------ the file


@pytest.mark.parametrize(
    ("raw", "verdict", "says"),
    [
        pytest.param(None, NONE, "no load run was made", id="none"),
        pytest.param(b"", ERROR, "empty", id="empty"),
        pytest.param(b"\xff\xfe", ERROR, "UTF-8", id="not text"),
        pytest.param(samples.encoded(samples.document())[:-40], ERROR, "not JSON", id="truncated"),
        pytest.param(b'{"schema": 1, "schema": 1}', ERROR, "twice", id="a key twice"),
        pytest.param(b'{"tests": 12, "failures": 0}', ERROR, "no load report", id="foreign"),
        pytest.param(b"[]", ERROR, "no load report", id="no object"),
        pytest.param(b'{"schema": 1, "a": NaN}', ERROR, "NaN", id="no number"),
        pytest.param(b" " * (BYTES_MAX + 1), ERROR, "larger than", id="oversized"),
        pytest.param(b"[" * 4000 + b"]" * 4000, ERROR, "nested", id="too deep"),
    ],
)
def test_what_is_no_report_has_a_name_and_is_never_green(raw: bytes | None, verdict: Verdict, says: str) -> None:
    (seen,) = judge_report(raw, samples.wanted())

    assert (seen.name, seen.verdict) == ("load.report", verdict)
    assert says in seen.message


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_report_without_one_of_its_parts_is_refused(data: st.DataObject) -> None:
    document = samples.document(samples.times(n=1200))
    part = data.draw(
        st.sampled_from(["subject", "traffic", "workers", "generator", "window", "rate", "names", "all", "series"])
    )
    inner = document.pop(part)
    if isinstance(inner, dict) and data.draw(st.booleans()):
        document[part] = {**inner, data.draw(st.sampled_from(sorted(inner))): {"no": "value"}}

    assert worst(judge(document).values()) is ERROR


Change = Callable[[dict[str, Any]], None]


def put(place: str, value: Any) -> Change:
    """A change of one member, by its dotted path."""

    def change(document: dict[str, Any]) -> None:
        *path, last = place.split(".")
        for part in path:
            document = document[part]
        document[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "verdict", "says"),
    [
        pytest.param(put("subject.image_digest", "sha256:" + "0" * 64), FAIL, "another version", id="another digest"),
        pytest.param(put("subject.commit", "d" * 40), FAIL, "another version", id="another commit"),
        pytest.param(put("subject.commit", f"{'c' * 40}-dirty"), FAIL, "another version", id="a changed tree"),
        pytest.param(put("subject.image_digest", None), NONE, "no image digest", id="no digest"),
        pytest.param(put("subject.commit", None), NONE, "no commit", id="no commit"),
        pytest.param(put("finished", "2026-11-22T11:00:00.000Z"), NONE, "49.0 h old", id="two days old"),
        pytest.param(put("finished", "2026-11-24T13:00:00.000Z"), NONE, "yet to come", id="from the future"),
    ],
)
def test_a_report_that_is_not_about_this_release_now(change: Change, verdict: Verdict, says: str) -> None:
    document = samples.document()
    change(document)

    seen = judge(document)
    assert list(seen) == ["load.report"]
    assert seen["load.report"].verdict is verdict
    assert says in seen["load.report"].message


@pytest.mark.parametrize("unknown", ["image_digest", "commit"])
def test_nobody_knows_what_is_under_release(unknown: str) -> None:
    (seen,) = judge(samples.document(), **{unknown: None}).values()

    assert seen.verdict is NONE


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(put("all.p95", 30.0), id="a smaller p95"),
        pytest.param(put("names.POST /api/v1/items.p99", 30.0), id="a smaller p99 of one kind"),
        pytest.param(put("all.maximum", 40.0), id="a smaller maximum"),
        pytest.param(put("all.at_or_over_limit", 0), id="fewer over the limit"),
        pytest.param(put("all.requests", 9000), id="more requests"),
        pytest.param(put("all.failures", 1), id="failures that no kind had"),
        pytest.param(put("all.histogram", samples.row(samples.quick(5000))["histogram"]), id="another histogram"),
        pytest.param(put("all.parts", samples.row(samples.quick(5000))["parts"]), id="parts of another run"),
    ],
)
def test_figures_that_are_not_those_of_the_histograms_were_edited(change: Change) -> None:
    document = samples.document(samples.times(slow=230))
    change(document)

    seen = judge(document)
    assert list(seen) == ["load.report"]
    assert seen["load.report"].verdict is FAIL
    assert "was edited" in seen["load.report"].message


def test_the_verdict_in_the_file_is_not_believed() -> None:
    document = samples.document(samples.times(slow=900))

    assert document["verdict"] == "PASS"
    assert judge(document)[ALL].verdict is FAIL


# ------------------------------------------------------------------------------------------------ response times


@pytest.mark.parametrize(
    ("slow", "milliseconds", "verdict"),
    [
        pytest.param(0, 0.0, PASS, id="none slow"),
        pytest.param(450, 201.0, PASS, id="4.5 % of 201 ms: shown"),
        pytest.param(480, 201.0, LOW, id="4.8 % of 201 ms: not yet shown"),
        pytest.param(500, 201.0, LOW, id="5 % of 201 ms: the p95 is still under"),
        pytest.param(501, 201.0, FAIL, id="one more: the p95 is 201 ms"),
        pytest.param(501, 200.0, FAIL, id="at the limit: the p95 is 200.0 ms"),
        pytest.param(501, 199.999, PASS, id="below the limit"),
        pytest.param(10_000, 199.999, PASS, id="all below the limit"),
        pytest.param(10_000, 200.0, FAIL, id="all at the limit"),
    ],
)
def test_the_p95_is_decided_by_counting(slow: int, milliseconds: float, verdict: Verdict) -> None:
    values = [*samples.quick(10_000 - slow), *[milliseconds] * slow]
    document = samples.document({"GET /api/v1/status": values})

    assert judge(document)[ALL].verdict is verdict
    assert judge(document)["load.p95 GET /api/v1/status"].verdict is verdict


def test_one_slow_kind_of_request_is_not_hidden_by_the_others() -> None:
    by_name = {"GET /api/v1/status": samples.quick(9_600), "POST /api/v1/items": [900.0] * 400}

    seen = judge(samples.document(by_name))
    assert seen[ALL].verdict is PASS
    assert seen["load.p95 POST /api/v1/items"].verdict is FAIL
    assert "900" in seen["load.p95 POST /api/v1/items"].message


def test_a_kind_may_have_a_limit_of_its_own_and_no_other_is_looser_for_it() -> None:
    by_name = {"GET /api/v1/status": samples.quick(4_000), "POST /oauth2/token": [250.0] * 400}
    own = replace(samples.thresholds(), p95_by_name={"POST /oauth2/token": 300.0})
    document = samples.document(by_name)

    seen = judge(document, thresholds=own)
    assert seen["load.p95 POST /oauth2/token"].verdict is PASS
    assert judge(document)["load.p95 POST /oauth2/token"].verdict is FAIL


@pytest.mark.parametrize(("strict", "verdict"), [(50.0, FAIL), (60.0, PASS), (200.0, PASS)])
def test_a_limit_that_the_run_did_not_count_is_read_from_the_histogram(strict: float, verdict: Verdict) -> None:
    stricter = replace(samples.thresholds(), p95_milliseconds_max=strict)

    assert judge(samples.document(), thresholds=stricter)[ALL].verdict is verdict


@given(st.integers(60, 3000), st.integers(0, 300), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_a_pass_always_has_a_p95_under_the_limit(n: int, slow: int, unfinished: int) -> None:
    """Whatever is counted: PASS means that rank ceil(0.95 n) of all wanted requests is under the limit."""
    slow = min(slow, n)
    kind = kind_of(samples.row([*[20.0] * (n - slow), *[250.0] * slow], unfinished=unfinished))

    seen = response_time(kind, 200.0, samples.wanted())
    if seen.verdict is PASS:
        assert slow + unfinished <= 0.05 * (n + unfinished)
        assert kind.histogram.quantile_milliseconds(0.95, more=unfinished) < 200
    if slow + unfinished > 0.05 * (n + unfinished) + 1:
        assert seen.verdict is FAIL


def kind_of(content: Mapping[str, Any]) -> Kind:
    counts = {name: content[name] for name in ("requests", "failures", "unfinished", "missed", "at_or_over_limit")}
    histogram = decode_histogram(content["histogram"])
    return Kind(name="GET /", **counts, limit_milliseconds=200.0, quantiles={}, histogram=histogram)


@pytest.mark.parametrize(
    ("milliseconds", "count", "p99", "maximum"),
    [
        pytest.param(900.0, 60, PASS, PASS, id="1.2 % of 900 ms"),
        pytest.param(1100.0, 60, FAIL, PASS, id="1.2 % of 1100 ms: the p99 is over"),
        pytest.param(1100.0, 40, PASS, PASS, id="0.8 % of 1100 ms"),
        pytest.param(3100.0, 1, PASS, FAIL, id="one of 3100 ms"),
    ],
)
def test_rarer_stalls_are_held_by_p99_and_maximum(
    milliseconds: float, count: int, p99: Verdict, maximum: Verdict
) -> None:
    seen = judge(samples.document(samples.times(slow=count, milliseconds=milliseconds)))

    assert (seen["load.p99"].verdict, seen["load.maximum"].verdict) == (p99, maximum)


@pytest.mark.parametrize(
    ("milliseconds", "verdict"),
    [
        pytest.param([50.0] * 9, PASS, id="level"),
        pytest.param([50.0 - 3 * ninth for ninth in range(9)], PASS, id="falling"),
        pytest.param([50.0 + ninth for ninth in range(9)], PASS, id="6 ms more, from third to third"),
        pytest.param([50.0 + 2.0 * ninth for ninth in range(9)], PASS, id="12 ms more, 22 %"),
        pytest.param([50.0 + 4.5 * ninth for ninth in range(9)], PASS, id="27 ms more, 46 %"),
        pytest.param([50.0 + 9.0 * ninth for ninth in range(9)], FAIL, id="54 ms more, 92 %"),
        pytest.param([300.0 + 9.0 * ninth for ninth in range(9)], PASS, id="54 ms more, 17 %"),
        pytest.param([5.0 + ninth for ninth in range(9)], PASS, id="6 ms more, 85 %"),
        pytest.param([5.0 + 9.0 * ninth for ninth in range(9)], FAIL, id="54 ms more, 386 %"),
        pytest.param([50.0] * 8 + [400.0], PASS, id="one burst at the end"),
        pytest.param([400.0] * 3 + [50.0] * 6, PASS, id="slow at first"),
    ],
)
def test_response_times_that_grow_are_a_leak(milliseconds: list[float], verdict: Verdict) -> None:
    by_ninth = [[value] * 500 for value in milliseconds]
    document = samples.document({"GET /": [value for values in by_ninth for value in values]})
    for row in (document["all"], document["names"]["GET /"]):
        row["parts"] = samples.parts(by_ninth)

    seen = judge(document)["load.growth"]
    assert seen.verdict is verdict, seen.message


@pytest.mark.parametrize("left", [0, 3])
def test_growth_is_not_known_without_all_ninths(left: int) -> None:
    document = samples.document(samples.times())
    for row in (document["all"], *document["names"].values()):
        row["parts"] = []
    if left:
        document["all"]["parts"] = samples.parts([samples.quick(5000)] + [[]] * (left - 1))

    seen = judge(document)
    assert worst(seen.values()) is not PASS


# ------------------------------------------------------------------------------------------------ errors, counts, run


@pytest.mark.parametrize(
    ("failures", "n", "verdict"),
    [
        pytest.param(0, 4000, PASS, id="none"),
        pytest.param(0, 2000, LOW, id="none of too few to know"),
        pytest.param(1, 2500, LOW, id="one of too few to know"),
        pytest.param(4, 10_000, PASS, id="4 of 10,000"),
        pytest.param(5, 10_000, LOW, id="5 of 10,000"),
        pytest.param(10, 10_000, FAIL, id="exactly 0.1 %"),
        pytest.param(40, 2000, FAIL, id="2 % of few"),
    ],
)
def test_failed_requests_are_judged_by_their_bounds(failures: int, n: int, verdict: Verdict) -> None:
    seen = judge(samples.document({"GET /api/v1/status": samples.quick(n)}, failures=failures))

    assert seen["load.errors"].verdict is verdict, seen["load.errors"].message


@pytest.mark.parametrize(
    ("change", "rule", "verdict", "says"),
    [
        pytest.param(put("window.cut", "Ctrl-C after 9.1 s"), "duration", FAIL, "cut short: Ctrl-C", id="cut"),
        pytest.param(put("window.aborted", "the limit is crossed"), "duration", FAIL, "cut short", id="aborted"),
        pytest.param(put("window.measured_seconds", 14.0), "duration", FAIL, "cut short", id="too short"),
        pytest.param(put("traffic.planned_seconds", 60.0), "duration", FAIL, "cut short", id="not to the planned end"),
        pytest.param(put("traffic.warm_up_seconds", 20.0), "duration", FAIL, "warm-up", id="nothing but warm-up"),
        pytest.param(put("window.broken", ["no token was to be had"]), "duration", FAIL, "no token", id="broken"),
        pytest.param(put("workers.problems", ["w2: parcel 3 is missing"]), "workers", FAIL, "parcel 3", id="parcels"),
        pytest.param(put("workers.ended", 1), "workers", FAIL, "a worker was lost", id="one did not end"),
        pytest.param(put("workers.joined", 1), "workers", FAIL, "a worker was lost", id="one never joined"),
        pytest.param(put("workers.wanted", 0), "workers", NONE, "no worker", id="no worker"),
        pytest.param(put("generator.bottleneck", "CPU at 100 %"), "generator", ERROR, "CPU at 100 %", id="bottleneck"),
        pytest.param(put("generator.lateness_p99", 10.1), "generator", ERROR, "10.1 ms late", id="late"),
        pytest.param(put("generator.lateness_p99", 10.0), "generator", PASS, "10.0 ms late", id="late, at the limit"),
        pytest.param(put("generator.lateness_p99", None), "generator", NONE, "does not say", id="lateness unknown"),
        pytest.param(put("traffic.sha256", "1" * 64), "traffic", FAIL, "other traffic", id="other traffic"),
        pytest.param(put("traffic.arrivals_per_second", 20.0), "traffic", FAIL, "expected are 150", id="a lower rate"),
        pytest.param(put("series", samples.series(sent=237)), "rate", FAIL, "94.8 %", id="94.8 % of the rate"),
        pytest.param(put("series", samples.series(sent=238)), "rate", PASS, "95.2 %", id="95.2 % of the rate"),
        pytest.param(put("series", []), "rate", NONE, "no whole second", id="no series"),
    ],
)
def test_the_run_itself(change: Change, rule: str, verdict: Verdict, says: str) -> None:
    document = samples.document()
    change(document)

    seen = judge(document)[f"load.{rule}"]
    assert seen.verdict is verdict
    assert says in seen.message


def test_a_lost_worker_is_named() -> None:
    document = samples.document()
    document["workers"]["lost"] = [{"id": "w2", "elapsed_seconds": 9.0, "sentence": "worker w2 was gone after 9.0 s"}]

    assert "worker w2 was gone after 9.0 s" in judge(document)["load.workers"].message


def test_a_rate_that_was_not_held_is_not_made_up_for() -> None:
    """Twice the rate before, nothing in the last third: on average 100 %."""
    document = samples.document()
    for row in document["series"]:
        row["sent"] = 375 if row["second"] < 14 else 0

    seen = judge(document)["load.rate"]
    assert seen.value == pytest.approx(100.0)
    assert seen.verdict is FAIL


def test_a_rate_that_was_not_wanted_is_not_reached() -> None:
    document = samples.document()
    for row in document["series"]:
        row["wanted"] = row["sent"] = 20

    assert judge(document)["load.rate"].verdict is FAIL


def test_unfinished_and_missed_requests_fail_and_are_over_every_limit() -> None:
    document = samples.document({"GET /api/v1/status": samples.quick(5000)})
    document["all"] = samples.row(samples.quick(5000), unfinished=300, missed=10)
    document["names"]["GET /api/v1/status"] = dict(document["all"])

    seen = judge(document)
    for rule in (ALL, "load.p99", "load.maximum", "load.errors", "load.generator"):
        assert seen[rule].verdict is FAIL, rule


def test_too_few_requests_of_one_kind_are_a_low_sample() -> None:
    seen = judge(samples.document({"GET /api/v1/status": samples.quick(4500), "GET /health": samples.quick(19)}))

    assert seen["load.samples"].verdict is LOW
    assert "GET /health 19" in seen["load.samples"].message


def test_no_request_at_all_never_passes() -> None:
    document = samples.document({"GET /api/v1/status": []})

    seen = judge(document)
    for rule in (ALL, "load.p99", "load.maximum", "load.errors", "load.samples"):
        assert seen[rule].verdict is NONE, rule


# ------------------------------------------------------------------------------------------------ limits


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param(b"", "schema is missing", id="empty"),
        pytest.param(b"schema = 1", "p95_milliseconds_max is missing", id="nothing in it"),
        pytest.param(b"schema = 1\np95_milliseconds_max = 0", "p95_milliseconds_max is 0", id="a limit of nothing"),
        pytest.param(b"schema = 1\np95_milliseconds_max = '200'", "not allowed", id="text for a number"),
        pytest.param(b"\xff", "not TOML", id="no text"),
        pytest.param(b"#" * 70_000, "larger than", id="oversized"),
    ],
)
def test_limits_that_cannot_be_read_are_refused_by_name(raw: bytes, says: str) -> None:
    with pytest.raises(Unparsable, match=says):
        read_thresholds(raw)


def test_traffic_that_cannot_be_read_is_refused_by_name() -> None:
    with pytest.raises(Unparsable, match="traffic is"):
        read_traffic(b"schema = 1\ntraffic = 3")


def test_a_report_is_json_that_ours_can_write() -> None:
    wanted: Wanted = samples.wanted(age_max=timedelta(hours=1, minutes=1))

    assert json.loads(samples.encoded(samples.document()))["schema"] == 1
    assert worst(judge_report(samples.encoded(samples.document()), wanted)) is PASS
