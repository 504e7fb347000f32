"""Gates (GATE-01 to GATE-04): truth tables with the boundaries of contracts.md, section 8."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import bake_window, metrics, minute, silent

from rollout import judge
from rollout.model import MINUTE_SECONDS, Gates, Verdict
from rollout.seen import BalancerMinute, Metrics, SideMinute
from rollout.trend import sure_slope

PASS, FAIL, LOW, NO_DATA = Verdict.PASS, Verdict.FAIL, Verdict.LOW_SAMPLE, Verdict.NO_DATA
LIMITS = Gates()
PROVING = bake_window(50, 100)
EARLY = bake_window(5, 25)


def verdicts(seen: Metrics, window: judge.BakeWindow) -> dict[str, Verdict]:
    return {one.name: one.verdict for one in judge.judge_gates(seen, LIMITS, window)}


@pytest.mark.parametrize(
    ("k", "n", "expected"),
    [
        pytest.param(4, 10_000, PASS, id="4-of-10000"),
        pytest.param(5, 10_000, LOW, id="5-of-10000"),
        pytest.param(9, 10_000, LOW, id="9-of-10000"),
        pytest.param(10, 10_000, FAIL, id="exactly-a-tenth-percent"),
        pytest.param(3, 3_000, FAIL, id="exactly-a-tenth-percent-of-the-fewest"),
        pytest.param(0, 900, LOW, id="0-of-900"),
        pytest.param(0, 2_994, LOW, id="one-clean-request-short"),
        pytest.param(0, 2_995, PASS, id="enough-clean-requests"),
        pytest.param(2, 2_999, LOW, id="under-the-point-rule"),
        pytest.param(50, 10_000, FAIL, id="half-a-percent"),
        pytest.param(0, 0, LOW, id="nobody"),
    ],
)
def test_error_gate_before_all_customers(k: int, n: int, expected: Verdict) -> None:
    """GATE-01 at 50 %: the limit has to be proven."""
    assert judge.judge_error_rate(k, n, n, LIMITS, PROVING).verdict is expected


@pytest.mark.parametrize(
    ("k", "n", "in_bake", "expected"),
    [
        pytest.param(0, 200, 200, PASS, id="200-requests"),
        pytest.param(0, 5_000, 199, LOW, id="199-in-this-bake"),
        pytest.param(1, 1_000, 1_000, PASS, id="not-shown-bad"),
        pytest.param(5, 10_000, 10_000, PASS, id="half-the-limit"),
        pytest.param(10, 10_000, 10_000, FAIL, id="exactly-the-limit"),
        pytest.param(3, 300, 300, FAIL, id="lower-bound-over-the-limit"),
        pytest.param(3, 300, 10, FAIL, id="failing-needs-no-minimum"),
    ],
)
def test_error_gate_at_the_small_shares(k: int, n: int, in_bake: int, expected: Verdict) -> None:
    """GATE-01 at 5 and 25 %: not shown bad, on at least 200 requests of this bake."""
    assert judge.judge_error_rate(k, n, in_bake, LIMITS, EARLY).verdict is expected


def test_error_gate_counts_all_minutes_since_the_first_shift_with_connection_errors() -> None:
    before = minute(0, 1000, errors=2, connection_errors=3)
    refusing = minute(1, 1000, errors=0, connection_errors=5000)
    baked = minute(2, 1000)
    window = bake_window(first=baked.start, last=baked.start)
    seen = judge.error_gate(metrics((before, refusing, baked)), LIMITS, window)

    assert (seen.n, seen.verdict) == (3000, FAIL)
    assert "1005 of 3000 failed" in seen.message


def test_error_gate_before_the_first_shift_counts_nothing() -> None:
    early, baked = minute(0, 1000, errors=900), minute(1, 4000)
    window = bake_window(50, 100, first=baked.start, last=baked.start, since_first_shift=baked.start)

    assert judge.error_gate(metrics((early, baked)), LIMITS, window).verdict is PASS


def test_partial_data_may_fail_and_never_passes() -> None:
    """design.md 5: failing may be decided on partial data."""
    clean = (*(minute(i) for i in range(14)), silent(14))
    failing = (*(minute(i, errors=100) for i in range(14)), silent(14))

    assert verdicts(metrics(clean), EARLY)["GATE-01"] is NO_DATA
    assert verdicts(metrics(failing), EARLY)["GATE-01"] is FAIL
    hot = (*(minute(i, memory_percent=85.0) for i in range(14)), silent(14))
    assert verdicts(metrics(hot), EARLY)["GATE-04"] is FAIL


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        pytest.param(139, LOW, id="fewer-than-7-expected"),
        pytest.param(140, NO_DATA, id="7-expected"),
        pytest.param(None, LOW, id="nobody-at-all"),
    ],
)
def test_a_minute_without_request_count(total: int | None, expected: Verdict) -> None:
    """contracts 8: silence is told from a minute without customers by what the whole listener carried (times 5 %)."""
    quiet = tuple(minute(i, None) for i in range(15))

    assert verdicts(metrics(quiet, total=total), EARLY)["GATE-01"] is expected


def test_no_request_in_the_bake_is_too_few_not_blind() -> None:
    quiet = tuple(minute(i, None) for i in range(15))
    found = verdicts(metrics(quiet, total=None), EARLY)

    assert found == {
        "GATE-01": LOW, "GATE-02": LOW, "GATE-03": PASS, "GATE-04": PASS, "SHARE": LOW, "BALANCER": LOW,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("p95", "samples", "expected"),
    [
        pytest.param(199.99, 200, PASS, id="under"),
        pytest.param(200.0, 200, FAIL, id="exactly-200-ms"),
        pytest.param(200.01, 200, FAIL, id="over"),
        pytest.param(100.0, 199, LOW, id="199-samples"),
        pytest.param(900.0, 199, LOW, id="199-slow-samples"),
        pytest.param(None, 0, NO_DATA, id="nothing"),
        pytest.param(None, 500, NO_DATA, id="count-without-percentile"),
    ],
)
def test_latency_gate(p95: float | None, samples: int, expected: Verdict) -> None:
    """GATE-02: strict, not rounded, from 200 samples on."""
    assert judge.judge_p95(p95, samples, LIMITS, EARLY).verdict is expected


def test_latency_gate_uses_the_one_window_never_the_minutes() -> None:
    """The p95 of p95s is no p95: minutes of 50 ms do not outvote the window's 240 ms."""
    seen = metrics(tuple(minute(i, p95_milliseconds=50.0) for i in range(15)), bake_p95_milliseconds=240.0)

    assert verdicts(seen, EARLY)["GATE-02"] is FAIL


