"""The gate's rules at their bounds, and every way in which a run proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.checks import Check, Judgement, Verdict
from loadtests.gate import judge
from loadtests.measurement import LostWorker, Measurement, Window
from loadtests.recording import Recorder
from rollout.bounds import upper_bound
from tests.unit.loadtests.load_samples import (
    SECONDS,
    STATUS,
    THRESHOLDS,
    TOKEN,
    WARM_UP_SECONDS,
    fail,
    healthy,
    measured,
    recorded,
    spread,
)

PASS, FAIL, INCONCLUSIVE, INVALID = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.INVALID


def check(judgement: Judgement, name: str) -> Check:
    return next(one for one in judgement.checks if one.name == name)


def red(judgement: Judgement) -> set[str]:
    return {one.name for one in judgement.checks if one.verdict not in (PASS, Verdict.NOT_APPLICABLE)}


def test_a_healthy_run_passes() -> None:
    judgement = judge(measured(healthy()), THRESHOLDS)

    assert red(judgement) == set()
    assert (judgement.verdict, judgement.exit_code) == (PASS, 0)
    assert judgement.sentence.startswith("PASS: p95 of all requests is ")


@pytest.mark.parametrize(
    ("slow_milliseconds", "verdict"),
    [(199.0, PASS), (199.999, PASS), (199.9999999, PASS), (200.0, FAIL), (200.001, FAIL), (201.0, FAIL), (204.0, FAIL)],
)
def test_p95_is_strictly_under_its_limit(slow_milliseconds: float, verdict: Verdict) -> None:
    """One in ten as slow: 199.999 and 200.0 share a bucket of the histogram, and are told apart."""
    judgement = judge(measured(spread((5400, 60.0), (600, slow_milliseconds))), THRESHOLDS)
    p95 = check(judgement, "p95")

    assert judgement.verdict is verdict
    assert p95.value is not None
    assert (p95.value < 200) == (verdict is PASS)
    assert p95.value == pytest.approx(slow_milliseconds, abs=0.2)
    assert "limit under 200 ms" in p95.message
    assert "n=6000" in p95.message


@pytest.mark.parametrize(
    ("over", "verdict"),
    [(0, PASS), (271, PASS), (272, INCONCLUSIVE), (300, INCONCLUSIVE), (301, FAIL), (6000, FAIL)],
)
def test_the_share_over_the_limit_decides_exactly(over: int, verdict: Verdict) -> None:
    """Of 6,000: 300 over are p95 just under; 271 are the most that show it with 95 % confidence."""
    kinds = [kind for kind in ((6000 - over, 60.0), (over, 250.0)) if kind[0]]
    judgement = judge(measured(spread(*kinds)), THRESHOLDS)

    assert check(judgement, "p95").verdict is verdict
    assert upper_bound(271, 6000, 0.95) < 0.05 <= upper_bound(272, 6000, 0.95)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1, 400), min_size=20, max_size=120))
def test_the_value_shown_never_contradicts_the_verdict(latencies: list[float]) -> None:
    """Against the sorted latencies: nearest rank, within a thousandth, on the right side of the limit."""
    measurement = measured([one / 1000 for one in latencies])
    p95 = check(judge(measurement, THRESHOLDS), "p95")
    true = sorted(one / 1000 for one in latencies)[-(-95 * len(latencies) // 100) - 1]

    assert p95.value == pytest.approx(true * 1000, rel=0.001)
    assert (p95.verdict is FAIL) == (true >= 0.2)
    low, high = measurement.all.quantile_bounds(0.95, 0.95)
    assert low is None or low <= p95.value
    assert high is None or high >= p95.value


@pytest.mark.parametrize(
    ("n", "errors", "verdict"),
    [
        (6000, 0, PASS), (6000, 1, PASS), (6000, 2, INCONCLUSIVE), (6000, 5, INCONCLUSIVE), (6000, 6, FAIL),
        (2000, 0, INCONCLUSIVE), (2000, 2, INCONCLUSIVE), (2000, 5, INCONCLUSIVE), (2000, 6, FAIL),
        (3000, 3, FAIL), (2999, 3, INCONCLUSIVE),
    ],
)  # fmt: skip
def test_the_error_rate_is_proven_or_it_is_not(n: int, errors: int, verdict: Verdict) -> None:
    """At 0.1 %: 6 of 6,000 reach it; under 3,000 requests only a lower bound over it fails."""
    judgement = judge(
        measured(fail(recorded({STATUS: healthy(n - errors)}), errors) if errors else healthy(n)), THRESHOLDS
    )
    errors_check = check(judgement, "errors")

    assert errors_check.verdict is verdict
    assert f"{errors} of n={n}" in errors_check.message
    assert ("run longer" in errors_check.message) == (verdict is INCONCLUSIVE)


def hung(count: int) -> Measurement:
    return measured([*healthy(6000 - count), *[float("inf")] * count])


@pytest.mark.parametrize(("count", "p95"), [(600, FAIL), (10, PASS)])
def test_what_never_ended_is_bad_in_every_respect(count: int, p95: Verdict) -> None:
    """One in ten hanging for ever: locust's own gate exits 0 (research, finding 8)."""
    judgement = judge(hung(count), THRESHOLDS)

    assert judgement.verdict is FAIL
    assert check(judgement, "p95").verdict is p95
    assert check(judgement, "errors").verdict is FAIL
    assert f"{count} had no answer at all" in check(judgement, "maximum").message


