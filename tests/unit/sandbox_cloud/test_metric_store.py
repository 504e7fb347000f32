"""Series in virtual time: order, alignment, pruning, visibility."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.cloud.metric_store import RETENTION_SECONDS, MetricStore, series_key

START = 1_800_000_000.0
KEY = series_key("N", "m", dimensions=None)


class Clock:
    """Moves when told."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        return self.time

    def factor(self) -> float:
        return 1.0

    def virtual_at(self, monotonic_seconds: float) -> float:
        return self.time


def _store(delay_seconds: float = 20.0) -> tuple[MetricStore, Clock]:
    clock = Clock()
    return MetricStore(clock, lambda: delay_seconds), clock


def _put(store: MetricStore, time: float, value: float = 1.0, *, delayed: bool = False) -> None:
    store.put("N", [{"MetricName": "m", "Value": value, "Timestamp": time}], delayed=delayed)


def test_datapoints_may_come_in_any_order() -> None:
    """A late one lands in its own period."""
    store, _clock = _store()
    for offset in (120, 0, 60, 59):
        _put(store, START + offset)

    assert store.query(KEY, start=START, end=START + 180, period=60, statistic="Sum") == {
        START: 2.0,
        START + 60: 1.0,
        START + 120: 1.0,
    }


def test_dimensions_are_a_set_and_the_namespace_counts() -> None:
    """moto ignores the namespace when dimensions are given."""
    one, two = {"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}

    assert series_key("N", "m", dimensions=[one, two]) == series_key("N", "m", dimensions=[two, one])
    assert series_key("N", "m", dimensions=[one]) != series_key("O", "m", dimensions=[one])


def test_a_datapoint_of_a_closed_minute_is_late_at_once() -> None:
    """Put after its minute and the delay: visible immediately."""
    store, clock = _store()
    clock.time = START + 500
    _put(store, START, delayed=True)

    assert store.series() == [KEY]


def test_the_version_grows_only_with_what_becomes_visible() -> None:
    """Evaluators skip their work while it stays."""
    store, clock = _store()
    _put(store, START, delayed=True)
    before = store.version()
    clock.time = START + 79.9
    assert store.version() == before
    clock.time = START + 80

    assert store.version() > before


def test_old_datapoints_are_forgotten_in_virtual_time() -> None:
    """Fifteen virtual days, however short they are in reality."""
    store, clock = _store()
    _put(store, START)
    clock.time = START + RETENTION_SECONDS + 1
    for _ in range(256):
        _put(store, clock.time)

    assert store.query(KEY, start=START, end=START + 60, period=60, statistic="Sum") == {}


def test_short_periods_align_to_themselves() -> None:
    """Ten-second periods begin at whole ten seconds."""
    store, _clock = _store()
    for offset in (4, 11, 19):
        _put(store, START + offset)

    assert store.query(KEY, start=START + 3, end=START + 20, period=10, statistic="Sum") == {
        START: 1.0,
        START + 10: 2.0,
    }


_PUT = st.tuples(st.integers(0, 400), st.integers(1, 5))
_ASKED = st.tuples(
    st.integers(0, 300), st.integers(1, 200), st.sampled_from([10, 60, 120]), st.sampled_from(["Sum", "p50"])
)


@example([((0, 1), (0, 60, 60, "Sum")), ((1, 1), (0, 60, 60, "Sum")), ((60, 1), (0, 1, 60, "Sum"))])
@given(st.lists(st.tuples(_PUT, _ASKED), min_size=1, max_size=12))
def test_what_was_computed_before_a_late_datapoint_is_not_answered_after_it(
    steps: list[tuple[tuple[int, int], tuple[int, int, int, str]]],
) -> None:
    """A store that was asked all the time answers as one that is asked for the first time."""
    asked, _clock = _store()
    so_far: list[tuple[int, int]] = []
    for (offset, value), (start, seconds, period, statistic) in steps:
        so_far.append((offset, value))
        _put(asked, START + offset, float(value))
        fresh, _clock = _store()
        for earlier, put in so_far:
            _put(fresh, START + earlier, float(put))
        first = START + start
        query = {"start": first, "end": first + seconds, "period": period, "statistic": statistic}

        assert asked.query(KEY, **query) == fresh.query(KEY, **query)  # type: ignore[arg-type]
