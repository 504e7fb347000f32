"""Triggers (TRIG-01 to TRIG-05): which minutes are bad, what consecutive means, what silence is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import PLAN, counts, errors_of, metrics, minute, silent, situation

from rollout import trip
from rollout.model import Plan, Verdict
from rollout.seen import BalancerMinute, SideMinute, Situation
from tests.fakes.sim_world import MINUTE, START

WIRES = {wire.name: wire for wire in trip.tripwires(PLAN.triggers)}


def readings(
    ours: tuple[SideMinute, ...], *, settled: bool = True, plan: Plan = PLAN, sit: Situation | None = None, **more: Any
) -> dict[str, list[trip.Reading]]:
    """What the triggers read at the end of these minutes; settled means that nothing more can arrive."""
    seen = sit if sit is not None else situation(5, metrics=metrics(ours, **more))
    now = START + len(ours) * MINUTE + (plan.settle_seconds if settled else 0)
    found = trip.read_triggers(plan, seen, share=5, since=START, now=now)
    # The minutes of the settle time itself are empty: leave them out.
    return {name: row[: len(ours)] for name, row in found.items()}


def trips(name: str, ours: tuple[SideMinute, ...], **more: Any) -> bool:
    seen = trip.judge_trigger(WIRES[name], readings(ours, **more)[name], now=START)
    return seen.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("FFFF", False, id="4-minutes"),
        pytest.param("FFFFF", True, id="5-minutes"),
        pytest.param("FSFSFSFSFS", False, id="F-S-F-S-F-S"),
        pytest.param("FFSFFF", False, id="F-F-S-F-F-F"),
        pytest.param("FFbFF", False, id="blind-minute-does-not-count"),
        pytest.param("FFbFFF", True, id="blind-minute-does-not-reset"),
        pytest.param("FFtFF", False, id="thin-minute-does-not-count"),
        pytest.param("FtFtFtFtF", True, id="thin-minutes-do-not-reset"),
        pytest.param("FFFFFSSSSS", True, id="a-row-that-ended-still-counts-within-the-look-back"),
        pytest.param("SSSSSSSSSS", False, id="quiet"),
    ],
)
def test_consecutive_minutes(pattern: str, expected: bool) -> None:
    """TRIG-01: five consecutive closed minutes over the limit; gaps neither count nor reset (contracts 8)."""
    assert trips("TRIG-01", errors_of(pattern)) is expected


@pytest.mark.parametrize(
    ("requests", "errors", "expected"),
    [
        pytest.param(1000, 10, False, id="exactly-1-percent"),
        pytest.param(1000, 11, True, id="just-over"),
        pytest.param(20, 1, True, id="20-requests-are-enough"),
        pytest.param(19, 19, False, id="19-requests-are-thin"),
        pytest.param(700, 7, False, id="exactly-1-percent-of-700"),
        pytest.param(1000, 15, True, id="one-and-a-half-percent"),
    ],
)
def test_error_minute(requests: int, errors: int, expected: bool) -> None:
    """TRIG-01: strict, over at least 20 requests."""
    assert trips("TRIG-01", errors_of("FFFFF", bad=errors, requests=requests)) is expected


def test_connection_errors_count_at_most_the_requests() -> None:
    refusing = tuple(minute(i, 1000, connection_errors=5000) for i in range(5))
    row = readings(refusing)["TRIG-01"]

    assert [reading.value for reading in row] == [100.0] * 5


@pytest.mark.parametrize(
    ("slow", "expected"),
    [
        pytest.param(50, False, id="exactly-5-percent-over-500-ms"),
        pytest.param(51, True, id="more-than-5-percent"),
    ],
)
def test_latency_minute_by_its_slow_requests(slow: int, expected: bool) -> None:
    """TRIG-02: p95 over 500 ms is more than 5 % of the requests over 500 ms."""
    assert trips("TRIG-02", tuple(minute(i, 1000, slow=slow, p95_milliseconds=100.0) for i in range(5))) is expected


@pytest.mark.parametrize(("p95", "expected"), [(500.0, False), (500.01, True)], ids=["exactly-500-ms", "over"])
def test_latency_minute_by_its_p95(p95: float, expected: bool) -> None:
    ours = tuple(minute(i, 1000, slow=None, p95_milliseconds=p95) for i in range(5))

    assert trips("TRIG-02", ours) is expected


def test_slow_minutes_are_not_averaged() -> None:
    """TRIG-02: four minutes of 9 s and one of 100 ms average far over 500 ms, and do not trip."""
    slow = [9000.0, 9000.0, 100.0, 9000.0, 9000.0]
    ours = tuple(minute(i, 1000, slow=None, p95_milliseconds=value) for i, value in enumerate(slow))

    assert not trips("TRIG-02", ours)


def test_latency_minute_without_any_response_time_is_silent() -> None:
    ours = tuple(minute(i, 1000, slow=None, p95_milliseconds=None) for i in range(3))

    assert {reading.kind for reading in readings(ours)["TRIG-02"]} == {trip.Kind.SILENT}


@pytest.mark.parametrize(
    ("name", "dial", "value", "minutes", "expected"),
    [
        pytest.param("TRIG-03", "cpu_percent", 90.0, 10, False, id="cpu-exactly-90"),
        pytest.param("TRIG-03", "cpu_percent", 90.1, 9, False, id="cpu-9-minutes"),
        pytest.param("TRIG-03", "cpu_percent", 90.1, 10, True, id="cpu-10-minutes"),
        pytest.param("TRIG-04", "memory_percent", 95.0, 5, False, id="memory-exactly-95"),
        pytest.param("TRIG-04", "memory_percent", 95.1, 4, False, id="memory-4-minutes"),
        pytest.param("TRIG-04", "memory_percent", 95.1, 5, True, id="memory-5-minutes"),
    ],
)
def test_resource_minutes(name: str, dial: str, value: float, minutes: int, expected: bool) -> None:
    ours = tuple(minute(i, **{dial: value}) for i in range(minutes))

    assert trips(name, ours) is expected


@pytest.mark.parametrize(
    ("healthy", "unhealthy", "minutes", "expected"),
    [
        pytest.param(1, 1, 3, False, id="exactly-half"),
        pytest.param(1, 2, 2, False, id="2-minutes"),
        pytest.param(1, 2, 3, True, id="two-of-three-for-3-minutes"),
        pytest.param(0, 0, 3, True, id="no-registered-target"),
        pytest.param(0, 2, 3, True, id="none-healthy"),
    ],
)
def test_health_minutes(healthy: int, unhealthy: int, minutes: int, expected: bool) -> None:
    """TRIG-05: over half of the registered targets; no registered target fails by 100 %."""
    from_metric = tuple(minute(i, healthy=healthy, unhealthy=unhealthy) for i in range(minutes))
    asked = {m.start: counts(healthy, healthy + unhealthy) for m in from_metric}
    without_metric = tuple(minute(i, healthy=None, unhealthy=None) for i in range(minutes))
    sit = situation(5, metrics=metrics(without_metric), health_minutes=asked)

    assert trips("TRIG-05", from_metric) is expected
    assert trips("TRIG-05", without_metric, sit=sit) is expected


def test_a_missing_health_metric_is_silent() -> None:
    row = readings(tuple(minute(i, healthy=None, unhealthy=None) for i in range(3)))["TRIG-05"]

    assert [reading.kind for reading in row] == [trip.Kind.SILENT] * 3


@pytest.mark.parametrize(
    ("total", "settled", "expected"),
    [
        pytest.param(139, True, trip.Kind.THIN, id="fewer-than-7-expected"),
        pytest.param(140, True, trip.Kind.SILENT, id="exactly-7-expected"),
        pytest.param(140, False, trip.Kind.PENDING, id="may-still-arrive"),
    ],
)
def test_a_minute_without_requests(total: int, settled: bool, expected: trip.Kind) -> None:
    """contracts 8: no RequestCount is silence only if the listener's requests times the share (5 %) reach 7."""
    ours = tuple(minute(i, None) for i in range(2))

    assert readings(ours, total=total, settled=settled)["TRIG-01"][-1].kind is expected