@pytest.mark.parametrize(
    ("mean", "idle", "share", "following", "expected"),
    [
        pytest.param(69.9, 69.9, 5, 25, PASS, id="under"),
        pytest.param(70.0, 70.0, 5, 25, FAIL, id="exactly-70"),
        pytest.param(35.0, 0.0, 25, 100, FAIL, id="35-at-a-quarter-is-140-at-full"),
        pytest.param(35.0, 0.0, 25, 50, FAIL, id="35-at-a-quarter-is-exactly-70-at-half"),
        pytest.param(30.0, 25.0, 5, 25, PASS, id="idle-use-does-not-grow"),
        pytest.param(20.0, 30.0, 5, 25, PASS, id="idle-at-most-the-mean"),
    ],
)
def test_cpu_gate(mean: float, idle: float, share: int, following: int, expected: Verdict) -> None:
    """GATE-03 with its projection to the next share."""
    window = bake_window(share, following, idle_cpu_percent=idle)

    assert judge.judge_cpu(mean, mean, LIMITS, window).verdict is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([79.9] * 15, PASS, id="under"),
        pytest.param([50.0] * 14 + [80.0], FAIL, id="exactly-80-in-one-minute"),
        pytest.param([50.0 + i for i in range(15)], FAIL, id="leak"),
        pytest.param([50.0 + 0.1 * i for i in range(15)], PASS, id="leak-that-ends-in-time"),
        pytest.param([50.0 + 3 * (i % 2) for i in range(15)], PASS, id="noise"),
        pytest.param([60.0 - i for i in range(15)], PASS, id="falling"),
        pytest.param([40.0, 60.0], PASS, id="two-minutes-are-no-trend"),
    ],
)
def test_memory_gate(values: list[float], expected: Verdict) -> None:
    """GATE-04: the highest minute, and where a sure trend leads within the 30 minutes that remain."""
    assert judge.judge_memory(values, LIMITS, EARLY).verdict is expected


