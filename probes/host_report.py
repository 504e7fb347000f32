"""The artefact of a verification run of the Ansible tree, and what it proves (IAC-03).

`infrastructure.ansible.verify` writes `build/ansible/<digest of the tree>/result.json`: what the linter found, what
the first and the second run did, and what the hosts answered afterwards. The reader is strict, and a report of another
tree, an old one, or one from which something is missing proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from probes.question import Question
from probes.strict_json import Fields, Unparsable, parse
from rollout.model import Basis, Observation, Verdict

SCHEMA = 1
BYTES_MAX = 4 * 1024 * 1024
AGE_MAX = timedelta(days=7)
LINT_PROFILE = "production"
# What the digest is over: all that decides what a host becomes and how it is asked.
INPUTS = (
    "infrastructure/ansible",
    "requirements/ansible.lock",
    "requirements/load_generators.lock",
    "probes/hosts.py",
    "probes/host_limits.py",
)
# What has to have been asked of each host; a report with less is not whole.
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "load-generator": (
        *("open_files", "service_open_files", "kernel", "services", "remote_access", "updates", "privileges"),
        "packages",
    ),
    "runner": (
        *("open_files", "service_open_files", "kernel", "services", "remote_access", "updates", "privileges"),
        "egress",
    ),
}
_FINDINGS_MAX, _TASKS_MAX, _OBSERVATIONS_MAX, _COUNT_MAX = 1000, 1000, 100, 10_000


@dataclass(frozen=True, kw_only=True)
class Recap:
    """What one run of a playbook did to a host, in tasks; `changed_tasks` by name."""

    ok: int
    changed: int
    failed: int
    unreachable: int
    changed_tasks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HostReport:
    """A host after two runs, and what it answered; `answers` in the order asked."""

    name: str
    playbook: str
    first: Recap
    second: Recap
    answers: tuple[Observation, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole verification run. `linted_files`: how many the linter read; `findings`: one sentence each."""

    tree_sha256: str
    started: datetime
    ended: datetime
    lint_profile: str
    linted_files: int
    findings: tuple[str, ...]
    hosts: tuple[HostReport, ...]


def place_of(root: Path, tree_sha256: str) -> Path:
    """Where the report on a tree lies, below the repository's root."""
    return root / "build" / "ansible" / tree_sha256 / "result.json"


def read_report(raw: bytes) -> Report:
    """The report in its bytes. Raises probes.strict_json.Unparsable."""
    fields = Fields(parse(raw, bytes_max=BYTES_MAX), "report")
    fields.integer("schema", low=SCHEMA, high=SCHEMA)
    lint = fields.fields("lint")
    report = Report(
        tree_sha256=fields.text("tree_sha256", r"[0-9a-f]{64}"),
        started=fields.instant("started"),
        ended=fields.instant("ended"),
        lint_profile=lint.text("profile", r"[a-z]{1,20}"),
        linted_files=lint.integer("files", low=0, high=_COUNT_MAX),
        findings=lint.texts("findings", most=_FINDINGS_MAX),
        hosts=tuple(_host(entry) for entry in fields.each("hosts", most=20)),
    )
    lint.finish()
    fields.finish()
    if report.ended < report.started:
        raise Unparsable("the report ends before it starts")
    return report


def _host(fields: Fields) -> HostReport:
    report = HostReport(
        name=fields.text("name", r"[a-z][a-z0-9-]{0,62}"),
        playbook=fields.text("playbook", r"[a-z_]{1,60}\.yml"),
        first=_recap(fields.fields("first")),
        second=_recap(fields.fields("second")),
        answers=tuple(_answer(entry) for entry in fields.each("answers", most=_OBSERVATIONS_MAX)),
    )
    fields.finish()
    return report


def _recap(fields: Fields) -> Recap:
    recap = Recap(
        **{name: fields.integer(name, low=0, high=_COUNT_MAX) for name in ("ok", "changed", "failed", "unreachable")},
        changed_tasks=fields.texts("changed_tasks", most=_TASKS_MAX),
    )
    fields.finish()
    return recap


def _answer(fields: Fields) -> Observation:
    words = ("PASS", "FAIL", "NO_DATA", "SOURCE_ERROR")
    answer = Observation(
        name=fields.text("name", r"hosts\.[a-z_]{1,40}"),
        value=fields.text("value", r".{0,2000}"),
        limit=fields.text("limit", r".{0,2000}"),
        unit=fields.text("unit", r".{0,40}"),
        rule=fields.text("rule"),
        verdict=Verdict(fields.text("verdict", "|".join(words))),
        source=fields.text("source"),
        time=fields.number("time", low=1e9, high=1e10),
        basis=Basis.ARTEFACT,
        message=fields.text("message", r".{1,2000}"),
    )
    fields.finish()
    return answer