def test_a_minute_of_which_nobody_counted_the_requests() -> None:
    ours = tuple(minute(i, None) for i in range(2))

    assert readings(ours, total=None)["TRIG-01"][1].kind is trip.Kind.THIN
    assert readings(ours, total=None, settled=False)["TRIG-01"][1].kind is trip.Kind.PENDING
    unknown = tuple(silent(i) for i in range(2))
    assert readings(unknown, total=None)["TRIG-01"][1].kind is trip.Kind.SILENT


def test_the_minute_of_the_shift_itself_is_thin() -> None:
    seen = situation(5, metrics=metrics((minute(0, None),)))
    found = trip.read_triggers(PLAN, seen, share=5, since=START + 30, now=START + 600)

    assert found["TRIG-01"][0].kind is trip.Kind.THIN


def test_an_error_that_arrives_late_still_counts() -> None:
    """Every tick reads the last 15 minutes anew."""
    early, late = errors_of("FFFSF"), errors_of("FFFFF")

    assert [trips("TRIG-01", early), trips("TRIG-01", late)] == [False, True]


@pytest.mark.parametrize(
    ("since", "now", "expected"),
    [
        pytest.param(0, 59, [], id="no-closed-minute"),
        pytest.param(0, 60, [0], id="one"),
        pytest.param(90, 240, [60, 120, 180], id="from-the-minute-of-the-shift"),
        pytest.param(0, 3600, [2700 + 60 * i for i in range(15)], id="the-last-15"),
    ],
)
def test_closed_minutes(since: int, now: int, expected: list[int]) -> None:
    """Test case 3 of rollout-peers.md 2.8: the newest, partial minute is never read."""
    found = trip.closed_minutes(since=START + since, now=START + now, look_back=15)

    assert found == [START + start for start in expected]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("SSbb", 2), ("bbbS", 0), ("SSSbbb", 3), ("bSb", 1), ("SSSS", 0), ("SStt", 0)],
)
def test_blind_minutes_count_back_from_the_newest(pattern: str, expected: int) -> None:
    assert trip.blind_minutes(readings(errors_of(pattern))) == expected