def test_a_quantile_that_falls_on_a_request_without_an_answer_has_no_value() -> None:
    p95 = check(judge(hung(600), THRESHOLDS), "p95")

    assert p95.value is None
    assert "without an answer" in p95.message


@pytest.mark.parametrize(
    ("latencies", "expected"),
    [
        pytest.param(spread((5900, 60.0), (100, 1200.0)), {"p99"}, id="rarer stalls than p95 sees"),
        pytest.param(spread((5999, 60.0), (1, 3000.0)), {"maximum"}, id="one at the maximum"),
        pytest.param(spread((5999, 60.0), (1, 2999.0)), set(), id="one under it"),
        pytest.param(spread((5400, 60.0), (600, 640.0)), {"p95", f"p95 {STATUS}"}, id="a stall"),
    ],
)
def test_rarer_stalls_are_held_by_p99_and_the_maximum(latencies: list[float], expected: set[str]) -> None:
    assert red(judge(measured(latencies), THRESHOLDS)) == expected


def test_one_slow_name_in_twenty_five_is_not_hidden_by_the_others() -> None:
    """All requests have a p95 of 60 ms; the slow name alone fails (research B.5)."""
    judgement = judge(measured({STATUS: spread((5760, 60.0)), TOKEN: spread((240, 900.0))}), THRESHOLDS)

    assert check(judgement, "p95").verdict is PASS
    assert check(judgement, f"p95 {TOKEN}").verdict is FAIL


def test_a_name_may_have_a_limit_of_its_own() -> None:
    own = replace(THRESHOLDS, p95_milliseconds_max=500.0)
    thresholds = replace(THRESHOLDS, names={TOKEN: own})
    latencies = {STATUS: healthy(), TOKEN: spread((300, 450.0))}

    judgement = judge(measured(latencies, thresholds=thresholds), thresholds)

    assert red(judgement) == {"p95"}, "7.6 % of all are at or over 200 ms, none of TOKEN at or over its 500"


def test_errors_of_one_name_are_not_diluted() -> None:
    """4 of 40 among 20,040: 0.02 % of all, ten in a hundred of the name."""
    recorder = fail(recorded({STATUS: healthy(20_000), TOKEN: spread((36, 60.0))}), 4, name=TOKEN)
    judgement = judge(measured(recorder), THRESHOLDS)

    assert check(judgement, "errors").verdict is PASS
    assert check(judgement, f"errors {TOKEN}").verdict is FAIL


LOST = LostWorker(id="w1", elapsed_seconds=12.0, sentence="worker w1 was lost after 12 s")
Change = dict[str, Any]


def window(**changes: Any) -> Change:
    return {"window": replace(Window(measured_seconds=SECONDS, planned_seconds=SECONDS), **changes)}


@pytest.mark.parametrize(
    ("changes", "name", "verdict", "says"),
    [
        ({"workers_lost": (LOST,)}, "workers", FAIL, "worker w1 was lost after 12 s"),
        ({"workers_wanted": 2}, "workers", FAIL, "1 of 2 workers joined"),
        ({"workers_wanted": 2, "workers_joined": 2}, "workers", FAIL, "1 of 2 workers handed in"),
        (window(cut="stopped by Ctrl-C"), "duration", INCONCLUSIVE, "stopped by Ctrl-C. Run it to its end"),
        (window(aborted="aborted: p95 crossed"), "duration", FAIL, "aborted: p95 crossed"),
        (window(broken=("login failed",)), "duration", FAIL, "login failed"),
        (window(measured_seconds=14.9), "duration", INCONCLUSIVE, "too short"),
        (window(planned_seconds=0.0), "duration", INVALID, "warm-up is as long as the run"),
        ({"bottleneck": "CPU at 99 %"}, "generator", INVALID, "CPU at 99 %"),
        ({"wanted_per_second": 220.0}, "rate", INVALID, "generator did not reach the rate"),
        ({"wanted_per_second": 0.0}, "rate", INCONCLUSIVE, "no rate was wanted"),
        ({"names": (STATUS, TOKEN)}, "names", FAIL, f"never asked: {TOKEN}"),
    ],
)  # fmt: skip
def test_a_run_that_was_not_whole_never_passes(changes: Change, name: str, verdict: Verdict, says: str) -> None:
    judgement = judge(measured(healthy(), **changes), THRESHOLDS)

    assert check(judgement, name).verdict is verdict
    assert judgement.verdict is verdict
    assert says in check(judgement, name).message


@pytest.mark.parametrize(("wanted", "verdict"), [(210.0, PASS), (200 / 0.95, PASS), (211.0, INVALID)])
def test_the_rate_is_reached_at_its_share(wanted: float, verdict: Verdict) -> None:
    """200 requests/s were sent: 95 % of 210.5."""
    assert check(judge(measured(healthy(), wanted_per_second=wanted), THRESHOLDS), "rate").verdict is verdict


