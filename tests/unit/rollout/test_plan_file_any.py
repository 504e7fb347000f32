"""release.toml, whatever it holds: what was written is read, anything else is explained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan_files import HEAD

from rollout.model import DnsChange, Gates, Plan, Stage, Triggers
from rollout.plan_file import BadFile, parse_release, read_release_file
from rollout.plan_ranges import GATES, PLAN, TRIGGERS
from rollout.settings import ReleaseFile
from rollout.toml_reader import Range

ROOT = Path(__file__).resolve().parents[3]


def read_or_explained(read: Callable[[], ReleaseFile]) -> bool:
    """A file, or problems that each have a key and a remedy; any other exception is a crash."""
    try:
        read()
    except BadFile as error:
        return bool(error.problems) and all(problem.key and problem.remedy for problem in error.problems)
    return True


def numbers(ranges: dict[str, Range], defaults: Any) -> st.SearchStrategy[dict[str, float]]:
    """Allowed values for some of the keys."""
    return st.fixed_dictionaries(
        {}, optional={name: number(allowed, getattr(defaults, name)) for name, allowed in ranges.items()}
    )


def number(allowed: Range, default: float) -> st.SearchStrategy[float]:
    if allowed.whole:
        steps = st.integers(-(-int(allowed.low) // allowed.step), int(allowed.high) // allowed.step)
        return steps.map(lambda count: type(default)(count * allowed.step))
    return st.floats(allowed.low, allowed.high, exclude_min=allowed.above_low)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan that a file can hold."""
    shares = sorted(draw(st.sets(st.integers(1, 99), min_size=1, max_size=19)))
    stages = [Stage(share_percent=share, bake_seconds=60.0 * draw(st.integers(1, 1440))) for share in shares]
    values: dict[str, Any] = draw(numbers(dict(PLAN), Plan(stages=())))
    values["desired_tasks"] = max(values.get("desired_tasks", 2), values.get("healthy_targets_min", 2))
    return Plan(
        stages=(*stages, Stage(share_percent=100, bake_seconds=0.0)),
        stability_seconds=60.0 * draw(st.integers(1, 1440)),
        shared_incident=draw(st.sampled_from(["rollback", "hold"])),
        gates=Gates(**draw(numbers(dict(GATES), Gates()))),  # type: ignore[arg-type]
        triggers=Triggers(**draw(numbers(dict(TRIGGERS), Triggers()))),  # type: ignore[arg-type]
        dns=draw(st.none() | st.just(DnsChange(name="a.b", record_type="A", ttl_seconds=9, values=VALUES))),
        **values,
    )


VALUES = {"blue": "192.0.2.1", "green": "192.0.2.2"}


def written(plan: Plan) -> str:
    """The plan as a person would write it."""
    lines = ["[plan]", f"stability_minutes = {plan.stability_seconds / 60:.0f}"]
    lines.append(f'shared_incident = "{plan.shared_incident}"')
    stages = [
        f"{{ share_percent = {stage.share_percent}, bake_minutes = {stage.bake_seconds / 60:.0f} }}"
        for stage in plan.stages[:-1]
    ]
    lines.append(f"stages = [{', '.join(stages)}, {{ share_percent = 100 }}]")
    lines += [f"{name} = {value_of(getattr(plan, name), allowed)}" for name, allowed in PLAN.items()]
    for section, part, ranges in (("gates", plan.gates, GATES), ("triggers", plan.triggers, TRIGGERS)):
        lines.append(f"[plan.{section}]")
        lines += [f"{name} = {value_of(getattr(part, name), allowed)}" for name, allowed in ranges.items()]
    if plan.dns is not None:
        lines += ["[plan.dns]", 'name = "a.b"', 'type = "A"', "ttl_seconds = 9"]
        lines.append('values = { blue = "192.0.2.1", green = "192.0.2.2" }')
    return HEAD + "\n".join(lines)


def value_of(value: float, allowed: Range) -> str:
    return f"{value:.0f}" if allowed.whole else repr(value)


IN_A_DIRECTORY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@IN_A_DIRECTORY
@given(plan=plans())
def test_what_was_written_is_read(tmp_path: Path, plan: Plan) -> None:
    """Round trip: every plan that the model can hold within its ranges."""
    path = tmp_path / "release.toml"
    path.write_text(written(plan), encoding="utf-8")

    assert read_release_file(path).plan == plan


GOOD = (ROOT / "release.toml").read_bytes()
edits = st.lists(
    st.tuples(
        st.integers(0, len(GOOD)), st.integers(0, 12), st.binary(max_size=6) | st.sampled_from([b"[", b'"', b"="])
    ),
    min_size=1,
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(edits=edits)
def test_a_mutated_file_is_read_or_explained(tmp_path: Path, edits: list[tuple[int, int, bytes]]) -> None:
    """Whatever happens to the bytes: a file, or a message with a remedy, never a crash."""
    raw = GOOD
    for start, length, inserted in edits:
        raw = raw[:start] + inserted + raw[start + length :]
    path = tmp_path / "release.toml"
    path.write_bytes(raw)

    assert read_or_explained(lambda: read_release_file(path))


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes()
    | st.times()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner), max_leaves=5
)
KEYS = st.sampled_from(
    ["release", "environments", "plan", "waivers", "schema", "plan.gates", "plan.triggers", "plan.dns", "plan.stages"]
    + [f"plan.{name}" for name in PLAN]
    + ["plan.dns.values", "plan.dns.name", "release.service", "environments.sandbox", "environments.sandbox.outputs"]
)


@settings(deadline=None, max_examples=150)
@given(changes=st.lists(st.tuples(KEYS, values), min_size=1, max_size=5))
def test_any_value_under_any_key_is_taken_or_explained(changes: list[tuple[str, Any]]) -> None:
    document: dict[str, Any] = {
        "release": {"service": "a", "version": "1"},
        "environments": {"sandbox": {"outputs": "o"}},
    }
    for key, value in changes:
        *path, last = key.split(".")
        table = document
        for name in path:
            if not isinstance(table.get(name), dict):
                table[name] = {}
            table = table[name]
        table[last] = value

    assert read_or_explained(lambda: parse_release(document, Path("release.toml")))
