"""The plan in force against the features' figures, and boundaries that the engine's own judgement answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rehearsal_documents import arn, decision, made, overall, release, seen, shift, update

from rehearsal.findings import boundaries, common, plan
from rehearsal.virtual import Minute, VirtualRollout, quiet_minute
from rollout.model import Observation, Plan, Stage, Verdict
from rollout.plan_file import read_release_file

ROOT = Path(__file__).resolve().parents[3]
IN_FORCE = read_release_file(ROOT / "release.toml").plan
SLOW = replace(IN_FORCE, stages=(Stage(share_percent=5, bake_seconds=1800.0), *IN_FORCE.stages[1:]))
HASTY = replace(
    IN_FORCE,
    stages=(Stage(share_percent=5, bake_seconds=60.0), Stage(share_percent=100, bake_seconds=0.0)),
    stability_seconds=600.0,
)


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        pytest.param(lambda: plan.has_shares(IN_FORCE, [5, 25, 50, 100]), "PASS", id="shares"),
        pytest.param(lambda: plan.has_shares(HASTY, [5, 25, 50, 100]), "FAIL", id="shares-left-out"),
        pytest.param(lambda: plan.first_bake(IN_FORCE, 15), "PASS", id="first-bake"),
        pytest.param(lambda: plan.first_bake(HASTY, 15), "FAIL", id="hasty-first-bake"),
        pytest.param(lambda: plan.later_bakes(IN_FORCE, 2), "PASS", id="later-bakes"),
        pytest.param(lambda: plan.later_bakes(IN_FORCE, 2.1), "FAIL", id="hasty-later-bakes"),
        pytest.param(lambda: plan.later_bakes(HASTY, 0), "FAIL", id="no-later-bakes"),
        pytest.param(lambda: plan.stability(IN_FORCE, 30), "PASS", id="stability"),
        pytest.param(lambda: plan.stability(HASTY, 30), "FAIL", id="hasty-stability"),
        pytest.param(lambda: plan.reaches_all_in(IN_FORCE, 30), "PASS", id="in-time"),
        pytest.param(lambda: plan.reaches_all_in(SLOW, 30), "FAIL", id="too-slow"),
        pytest.param(lambda: plan.reaches_all_in(IN_FORCE, 28), "FAIL", id="exactly-the-limit"),
    ],
)
def test_the_plan(finding: Callable[[], tuple[Observation, ...]], expected: str) -> None:
    assert overall(finding()) == expected


# ------------------------------------------------------------------------------------------------ boundaries


@pytest.mark.parametrize(
    ("judged", "verdict"),
    [
        pytest.param(lambda: boundaries.error_gate(IN_FORCE, 50, requests=10000, errors=4), "PASS", id="errors"),
        pytest.param(lambda: boundaries.error_gate(IN_FORCE, 50, requests=900, errors=0), "LOW_SAMPLE", id="few"),
        pytest.param(lambda: boundaries.error_gate(IN_FORCE, 50, requests=10000, errors=50), "FAIL", id="many-errors"),
        pytest.param(lambda: boundaries.latency_gate(IN_FORCE, 5, samples=750, p95=199.9), "PASS", id="fast"),
        pytest.param(lambda: boundaries.latency_gate(IN_FORCE, 5, samples=750, p95=200.0), "FAIL", id="at-the-limit"),
        pytest.param(lambda: boundaries.cpu_gate(IN_FORCE, 50, cpu=34.0), "PASS", id="cpu"),
        pytest.param(lambda: boundaries.cpu_gate(IN_FORCE, 25, cpu=35.0), "FAIL", id="cpu-at-the-next-share"),
        pytest.param(lambda: boundaries.memory_gate(IN_FORCE, 5, first=40.0, growth=0.0), "PASS", id="memory"),
        pytest.param(lambda: boundaries.memory_gate(IN_FORCE, 5, first=40.0, growth=1.0), "FAIL", id="leak"),
    ],
)
def test_a_gate_says_what_the_feature_writes_down_or_not(judged: Callable[[], Observation], verdict: str) -> None:
    others = {"PASS", "FAIL", "LOW_SAMPLE"} - {verdict}

    assert overall(boundaries.gate_says(judged(), verdict)) == "PASS"
    assert [overall(boundaries.gate_says(judged(), other)) for other in others] == ["FAIL", "FAIL"]


def test_the_window_is_the_stages_own() -> None:
    first, last = boundaries.window_of(IN_FORCE, 5), boundaries.window_of(IN_FORCE, 50)

    assert (first.share_percent, first.next_share_percent, first.minutes, first.proving) == (5, 25, 15, False)
    assert (last.share_percent, last.next_share_percent, last.minutes, last.proving) == (50, 100, 2, True)


def endings(minutes: list[Minute], *, state: str = "", share: int = 5, of: Plan = IN_FORCE) -> set[str]:
    """Which of the features' endings fit."""
    rollout = VirtualRollout(of, share)
    if state:
        rollout = boundaries.waiting(rollout, state)
    ending = rollout.minutes(minutes)
    said = ("goes on", "rolls back", "rolls back as blind", *(f"rolls back after minute {n}" for n in range(1, 30)))
    return {wanted for wanted in said if overall(boundaries.ends_as(ending, wanted)) == "PASS"}


