"""Which event a tick finds: a person's abort first, then harm, then progress."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from worlds import (
    BACK,
    DNS,
    HOLD,
    PLAN,
    SHIFTED,
    asked,
    counts,
    errors_of,
    instant,
    metrics,
    minute,
    record,
    service,
    sight,
    silent,
    situation,
)

from rollout.events import find_event
from rollout.record import TERMINAL_STATES, Bake, Record, State
from rollout.seen import DnsReading, ListenerReading, Metrics, PublicReading, SideMinute, Situation
from rollout.sight import Event
from tests.fakes.sim_world import MINUTE, START

QUIET = metrics(errors_of("S" * 20))
AT_REST = Metrics(candidate=(minute(0, None),))  # a whole minute of the candidate without customers


def baking(**more: Any) -> Record:
    bake = Bake(first_minute=START, verified_monotonic=0.0, epoch=0)
    return record(State.BAKING, **({**SHIFTED, "bake": bake, "submitted_at": START} | more))


def found(rec: Record, sit: Situation, seconds: float = 0.0, **more: Any) -> str:
    return str(find_event(sight(rec, sit, seconds, **more)).event)


@pytest.mark.parametrize("state", sorted(set(State) - TERMINAL_STATES, key=str))
def test_an_abort_comes_before_everything_that_is_not_going_back_already(state: State) -> None:
    rec = record(state, request=asked("abort"), hold=HOLD, back=BACK, **SHIFTED)
    going_back = state in (State.ROLLING_BACK, State.VERIFYING, State.CLEANING, State.SETTLING_BACK)

    assert (found(rec, situation(5)) == Event.ABORT_REQUESTED) is not going_back


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES, key=str))
def test_an_end_is_an_end(state: State) -> None:
    assert found(record(state, request=asked("abort"), **SHIFTED), situation(0)) == Event.WAIT


@pytest.mark.parametrize(
    ("sit", "seconds", "expected"),
    [
        pytest.param(situation(0), 0, Event.CANDIDATE_READY, id="ready"),
        pytest.param(situation(0, candidate_targets=counts(2, 3)), 0, Event.WAIT, id="one-target-not-healthy"),
        pytest.param(situation(0, candidate_targets=counts(1)), 0, Event.WAIT, id="too-few-targets"),
        pytest.param(situation(0, candidate_service=service(2, 1)), 0, Event.WAIT, id="task-missing"),
        pytest.param(situation(0, candidate_service=service(1)), 0, Event.WAIT, id="too-small"),
        pytest.param(situation(0, candidate_service=service(image="old")), 0, Event.WAIT, id="old-image"),
        pytest.param(situation(0, candidate_service=service(rollout_state="")), 0, Event.WAIT, id="not-deployed"),
        pytest.param(situation(0, candidate_service=None), 0, Event.WAIT, id="ecs-down"),
        pytest.param(situation(0, candidate_service=None), 901, Event.CANDIDATE_FAILED, id="too-long"),
        pytest.param(situation(0, candidate_targets=None), 0, Event.WAIT, id="health-unknown"),
        pytest.param(situation(0, listener=ListenerReading(candidate_share=0)), 0, Event.WAIT, id="not-attached"),
        pytest.param(situation(5), 0, Event.CANDIDATE_EXPOSED, id="exposed"),
        pytest.param(situation(0, candidate_service=service(failed_tasks=3)), 0, Event.CANDIDATE_FAILED, id="crashes"),
        pytest.param(situation(0, candidate_service=service(failed_tasks=2)), 0, Event.CANDIDATE_READY, id="recovered"),
        pytest.param(
            situation(0, candidate_service=service(image="old", failed_tasks=3)), 0, Event.WAIT, id="old-crashes"
        ),
    ],
)
def test_preparing(sit: Situation, seconds: float, expected: Event) -> None:
    assert found(record(State.PREPARING), sit, seconds) == expected


@pytest.mark.parametrize(
    ("more", "share", "seconds", "expected"),
    [
        pytest.param({}, 0, 90, Event.CONFIRMED, id="nothing-asked"),
        pytest.param({"confirm": True}, 0, 0, Event.WAIT, id="waiting"),
        pytest.param({"confirm": True, "request": asked("confirm")}, 0, 90, Event.CONFIRMED, id="confirmed"),
        pytest.param({"confirm": True, "request": asked("pause")}, 0, 0, Event.WAIT, id="another-request"),
        pytest.param({"confirm": True}, 0, 901, Event.CONFIRMATION_MISSED, id="nobody"),
        pytest.param({"request": asked("confirm")}, 7, 0, Event.CANDIDATE_EXPOSED, id="exposed"),
    ],
)
def test_ready(more: dict[str, Any], share: float, seconds: float, expected: Event) -> None:
    assert found(record(State.READY, **more), situation(share, metrics=AT_REST), seconds) == expected


@pytest.mark.parametrize(
    ("minutes", "seconds", "expected"),
    [
        pytest.param((minute(0, None),), 80, Event.CONFIRMED, id="one-whole-minute"),
        pytest.param((minute(-1, None),), 80, Event.WAIT, id="begun-before-it-was-ready"),
        pytest.param((minute(-1, None), silent(0)), 80, Event.WAIT, id="not-published-yet"),
        pytest.param((minute(0, None, cpu_percent=None),), 80, Event.WAIT, id="without-cpu"),
        pytest.param((), 0, Event.WAIT, id="no-minute-yet"),
        pytest.param((), 419, Event.WAIT, id="just-before-settle-and-300-s"),
        pytest.param((), 420, Event.CONFIRMED, id="settle-and-300-s"),
    ],
)
@pytest.mark.parametrize("more", [{}, {"confirm": True, "request": asked("confirm")}], ids=["unasked", "confirmed"])
def test_the_candidate_is_measured_at_rest_before_the_first_shift(
    more: dict[str, Any], minutes: tuple[SideMinute, ...], seconds: float, expected: Event
) -> None:
    """Whole minutes since it was ready only; a source that stays silent delays the first shift, it does not stop it."""
    at_rest = situation(0, metrics=Metrics(candidate=minutes))

    assert found(record(State.READY, **more), at_rest, seconds) == expected


def test_the_wait_at_rest_begins_when_the_candidate_was_ready() -> None:
    """Its tasks start in the minute before; and the bound follows the plan's settle time."""
    ready = record(State.READY, entered_at=START + 20, entered_monotonic=20.0)
    seen = situation(0, metrics=Metrics(candidate=(minute(0, None), minute(1, None))))
    early = replace(seen, metrics=Metrics(candidate=(minute(0, None),)))
    slow = replace(PLAN, settle_seconds=600.0)

    assert found(ready, early, 80) == Event.WAIT
    assert found(ready, seen, 140) == Event.CONFIRMED
    assert found(ready, situation(0), 20 + 899, plan=slow) == Event.WAIT
    assert found(ready, situation(0), 20 + 900, plan=slow) == Event.CONFIRMED


