"""release.toml: what it gives, and that every mistake in it is named with its remedy."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from plan_files import HEAD, Read, problems, reader

from rollout.codec import plan_sha256
from rollout.errors import BadInput
from rollout.model import DnsChange, Gates, Plan, Triggers
from rollout.plan_file import DEFAULT_STAGES, demand_clean, lint, read_release_file
from rollout.plan_ranges import GATES, PLAN, TRIGGERS
from rollout.toml_reader import Range

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reader(tmp_path)


class TestWhatItGives:
    """Values, defaults, and where relative paths start."""

    def test_the_repository_releases_at_the_defaults(self) -> None:
        """release.toml writes down the contracts' defaults; the record, the rate and the tasks for it are its own."""
        file = read_release_file(ROOT / "release.toml")

        default = Plan(stages=DEFAULT_STAGES)
        own = {"dns": None, "expected_requests_per_second": 0.0, "desired_tasks": default.desired_tasks}
        assert dataclasses.replace(file.plan, **own) == default
        assert file.plan.desired_tasks == 3
        assert file.plan.dns == DnsChange(
            name="current.shop.example",
            record_type="CNAME",
            ttl_seconds=60,
            values={"blue": "blue.shop.example", "green": "green.shop.example"},
        )
        assert list(file.environments) == ["sandbox"]
        assert file.environments["sandbox"].outputs == ROOT / "build/sandbox/default/outputs.json"
        assert file.environments["sandbox"].drills

    def test_the_repository_plan_can_start(self) -> None:
        """No finding of the shipped plan is worse than a note."""
        findings = lint(read_release_file(ROOT / "release.toml").plan)

        assert {str(finding.severity) for finding in findings} == {"note"}

    def test_an_absent_plan_is_the_default_plan(self, read: Read) -> None:
        assert read(HEAD).plan == Plan(stages=DEFAULT_STAGES)
        assert [stage.share_percent for stage in DEFAULT_STAGES] == [5, 25, 50, 100]
        assert [stage.bake_seconds for stage in DEFAULT_STAGES] == [900, 120, 120, 0]

    def test_whole_and_decimal_spellings_are_one_plan(self, read: Read) -> None:
        """The same submission twice is one rollout, however its numbers are spelled (I14)."""
        whole = read(HEAD + "[plan]\nsettle_seconds = 120\n[plan.gates]\np95_milliseconds_max = 200").plan
        decimal = read(HEAD + "[plan]\nsettle_seconds = 120.0\n[plan.gates]\np95_milliseconds_max = 200.0").plan

        assert plan_sha256(whole) == plan_sha256(decimal)
        assert repr(whole) == repr(decimal)

    def test_everything_else_is_read(self, read: Read) -> None:
        file = read(
            HEAD.replace('"1.1.0"', f'"1.1.0"\nimage = "repo/shop-api@sha256:{"a" * 64}"')
            + """
[environments.production]
outputs = "/srv/outputs.json"
session_stickiness_seconds = 30
[plan]
stability_minutes = 10
shared_incident = "hold"
[[waivers]]
control = "PRE-01"
by = "Ada"
reason = "ticket OPS-1"
until = 2026-12-31
[[waivers]]
control = "PRE-02"
by = "Ada"
reason = "ticket OPS-2"
until = "2026-12-30"
[[waivers]]
control = "PRE-03"
by = "Ada"
reason = "ticket OPS-3"
until = 2026-12-29T10:00:00Z
"""
        )

        assert file.release.image.endswith("a" * 64)
        assert file.environments["production"].outputs == Path("/srv/outputs.json")
        assert file.environments["production"].session_stickiness_seconds == 30
        assert not file.environments["production"].drills
        assert (file.plan.stability_seconds, file.plan.shared_incident) == (600.0, "hold")
        assert [waiver.until for waiver in file.waivers] == [date(2026, 12, day) for day in (31, 30, 29)]

    def test_a_byte_order_mark_is_no_mistake(self, tmp_path: Path) -> None:
        path = tmp_path / "release.toml"
        path.write_bytes(b"\xef\xbb\xbf" + HEAD.encode())

        assert read_release_file(path).release.service == "shop-api"