@pytest.mark.parametrize(
    ("minutes", "fitting"),
    [
        (boundaries.error_minutes("11 11 11 11"), {"goes on"}),
        (boundaries.error_minutes("11 11 11 11 11"), {"rolls back", "rolls back after minute 5"}),
        (boundaries.error_minutes("10 10 10 10 10 10"), {"goes on"}),
        (boundaries.error_minutes("11 11 0 11 11 11"), {"goes on"}),
        (boundaries.error_minutes("11 11 few 11 11 11"), {"rolls back", "rolls back after minute 6"}),
        (boundaries.error_minutes("blind blind blind"), {"rolls back", "rolls back as blind"}),
        (boundaries.error_minutes("blind blind"), {"goes on"}),
        (boundaries.slow_minutes("51 51 51 51 51"), {"rolls back", "rolls back after minute 5"}),
        (boundaries.slow_minutes("50 50 50 50 50"), {"goes on"}),
        (boundaries.p95_minutes("501 501 501 501 501"), {"rolls back", "rolls back after minute 5"}),
        (boundaries.p95_minutes("500 500 500 500 500"), {"goes on"}),
        (
            boundaries.percent_minutes(" ".join(["91"] * 10), "cpu_percent"),
            {"rolls back", "rolls back after minute 10"},
        ),
        (boundaries.percent_minutes(" ".join(["90"] * 12), "cpu_percent"), {"goes on"}),
        (boundaries.target_minutes("2/3 2/3 2/3"), {"rolls back", "rolls back after minute 3"}),
        (boundaries.target_minutes("1/2 1/2 1/2 1/2"), {"goes on"}),
        (boundaries.target_minutes("2/3 2/3 0/3"), {"goes on"}),
    ],
)
def test_minutes_end_as_the_engine_decides(minutes: list[Minute], fitting: set[str]) -> None:
    assert endings(minutes) == fitting


def test_minutes_in_which_every_connection_is_refused() -> None:
    """A target that refuses has no 5xx of its own."""
    assert "rolls back" in endings(boundaries.error_minutes("refused refused refused refused refused"))


@pytest.mark.parametrize(
    "state",
    [
        "paused by an operator",
        "held for lack of data",
        "watched with all customers",
        "taken over by another engine",
    ],
)
def test_a_rollout_that_waits_is_still_watched(state: str) -> None:
    assert endings(boundaries.error_minutes("11 11 11 11 11"), state=state) >= {"rolls back"}
    assert endings(boundaries.error_minutes("0 0 0"), state=state) == {"goes on"}


def test_a_state_that_nobody_described() -> None:
    with pytest.raises(KeyError):
        boundaries.waiting(VirtualRollout(IN_FORCE, 5), "asleep")


# ------------------------------------------------------------------------------------------------ the virtual rollout