@pytest.mark.parametrize(("request_kind", "expected"), [("abort", Event.ABORT_REQUESTED), ("pause", Event.WAIT)])
def test_a_candidate_at_rest_can_be_aborted(request_kind: str, expected: Event) -> None:
    assert found(record(State.READY, request=asked(request_kind)), situation(0), 30) == expected


def shifting(**more: Any) -> Record:
    return record(State.SHIFTING, **({**SHIFTED, "stage": 1, "share_wanted": 25} | more))


@pytest.mark.parametrize(
    ("rec", "sit", "seconds", "expected"),
    [
        pytest.param(shifting(), situation(25), 0, Event.SHARE_VERIFIED, id="read-back"),
        pytest.param(shifting(share_wanted=100), situation(100), 0, Event.FULL_SHARE_VERIFIED, id="full"),
        pytest.param(shifting(), situation(5), 0, Event.WAIT, id="not-yet"),
        pytest.param(shifting(), situation(None), 0, Event.WAIT, id="listener-unknown"),
        pytest.param(shifting(), situation(None, metrics=QUIET), 901, Event.SHIFT_IMPOSSIBLE, id="too-long"),
        pytest.param(shifting(request=asked("pause")), situation(25), 0, Event.PAUSE_REQUESTED, id="paused"),
        pytest.param(shifting(), situation(0), 0, Event.SHARE_TAKEN_AWAY, id="taken-away"),
        pytest.param(shifting(), situation(12), 0, Event.DRIFT, id="drift"),
        pytest.param(shifting(repairs=1), situation(12), 0, Event.DRIFT_AGAIN, id="drift-again"),
        pytest.param(shifting(repairs=1, share_verified=13), situation(12.5), 0, Event.WAIT, id="known-drift"),
        pytest.param(
            shifting(stage=0, share_wanted=5, share_verified=0), situation(0), 0, Event.WAIT, id="first-shift"
        ),
    ],
)
def test_shifting(rec: Record, sit: Situation, seconds: float, expected: Event) -> None:
    assert found(rec, sit, seconds) == expected


