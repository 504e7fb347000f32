"""What drills show: each finding of the way back and of the emergency command, once each way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from rehearsal_documents import (
    IMAGE,
    RUN,
    START,
    Change,
    Document,
    also,
    both,
    changed,
    decision,
    drill_stream,
    emergency,
    made,
    overall,
    put,
    request,
    rule,
    same,
    seen,
    service,
    shift,
    taken_back,
    update,
    without_calls,
    without_events,
)

from probes.stream_record import Outcome, Record
from rehearsal.findings import emergency as command
from rehearsal.findings import retreat
from rehearsal.result import Result
from rollout.model import Observation

Finding = Callable[[Result], tuple[Observation, ...]]
BACK, AFTER = ("record", "back"), ("facts", "after")
NO_BACK = put("record", "back", value=None)
UNVERIFIED = both(put(*BACK, "verified_at", value=None), without_events("HEALTH_VERIFIED"))


def case(finding: Finding, expected: str, change: Change = same, **more: Any) -> Any:
    return pytest.param(finding, change, more.get("requests"), expected, id=more.get("id", expected))


def by_errors(result: Result) -> tuple[Observation, ...]:
    return retreat.taken_back_by(result, "TRIG-01")


def five_minutes(result: Result) -> tuple[Observation, ...]:
    return retreat.trigger_counted(result, 5, 1.0)


def other_limit(result: Result) -> tuple[Observation, ...]:
    return retreat.trigger_counted(result, 5, 2.0)


def ten_minutes(result: Result) -> tuple[Observation, ...]:
    return retreat.trigger_counted(result, 10, 1.0)


def quiet(result: Result) -> tuple[Observation, ...]:
    return retreat.quiet_within(result, 1.0)


def people_told(result: Result) -> tuple[Observation, ...]:
    return retreat.told(result, "ROLLBACK INITIATED", "ROLLBACK VERIFIED")


def in_five_minutes(result: Result) -> tuple[Observation, ...]:
    return retreat.returned_in(result, 5)


def in_one_minute(result: Result) -> tuple[Observation, ...]:
    return retreat.returned_in(result, 1)


def scaled_first(document: Document) -> None:
    """The stable side got its tasks, then the customers."""
    operations = document["operations"]
    operations[3], operations[4] = shift(483, 0), update(482, "green", desiredCount=2)
    document["operations"] = sorted(operations, key=lambda one: one["time_virtual"])


def stable_scaled(one: Document) -> bool:
    return bool(one["parameters"].get("service") == "shop-api-green")


def candidate_scaled_down(one: Document) -> bool:
    return bool(one["parameters"].get("desiredCount") == 0)


def late(*, slot: str = "blue", at: float) -> list[Record]:
    """One more request, answered by a slot at a virtual instant."""
    records = [*drill_stream(), request(500, at, slot)]
    return sorted(records, key=lambda record: record.monotonic)


FOUR_MINUTES = seen("TRIG-01", "FAIL", value=50.0, limit=1.0, message="4 of 5 consecutive minutes over")


@pytest.mark.parametrize(
    ("finding", "change", "requests", "expected"),
    [
        case(by_errors, "PASS"),
        case(by_errors, "FAIL", put(*BACK, "rule", value="TRIG-03"), id="another-rule"),
        case(by_errors, "FAIL", put("record", "stage", value=1), id="a-later-stage"),
        case(by_errors, "FAIL", NO_BACK, id="not-at-all"),
        case(five_minutes, "PASS"),
        case(other_limit, "FAIL", id="another-limit"),
        case(ten_minutes, "FAIL", id="another-length"),
        case(five_minutes, "FAIL", put("journal", 1, "payload", "observations", value=[FOUR_MINUTES]), id="four"),
        case(five_minutes, "NO_DATA", without_events("TRIGGER_TRIPPED")),
        case(retreat.tasks_shown, "PASS"),
        case(retreat.tasks_shown, "FAIL", also(update(300, "blue", desiredCount=4))),
        case(retreat.listener_first, "PASS"),
        case(retreat.listener_first, "FAIL", also(update(480.5, "blue", desiredCount=0)), id="capacity-first"),
        case(retreat.listener_first, "FAIL", NO_BACK, id="nothing-decided"),
        case(quiet, "PASS"),
        case(quiet, "FAIL", requests=late(at=600)),
        case(quiet, "NO_DATA", requests=drill_stream()[:80], id="the-stream-ended"),
        case(quiet, "NO_DATA", NO_BACK, id="nothing-decided"),
        case(retreat.customers_back, "PASS"),
        case(retreat.customers_back, "FAIL", put(*AFTER, "rule", value=rule(5)), id="still-some"),
        case(retreat.customers_back, "FAIL", put(*BACK, "switched_at", value=None), id="never-read-back"),
        case(retreat.verified, "PASS"),
        case(retreat.verified, "FAIL", UNVERIFIED, id="never-verified"),
        case(retreat.verified, "FAIL", put("record", "state", value="VERIFYING"), id="not-ended"),
        case(retreat.answered_in_a_row, "PASS"),
        case(retreat.answered_in_a_row, "FAIL", put("journal", 3, "payload", "reason", value="4 answers"), id="four"),
        case(retreat.answered_in_a_row, "FAIL", UNVERIFIED, id="never"),
        case(retreat.answered_in_a_row, "FAIL", requests=late(at=538), id="customers-say-otherwise"),
        case(retreat.answered_in_a_row, "NO_DATA", requests=drill_stream()[:4], id="too-few-customers"),
        case(retreat.stable_targets_healthy, "PASS"),
        case(
            retreat.stable_targets_healthy, "FAIL", put(*AFTER, "groups", "green", "targets", value=["healthy", "x"])
        ),
        case(retreat.stable_targets_healthy, "FAIL", put(*AFTER, "groups", "green", "targets", value=[]), id="none"),
        case(retreat.capacity_before_customers, "PASS", scaled_first),
        case(retreat.capacity_before_customers, "FAIL", id="customers-first"),
        case(retreat.capacity_before_customers, "FAIL", without_calls(stable_scaled), id="never-scaled"),
        case(retreat.order_explained, "PASS", put(*BACK, "capacity_first", value=True)),
        case(retreat.order_explained, "FAIL"),
        case(
            retreat.order_explained, "FAIL",
            both(put(*BACK, "capacity_first", value=True), put("journal", 1, "payload", "intents", value=[])),
            id="without-an-intent",
        ),
        case(retreat.stable_at_size, "PASS"),
        case(retreat.stable_at_size, "FAIL", put(*AFTER, "services", "green", "running", value=1), id="too-small"),
        case(retreat.stable_at_size, "FAIL", without_calls(stable_scaled), id="nobody-scaled-it-in"),
        case(retreat.released_after_verified, "PASS"),
        case(
            retreat.released_after_verified, "FAIL", put("journal", 4, "payload", "time", value=START + 500), id="early"
        ),
        case(retreat.released_after_verified, "FAIL", put("journal", 4, "payload", "intents", value=[]), id="never"),
        case(
            retreat.reported_not_verified, "PASS", both(put(*BACK, "escalated", value=True), put("exit_code", value=12))
        ),
        case(retreat.reported_not_verified, "FAIL", put(*BACK, "escalated", value=True), id="another-exit-code"),
        case(retreat.reported_not_verified, "FAIL", put("exit_code", value=12), id="not-escalated"),
        case(people_told, "PASS"),
        case(people_told, "FAIL", put("alerts", 1, "subject", value="ROLLBACK NOT VERIFIED"), id="not-that"),
        case(people_told, "FAIL", put("alerts", value=[]), id="nothing"),
        case(retreat.figures_told, "PASS"),
        case(retreat.figures_told, "FAIL", put("alerts", 0, "message", value="something happened")),
        case(retreat.nothing_says_success, "PASS", put("alerts", value=[{"subject": "ROLLBACK INITIATED"}])),
        case(retreat.nothing_says_success, "FAIL"),
        case(
            retreat.undelivered_on_record, "PASS",
            both(put("alerts", value=[]), put("record", "outbox", value=[{"subject": "ROLLBACK INITIATED"}])),
        ),
        case(retreat.undelivered_on_record, "FAIL"),
        case(retreat.undelivered_on_record, "FAIL", put("alerts", value=[]), id="forgotten"),
        case(retreat.cleaned_after_verified, "PASS"),
        case(retreat.cleaned_after_verified, "FAIL", also(update(490, "blue", desiredCount=0)), id="early"),
        case(retreat.cleaned_after_verified, "FAIL", without_calls(candidate_scaled_down), id="never"),
        case(
            retreat.candidate_left_whole, "PASS",
            both(without_calls(candidate_scaled_down), put(*AFTER, "services", "blue", value=service(IMAGE, 2))),
        ),
        case(retreat.candidate_left_whole, "FAIL"),
        case(retreat.revision_kept, "PASS"),
        case(
            retreat.revision_kept, "FAIL", put(*AFTER, "services", "blue", "task_definition", value="shop-api:1"),
            id="another-revision",
        ),
        case(retreat.revision_kept, "FAIL", put(*AFTER, "rule", value=rule(5)), id="with-customers"),
        case(in_five_minutes, "PASS"),
        case(in_one_minute, "FAIL", id="exactly-the-limit"),
        case(in_five_minutes, "FAIL", UNVERIFIED, id="never"),
        case(retreat.only_planted_failures, "PASS"),
        case(retreat.only_planted_failures, "FAIL", put("service_errors", value=[]), id="not-by-the-candidate"),
        case(
            retreat.only_planted_failures, "FAIL", requests=[*drill_stream(), request(900, 700, "", Outcome.RESET)],
            id="reset",
        ),
        case(retreat.only_planted_failures, "NO_DATA", requests=(), id="no-stream"),
        case(retreat.failures_in_own_log, "PASS"),
        case(retreat.failures_in_own_log, "FAIL", put("service_errors", value=[])),
        case(retreat.failures_in_own_log, "NO_DATA", requests=[request(0, 10, "green")], id="nothing-failed"),
    ],
)  # fmt: skip
def test_the_way_back(
    finding: Finding, change: Change, requests: Sequence[Record] | None, expected: str, tmp_path: Path
) -> None:
    stream = drill_stream() if requests is None else requests

    assert overall(finding(made(tmp_path, changed(taken_back(), change), stream))) == expected


def test_the_planted_failure_is_the_candidates_own(tmp_path: Path) -> None:
    assert set(made(tmp_path, taken_back()).planted) == {f"{RUN}-3"}


# ------------------------------------------------------------------------------------------------ emergency


def first_run(result: Result) -> tuple[Observation, ...]:
    return command.emergency_worked(result, 0)


def second_run(result: Result) -> tuple[Observation, ...]:
    return command.emergency_changed_nothing(result, 1)


def run_facts(number: int, name: str, value: Any) -> Change:
    return put("facts", "emergency", number, name, value=value)


OTHER_PRIORITY = rule(0) | {"Priority": "7"}


@pytest.mark.parametrize(
    ("finding", "change", "requests", "expected"),
    [
        case(first_run, "PASS"),
        case(first_run, "FAIL", run_facts(0, "exit_code", 2), id="exit-code"),
        case(first_run, "FAIL", run_facts(0, "rule_after", rule(5)), id="still-customers"),
        case(first_run, "NO_DATA", put("facts", "emergency", value=[])),
        case(command.emergency_changed_weights_only, "PASS"),
        case(
            command.emergency_changed_weights_only, "FAIL", run_facts(0, "rule_after", OTHER_PRIORITY), id="more"
        ),
        case(command.emergency_changed_weights_only, "FAIL", run_facts(0, "rule_after", rule(5)), id="nothing-changed"),
        case(command.emergency_changed_weights_only, "NO_DATA", put("facts", "emergency", value=[])),
        case(second_run, "PASS"),
        case(second_run, "NO_DATA", put("facts", "emergency", value=[]), id="never-run"),
        case(second_run, "FAIL", run_facts(1, "rule_after", rule(5)), id="changed"),
        case(second_run, "FAIL", run_facts(1, "exit_code", 1), id="exit-code"),
        case(command.abort_recorded, "PASS"),
        case(command.abort_recorded, "FAIL", put("record", "state", value="ROLLED_BACK"), id="another-end"),
        case(command.abort_recorded, "FAIL", without_events("SHARE_TAKEN_AWAY"), id="never-seen"),
        case(command.never_rose_again, "PASS"),
        case(command.never_rose_again, "FAIL", also(shift(490, 5))),
        case(command.never_rose_again, "NO_DATA", put("facts", "emergency", value=[])),
    ],
)  # fmt: skip
def test_the_emergency_command(finding: Finding, change: Change, requests: None, expected: str, tmp_path: Path) -> None:
    assert overall(finding(made(tmp_path, changed(emergency(), change)))) == expected


def test_what_it_printed_is_told_when_it_failed(tmp_path: Path) -> None:
    change = both(run_facts(0, "exit_code", 3), run_facts(0, "output", "AccessDenied: ModifyRule"))
    (found,) = first_run(made(tmp_path, changed(emergency(), change)))

    assert "exit code 3" in found.message
    assert "AccessDenied: ModifyRule" in found.message


def test_a_later_decision_of_the_same_kind_wins(tmp_path: Path) -> None:
    document = taken_back()
    document["journal"].append(decision(600, "HEALTH_VERIFIED", "VERIFYING", "CLEANING", reason="6 answers by green"))
    found = retreat.verified(made(tmp_path, document))

    assert found[0].message == "ROLLED_BACK: 6 answers by green"