class TestNumbers:
    """Each number has a range, and a value outside of it is refused with that range."""

    @pytest.mark.parametrize(
        ("ranges", "kind", "elsewhere"),
        [
            (GATES, Gates, set()),
            (TRIGGERS, Triggers, set()),
            (PLAN, Plan, {"stages", "stability_seconds", "gates", "triggers", "shared_incident", "dns"}),
        ],
        ids=["gates", "triggers", "plan"],
    )
    def test_every_field_has_a_range_that_holds_its_default(
        self, ranges: dict[str, Range], kind: Any, elsewhere: set[str]
    ) -> None:
        fields: dict[str, Any] = {field.name: field for field in dataclasses.fields(kind)}

        assert set(ranges) == set(fields) - elsewhere
        for name, allowed in ranges.items():
            assert allowed.allows(fields[name].default), name

    @pytest.mark.parametrize("section", ["plan", "plan.gates", "plan.triggers"])
    @pytest.mark.parametrize("wrong", ["below", "above", "nan", "inf", "true", '"5"', "[]"])
    def test_a_wrong_number_is_named_with_its_range(self, read: Read, section: str, wrong: str) -> None:
        ranges = {"plan": PLAN, "plan.gates": GATES, "plan.triggers": TRIGGERS}[section]
        for key, allowed in ranges.items():
            below = allowed.low if allowed.above_low else allowed.low - 1
            value = {"below": f"{below:g}", "above": f"{int(allowed.high) + 1}"}.get(wrong, wrong)

            found = problems(read, f"{HEAD}\n[{section}]\n{key} = {value}")

            assert list(found) == [f"{section}.{key}"]
            assert str(allowed) in found[f"{section}.{key}"]
            assert f"Write for example {key} = " in found[f"{section}.{key}"]

    def test_steps_and_whole_numbers(self, read: Read) -> None:
        found = problems(read, HEAD + "[plan]\nextension_seconds_max = 90\nblind_minutes_max = 2.0")

        assert "in steps of 60" in found["plan.extension_seconds_max"]
        assert "a whole number" in found["plan.blind_minutes_max"]

    def test_a_number_of_absurd_size_is_a_message_and_no_crash(self, read: Read) -> None:
        found = problems(read, HEAD + "[plan]\nsettle_seconds = 0x" + "f" * 5000)

        assert "a number of 20000 bits" in found["plan.settle_seconds"]
        assert "not valid TOML" in next(iter(problems(read, HEAD + "[plan]\nsettle_seconds = " + "9" * 5000).values()))

    def test_targets_come_from_tasks(self, read: Read) -> None:
        found = problems(read, HEAD + "[plan]\nhealthy_targets_min = 3")

        assert "3 healthy targets cannot come from 2 desired tasks" in found["plan.healthy_targets_min"]

    def test_a_trigger_cannot_be_switched_off_by_its_limit(self, read: Read) -> None:
        """Nothing is ever over 100 %."""
        for name in ("error_rate_percent_max", "cpu_percent_max", "memory_percent_max", "unhealthy_percent_max"):
            assert f"plan.triggers.{name}" in problems(read, f"{HEAD}[plan.triggers]\n{name} = 100")


class TestStages:
    """Shares rise to 100, bakes are whole minutes, the last stage has none."""

    @pytest.mark.parametrize(
        ("stages", "key", "words"),
        [
            ("{ share_percent = 100 }", "plan.stages", "1 stages; allowed: 2 to 20"),
            ("", "plan.stages", "0 stages"),
            ("1, 2", "plan.stages", "is no array of tables"),
            (
                "{ share_percent = 5, bake_minutes = 15 }, { share_percent = 50, bake_minutes = 2 }",
                "plan.stages[1].share_percent",
                "the last stage is 50; allowed: 100",
            ),
            (
                "{ share_percent = 25, bake_minutes = 2 }, { share_percent = 25, bake_minutes = 2 }, "
                "{ share_percent = 100 }",
                "plan.stages[1].share_percent",
                "25 follows 25; allowed: 26 to 100",
            ),
            (
                "{ share_percent = 0, bake_minutes = 2 }, { share_percent = 100 }",
                "plan.stages[0].share_percent",
                "0 is not allowed; allowed: a whole number from 1 to 100 percent",
            ),
            ("{ bake_minutes = 2 }, { share_percent = 100 }", "plan.stages[0].share_percent", "is missing"),
            ("{ share_percent = 5 }, { share_percent = 100 }", "plan.stages[0].bake_minutes", "is missing"),
            (
                "{ share_percent = 5, bake_minutes = 0.5 }, { share_percent = 100 }",
                "plan.stages[0].bake_minutes",
                "a whole number from 1 to 1440 minutes",
            ),
            (
                "{ share_percent = 5, bake_minutes = 2 }, { share_percent = 100, bake_minutes = 30 }",
                "plan.stages[1].bake_minutes",
                "plan.stability_minutes",
            ),
            (
                "{ share_percent = 5, bake_seconds = 900, bake_minutes = 2 }, { share_percent = 100 }",
                "plan.stages[0].bake_seconds",
                "Did you mean bake_minutes?",
            ),
        ],
        ids=["one", "none", "numbers", "last", "flat", "zero", "no-share", "no-bake", "half", "last-bake", "unknown"],
    )
    def test_a_wrong_stage_is_named(self, read: Read, stages: str, key: str, words: str) -> None:
        found = problems(read, f"{HEAD}[plan]\nstages = [{stages}]")

        assert words in found[key]


def test_a_plan_with_errors_is_not_started(read: Read) -> None:
    """MET-02: a plan whose bakes add up to 31 minutes."""
    stages = "{ share_percent = 5, bake_minutes = 31 }, { share_percent = 100 }"
    plan = read(f"{HEAD}[plan]\nstages = [{stages}]").plan

    with pytest.raises(BadInput, match=r"release.toml: this plan cannot start:\nerror deployment-time"):
        demand_clean(lint(plan), Path("release.toml"))
    demand_clean(lint(Plan(stages=DEFAULT_STAGES)), Path("release.toml"))