def test_a_rate_that_the_service_broke_is_its_failure() -> None:
    """It answered too late, and the generator was on time."""
    judgement = judge(measured(spread((6000, 900.0)), wanted_per_second=400.0), THRESHOLDS)

    assert check(judgement, "rate").verdict is FAIL


@pytest.mark.parametrize(("lateness_seconds", "verdict"), [(0.0099, PASS), (0.0101, INVALID)])
def test_a_late_generator_measured_itself(lateness_seconds: float, verdict: Verdict) -> None:
    judgement = judge(measured(recorded({STATUS: healthy()}, lateness_seconds=lateness_seconds)), THRESHOLDS)

    assert check(judgement, "generator").verdict is verdict
    assert judgement.verdict is verdict


def without_lateness() -> Recorder:
    recorder = Recorder(warm_up_seconds=WARM_UP_SECONDS, limits_seconds=0.2)
    return fail(recorder, 2000)


def missing(lateness_seconds: float) -> Recorder:
    recorder = recorded({STATUS: healthy()}, lateness_seconds=lateness_seconds)
    recorder.missed(STATUS, 6.0)
    return recorder


@pytest.mark.parametrize(
    ("recorder", "name", "verdict"),
    [
        pytest.param(without_lateness, "generator", INVALID, id="lateness not recorded"),
        pytest.param(lambda: missing(0.001), "missed", FAIL, id="missed, on time: the service"),
        pytest.param(lambda: missing(0.5), "missed", INVALID, id="missed, late: the generator"),
    ],
)
def test_whose_fault_it_was(recorder: Callable[[], Recorder], name: str, verdict: Verdict) -> None:
    assert check(judge(measured(recorder()), THRESHOLDS), name).verdict is verdict


def test_zero_requests_are_no_success() -> None:
    """locust says p95 0 and exit 0 here."""
    judgement = judge(measured(Recorder(warm_up_seconds=WARM_UP_SECONDS, limits_seconds=0.2)), THRESHOLDS)

    assert (judgement.verdict, judgement.exit_code) == (FAIL, 3)
    assert {"requests", "names", "p95", "p99", "maximum", "errors"} <= red(judgement)


def test_nothing_checked_is_no_success() -> None:
    assert Judgement(()).verdict is INCONCLUSIVE
    assert Judgement(()).exit_code == 4


@pytest.mark.parametrize(("n", "name"), [(999, "requests"), (19, "names")])
def test_too_few_requests_are_inconclusive(n: int, name: str) -> None:
    judgement = judge(measured(spread((n, 60.0))), THRESHOLDS)

    assert check(judgement, name).verdict is INCONCLUSIVE
    assert judgement.verdict is INCONCLUSIVE


def test_limits_for_a_name_that_is_never_asked_are_a_mistake() -> None:
    thresholds = replace(THRESHOLDS, names={"GET /typo": THRESHOLDS})

    assert check(judge(measured(healthy(), thresholds=thresholds), thresholds), "names").verdict is FAIL


def growing(factor: float, n: int = 6000) -> list[float]:
    """Latency that rises in a straight line to `factor` times what it was, with every tenth twice as slow."""
    return [0.04 * (1 + (factor - 1) * place / n) * (2 if place % 10 == 0 else 1) for place in range(n)]


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, PASS), (1.2, PASS), (2.2, FAIL), (3.0, FAIL)])
def test_a_leak_shows_before_it_crosses_the_limit(factor: float, verdict: Verdict) -> None:
    judgement = judge(measured(growing(factor)), THRESHOLDS)
    growth = check(judgement, "growth")

    assert growth.verdict is verdict
    assert red(judgement) - {"growth", f"growth {STATUS}"} <= {"p95", f"p95 {STATUS}"}


def test_a_burst_is_no_leak() -> None:
    """A slow second in the last third lifts its p95, not all of its ninths."""
    latencies = healthy()
    latencies[5000:5300] = [0.9] * 300

    assert check(judge(measured(latencies), THRESHOLDS), "growth").verdict is PASS


def test_growth_is_judged_at_a_steady_rate_only_and_needs_enough() -> None:
    assert check(judge(measured(growing(3.0), steady=False), THRESHOLDS), "growth").verdict is Verdict.NOT_APPLICABLE
    assert check(judge(measured(growing(1.0, 500)), THRESHOLDS), "growth").verdict is INCONCLUSIVE


def test_a_failure_beside_an_invalid_run_stays_visible() -> None:
    judgement = judge(measured(fail(recorded({STATUS: healthy()}, lateness_seconds=0.1), 600)), THRESHOLDS)

    assert judgement.verdict is INVALID
    assert check(judgement, "errors").verdict is FAIL


def test_every_sentence_says_value_limit_n_and_what_next() -> None:
    for measurement in (measured(healthy()), hung(600), measured(spread((19, 60.0)))):
        for one in judge(measurement, THRESHOLDS).checks:
            assert one.message.endswith("."), one
            assert one.name in ("workers", "duration") or str(one.n) in one.message, one
            assert one.rule, one