@pytest.mark.parametrize(
    ("targets", "seconds", "expected"),
    [
        pytest.param(counts(2), 60, "", id="60-s-old"),
        pytest.param(counts(2), 61, "the candidate's target health is 61 s old", id="61-s-old"),
        pytest.param(counts(1), 0, "1 healthy targets, 2 needed", id="too-few"),
        pytest.param(counts(2, 3), 0, "", id="enough-of-more"),
        pytest.param(None, 0, "the candidate's target health could not be read", id="unknown"),
    ],
)
def test_what_forbids_a_raise(targets: Any, seconds: float, expected: str) -> None:
    """I2."""
    from rollout.forward import may_raise

    assert may_raise(sight(shifting(), situation(5, candidate_targets=targets), seconds)) == expected


DUE = 15 * MINUTE + 120


@pytest.mark.parametrize(
    ("rec", "sit", "seconds", "expected"),
    [
        pytest.param(baking(), situation(5, metrics=QUIET), DUE - 1, Event.WAIT, id="a-second-early"),
        pytest.param(baking(), situation(5, metrics=QUIET), DUE, Event.GATE_READ, id="first-reading"),
        pytest.param(baking(epoch=1), situation(5, metrics=QUIET), DUE, Event.BAKE_RESTARTED, id="takeover"),
        pytest.param(baking(bake=None), situation(5), 0, Event.BAKE_RESTARTED, id="no-bake"),
        pytest.param(baking(bake=None), situation(None), 0, Event.WAIT, id="no-read-back"),
        pytest.param(baking(request=asked("pause")), situation(5), 0, Event.PAUSE_REQUESTED, id="paused"),
        pytest.param(baking(), situation(0), 0, Event.SHARE_TAKEN_AWAY, id="taken-away"),
        pytest.param(baking(), situation(6), 0, Event.DRIFT, id="drift"),
        pytest.param(baking(), situation(None), 0, Event.WAIT, id="listener-unknown"),
        pytest.param(baking(), situation(5), 6 * MINUTE, Event.BLIND, id="blind"),
        pytest.param(
            baking(), situation(5, metrics=metrics(errors_of("F" * 20))), 0, Event.WAIT, id="open-minutes-say-nothing"
        ),
        pytest.param(
            baking(), situation(5, metrics=metrics(errors_of("F" * 20))), 5 * MINUTE, Event.TRIGGER_TRIPPED, id="harm"
        ),
    ],
)
def test_baking(rec: Record, sit: Situation, seconds: float, expected: Event) -> None:
    assert found(rec, sit, seconds) == expected


@pytest.mark.parametrize(
    ("reading", "errors", "expected"),
    [
        pytest.param("PASS", 0, Event.GATE_PASSED, id="pass-twice"),
        pytest.param("FAIL", 0, Event.GATE_READ, id="now-pass"),
        pytest.param("PASS", 5, Event.GATE_READ, id="now-fail"),
        pytest.param("FAIL", 5, Event.GATE_FAILED, id="fail-twice"),
    ],
)
def test_a_gate_is_read_twice_and_must_be_equal(reading: str, errors: int, expected: Event) -> None:
    """contracts 7, design.md 5."""
    bake = Bake(first_minute=START, verified_monotonic=0.0, epoch=0, reading=reading)
    seen = metrics(errors_of("F" * 15, bad=errors))

    assert found(baking(bake=bake, idle_cpu_percent=25.0), situation(5, metrics=seen), DUE) == expected


