"""What is wrong with a plan although each of its values is allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollout.model import DnsChange, Gates, Plan, Stage, Triggers
from rollout.plan_file import DEFAULT_STAGES
from rollout.plan_lint import Finding, Severity, lint

PLAN = Plan(stages=DEFAULT_STAGES, expected_requests_per_second=100.0)


def stages(*bakes_minutes: float) -> tuple[Stage, ...]:
    """Stages at rising shares with these bakes, then 100 percent."""
    shares = range(5, 100, 90 // max(len(bakes_minutes), 1))
    made = [
        Stage(share_percent=share, bake_seconds=minutes * 60)
        for share, minutes in zip(shares, bakes_minutes, strict=False)
    ]
    return (*made, Stage(share_percent=100, bake_seconds=0.0))


def found(plan: Plan, rule: str, **options: float) -> list[Finding]:
    return [finding for finding in lint(plan, **options) if finding.rule == rule]


def test_the_default_plan_has_only_notes() -> None:
    """Guide, 14.15: its 2-minute stages are shorter than its own 5-minute triggers."""
    assert {(finding.severity, finding.rule) for finding in lint(PLAN)} == {
        (Severity.NOTE, "trigger-slower-than-stage")
    }


@pytest.mark.parametrize(
    ("bakes", "late"),
    [((15, 2, 2), False), ((15, 3, 2), False), ((15, 4, 2), True), ((15, 8, 8), True), ((15, 15, 15), True)],
    ids=["28-minutes", "29-minutes", "exactly-30", "bakes-of-31", "the-guide"],
)
def test_alignment_bake_and_settle_add_up_to_less_than_thirty_minutes(bakes: tuple[float, ...], late: bool) -> None:
    """MET-02 is strict: exactly 30 minutes are not under 30."""
    errors = found(replace(PLAN, stages=stages(*bakes)), "deployment-time")

    assert bool(errors) is late
    assert all(finding.severity is Severity.ERROR for finding in errors)


def test_the_sum_is_shown_with_its_parts() -> None:
    (finding,) = found(replace(PLAN, stages=stages(31)), "deployment-time")

    assert str(finding) == (
        "error deployment-time: 1 stages before 100 % take 34 min at worst (alignment 1 min, bakes 31 min, settle "
        "2 min); the limit is under 30 min. Shorten a bake or leave out a stage."
    )


def test_a_plan_cannot_raise_the_guides_limit() -> None:
    assert found(replace(PLAN, stages=stages(31), deployment_seconds_max=99999.0), "deployment-time")
    assert found(replace(PLAN, deployment_seconds_max=1680.0), "deployment-time")


def test_a_bake_shorter_than_a_period_is_an_error() -> None:
    (finding,) = found(replace(PLAN, stages=stages(15, 0.5)), "bake-shorter-than-period")

    assert "30 s is shorter than one metric period" in finding.message


@pytest.mark.parametrize(
    ("gates", "words"),
    [
        (Gates(error_rate_percent_max=1.1), "the error rate gate of 1.1 % is looser than its trigger of 1 %"),
        (Gates(p95_milliseconds_max=501), "the p95 gate of 501 ms"),
        (Gates(cpu_percent_max=91), "the CPU gate of 91 %"),
        (Gates(memory_percent_max=96), "the memory gate of 96 %"),
    ],
    ids=["errors", "p95", "cpu", "memory"],
)
def test_a_gate_is_tighter_than_its_trigger(gates: Gates, words: str) -> None:
    (finding,) = found(replace(PLAN, gates=gates), "gate-looser-than-trigger")

    assert finding.severity is Severity.ERROR
    assert words in finding.message


def test_a_gate_may_equal_its_trigger() -> None:
    assert not found(replace(PLAN, gates=Gates(cpu_percent_max=90.0)), "gate-looser-than-trigger")


def test_a_trigger_that_cannot_trip_is_an_error() -> None:
    forgetful = replace(PLAN, triggers=Triggers(look_back_minutes=9))
    short = replace(PLAN, stability_seconds=240.0)

    assert [finding.message for finding in found(forgetful, "trigger-never-trips")] == [
        "TRIG-03 needs 10 minutes and only 9 are looked at"
    ]
    assert len(found(short, "trigger-never-trips")) == 4


def test_a_trigger_slower_than_a_stage_is_a_note() -> None:
    first, second = found(PLAN, "trigger-slower-than-stage")

    assert first.message.startswith("the 25 % stage lasts 4 min: TRIG-01 (5 min), TRIG-02 (5 min), TRIG-03 (10 min)")
    assert second.message.startswith("the 50 %")


@pytest.mark.parametrize(
    ("seconds", "severity"),
    [(0.0, None), (60.0, Severity.WARNING), (299.0, Severity.WARNING), (300.0, Severity.ERROR)],
)
def test_sticky_sessions_delay_the_way_back(seconds: float, severity: Severity | None) -> None:
    severities = [finding.severity for finding in found(PLAN, "sticky-sessions", session_stickiness_seconds=seconds)]

    assert severities == ([] if severity is None else [severity])


class TestRequests:
    """Whether the expected rate is enough to decide."""

    def rate(self, requests_per_second: float, rule: str = "expected-requests") -> list[Finding]:
        return found(replace(PLAN, expected_requests_per_second=requests_per_second), rule)

    def test_an_unknown_rate_is_a_note(self) -> None:
        (finding,) = self.rate(0.0)

        assert finding.severity is Severity.NOTE

    def test_too_few_for_any_extension_is_an_error(self) -> None:
        assert {finding.severity for finding in self.rate(0.2)} == {Severity.ERROR}
        assert "cannot be decided" in self.rate(0.2)[0].message

    def test_an_extension_that_fits_is_a_note(self) -> None:
        (finding,) = self.rate(16.7)

        assert finding.severity is Severity.NOTE
        assert "when extended by 1 min" in finding.message
        assert not self.rate(16.7, "deployment-time")

    def test_an_extension_beyond_thirty_minutes_is_a_warning(self) -> None:
        """Contracts, 7: late, never under-proven."""
        (finding,) = self.rate(10.0, "deployment-time")

        assert finding.severity is Severity.WARNING
        assert "never under-proven" in finding.remedy

    def test_a_share_too_small_for_the_triggers_is_a_warning(self) -> None:
        (finding,) = self.rate(6.0, "trigger-blind")

        assert "at 5 % a minute has 18 requests" in finding.message


def test_a_long_ttl_keeps_the_old_side() -> None:
    values = {"blue": "b.example", "green": "g.example"}
    dns = DnsChange(name="a.example", record_type="CNAME", ttl_seconds=3600, values=values)

    (finding,) = found(replace(PLAN, dns=dns), "dns-ttl")

    assert finding.severity is Severity.WARNING
    assert not found(replace(PLAN, dns=replace(dns, ttl_seconds=300)), "dns-ttl")


def test_the_worst_comes_first() -> None:
    plan = replace(PLAN, stages=stages(31), expected_requests_per_second=0.0)
    severities = [finding.severity for finding in lint(plan, session_stickiness_seconds=10)]

    assert severities == sorted(severities, key=list(Severity).index)
    assert severities[0] is Severity.ERROR