def test_sure_slope_of_a_straight_line_is_its_slope() -> None:
    assert sure_slope([2.0 * i for i in range(12)]) == pytest.approx(2.0)
    assert sure_slope([2.0 * i for i in range(9)]) == 0.0


def test_missing_cpu_or_memory_minutes_are_no_data() -> None:
    seen = metrics((*(minute(i) for i in range(14)), minute(14, cpu_percent=None, memory_percent=None)))

    assert [verdicts(seen, EARLY)[name] for name in ("GATE-03", "GATE-04")] == [NO_DATA, NO_DATA]


@pytest.mark.parametrize(
    ("ours", "total", "expected"),
    [
        pytest.param(5_000, 100_000, PASS, id="as-the-weight-says"),
        pytest.param(5_310, 100_000, PASS, id="inside-4.5-deviations"),
        pytest.param(5_311, 100_000, FAIL, id="outside"),
        pytest.param(0, 100_000, FAIL, id="nobody-came"),
        pytest.param(5, 20, PASS, id="too-few-to-tell"),
    ],
)
def test_share_check(ours: int, total: int, expected: Verdict) -> None:
    """DUR-07: the observed share follows the weight within the tolerance of chance."""
    assert judge.judge_share(ours, total, EARLY).verdict is expected


def test_share_check_is_no_data_when_one_side_was_not_seen() -> None:
    ours = tuple(minute(i, 1000) for i in range(15))
    seen = metrics(ours, stable=tuple(silent(i) for i in range(15)))

    assert verdicts(seen, EARLY)["SHARE"] is NO_DATA


@pytest.mark.parametrize(
    ("errors", "before", "expected"),
    [
        pytest.param(299, 0, PASS, id="under"),
        pytest.param(300, 0, FAIL, id="exactly-a-tenth-percent"),
        pytest.param(400, 200, PASS, id="less-their-level-before"),
        pytest.param(0, 500, PASS, id="better-than-before"),
    ],
)
def test_balancer_check(errors: int, before: int, expected: Verdict) -> None:
    """The listener's own 5xx over all of its requests, minus their level in the 30 minutes before."""
    ours = tuple(minute(i) for i in range(15))
    during = tuple(
        BalancerMinute(start=m.start, requests=20_000, own_errors=errors if m is ours[0] else 0) for m in ours
    )
    level = (BalancerMinute(start=0.0, requests=300_000, own_errors=before),)

    assert judge.balancer_check(metrics(ours, balancer=during, before=level), LIMITS, EARLY).verdict is expected


def test_balancer_minutes_that_are_missing_are_no_data() -> None:
    ours = tuple(minute(i) for i in range(15))
    holes = tuple(BalancerMinute(start=m.start, requests=20_000 if i else None) for i, m in enumerate(ours))

    assert judge.balancer_check(metrics(ours, balancer=holes), LIMITS, EARLY).verdict is NO_DATA


def test_a_source_that_failed_says_nothing() -> None:
    """Test cases 2 and 5 of rollout-peers.md 2.8: an error of the source is its own verdict, whatever else came."""
    seen = replace(metrics(tuple(minute(i, errors=1000) for i in range(15))), error="PartialData")

    assert set(verdicts(seen, EARLY).values()) == {Verdict.SOURCE_ERROR}


