"""What a rehearsed release shows: each finding of the candidate, of the growth and of the stability, once each way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from rehearsal_documents import (
    DNS,
    START,
    Change,
    also,
    both,
    call,
    changed,
    decision,
    made,
    overall,
    put,
    release,
    release_stream,
    rename,
    request,
    rule,
    same,
    seen,
    shift,
    update,
    without_calls,
    without_events,
)

from probes.stream_record import Outcome, Record
from rehearsal.findings import canary, candidate, stability
from rehearsal.result import Result
from rollout.model import Observation

Finding = Callable[[Result], tuple[Observation, ...]]
NEVER_SHIFTED = put("record", "first_shift_at", value=None)
NO_FULL_SHARE = without_events("FULL_SHARE_VERIFIED")
READY, AFTER = ("facts", "ready"), ("facts", "after")


def case(finding: Finding, expected: str, change: Change = same, **more: Any) -> Any:
    """`requests` replaces the stream of a good release."""
    return pytest.param(finding, change, more.get("requests"), expected, id=more.get("id", expected))


def scaled_down(one: dict[str, Any]) -> bool:
    return bool(one["parameters"].get("desiredCount") == 0)


def run(directory: Path, change: Change, requests: Sequence[Record] | None) -> Result:
    return made(directory, changed(release(), change), release_stream() if requests is None else requests)


# ------------------------------------------------------------------------------------------------ the candidate


def zones(result: Result) -> tuple[Observation, ...]:
    return candidate.spread_over_zones(result, 2)


def health_check(result: Result) -> tuple[Observation, ...]:
    return candidate.same_health_check(result, "/health", 200)


def no_ready(document: dict[str, Any]) -> None:
    del document["facts"]["ready"]


EXTRA_CPU = {"family": "shop-api", "containerDefinitions": [{"name": "shop-api", "image": "other", "cpu": 512}]}
OLD_DEFINITION = release()["facts"]["before"]["services"]["green"]["definition"]


@pytest.mark.parametrize(
    ("finding", "change", "requests", "expected"),
    [
        case(candidate.became_ready, "PASS", requests=()),
        case(candidate.became_ready, "FAIL", no_ready, requests=()),
        case(candidate.runs_released_image, "PASS", requests=()),
        case(
            candidate.runs_released_image, "FAIL", put(*READY, "services", "blue", "images", value=["other"]),
            requests=(), id="another-image",
        ),
        case(
            candidate.runs_released_image, "FAIL", put(*READY, "services", "blue", "running", value=1), requests=(),
            id="a-task-short",
        ),
        case(zones, "PASS", requests=()),
        case(zones, "FAIL", put(*READY, "services", "blue", "zones", value=["us-east-1a"] * 2), requests=()),
        case(candidate.nobody_met_it_before_the_shift, "PASS"),
        case(
            candidate.nobody_met_it_before_the_shift, "FAIL",
            requests=[request(0, 10, "green"), request(1, 20, "blue")],
        ),
        case(candidate.nobody_met_it_before_the_shift, "NO_DATA", requests=[request(0, 200, "green")], id="no-stream"),
        case(candidate.nobody_met_it_before_the_shift, "NO_DATA", NEVER_SHIFTED, id="never-shifted"),
        case(candidate.all_targets_healthy, "PASS", requests=()),
        case(
            candidate.all_targets_healthy, "FAIL",
            put(*READY, "groups", "blue", "targets", value=["healthy", "unhealthy"]), requests=(), id="one-unhealthy",
        ),
        case(
            candidate.all_targets_healthy, "FAIL", put(*READY, "groups", "green", "targets", value=[]), requests=(),
            id="none-registered",
        ),
        case(candidate.differs_in_image_only, "PASS", requests=()),
        case(
            candidate.differs_in_image_only, "FAIL", put(*READY, "services", "blue", "definition", value=EXTRA_CPU),
            requests=(), id="more-cpu",
        ),
        case(
            candidate.differs_in_image_only, "FAIL",
            put(*READY, "services", "blue", "definition", value=OLD_DEFINITION), requests=(), id="nothing-new",
        ),
        case(
            candidate.differs_in_image_only, "FAIL",
            put(*READY, "services", "blue", "task_definition", value="arn:task-definition/shop-api:3"), requests=(),
            id="a-revision-that-nobody-registered",
        ),
        case(candidate.only_candidate_updated, "PASS", requests=()),
        case(candidate.only_candidate_updated, "FAIL", also(update(20, "green")), requests=(), id="stable-touched"),
        case(
            candidate.only_candidate_updated, "FAIL",
            put(*READY, "services", "green", "task_definition", value="another"), requests=(), id="stable-changed",
        ),
        case(candidate.only_candidate_updated, "FAIL", without_calls(lambda one: True), requests=(), id="no-update"),
        case(candidate.no_task_died, "PASS", requests=()),
        case(
            candidate.no_task_died, "FAIL", put(*READY, "services", "blue", "failed_tasks", value=1), requests=(),
            id="a-death",
        ),
        case(
            candidate.no_task_died, "FAIL", put(*READY, "services", "blue", "rollout_state", value="IN_PROGRESS"),
            requests=(), id="not-finished",
        ),
        case(health_check, "PASS", requests=()),
        case(
            health_check, "FAIL", put(*READY, "groups", "blue", "check", "HealthCheckPath", value="/"), requests=(),
            id="another-path",
        ),
        case(
            health_check, "FAIL", put(*READY, "groups", "green", "check", "Matcher", value={"HttpCode": "200-499"}),
            requests=(), id="any-status",
        ),
        case(candidate.health_check_in_force, "PASS", requests=()),
        case(
            candidate.health_check_in_force, "FAIL",
            put(*READY, "groups", "blue", "check", "HealthCheckPath", value="/"), requests=(), id="changed",
        ),
        case(candidate.health_check_in_force, "FAIL", NEVER_SHIFTED, requests=(), id="never-shifted"),
        case(
            candidate.health_check_in_force, "FAIL", put(*READY, "virtual", value=START + 200), requests=(),
            id="read-too-late",
        ),
    ],
)  # fmt: skip
def test_the_candidate(
    finding: Finding, change: Change, requests: Sequence[Record] | None, expected: str, tmp_path: Path
) -> None:
    assert overall(finding(run(tmp_path, change, requests))) == expected


# ------------------------------------------------------------------------------------------------ the growth


def shares(result: Result) -> tuple[Observation, ...]:
    return canary.observed_shares(result, [5, 25, 50, 100])


def bounded_error_gate(result: Result) -> tuple[Observation, ...]:
    return canary.gate_passed_everywhere(result, "GATE-01", says="complete", n_min=1000)


def demanding_error_gate(result: Result) -> tuple[Observation, ...]:
    return canary.gate_passed_everywhere(result, "GATE-01", says="complete", n_min=1001)


def in_half_an_hour(result: Result) -> tuple[Observation, ...]:
    return canary.reached_in_time(result, 30)


def in_no_time(result: Result) -> tuple[Observation, ...]:
    return canary.reached_in_time(result, 740 / 60)


def swapped(document: dict[str, Any]) -> None:
    """The PASS of the first stage was written down after the shift that it should have allowed."""
    rows = document["journal"]
    place = next(i for i, row in enumerate(rows) if row["payload"].get("event") == "GATE_PASSED")
    rows.insert(place + 2, rows.pop(place))


def refused_gate(document: dict[str, Any]) -> None:
    """The last stage was refused."""
    rows = document["journal"]
    last = [row["payload"] for row in rows if row["payload"].get("event") == "GATE_PASSED"][-1]
    last["event"], last["observations"][0] = "GATE_FAILED", seen("GATE-01", "FAIL")
    document["record"]["reached_full_at"] = None


def everywhere(slot: str, outcome: Outcome = Outcome.OK) -> list[Record]:
    return [request(record.sequence, (record.monotonic - 1000) * 60, slot, outcome) for record in release_stream()]


def with_one(outcome: Outcome, at: float) -> list[Record]:
    records = list(release_stream())
    number = round(at * 2)
    records[number] = request(number, at, "blue", outcome)
    return records


def with_a_gap() -> list[Record]:
    return [record for record in release_stream() if not 1020 < record.monotonic < 1021.5]


@pytest.mark.parametrize(
    ("finding", "change", "requests", "expected"),
    [
        case(canary.proven_growth, "PASS", requests=()),
        case(canary.proven_growth, "FAIL", swapped, requests=(), id="proven-later"),
        case(canary.proven_growth, "FAIL", put("record", "passes", value=[]), requests=(), id="nothing-stored"),
        case(canary.proven_growth, "FAIL", without_events("GATE_PASSED"), requests=(), id="nothing-journalled"),
        case(shares, "PASS"),
        case(shares, "FAIL", also(shift(300, 10)), id="one-share-more"),
        case(shares, "FAIL", requests=everywhere("blue"), id="everybody-at-once"),
        case(shares, "LOW_SAMPLE", requests=release_stream()[::10], id="few-requests"),
        case(shares, "NO_DATA", requests=(), id="no-stream"),
        case(shares, "NO_DATA", NO_FULL_SHARE, id="never-full"),
        case(canary.all_gates_passed, "PASS", requests=()),
        case(canary.all_gates_passed, "FAIL", refused_gate, requests=(), id="refused"),
        case(canary.all_gates_passed, "NO_DATA", without_events("GATE_PASSED"), requests=(), id="undecided"),
        case(
            canary.all_gates_passed, "NO_DATA", put("journal", 3, "payload", "observations", value=[]), requests=(),
            id="without-observations",
        ),
        case(bounded_error_gate, "PASS", requests=()),
        case(demanding_error_gate, "NO_DATA", requests=()),
        case(in_half_an_hour, "PASS", requests=()),
        case(in_no_time, "FAIL", requests=()),
        case(in_half_an_hour, "NO_DATA", put("record", "reached_full_at", value=None), requests=()),
        case(canary.nobody_failed, "PASS"),
        case(canary.nobody_failed, "FAIL", requests=with_one(Outcome.RESET, 400)),
        case(canary.nobody_failed, "PASS", requests=with_one(Outcome.RESET, 60), id="before-the-release"),
        case(canary.nobody_failed, "NO_DATA", NEVER_SHIFTED, id="never-shifted"),
        case(canary.nobody_failed, "NO_DATA", requests=(), id="no-stream"),
        case(canary.stream_covered, "PASS"),
        case(canary.stream_covered, "NO_DATA", requests=with_a_gap(), id="a-gap"),
        case(canary.stream_covered, "NO_DATA", put("record", "finished_at", value=None), id="no-end"),
    ],
)  # fmt: skip
def test_the_growth(
    finding: Finding, change: Change, requests: Sequence[Record] | None, expected: str, tmp_path: Path
) -> None:
    assert overall(finding(run(tmp_path, change, requests))) == expected


def test_a_finding_that_could_not_be_made_says_how_the_rollout_ended(tmp_path: Path) -> None:
    change = both(put("record", "reached_full_at", value=None), put("record", "back", value={"cause": "FAIL GATE-02"}))
    found = canary.reached_in_time(run(tmp_path, change, ()), 30)

    assert "the rollout ended in COMPLETED: FAIL GATE-02" in found[0].message


# ------------------------------------------------------------------------------------------------ the stability


def half_an_hour(result: Result) -> tuple[Observation, ...]:
    return stability.watched_long_enough(result, 30)


def a_whole_hour(result: Result) -> tuple[Observation, ...]:
    return stability.watched_long_enough(result, 60)


def unarmed_minute(document: dict[str, Any]) -> None:
    rows = [row["payload"] for row in document["journal"] if row["payload"].get("state") == "STABILIZING"]
    for row in rows[10:13]:  # one that comes late is covered by the two that follow it, three are a gap
        row["observations"] = row["observations"][:4]


def forgotten_way_back(document: dict[str, Any]) -> None:
    del document["facts"]["at 100"]


def detached(document: dict[str, Any]) -> None:
    document["facts"]["at 100"]["rule"]["Actions"][0]["ForwardConfig"]["TargetGroups"].pop()


def early_scale_down(document: dict[str, Any]) -> None:
    """The old side goes before the name does."""
    document["operations"][-1]["time_virtual"] = START + 2700


def weighted(document: dict[str, Any]) -> None:
    """The old side still has half of the customers when it goes."""
    document["operations"] = [one for one in document["operations"] if one["time_virtual"] != START + 840]


def as_the_service_writes_one(document: dict[str, Any]) -> None:
    """Route 53 speaks XML: one change is no list."""
    batch = document["operations"][-2]["parameters"]["ChangeBatch"]
    batch["Changes"] = {"Change": batch["Changes"]}


WITHOUT_DNS = put("plan", "dns", value=None)
LOST = decision(1000, "STABLE_SIDE_LOST", "STABILIZING", "STABILIZING")


@pytest.mark.parametrize(
    ("finding", "change", "requests", "expected"),
    [
        case(half_an_hour, "PASS", requests=()),
        case(a_whole_hour, "FAIL", requests=()),
        case(half_an_hour, "NO_DATA", NO_FULL_SHARE, requests=()),
        case(stability.triggers_armed, "PASS", requests=()),
        case(stability.triggers_armed, "FAIL", unarmed_minute, requests=()),
        case(stability.triggers_armed, "NO_DATA", without_events("STABLE_LONG_ENOUGH"), requests=()),
        case(stability.way_back_warm, "PASS", requests=()),
        case(stability.way_back_warm, "FAIL", detached, requests=(), id="detached"),
        case(
            stability.way_back_warm, "FAIL", put("facts", "at 100", "services", "green", "running", value=1),
            requests=(), id="too-small",
        ),
        case(
            stability.way_back_warm, "FAIL",
            put("facts", "at 100", "groups", "green", "targets", value=["healthy", "draining"]), requests=(),
            id="unhealthy",
        ),
        case(
            stability.way_back_warm, "FAIL", put("facts", "at 100", "rule", value=rule(99)), requests=(), id="weighted"
        ),
        case(stability.way_back_warm, "FAIL", put("journal", 0, value=LOST), requests=(), id="found-lost"),
        case(stability.way_back_warm, "NO_DATA", forgotten_way_back, requests=()),
        case(stability.name_followed, "PASS", requests=()),
        case(
            stability.name_followed, "FAIL", put(*AFTER, "records", 0, "ResourceRecords", 0, "Value", value="g."),
            requests=(), id="the-old-value",
        ),
        case(stability.name_followed, "FAIL", without_events("DNS_RESOLVED"), requests=(), id="never-resolved"),
        case(stability.name_followed, "NO_DATA", WITHOUT_DNS, requests=()),
        case(stability.served_until_expiry, "PASS", requests=()),
        case(
            stability.served_until_expiry, "FAIL", put("record", "dns_changed_at", value=START + 2850), requests=()
        ),
        case(stability.served_until_expiry, "NO_DATA", without_calls(scaled_down), requests=(), id="never-scaled"),
        case(stability.served_until_expiry, "NO_DATA", WITHOUT_DNS, requests=(), id="no-name"),
        case(stability.only_declared_record, "PASS", requests=()),
        case(stability.only_declared_record, "PASS", as_the_service_writes_one, requests=(), id="one-change"),
        case(
            stability.only_declared_record, "FAIL", also(rename(2765, "www.shop.example")), requests=(),
            id="another-name",
        ),
        case(stability.only_declared_record, "FAIL", also(rename(2765, action="DELETE")), requests=(), id="deleted"),
        case(stability.only_declared_record, "FAIL", also(rename(2765, zone="Z2")), requests=(), id="another-zone"),
        case(
            stability.only_declared_record, "FAIL", without_calls(lambda one: one["service"] == "route53"),
            requests=(), id="nothing-changed",
        ),
        case(stability.reverse_stored, "PASS", requests=()),
        case(
            stability.reverse_stored, "FAIL", put("plan", "dns", value=DNS | {"values": {"blue": "b"}}), requests=(),
            id="one-way",
        ),
        case(stability.reverse_stored, "FAIL", WITHOUT_DNS, requests=(), id="no-name"),
        case(stability.changed_before_scale_down, "PASS", requests=()),
        case(stability.changed_before_scale_down, "FAIL", early_scale_down, requests=()),
        case(stability.changed_before_scale_down, "NO_DATA", without_calls(scaled_down), requests=()),
        case(stability.old_side_gone, "PASS", requests=()),
        case(
            stability.old_side_gone, "FAIL", put(*AFTER, "services", "green", "running", value=1), requests=(),
            id="a-task-left",
        ),
        case(
            stability.old_side_gone, "FAIL", put(*AFTER, "services", "green", "task_definition", value="shop-api:9"),
            requests=(), id="another-revision",
        ),
        case(stability.scaled_down_without_weight, "PASS", requests=()),
        case(stability.scaled_down_without_weight, "FAIL", weighted, requests=()),
        case(stability.scaled_down_without_weight, "NO_DATA", without_calls(scaled_down), requests=()),
        case(stability.nobody_cut_off, "PASS"),
        case(stability.nobody_cut_off, "FAIL", requests=with_one(Outcome.RESET, 2910)),
        case(stability.nobody_cut_off, "PASS", requests=with_one(Outcome.RESET, 2700), id="much-earlier"),
        case(stability.nobody_cut_off, "NO_DATA", without_calls(scaled_down)),
    ],
)  # fmt: skip
def test_the_stability(
    finding: Finding, change: Change, requests: Sequence[Record] | None, expected: str, tmp_path: Path
) -> None:
    assert overall(finding(run(tmp_path, change, requests))) == expected


def test_a_call_that_was_refused_has_no_effect(tmp_path: Path) -> None:
    refused = call(300, "elbv2", "ModifyRule", Actions=rule(77)["Actions"]) | {"status": 400}
    result = run(tmp_path, also(refused), None)

    assert overall(shares(result)) == "PASS"
