"""What workers record is counted exactly, and a parcel that is lost, doubled, late or changed is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.histogram import index_of, merged, microseconds
from loadtests.recording import ERRORS_MAX, OTHER_ERRORS, SLICES_MAX, Merged, Recorder
from loadtests.tally import Recording

WARM_UP = 5.0
LIMITS = {"*": 0.2, "POST /oauth2/token": 0.5}
names = st.sampled_from(["GET /health", "POST /oauth2/token", "GET /v1/items"])
seconds = st.floats(0, 30, allow_nan=False)
latencies = st.one_of(st.floats(0, 2, allow_nan=False), st.sampled_from([0.199999, 0.2, 0.201, 0.5, 125.0]))
requests = st.lists(st.tuples(names, seconds, latencies, st.sampled_from([None, None, "HTTP 503"])), max_size=60)


def recorder() -> Recorder:
    return Recorder(warm_up_seconds=WARM_UP, limits_seconds=LIMITS)


def parcels(count: int = 3) -> list[dict[str, Any]]:
    """Of one worker: ten requests in each."""
    one = recorder()
    made = []
    for number in range(count):
        for request in range(10):
            at = 6.0 + number + request / 10
            one.late(at, 0.001)
            one.started("GET /health", at)
            one.ended("GET /health", at, 0.01 * request + 0.01, "HTTP 503" if request == 9 else None)
        made.append(one.parcel(final=number == count - 1))
    return made


def merge(*sequences: list[dict[str, Any]]) -> Recording:
    """Each sequence from a worker of its own, through JSON, as over a wire."""
    all_of_them = Merged()
    for worker, sequence in enumerate(sequences):
        for parcel in sequence:
            all_of_them.add(f"w{worker}", json.loads(json.dumps(parcel)))
    return all_of_them.result()


@settings(max_examples=80, deadline=None)
@given(requests, st.sampled_from([1, 2, 4]), st.integers(1, 9))
def test_any_number_of_workers_merge_to_what_one_list_of_requests_says(
    sent: list[tuple[str, float, float, str | None]], workers: int, per_parcel: int
) -> None:
    """Histogram, counts at and over the limit, failures and maximum, of each name: equal, not nearly."""
    recorders = [recorder() for _ in range(workers)]
    sequences: list[list[dict[str, Any]]] = [[] for _ in recorders]
    for number, (name, at, latency, error) in enumerate(sent):
        worker = number % workers
        recorders[worker].started(name, at)
        recorders[worker].ended(name, at, latency, error)
        if number % per_parcel == 0:
            sequences[worker].append(recorders[worker].parcel(final=False))
    result = merge(*([*made, one.parcel(final=True)] for made, one in zip(sequences, recorders, strict=True)))

    assert result.problems == ()
    assert result.warm_up.started == sum(at < WARM_UP for _, at, _, _ in sent)
    for name in {name for name, at, _, _ in sent if at >= WARM_UP}:
        measured = [(latency, error) for other, at, latency, error in sent if other == name and at >= WARM_UP]
        tally = result.names[name]
        assert tally.counts == merged({index_of(microseconds(latency)): 1} for latency, _ in measured)
        assert tally.started == tally.ended == len(measured)
        assert tally.at_or_over_limit == sum(latency >= LIMITS.get(name, 0.2) for latency, _ in measured)
        assert tally.at_or_over_common_limit == sum(latency >= 0.2 for latency, _ in measured)
        assert tally.failures == sum(error is not None for _, error in measured)
        assert tally.maximum_seconds == max(latency for latency, _ in measured)
    measured_series = [part.tally for part in result.series if part.start_seconds >= 0]
    assert sum(tally.started for tally in measured_series) == sum(at >= WARM_UP for _, at, _, _ in sent)


def test_a_good_sequence_has_no_problem() -> None:
    result = merge(parcels(), parcels(1))

    assert result.problems == ()
    assert result.ended == result.workers == ("w0", "w1")
    assert result.names["GET /health"].ended == 40
    assert result.errors == {("GET /health", "HTTP 503"): 4}
    assert sum(result.lateness.values()) == 40


Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def changed(edit: Callable[[dict[str, Any]], object]) -> Change:
    """The second parcel, edited."""

    def change(sequence: list[dict[str, Any]]) -> list[dict[str, Any]]:
        edit(sequence[1])
        return sequence

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(lambda s: [s[0], s[2]], "sent parcel 3 after 1, but nothing between", id="lost"),
        pytest.param(lambda s: [s[0], s[1], s[1], s[2]], "sent parcel 2 after 2, again", id="doubled"),
        pytest.param(lambda s: [s[1], s[0], s[2]], "sent parcel 2 after 0, but nothing between", id="reordered"),
        pytest.param(lambda s: s[1:], "but nothing between", id="first lost"),
        pytest.param(lambda s: s[:2], "did not hand in its final parcel (its last was 2)", id="killed"),
        pytest.param(lambda s: [*s, s[2]], "after its final one", id="after the end"),
        pytest.param(changed(lambda p: p["rows"].pop()), "do not add up", id="row gone"),
        pytest.param(changed(lambda p: p["rows"].append(p["rows"][0])), "do not add up", id="row twice"),
        pytest.param(changed(lambda p: p["late"].clear()), "do not add up", id="lateness gone"),
        pytest.param(changed(lambda p: p["rows"][0][-1].pop()), "cannot be read", id="half a pair"),
        pytest.param(changed(lambda p: p.pop("totals")), "cannot be read (KeyError", id="without totals"),
        pytest.param(changed(lambda p: p.update(schema=2)), "another version", id="another version"),
        pytest.param(changed(lambda p: p["settings"].__setitem__(0, 0.0)), "other settings", id="other warm-up"),
    ],
)
def test_what_is_wrong_with_a_sequence_is_found_and_names_the_worker(change: Change, says: str) -> None:
    result = merge(parcels(), change(copy.deepcopy(parcels())))

    assert any(problem.startswith("worker w1 ") and says in problem for problem in result.problems), result.problems


def test_a_parcel_that_came_twice_is_counted_once() -> None:
    good = parcels()

    assert merge([good[0], good[0], *good[1:]]).names == merge(good).names


def test_a_worker_that_joined_and_never_spoke_is_a_problem() -> None:
    record = Merged()
    record.joined("w7")

    assert record.result().problems == ("worker w7 did not hand in its final parcel (its last was 0)",)


def test_what_is_in_flight_at_the_end_is_counted() -> None:
    one = recorder()
    one.started("GET /health", 6)
    one.started("GET /health", 7)
    one.ended("GET /health", 6, 0.1)
    one.missed("GET /health", 8)
    tally = merge([one.parcel(final=True)]).names["GET /health"]

    assert (tally.requests, tally.unfinished, tally.missed, tally.lost) == (3, 1, 1, 2)
    assert tally.quantile_microseconds(1) is not None
    assert tally.quantile_microseconds(2) is None


@pytest.mark.parametrize(("at", "measured"), [(4.999999, 0), (5.0, 1)])
def test_warm_up_ends_at_its_second(at: float, measured: int) -> None:
    one = recorder()
    one.started("GET /health", at)
    one.late(at, 0.5)
    result = merge([one.parcel(final=True)])

    assert sum(tally.started for tally in result.names.values()) == measured
    assert result.warm_up.started == 1 - measured
    assert sum(result.lateness.values()) == measured


@pytest.mark.parametrize(("latency", "over"), [(0.199999, 0), (0.19999999999, 0), (0.2, 1), (0.2000001, 1), (0.201, 1)])
def test_the_limit_is_held_exactly(latency: float, over: int) -> None:
    """All of them within one bucket of the histogram, except the last."""
    one = recorder()
    one.started("GET /health", 6)
    one.ended("GET /health", 6, latency)

    assert merge([one.parcel(final=True)]).names["GET /health"].at_or_over_limit == over


def test_kinds_of_errors_are_bounded_and_none_is_lost() -> None:
    one = recorder()
    for number in range(ERRORS_MAX + 50):
        one.started("GET /health", 6)
        one.ended("GET /health", 6, 0.1, f"error {number}")
    result = merge([one.parcel(final=True)])

    assert len(result.errors) == ERRORS_MAX + 1
    assert result.errors["GET /health", OTHER_ERRORS] == 50


def test_an_hour_costs_as_a_minute() -> None:
    """The series is joined in pairs; no request of it is lost, and the warm-up stays apart."""
    one, record = recorder(), Merged()
    for second in range(3600):
        one.started("GET /health", second)
        one.ended("GET /health", second, 0.001 * (second % 300 + 1))
        if second % 3 == 0:
            record.add("w0", one.parcel(final=False))
    record.add("w0", one.parcel(final=True))
    result = record.result()

    assert result.problems == ()
    assert len(result.series) <= SLICES_MAX
    assert sum(part.tally.started for part in result.series) == 3600
    assert sum(part.tally.started for part in result.series if part.start_seconds < 0) == WARM_UP
    assert sum(part.tally.started for part in result.series_by_name["GET /health"]) == 3600 - WARM_UP


def test_the_final_parcel_is_the_last() -> None:
    one = recorder()
    one.parcel(final=True)

    with pytest.raises(AssertionError, match="final"):
        one.parcel(final=True)