def test_no_measurement_is_no_pass() -> None:
    """Test case 1 of rollout-peers.md 2.8."""
    assert PASS not in verdicts(Metrics(), EARLY).values()
    assert judge.worst([]) is NO_DATA


@pytest.mark.parametrize(
    ("several", "expected"),
    [
        ([PASS, LOW, NO_DATA, Verdict.SOURCE_ERROR, FAIL], FAIL),
        ([PASS, LOW, NO_DATA, Verdict.SOURCE_ERROR], Verdict.SOURCE_ERROR),
        ([PASS, LOW, NO_DATA], NO_DATA),
        ([PASS, LOW], LOW),
        ([PASS], PASS),
    ],
)
def test_worst(several: list[Verdict], expected: Verdict) -> None:
    assert judge.worst(several) is expected


def test_sentence_of_a_gate_says_what_an_auditor_wants() -> None:
    seen = judge.judge_p95(312.0, 1204, LIMITS, EARLY)

    assert seen.message == "FAIL GATE-02 312 ms, p95 < 200 ms, n=1204, 15 min, CloudWatch: one window"
    assert (seen.limit, seen.unit, seen.window_seconds) == (200.0, "ms", 15 * MINUTE_SECONDS)


# ------------------------------------------------------------------------------------------------ metamorphic


def small(**more: Any) -> st.SearchStrategy[SideMinute]:
    return st.builds(
        minute,
        st.just(0),
        st.integers(1, 4000),
        st.integers(0, 6),
        cpu_percent=st.floats(1, 50),
        memory_percent=st.floats(20, 90),
        **more,
    )


BAKES = st.lists(small(), min_size=12, max_size=12).map(
    lambda ms: tuple(replace(m, start=minute(i).start) for i, m in enumerate(ms))
)
WINDOW = bake_window(25, 50, minutes=12)
RANK = {PASS: 0, LOW: 1, NO_DATA: 2, Verdict.SOURCE_ERROR: 3, FAIL: 4}


def overall(seen: Metrics) -> Verdict:
    return judge.worst(one.verdict for one in judge.judge_gates(seen, LIMITS, WINDOW))


def world(ours: tuple[SideMinute, ...]) -> Metrics:
    """A share of a quarter, request by request, so that the error gate decides."""
    theirs = tuple(replace(m, requests=3 * (m.requests or 0), target_errors=0) for m in ours)
    both = tuple(BalancerMinute(start=m.start, requests=4 * (m.requests or 0)) for m in ours)
    return metrics(ours, stable=theirs, balancer=both)


@settings(max_examples=80, deadline=None)
@given(BAKES, st.integers(0, 11), st.integers(1, 50))
def test_worse_data_never_improves_a_verdict(ours: tuple[SideMinute, ...], index: int, more: int) -> None:
    worse = tuple(
        replace(m, target_errors=m.target_errors + more, cpu_percent=(m.cpu_percent or 0) + more) if i == index else m
        for i, m in enumerate(ours)
    )

    if overall(world(ours)) is not PASS:
        assert overall(world(worse)) is not PASS
    if overall(world(ours)) is FAIL:
        assert overall(world(worse)) is FAIL


@settings(max_examples=80, deadline=None)
@given(BAKES, st.sets(st.integers(0, 11)), st.sampled_from(["candidate", "stable", "balancer"]))
def test_removing_data_never_makes_a_pass(ours: tuple[SideMinute, ...], gone: set[int], of: str) -> None:
    whole = world(ours)
    left = tuple(m for i, m in enumerate(getattr(whole, of)) if i not in gone)

    if overall(whole) is not PASS:
        assert overall(replace(whole, **{of: left})) is not PASS


@settings(max_examples=40, deadline=None)
@given(BAKES, st.randoms(use_true_random=False))
def test_the_order_in_which_minutes_arrive_changes_nothing(ours: tuple[SideMinute, ...], chance: Any) -> None:
    seen = world(ours)
    mixed = list(seen.candidate)
    chance.shuffle(mixed)

    assert overall(replace(seen, candidate=tuple(mixed))) is overall(seen)
