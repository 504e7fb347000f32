"""MET-04 and DUR-07, the pure part: what a request stream shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import stream_report
from probes.stream_record import HEADER, Record
from probes.stream_report import Window
from rollout.model import Verdict


def record(sequence: int, slot: str = "green", outcome: str = "ok", *, at: float | None = None) -> Record:
    """The n-th request of a stream of one per second that began at 1000."""
    when = 1000.0 + sequence if at is None else at
    status = {"ok": 200, "target_error": 500, "lb_error": 502}.get(outcome, 0)
    return Record(sequence, when, when + 1e9, "get", outcome, status, slot if status else "", "1.0.0", 5.0)


def sample(blue: int, green: int) -> list[Record]:
    """So many answers of each slot, within one window."""
    slots = ["blue"] * blue + ["green"] * green
    return [record(number, slot, at=1000.0 + number / 1000) for number, slot in enumerate(slots)]


WINDOW = Window(start=1000.0, end=2000.0)


def test_records_are_read_back_without_the_line_that_was_cut(tmp_path: Path) -> None:
    """A stream that was killed left all but its last line."""
    file = tmp_path / "requests.csv"
    lines = [
        HEADER,
        "1,1001.0,2001.0,get,ok,200,blue,1.0.0,5.0,0.1",
        "0,1000.0,2000.0,get,ok,200,blue,1.0.0,5.0,0.1",
        "2,10",
    ]
    file.write_text("\n".join(lines))

    assert [each.sequence for each in stream_report.read_records(file)] == [0, 1]


def test_another_file_is_no_stream(tmp_path: Path) -> None:
    """It is refused by name."""
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n")

    with pytest.raises(ValueError, match="not a request stream"):
        stream_report.read_records(file)


@given(st.integers(0, 3000), st.integers(1, 3000), st.floats(0.5, 6))
def test_wilson_holds_the_observed_share(k: int, n: int, z: float) -> None:
    """Between 0 and 1, whatever the sample."""
    k = min(k, n)
    low, high = stream_report.wilson(k, n, z=z)

    assert 0 <= low <= k / n <= high <= 1


def test_wilson_by_hand() -> None:
    """The textbook example: 1 of 10 at 95 %."""
    low, high = stream_report.wilson(1, 10, z=1.959964)

    assert (round(low, 4), round(high, 4)) == (0.0179, 0.4042)
    assert stream_report.wilson(0, 0, z=1) == (0.0, 1.0)


@pytest.mark.parametrize(("k", "n", "z"), [(2, 1, 1.0), (-1, 1, 1.0), (1, 2, 0.0)])
def test_wilson_refuses_nonsense(k: int, n: int, z: float) -> None:
    """Wrong use raises."""
    with pytest.raises(ValueError, match="wilson needs"):
        stream_report.wilson(k, n, z=z)


@pytest.mark.parametrize(
    ("blue", "green", "wanted", "verdict"),
    [
        (50, 950, 0.05, Verdict.PASS),
        (75, 925, 0.05, Verdict.PASS),
        (80, 920, 0.05, Verdict.FAIL),
        (250, 750, 0.05, Verdict.FAIL),
        (250, 750, 0.25, Verdict.PASS),
        (0, 1000, 0.05, Verdict.FAIL),
        (1000, 0, 1.0, Verdict.PASS),
        (999, 1, 1.0, Verdict.FAIL),
        (0, 1000, 0.0, Verdict.PASS),
        (1, 999, 0.0, Verdict.FAIL),
        (5, 95, 0.05, Verdict.LOW_SAMPLE),
        (0, 0, 0.05, Verdict.NO_DATA),
    ],
)
def test_shares(blue: int, green: int, wanted: float, verdict: Verdict) -> None:
    """Binomial tolerance within, exact at none and all."""
    share = stream_report.observed_share(sample(blue, green), "blue", window=WINDOW)

    assert stream_report.share_followed(share, wanted).verdict is verdict


def test_answers_outside_the_window_and_without_a_slot_do_not_count() -> None:
    """The window is half open."""
    records = [record(0, at=999.9), record(1, at=1000.0), record(2, "", "lb_error", at=1500.0), record(3, at=2000.0)]

    assert stream_report.observed_share(records, "green", window=WINDOW).n == 1


def test_one_lost_request_is_noticed() -> None:
    """Named by id, cause and instant."""
    records = [record(0), record(1, "", "reset"), record(2)]

    seen = stream_report.nobody_noticed(records, "run")

    assert (seen.verdict, seen.value, seen.n) == (Verdict.FAIL, 1, 3)
    assert "run-1 reset no status no slot at +1.00 s" in seen.message


def test_only_signed_errors_can_be_explained_and_only_by_their_id() -> None:
    """Refused, reset, timed out and load balancer errors always count."""
    planted = ["run-1", "run-2", "run-3", "run-4", "run-5"]
    outcomes = ["target_error", "lb_error", "reset", "refused", "timeout", "target_error"]
    records = [record(number + 1, outcome=outcome) for number, outcome in enumerate(outcomes)]

    left = stream_report.unexplained_failures(records, "run", planted=planted)

    assert [each.sequence for each in left] == [2, 3, 4, 5, 6]
    assert stream_report.nobody_noticed(records[:1], "run", planted=planted).verdict is Verdict.PASS


def test_silence_proves_nothing() -> None:
    """A stream that sent nothing has seen nothing."""
    assert stream_report.nobody_noticed([record(0, "", "not_sent")], "run").verdict is Verdict.NO_DATA


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        ([record(n) for n in range(11)], Verdict.PASS),
        ([record(n) for n in range(11) if n != 5], Verdict.NO_DATA),
        ([record(n) for n in range(8)], Verdict.NO_DATA),
        ([record(n) for n in range(3, 11)], Verdict.NO_DATA),
        ([record(n // 10, outcome="not_sent" if n == 55 else "ok") for n in range(101)], Verdict.PASS),
        ([record(n // 10, outcome="not_sent" if n % 50 == 5 else "ok") for n in range(101)], Verdict.NO_DATA),
        ([], Verdict.NO_DATA),
    ],
    ids=["steady", "a hole", "ended early", "began late", "one left out", "too many left out", "nothing"],
)
def test_a_stream_speaks_only_for_what_it_covered(records: list[Record], verdict: Verdict) -> None:
    """Without a gap from start to end."""
    window = Window(start=1000.0, end=1010.5)

    assert stream_report.stream_was_steady(records, window, largest_gap_seconds=1.5).verdict is verdict


def test_requests_that_left_late_count_where_they_left() -> None:
    """A stall of ours is a gap, though the schedule had none; a share is that of the instant of sending."""
    window = Window(start=1000.0, end=1010.5)
    stalled = [record(n)._replace(lag=1000.0 * max(0, 8 - n)) if n > 2 else record(n) for n in range(11)]

    assert stream_report.stream_was_steady(stalled, window, largest_gap_seconds=1.5).verdict is Verdict.NO_DATA
    assert stream_report.observed_share(stalled, "green", window=Window(start=1003.0, end=1007.5)).n == 0


def test_the_last_answer_of_a_slot() -> None:
    """By when it ended, and by when it was sent after an order."""
    records = [record(n, "blue" if n < 5 else "green") for n in range(10)]
    slow = record(1, "blue")._replace(latency=60_000.0)

    assert stream_report.last_served(records, "blue") == records[4]
    assert stream_report.last_served([*records, slow], "blue") == slow
    assert stream_report.last_served(records, "red") is None
    assert stream_report.served_after(records, "blue", after=1002.5) == (records[3], records[4])


@pytest.mark.parametrize(
    ("after", "within", "verdict"),
    [(1003.0, 2.0, Verdict.PASS), (1001.0, 2.0, Verdict.FAIL), (1008.0, 5.0, Verdict.NO_DATA)],
)
def test_a_slot_goes_quiet_in_time(after: float, within: float, verdict: Verdict) -> None:
    """Counted from the order to the last request that still reached it."""
    records = [record(n, "blue" if n < 5 else "green") for n in range(10)]

    assert stream_report.slot_went_quiet(records, "blue", after=after, within_seconds=within).verdict is verdict