@pytest.mark.parametrize(
    ("extended", "submitted", "expected"),
    [
        pytest.param(0.0, START, Event.GATE_THIN, id="first"),
        pytest.param(540.0, START + 540, Event.GATE_THIN, id="last-within-600-s"),
        pytest.param(600.0, START + 600, Event.GATE_UNDECIDED, id="600-s-used"),
        pytest.param(0.0, START - 120, Event.GATE_THIN, id="just-fits-30-minutes"),
        pytest.param(0.0, START - 121, Event.GATE_UNDECIDED, id="would-be-late"),
        pytest.param(0.0, None, Event.GATE_UNDECIDED, id="never-submitted"),
    ],
)
def test_extension(extended: float, submitted: float | None, expected: Event) -> None:
    """contracts 7: up to 600 s, and within what the later stages (10 minutes) leave of 30 minutes."""
    bake = Bake(first_minute=START, verified_monotonic=0.0, epoch=0, extended_seconds=extended)
    thin = metrics(errors_of("S" * 30, requests=5), total=100)
    rec = baking(bake=bake, submitted_at=submitted, idle_cpu_percent=25.0)

    assert found(rec, situation(5, metrics=thin), DUE + extended) == expected


def test_wall_and_own_clock_both_have_to_say_that_a_bake_is_over() -> None:
    """Test case 23 of rollout-peers.md 2.8: a wall clock that jumps ends no bake."""
    early = sight(baking(), situation(5, metrics=QUIET))
    by_wall = replace(early, now=instant(DUE, monotonic=DUE - 1))
    by_own = replace(early, now=instant(DUE - 1, monotonic=DUE + 99))

    assert [find_event(by_wall).event, find_event(by_own).event] == [Event.WAIT, Event.WAIT]


def stabilizing(**more: Any) -> Record:
    return replace(baking(), state=State.STABILIZING, stage=3, share_wanted=100, share_verified=100, **more)


LONG = metrics(errors_of("S" * 40), share=100.0)


@pytest.mark.parametrize(
    ("rec", "sit", "seconds", "expected"),
    [
        pytest.param(stabilizing(), situation(100, metrics=LONG), 1919, Event.WAIT, id="a-second-early"),
        pytest.param(stabilizing(), situation(100, metrics=LONG), 1920, Event.STABLE_LONG_ENOUGH, id="30-minutes"),
        pytest.param(
            stabilizing(), situation(100, metrics=metrics(errors_of("S" * 20 + "b" + "S" * 20), share=100.0)), 1920,
            Event.WAIT, id="29-verified-minutes",
        ),
        pytest.param(stabilizing(epoch=1), situation(100), 0, Event.BAKE_RESTARTED, id="takeover"),
        pytest.param(stabilizing(request=asked("pause")), situation(100), 0, Event.PAUSE_REQUESTED, id="paused"),
        pytest.param(
            stabilizing(), situation(100, stable_targets=counts(0, 2)), 0, Event.STABLE_SIDE_LOST, id="unhealthy"
        ),
        pytest.param(
            stabilizing(), situation(100, stable_service=service(1)), 0, Event.STABLE_SIDE_LOST, id="scaled-in"
        ),
        pytest.param(
            stabilizing(), situation(listener=ListenerReading(candidate_share=100)), 0, Event.STABLE_SIDE_LOST,
            id="detached",
        ),
        pytest.param(
            stabilizing(), situation(listener=ListenerReading(candidate_share=None, error="throttled")), 0,
            Event.WAIT, id="listener-unknown",
        ),
    ],
)  # fmt: skip
def test_stabilizing(rec: Record, sit: Situation, seconds: float, expected: Event) -> None:
    assert found(rec, sit, seconds) == expected


def dns(value: str = "b", resolved: str = "b", *, in_sync: bool = True) -> DnsReading:
    return DnsReading(value=value, in_sync=in_sync, resolved_value=resolved)