def test_blind_minutes_skip_what_may_still_arrive() -> None:
    """Two settled silent minutes, two that are not settled yet."""
    ours = errors_of("SSbbbb")
    seen = situation(5, metrics=metrics(ours))
    found = trip.read_triggers(PLAN, seen, share=5, since=START, now=START + 6 * MINUTE)

    assert trip.blind_minutes(found) == 2


def test_one_trigger_that_sees_nothing_is_blind() -> None:
    ours = tuple(minute(i, cpu_percent=None) for i in range(3))

    assert trip.blind_minutes(readings(ours)) == 3


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("SSS", Verdict.PASS), ("SSb", Verdict.NO_DATA), ("SSt", Verdict.LOW_SAMPLE), ("FFFFF", Verdict.FAIL)],
)
def test_verdict_of_a_trigger(pattern: str, expected: Verdict) -> None:
    row = readings(errors_of(pattern))["TRIG-01"]

    assert trip.judge_trigger(WIRES["TRIG-01"], row, now=START).verdict is expected


def test_verdict_before_any_minute_closed() -> None:
    seen = trip.judge_trigger(WIRES["TRIG-05"], [], now=START)

    assert (seen.verdict, seen.value, seen.source) == (Verdict.NO_DATA, None, "target health")


def test_sentence_of_a_trigger() -> None:
    seen = trip.judge_trigger(WIRES["TRIG-01"], readings(errors_of("FFF"))["TRIG-01"], now=START)

    assert seen.message == "PASS TRIG-01 2 %, error rate > 1 %, n=1000, 3 of 5 consecutive minutes over"


# ------------------------------------------------------------------------------------------------ metamorphic

PATTERNS = st.text("FSbt", min_size=1, max_size=13)


@settings(max_examples=150, deadline=None)
@given(PATTERNS)
def test_the_longest_row_is_that_of_the_pattern(pattern: str) -> None:
    """Against the definition: drop what neither counts nor resets, then look for F's side by side."""
    plain = pattern.replace("b", "").replace("t", "")
    expected = max(map(len, plain.split("S")), default=0)

    assert trip.longest_run(readings(errors_of(pattern))["TRIG-01"]) == expected


@settings(max_examples=100, deadline=None)
@given(PATTERNS, st.integers(0, 12))
def test_a_worse_minute_never_calms_a_trigger(pattern: str, index: int) -> None:
    ours = errors_of(pattern)
    worse = tuple(replace(m, target_errors=10**6) if i == index and m.requests else m for i, m in enumerate(ours))

    assert trips("TRIG-01", worse) or not trips("TRIG-01", ours)


@settings(max_examples=60, deadline=None)
@given(PATTERNS, st.randoms(use_true_random=False))
def test_the_order_in_which_minutes_arrive_changes_nothing(pattern: str, chance: Any) -> None:
    ours = errors_of(pattern)
    mixed = list(ours)
    chance.shuffle(mixed)
    seen = metrics(ours)
    again = situation(5, metrics=replace(seen, candidate=tuple(mixed)))

    assert readings(ours, sit=again) == readings(ours)


def test_readings_agree_with_a_balancer_that_knows_nothing_of_a_minute() -> None:
    ours = (minute(0, None),)
    seen = metrics(ours, balancer=(BalancerMinute(start=START, requests=None),))

    assert readings(ours, sit=situation(5, metrics=seen))["TRIG-01"][0].kind is trip.Kind.THIN