def test_a_share_that_the_plan_does_not_have() -> None:
    with pytest.raises(ValueError, match="no stage of 10 %, only \\[5, 25, 50, 100\\]"):
        VirtualRollout(IN_FORCE, 10)


@pytest.mark.parametrize("share", [5, 25, 50, 100])
def test_earlier_stages_are_proven(share: int) -> None:
    proven = [proof.share_percent for proof in VirtualRollout(IN_FORCE, share).record.passes]

    assert proven == [stage.share_percent for stage in IN_FORCE.stages if stage.share_percent < share]


def test_a_takeover_forgets_nothing_but_the_clock() -> None:
    rollout = VirtualRollout(IN_FORCE, 5)
    before = rollout.record

    after = rollout.taken_over().record
    assert (after.owner, after.epoch) == ("another engine", before.epoch + 1)
    assert (after.state, after.share_verified, after.first_shift_at) == (before.state, 5, before.first_shift_at)


def test_quiet_minutes_of_any_number_go_on() -> None:
    ending = VirtualRollout(IN_FORCE, 5).minutes([quiet_minute()] * 40)

    assert (ending.rolled_back, ending.sentence) == (False, "goes on")


def test_an_ending_says_minute_and_reason() -> None:
    ending = VirtualRollout(IN_FORCE, 5).minutes(boundaries.error_minutes("11 11 11 11 11"))

    assert ending.minute == 5
    assert ending.sentence.startswith("rolls back after minute 5: FAIL TRIG-01 1.1 %")


# ------------------------------------------------------------------------------------------------ what they share


def test_what_could_not_be_observed_is_no_data() -> None:
    found = [common.finding("a", holds, "b") for holds in (True, False, None)]

    assert [one.verdict for one in found] == [Verdict.PASS, Verdict.FAIL, Verdict.NO_DATA]
    assert {(one.clock, one.source, one.time) for one in found} == {("virtual", "rehearsal", 0.0)}
    assert common.finding("a", True, "b", value=3, limit=4, time=9.0).time == 9.0


def test_effects_are_the_successful_changes_of_a_span(tmp_path: Path) -> None:
    document = release()
    looks = {"service": "elbv2", "operation": "DescribeRules", "time_virtual": 0.0, "status": 200, "parameters": {}}
    document["operations"] = [looks, shift(10, 5), shift(20, 25) | {"status": 503}, update(30, "blue", desiredCount=1)]
    result = made(tmp_path, document)
    start = document["record"]["created_at"]

    assert [call["operation"] for call in common.effects(result)] == ["ModifyRule", "UpdateService"]
    assert common.effects(result, since=start + 11, until=start + 29) == []
    assert [len(common.updates_of(result, slot, common.effects(result))) for slot in ("blue", "green")] == [1, 0]


def test_services_may_have_other_names(tmp_path: Path) -> None:
    document = release()
    assert common.service_name(made(tmp_path, document), "blue") == "shop-api-blue"
    document["facts"]["service_names"] = {"blue": "b", "green": "g"}
    assert common.service_name(made(tmp_path, document), "blue") == "b"


@pytest.mark.parametrize(
    ("actions", "share"),
    [
        ([{"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": arn("blue"), "Weight": 1},
                                              {"TargetGroupArn": arn("green"), "Weight": 3}]}}], 25),
        ([{"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": arn("green"), "Weight": 3}]}}], None),
        ([{"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": arn("blue"), "Weight": 0}]}}], None),
        ([], None),
    ],
)  # fmt: skip
def test_the_share_in_a_call(actions: list[dict[str, Any]], share: int | None) -> None:
    assert common.share_in({"parameters": {"Actions": actions}}, "blue") == share
    assert common.share_in({"parameters": {"DefaultActions": actions}}, "blue") == share


def test_a_journalled_observation_without_a_value() -> None:
    bare = {name: value for name, value in seen("GATE-02", "NO_DATA").items() if name != "value"}
    (read,) = common.journalled(decision(0, "WAIT", "BAKING", "BAKING", observations=[bare])["payload"])

    assert (read.name, read.verdict, read.value) == ("GATE-02", Verdict.NO_DATA, None)
