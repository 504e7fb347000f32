"""release.toml -> ReleaseFile: all checking of what a team writes, once.

Keys of `[plan]`, `[plan.gates]` and `[plan.triggers]` are the field names of `rollout.model`, except `stages` (a share
and `bake_minutes` each) and `stability_minutes`. Whatever is absent takes the default of the contracts, section 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rollout.errors import BadInput
from rollout.forecast import forecast
from rollout.model import MINUTE_SECONDS, DnsChange, Gates, Plan, Stage, Triggers
from rollout.plan_lint import Finding, Severity, lint
from rollout.plan_ranges import BAKE, GATES, PLAN, SHARE, STABILITY, STICKINESS, TRIGGERS, TTL
from rollout.settings import SANDBOX, Environment, Release, ReleaseFile, Waiver
from rollout.toml_reader import BadFile, Problem, Table, Words, read_document, shown

__all__ = ["DEFAULT_STAGES", "BadFile", "Finding", "Severity", "forecast", "lint", "parse_release", "read_release_file"]

DEFAULT_STAGES = (
    Stage(share_percent=5, bake_seconds=900.0),
    Stage(share_percent=25, bake_seconds=120.0),
    Stage(share_percent=50, bake_seconds=120.0),
    Stage(share_percent=100, bake_seconds=0.0),
)
SLOTS = ("blue", "green")
_STAGES_MAX = 20
_RECORD_TYPES = ("CNAME", "A", "AAAA")

_SERVICE = Words(pattern=r"[a-z][a-z0-9-]{0,62}", allowed="small letters, digits and dashes, a letter first")
_ENVIRONMENT = Words(pattern=r"[a-z][a-z0-9-]{0,31}", allowed="small letters, digits and dashes, a letter first")
_VERSION = Words(pattern=r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", allowed="letters, digits and . _ + - (no blank)")
_IMAGE = Words(
    pattern=r"([a-z0-9][A-Za-z0-9./:_-]{0,254}@)?sha256:[0-9a-f]{64}", allowed="an image by digest, never by tag"
)
_PATH = Words(pattern=r"[^$\0\n]{1,1024}", allowed="a path without $ (variables are not replaced)")
_LINE = Words(pattern=r"\S[^\n]{0,499}", allowed="one line of up to 500 characters")
_HOST = Words(pattern=r"[A-Za-z0-9_*]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9.])?", allowed="a host name")
_VALUE = Words(pattern=r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,254}", allowed="a host name or an address")
_CONTROL = Words(pattern=r"[A-Z][A-Z0-9]*-[0-9]{2}", allowed="a control's id")
_EXAMPLE_IMAGE = "sha256:" + "0" * 64


def read_release_file(path: Path) -> ReleaseFile:
    """Read and check the whole file. Raises BadFile with every mistake that was found."""
    return parse_release(read_document(path), path)


def parse_release(document: Mapping[str, Any], path: Path) -> ReleaseFile:
    """Check a parsed file; `path` names it in errors, and its directory is where relative paths start."""
    problems: list[Problem] = []
    root = Table(document, "", problems)
    if root.raw("schema") not in (None, 1):
        remedy = "Write schema = 1, or use the program that reads it."
        root.refuse("schema", f"{shown(root.raw('schema'))} is not known", allowed="1", remedy=remedy)
    file = ReleaseFile(
        path=path,
        release=_release(root.table("release")),
        environments=_environments(root.table("environments"), path.parent),
        plan=_plan(root.table("plan")),
        waivers=_waivers(root),
    )
    root.finish()
    if problems:
        raise BadFile(str(path), problems)
    return file


def _release(table: Table) -> Release:
    release = Release(
        service=table.text("service", _SERVICE, example="shop-api"),
        version=table.text("version", _VERSION, example="1.1.0"),
        image=table.text("image", _IMAGE, example=_EXAMPLE_IMAGE) if table.has("image") else "",
    )
    table.finish()
    return release


def _environments(table: Table, directory: Path) -> dict[str, Environment]:
    environments: dict[str, Environment] = {}
    for name in table.names():
        if not _ENVIRONMENT.allows(name):
            remedy = "Rename it, for example to production."
            table.refuse(repr(name)[:60], "is no name", allowed=_ENVIRONMENT.allowed, remedy=remedy)
            continue
        entry = table.table(name)
        environments[name] = Environment(
            name=name,
            outputs=directory / entry.text("outputs", _PATH, example=f"build/{name}/outputs.json"),
            drills=entry.flag("drills", default=name == SANDBOX),
            session_stickiness_seconds=entry.number("session_stickiness_seconds", STICKINESS, 0),
        )
        entry.finish()
    if not environments:
        remedy = 'Write [environments.sandbox] with outputs = "build/sandbox/default/outputs.json".'
        table.refuse(SANDBOX, "no environment is declared", remedy=remedy)
    return environments


def _plan(table: Table) -> Plan:
    defaults = Plan(stages=DEFAULT_STAGES)
    values: dict[str, Any] = {name: table.number(name, PLAN[name], getattr(defaults, name)) for name in PLAN}
    stability = table.number("stability_minutes", STABILITY, defaults.stability_seconds / MINUTE_SECONDS)
    plan = Plan(
        stages=_stages(table),
        stability_seconds=float(stability * MINUTE_SECONDS),
        gates=_gates(table.table("gates")),
        triggers=_triggers(table.table("triggers")),
        shared_incident=_choice(table, "shared_incident", ("rollback", "hold"), default=defaults.shared_incident),
        dns=_dns(table.table("dns")) if table.has("dns") else None,
        **values,
    )
    if plan.healthy_targets_min > plan.desired_tasks:
        what = f"{plan.healthy_targets_min} healthy targets cannot come from {plan.desired_tasks} desired tasks"
        remedy = "Raise desired_tasks, or lower healthy_targets_min."
        table.refuse("healthy_targets_min", what, allowed=f"at most {plan.desired_tasks}", remedy=remedy)
    table.finish()
    return plan


def _gates(table: Table) -> Gates:
    defaults = Gates()
    values: dict[str, Any] = {name: table.number(name, GATES[name], getattr(defaults, name)) for name in GATES}
    table.finish()
    return Gates(**values)


def _triggers(table: Table) -> Triggers:
    defaults = Triggers()
    values: dict[str, Any] = {name: table.number(name, TRIGGERS[name], getattr(defaults, name)) for name in TRIGGERS}
    table.finish()
    return Triggers(**values)


def _choice(table: Table, key: str, choices: tuple[str, ...], *, default: str | None = None) -> str:
    """One of the choices; compulsory without a default."""
    words = Words(pattern="|".join(choices), allowed=" or ".join(f'"{choice}"' for choice in choices))
    return table.text(key, words, example=choices[0], default=default)


def _stages(table: Table) -> tuple[Stage, ...]:
    if not table.has("stages"):
        return DEFAULT_STAGES
    entries = table.tables("stages")
    if entries is None:
        return DEFAULT_STAGES
    if not 2 <= len(entries) <= _STAGES_MAX:
        remedy = "Start small: { share_percent = 5, bake_minutes = 15 }, and end with { share_percent = 100 }."
        table.refuse("stages", f"{len(entries)} stages", allowed=f"2 to {_STAGES_MAX} stages", remedy=remedy)
        return DEFAULT_STAGES
    stages, before = [], 0
    for entry in entries:
        stage = _stage(entry, before, last=entry is entries[-1])
        before = stage.share_percent
        stages.append(stage)
    return tuple(stages)


def _stage(table: Table, before: int, *, last: bool) -> Stage:
    if not table.has("share_percent"):
        table.refuse("share_percent", "is missing", allowed=str(SHARE), remedy="Write for example share_percent = 5.")
    share = table.number("share_percent", SHARE, 100 if last else min(before + 1, 99))
    if last and share != 100:
        table.refuse(
            "share_percent", f"the last stage is {share}", allowed="100", remedy="End with { share_percent = 100 }."
        )
    elif share <= before:
        remedy = "Order the stages by their share, each larger than the one before."
        table.refuse("share_percent", f"{share} follows {before}", allowed=f"{before + 1} to 100", remedy=remedy)
    minutes = 0
    if not last:
        if not table.has("bake_minutes"):
            table.refuse("bake_minutes", "is missing", allowed=str(BAKE), remedy="Write for example bake_minutes = 15.")
        minutes = table.number("bake_minutes", BAKE, 2)
    elif table.has("bake_minutes"):
        remedy = "Remove it: plan.stability_minutes says how long all customers are watched there."
        table.refuse("bake_minutes", "the last stage has no bake", remedy=remedy)
    table.finish()
    return Stage(share_percent=share, bake_seconds=float(minutes * MINUTE_SECONDS))


def _dns(table: Table) -> DnsChange:
    values = table.table("values")
    change = DnsChange(
        name=table.text("name", _HOST, example="current.shop.example"),
        record_type=_choice(table, "type", _RECORD_TYPES),
        ttl_seconds=table.number("ttl_seconds", TTL, 60),
        values={slot: values.text(slot, _VALUE, example=f"{slot}.shop.example") for slot in SLOTS},
    )
    if change.values["blue"] == change.values["green"]:
        values.refuse("green", "both slots have one value", remedy="Give each slot a value of its own.")
    values.finish()
    table.finish()
    return change


def _waivers(root: Table) -> tuple[Waiver, ...]:
    waivers: dict[str, Waiver] = {}
    for table in root.tables("waivers") or []:
        waiver = Waiver(
            control=table.text("control", _CONTROL, example="PRE-01"),
            by=table.text("by", _LINE, example="a person's name"),
            reason=table.text("reason", _LINE, example="why it is accepted"),
            until=table.day("until"),
        )
        if waiver.control in waivers:
            table.refuse("control", f"a second waiver for {waiver.control}", remedy="Keep one of them.")
        waivers[waiver.control] = waiver
        table.finish()
    return tuple(waivers.values())


def demand_clean(findings: tuple[Finding, ...], path: Path) -> None:
    """Raises BadInput with every finding that forbids a start."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        text = "\n".join(str(finding) for finding in errors)
        raise BadInput(f"{path}: this plan cannot start:\n{text}")