def judge_report(raw: bytes | None, *, tree_sha256: str, now: datetime, source: str) -> tuple[Observation, ...]:
    """IAC-03 from the bytes of a report (None: there is none) on the tree with this digest.

    `hosts.report` says whether it may be used at all; only then follow `hosts.lint` and, for each host,
    `hosts.NAME.applied`, `hosts.NAME.again` and `hosts.NAME.` with the name of each question.
    """
    question = _question("report", "a verification of this very tree is there, whole and recent", source)
    if raw is None:
        return (question.no_data("no verification was made of this tree"),)
    try:
        report = read_report(raw)
    except Unparsable as error:
        return (question.source_error(f"the report cannot be read: {error}"),)
    problem = _unusable(report, tree_sha256, now)
    if problem:
        return (question.no_data(problem),)
    usable = question.passed(report.tree_sha256, f"made of this tree, ended {report.ended:%Y-%m-%d %H:%M} UTC")
    hosts = [seen for host in report.hosts for seen in _judge_host(host, source)]
    return usable, _judge_lint(report, source), *hosts


def _question(name: str, rule: str, source: str) -> Question:
    return Question(name=f"hosts.{name}", rule=rule, source=source, basis=Basis.ARTEFACT)


def _unusable(report: Report, tree_sha256: str, now: datetime) -> str:
    if report.tree_sha256 != tree_sha256:
        return f"the report is of another tree ({report.tree_sha256[:12]}), this one is {tree_sha256[:12]}"
    if report.ended > now + timedelta(minutes=5):
        return f"the report is dated {report.ended:%Y-%m-%d %H:%M} UTC, which is yet to come"
    if now - report.ended > AGE_MAX:
        return f"the report is {(now - report.ended).days} days old, more than {AGE_MAX.days}"
    names = [host.name for host in report.hosts]
    if sorted(names) != sorted(QUESTIONS):
        return f"the report is about {', '.join(names) or 'no host'}, not about {', '.join(QUESTIONS)}"
    return ""


def _judge_lint(report: Report, source: str) -> Observation:
    question = _question("lint", f"ansible-lint finds nothing in the profile {LINT_PROFILE}", source)
    if not report.linted_files:
        return question.no_data("ansible-lint read no file")
    if report.lint_profile != LINT_PROFILE:
        return question.failed(report.lint_profile, f"linted with the profile {report.lint_profile} only")
    count = len(report.findings)
    if count:
        return question.failed(count, f"{count} findings: {'; '.join(report.findings[:5])}", n=report.linted_files)
    return question.passed(0, f"nothing found in {report.linted_files} files", n=report.linted_files)


def _judge_host(host: HostReport, source: str) -> list[Observation]:
    asked = [replace(seen, name=_named(host, seen.name.removeprefix("hosts."))) for seen in host.answers]
    missing = [name for name in QUESTIONS[host.name] if _named(host, name) not in {seen.name for seen in asked}]
    unasked = [
        _question(f"{host.name}.{name}", "the host was asked", source).no_data(f"{host.name} was not asked for {name}")
        for name in missing
    ]
    return [_judge_first(host, source), _judge_second(host, source), *asked, *unasked]


def _named(host: HostReport, name: str) -> str:
    return f"hosts.{host.name}.{name}"


def _judge_first(host: HostReport, source: str) -> Observation:
    question = _question(f"{host.name}.applied", f"{host.playbook} configures the host without error", source)
    recap = host.first
    if recap.failed or recap.unreachable:
        return question.failed(recap.failed, f"{recap.failed} tasks failed, {recap.unreachable} hosts not reached")
    if not recap.changed:
        return question.no_data("the first run changed nothing, so it was no first run or it did nothing")
    return question.passed(recap.changed, f"{recap.ok} tasks done, {recap.changed} changed the host", n=recap.ok)


def _judge_second(host: HostReport, source: str) -> Observation:
    question = _question(f"{host.name}.again", "a second run changes nothing", source)
    recap = host.second
    if recap.failed or recap.unreachable:
        return question.failed(recap.failed, f"the second run failed: {recap.failed} tasks, {recap.unreachable} hosts")
    if recap.ok < max(host.first.ok, 1):
        return question.no_data(f"the second run did {recap.ok} tasks, fewer than the first, which did {host.first.ok}")
    if recap.changed:
        names = ", ".join(recap.changed_tasks) or "not named"
        return question.failed(recap.changed, f"the second run changed {recap.changed} tasks again: {names}")
    return question.passed(0, f"{recap.ok} tasks, none changed anything", n=recap.ok)