@pytest.mark.parametrize(
    ("more", "sit", "seconds", "expected"),
    [
        pytest.param({}, situation(100, dns=dns()), 0, Event.DNS_RESOLVED, id="in-sync"),
        pytest.param({}, situation(100, dns=dns(in_sync=False)), 0, Event.WAIT, id="pending"),
        pytest.param({}, situation(100, dns=dns(resolved="g")), 0, Event.WAIT, id="not-resolved"),
        pytest.param({}, situation(100, dns=None), 901, Event.DNS_NOT_IN_SYNC, id="never"),
        pytest.param(
            {"dns_changed_at": START}, situation(100, stable_service=service(0)), 59, Event.WAIT, id="ttl-runs"
        ),
        pytest.param(
            {"dns_changed_at": START}, situation(100, stable_service=service(0)), 60, Event.RETIRED, id="retired"
        ),
        pytest.param(
            {"dns_changed_at": START}, situation(100, stable_service=service(0, 1)), 60, Event.WAIT, id="draining"
        ),
        pytest.param({"repairs": 0}, situation(60), 0, Event.DRIFT, id="drift"),
    ],
)
def test_retiring(more: dict[str, Any], sit: Situation, seconds: float, expected: Event) -> None:
    rec = record(State.RETIRING, **({**SHIFTED, "stage": 3, "share_wanted": 100, "share_verified": 100} | more))

    assert found(rec, sit, seconds, plan=replace(PLAN, dns=DNS)) == expected


@pytest.mark.parametrize(
    ("state", "share", "seconds", "expected"),
    [
        pytest.param(State.SETTLING, 100, 299, Event.WAIT, id="299-s"),
        pytest.param(State.SETTLING, 100, 300, Event.SETTLED, id="300-s"),
        pytest.param(State.SETTLING, None, 999, Event.WAIT, id="not-seen"),
        pytest.param(State.SETTLING_BACK, 0, 299, Event.WAIT, id="back-299-s"),
        pytest.param(State.SETTLING_BACK, 0, 300, Event.SETTLED, id="back-300-s"),
        pytest.param(State.SETTLING_BACK, None, 999, Event.WAIT, id="back-not-seen"),
        pytest.param(State.SETTLING_BACK, 5, 999, Event.WAIT, id="back-not-so"),
    ],
)
def test_settling(state: State, share: float | None, seconds: float, expected: Event) -> None:
    """I3: still so, and seen to be so."""
    wanted = 100 if state is State.SETTLING else 0
    rec = record(state, stage=3, share_wanted=wanted, share_verified=wanted, first_shift_at=START, back=BACK)

    assert found(rec, situation(share), seconds) == expected


def test_settled_after_somebody_elses_abort() -> None:
    rec = record(State.SETTLING_BACK, back=replace(BACK, external=True))

    assert found(rec, situation(0), 300) == Event.SETTLED_EXTERNALLY


def holding(verdict: str = "LOW_SAMPLE", rule: str = "gates", **more: Any) -> Record:
    held = replace(HOLD, verdict=verdict, rule=rule)  # type: ignore[arg-type]
    return record(State.HOLDING, **({**SHIFTED, "hold": held} | more))


@pytest.mark.parametrize(
    ("rec", "seconds", "expected"),
    [
        pytest.param(holding(), 899, Event.WAIT, id="899-s"),
        pytest.param(holding(), 900, Event.HOLD_EXPIRED, id="900-s"),
        pytest.param(holding(request=asked("resume")), 900, Event.RESUME_REQUESTED, id="resume"),
        pytest.param(holding(request=asked("extend")), 900, Event.EXTENSION_REQUESTED, id="extend"),
        pytest.param(holding(request=asked("resume"), back=BACK), 0, Event.WAIT, id="no-resume-after-a-rollback"),
        pytest.param(
            holding(request=asked("resume"), stage=-1, share_wanted=0), 0, Event.WAIT, id="no-resume-before-a-stage"
        ),
        pytest.param(holding("NO_DATA"), 60, Event.DATA_BACK, id="data-back"),
        pytest.param(holding("NO_DATA", "operator"), 60, Event.WAIT, id="a-persons-hold-stays"),
        pytest.param(holding(epoch=1, entered_epoch=1, entered_monotonic=100.0), 999, Event.WAIT, id="takeover"),
    ],
)
def test_holding(rec: Record, seconds: float, expected: Event) -> None:
    assert found(rec, situation(5, metrics=QUIET), seconds) == expected


