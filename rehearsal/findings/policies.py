"""What the policy gate says of the infrastructure's code, as observations: one per policy that a scenario names."""

from __future__ import annotations

from policies.report import Finding, PolicyResult, Report
from probes.question import Question
from rehearsal.findings.tables import Table, misread, named_rows
from rollout.model import Basis, Observation, Verdict

_NAMED_MAX = 8  # findings that a message names; the value names every resource


def whole(report: Report) -> tuple[Observation, ...]:
    """`policies.read`: what was read, and that nothing asks to look away without an exception in force."""
    question = Question(
        name="policies.read",
        rule="every file was read, and nothing asks the policies to look away",
        source=_source(report),
        basis=Basis.ARTEFACT,
    )
    if report.problems:
        return (question.failed(report.inputs, "; ".join(report.problems), n=len(report.read)),)
    message = f"{len(report.read)} files of {len(report.inputs)} roots: {', '.join(report.inputs)}"
    return (question.passed(report.inputs, message, n=len(report.read)),)


def hold(report: Report, table: Table) -> tuple[Observation, ...]:
    """`policy.<id>` for every row (`| policy | which says |`), with the policy's own verdict, word by word.

    SOURCE_ERROR where the feature gives a policy another sentence than its own; NO_DATA for one that does not exist.
    Raises ValueError as `named_rows`.
    """
    return tuple(_held(report, name, sentence=sentence) for name, sentence in named_rows(table, "policy"))


def _held(report: Report, name: str, *, sentence: str) -> Observation:
    result = report.policy(name)
    if result.says and result.says != sentence:
        return misread(_question(report, result), sentence)
    return answer(report, name)


def answer(report: Report, name: str) -> Observation:
    """`policy.<id>` with the policy's own verdict; NO_DATA for one that does not exist."""
    result = report.policy(name)
    return _question(report, result).answer(
        Verdict(result.verdict.value), result.population, message=_told(result), n=len(result.population)
    )


def _question(report: Report, result: PolicyResult) -> Question:
    return Question(name=f"policy.{result.id}", rule=result.says, source=_source(report), basis=Basis.ARTEFACT)


def _told(result: PolicyResult) -> str:
    """How many of how many, then each resource that is not good with its place and why, then what to do."""
    spoken_of = {(finding.root, finding.resource) for finding in result.findings}
    count = len(result.population)
    told = [f"{result.id}: {count - len(spoken_of)} of {count} resources: {result.says}"] if result.says else []
    told += [result.reason] if result.reason else []
    told += [_placed(finding) for finding in result.findings[:_NAMED_MAX]]
    if len(result.findings) > _NAMED_MAX:
        told.append(f"and {len(result.findings) - _NAMED_MAX} more")
    # Nobody has to do anything about what is good, what does not apply, or what was accepted.
    undone = result.verdict.value not in ("PASS", "NOT_APPLICABLE", "WAIVED")
    return "; ".join([*told, *([f"remedy: {result.remedy}"] if undone else [])])


def _placed(finding: Finding) -> str:
    return f"{finding.file}:{finding.line} {finding.resource} ({finding.root}) is {finding.verdict}: {finding.why}"


def _source(report: Report) -> str:
    return f"policies with checkov {report.facts.get('checkov', 'unknown')}"
