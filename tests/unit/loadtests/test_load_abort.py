"""A run ends early only when it surely cannot pass, and hardly ever for a healthy service."""

from __future__ import annotations

import random

import pytest

from loadtests.abort import surely_crossed
from loadtests.tally import Tally
from tests.unit.loadtests.load_samples import THRESHOLDS


def tally(n: int, *, slow: int = 0, failed: int = 0, missed: int = 0) -> Tally:
    return Tally(
        started=n, ended=n, failures=failed, missed=missed, at_or_over_limit=slow, at_or_over_common_limit=slow
    )


@pytest.mark.parametrize(
    ("seen", "expected", "look", "says"),
    [
        pytest.param(tally(6000, slow=301), 6000, 30, "p95", id="nothing left that could help"),
        pytest.param(tally(6000, slow=300), 6000, 30, None, id="all that may be slow"),
        pytest.param(tally(6000, slow=301), 6020, 30, None, id="twenty good ones would bring it back"),
        pytest.param(tally(1000, slow=100), 12_000, 5, "p95", id="one in ten, beyond doubt"),
        pytest.param(tally(1000, slow=70), 12_000, 5, None, id="seven in a hundred may be chance"),
        pytest.param(tally(199, slow=199), 12_000, 1, None, id="the start of something"),
        pytest.param(tally(200, slow=200), 12_000, 1, "p95", id="all slow"),
        pytest.param(tally(2000, failed=12), 12_000, 10, "error rate", id="errors that nothing can dilute"),
        pytest.param(tally(2000, failed=11), 12_000, 10, None, id="errors that the rest may dilute"),
        pytest.param(tally(1000, failed=100), 1_000_000, 10, "error rate", id="errors beyond doubt"),
        pytest.param(tally(10, missed=1), 12_000, 1, "could not be sent", id="missed"),
        pytest.param(Tally(), 12_000, 1, None, id="nothing yet"),
    ],
)
def test_when_a_run_ends_early(seen: Tally, expected: int, look: int, says: str | None) -> None:
    sentence = surely_crossed(seen, THRESHOLDS, requests_expected=expected, look=look)

    assert (sentence is None) == (says is None)
    assert says is None or says in (sentence or "")


def test_requests_in_flight_are_not_held_against_it() -> None:
    seen = Tally(started=1000, ended=400)

    assert surely_crossed(seen, THRESHOLDS, requests_expected=1000, look=3) is None


def test_a_lost_worker_ends_the_run() -> None:
    sentence = surely_crossed(
        Tally(), THRESHOLDS, requests_expected=1000, look=1, workers_lost=["worker w1 was lost after 12 s"]
    )

    assert sentence == "aborted: worker w1 was lost after 12 s"


@pytest.mark.parametrize("look", [1, 60, 3600, 36_000])
def test_a_late_look_still_tells(look: int) -> None:
    """The confidence stays a number under one, and half of all slow is beyond any doubt."""
    assert surely_crossed(tally(4000, slow=2000), THRESHOLDS, requests_expected=10**9, look=look) is not None


def test_a_service_at_its_limit_is_not_ended_by_chance() -> None:
    """80 runs of 60 looks with a share of 5 % over the limit and 0.05 % errors, which is as bad as may be."""
    source, ended = random.Random(11), 0
    for _ in range(80):
        seen = tally(0)
        for look in range(1, 61):
            slow = sum(source.random() < 0.05 for _ in range(100))
            failed = sum(source.random() < 0.0005 for _ in range(100))
            seen.add(tally(100, slow=slow, failed=failed))
            if surely_crossed(seen, THRESHOLDS, requests_expected=1_000_000, look=look):
                ended += 1
                break

    assert ended == 0
