"""What can be decided at an expected rate; figures of the research and the contracts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollout.bounds import upper_bound
from rollout.forecast import failures_allowed, forecast, requests_to_prove, seconds_to_full
from rollout.model import Gates, Plan, Stage
from rollout.plan_file import DEFAULT_STAGES

PLAN = Plan(stages=DEFAULT_STAGES)


@pytest.mark.parametrize(
    ("limit_percent", "confidence", "expected"),
    [(0.1, 0.95, 2995), (1.0, 0.95, 299), (0.1, 0.99, 4603), (99.0, 0.5, 1)],
)
def test_how_many_clean_requests_prove_a_limit(limit_percent: float, confidence: float, expected: int) -> None:
    """Clopper-Pearson, one-sided: 0 errors in 2,995 requests for 0.1 %, 299 for 1 %."""
    assert requests_to_prove(limit_percent, confidence) == expected


@pytest.mark.parametrize(
    ("requests", "expected"), [(0, None), (2994, None), (2995, 0), (4741, 0), (4742, 1), (6294, 2), (10000, 4)]
)
def test_how_many_failures_still_prove_it(requests: int, expected: int | None) -> None:
    """Contracts, 8: 4 of 10,000 PASS, 5 LOW_SAMPLE."""
    assert failures_allowed(requests, Gates()) == expected


def test_the_sentence_of_the_design() -> None:
    assert "at 40 requests/s the 5 % stage needs 25 minutes to prove < 0.1 %" in forecast(PLAN, 40).sentences


def test_the_sandbox_rehearsal() -> None:
    """Contracts, 8: 1,000 light requests/s, 750 for the candidate in the 5 % bake."""
    expected = forecast(PLAN, 1000 / 60)

    first, second, third = expected.stages
    assert (first.requests_in_bake, first.proves, first.decidable, first.extension_seconds) == (750, False, True, 0.0)
    assert (second.requests_in_bake, second.trigger_armed) == (500, True)
    assert (third.proves, third.extension_seconds, third.decidable) == (True, 60.0, True)
    assert third.requests_at_gate == 850 + 1000 + 1000 + 500
    assert expected.deployment_seconds == 28 * 60 + 60


def test_a_fast_service_needs_no_extension() -> None:
    expected = forecast(PLAN, 100)

    assert [stage.extension_seconds for stage in expected.stages] == [0.0, 0.0, 0.0]
    assert expected.deployment_seconds == seconds_to_full(PLAN) == 28 * 60
    assert expected.stages[-1].failures_allowed == 10


def test_nothing_can_be_decided_without_requests() -> None:
    expected = forecast(PLAN, 0)

    assert not any(stage.decidable for stage in expected.stages)
    assert expected.deployment_seconds is None
    assert "at 0 requests/s the 5 % stage can never prove < 0.1 %" in expected.sentences
    assert expected.stages[0].sentences[0].endswith("its gate needs 200: cannot be decided")


def test_what_an_extension_cannot_reach_is_said() -> None:
    expected = forecast(PLAN, 0.5)

    assert not expected.stages[0].decidable
    assert expected.stages[0].sentences[0] == (
        "the 5 % bake of 15 min sees 22 requests; its gate needs 200: cannot be decided, it would have to be extended "
        "by 119 min and at most 10 min are allowed"
    )
    assert expected.stages[0].sentences[-1] == (
        "at 5 % a minute has 2 requests for the candidate, under the 20 that the error and latency triggers need"
    )


def test_a_single_minute_is_a_minute() -> None:
    assert "the 50 % stage needs 1 minute to prove" in " ".join(forecast(PLAN, 1000).sentences)


@settings(deadline=None, max_examples=25)
@given(rate=st.floats(0.01, 10_000), share=st.integers(1, 99), minutes=st.integers(1, 60))
def test_what_is_called_decidable_is(rate: float, share: int, minutes: int) -> None:
    """At the forecast's own number of requests, none failed, the proving gate passes, and one minute less does not."""
    stages = (Stage(share_percent=share, bake_seconds=minutes * 60.0), Stage(share_percent=100, bake_seconds=0.0))
    plan = replace(PLAN, stages=stages, extension_seconds_max=3600.0)

    (stage,) = forecast(plan, rate).stages

    if stage.decidable:
        assert stage.requests_at_gate >= 200
        assert upper_bound(0, stage.requests_at_gate, 0.95) < 0.001
        assert stage.failures_allowed is not None
    else:
        assert stage.extension_seconds is None or stage.extension_seconds > 3600