def test_a_hold_does_not_go_on_while_the_source_fails() -> None:
    seen = replace(QUIET, error="denied")

    assert found(holding("SOURCE_ERROR"), situation(5, metrics=seen), 60) == Event.WAIT


def test_blindness_names_the_source_that_failed() -> None:
    seen = find_event(sight(baking(), situation(5, metrics=Metrics(error="denied")), 6 * MINUTE))

    assert (seen.event, seen.verdict) == (Event.BLIND, "SOURCE_ERROR")
    assert seen.reason.endswith("budget 3; denied")


@pytest.mark.parametrize(
    ("sit", "seconds", "more", "expected"),
    [
        pytest.param(situation(0), 0, {}, Event.SWITCHED, id="read-back"),
        pytest.param(situation(5), 300, {}, Event.WAIT, id="in-time"),
        pytest.param(situation(None), 301, {}, Event.NOT_VERIFIED_IN_TIME, id="too-late"),
        pytest.param(situation(5), 999, {"escalated": True}, Event.WAIT, id="told-once"),
    ],
)
def test_rolling_back(sit: Situation, seconds: float, more: dict[str, Any], expected: Event) -> None:
    rec = record(State.ROLLING_BACK, back=replace(BACK, **more), share_verified=5)

    assert found(rec, sit, seconds) == expected


ANSWERS = PublicReading(in_a_row=5)


@pytest.mark.parametrize(
    ("sit", "seconds", "expected"),
    [
        pytest.param(situation(0, public=ANSWERS), 0, Event.HEALTH_VERIFIED, id="verified"),
        pytest.param(situation(0, public=PublicReading(in_a_row=4)), 0, Event.WAIT, id="4-in-a-row"),
        pytest.param(situation(0), 0, Event.WAIT, id="no-answer"),
        pytest.param(situation(0, public=ANSWERS, stable_targets=counts(1, 2)), 0, Event.WAIT, id="one-unhealthy"),
        pytest.param(situation(0, public=ANSWERS, stable_targets=counts(0, 0)), 0, Event.WAIT, id="none-registered"),
        pytest.param(situation(0, public=ANSWERS, stable_targets=None), 0, Event.WAIT, id="unknown"),
        pytest.param(situation(5, public=ANSWERS), 0, Event.WAIT, id="share-rose"),
        pytest.param(situation(None, public=ANSWERS), 0, Event.WAIT, id="share-unknown"),
        pytest.param(situation(0), 300, Event.WAIT, id="5-minutes"),
        pytest.param(situation(0), 301, Event.NOT_VERIFIED_IN_TIME, id="5-minutes-1-s"),
    ],
)
def test_verifying(sit: Situation, seconds: float, expected: Event) -> None:
    """RB-03, MET-03."""
    assert found(record(State.VERIFYING, back=BACK), sit, seconds) == expected


def test_a_takeover_counts_the_rollback_time_on_its_own_clock() -> None:
    rec = record(State.VERIFYING, back=BACK, epoch=1, entered_epoch=1, entered_monotonic=200.0)

    assert found(rec, situation(0), 400) == Event.WAIT
    assert found(rec, situation(0), 501) == Event.NOT_VERIFIED_IN_TIME


@pytest.mark.parametrize(
    ("sit", "seconds", "expected"),
    [
        pytest.param(situation(0, candidate_service=service(0)), 0, Event.CLEANED, id="gone"),
        pytest.param(situation(0), 0, Event.WAIT, id="going"),
        pytest.param(situation(0, candidate_service=None), 901, Event.CLEANING_GIVEN_UP, id="given-up"),
    ],
)
def test_cleaning(sit: Situation, seconds: float, expected: Event) -> None:
    assert found(record(State.CLEANING, back=BACK), sit, seconds) == expected
