"""What the gate says: a verdict per policy, with everything that it rests on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from policies.settings import NotApplicable
from policies.suppressions import Suppression
from policies.verdict import Verdict, exit_code, worst


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Why a policy does not hold, or cannot be said to hold, for one resource of one root."""

    policy: str
    root: str
    resource: str
    verdict: Verdict
    why: str
    remedy: str
    file: str
    line: int
    end_line: int


@dataclass(frozen=True, kw_only=True)
class PolicyResult:
    """A policy over all roots: `population` are the addresses evaluated, each as "root address"."""

    id: str
    says: str
    remedy: str
    controls: tuple[str, ...]
    verdict: Verdict
    population: tuple[str, ...]
    findings: tuple[Finding, ...]
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """All policies. `problems` stand in the way of a pass whatever the policies say; `notes` do not.

    `read`: every file that was read; `facts`: versions of checkov and Python.
    """

    policies: Mapping[str, PolicyResult]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    deferred_paths: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        return exit_code([*self._verdicts(), *([Verdict.FAIL] if self.problems else [])])

    @property
    def verdict(self) -> Verdict:
        return Verdict.FAIL if self.problems else worst(self._verdicts())

    def _verdicts(self) -> Iterator[Verdict]:
        return (policy.verdict for policy in self.policies.values())

    def policy(self, policy_id: str) -> PolicyResult:
        """The result of a named policy; NO_DATA for one that was not evaluated, so that no caller forgets it."""
        missing = PolicyResult(
            id=policy_id, says="", remedy="Name a policy that exists, and the input that it is read from.", controls=(),
            verdict=Verdict.NO_DATA, population=(), findings=(), reason=f"no policy {policy_id} was evaluated",
        )  # fmt: skip
        return self.policies.get(policy_id, missing)


@dataclass(frozen=True, kw_only=True)
class Exceptions:
    """What people decided: accepted findings, and policies with nothing to judge; `today` is in UTC."""

    suppressions: tuple[Suppression, ...]
    not_applicable: tuple[NotApplicable, ...]
    today: date


def build(results: Mapping[str, Any], exceptions: Exceptions) -> Report:
    """The report of a scan's results under the exceptions of the day."""
    policies = {entry["id"]: _policy(entry, exceptions) for entry in results["policies"]}
    unknown = [] if results.get("every_built_in") else _unknown_ids(policies, exceptions)
    problems = [*_skips(results, exceptions), *unknown]
    return Report(
        policies=policies,
        problems=tuple(problems),
        notes=tuple(_unused(policies, exceptions)),
        inputs=tuple(f"{one['name']} ({one['origin']}, {one['resources']} resources)" for one in results["inputs"]),
        deferred_paths=tuple(results["deferred_paths"]),
        read=tuple(results["read"]),
        facts={"checkov": results["checkov"], "python": results["python"]},
    )


def _policy(entry: Mapping[str, Any], exceptions: Exceptions) -> PolicyResult:
    findings = [
        _finding(entry, root, answer, exceptions)
        for root, answers in entry["judged"].items()
        for answer in answers
        if answer["verdict"] != Verdict.PASS
    ]
    verdicts: list[Verdict] = []
    reasons: list[str] = []
    for root, answers in entry["judged"].items():
        own = [finding.verdict for finding in findings if finding.root == root]
        verdict, reason = _of_root(
            entry["id"], root, [*own, *([Verdict.PASS] if len(own) < len(answers) else [])], exceptions
        )
        verdicts.append(verdict)
        reasons += [reason] if reason else []
    return PolicyResult(
        id=entry["id"],
        says=entry["says"],
        remedy=entry["remedy"],
        controls=tuple(entry["controls"]),
        verdict=worst(verdicts),
        population=tuple(f"{root} {one['resource']}" for root, many in entry["judged"].items() for one in many),
        findings=tuple(findings),
        reason="; ".join(dict.fromkeys(reasons)),
    )


def _of_root(policy: str, root: str, verdicts: list[Verdict], exceptions: Exceptions) -> tuple[Verdict, str]:
    """The worst verdict in a root; without anything to judge NO_DATA, or NOT_APPLICABLE where that is declared."""
    if verdicts:
        return worst(verdicts), ""
    for one in exceptions.not_applicable:
        if policy in one.policies and any(fnmatchcase(root, pattern) for pattern in one.roots):
            return Verdict.NOT_APPLICABLE, f"{one.reason} ({one.owner})"
    return Verdict.NO_DATA, f"{root} holds no resource that it speaks of"


def _finding(entry: Mapping[str, Any], root: str, answer: Mapping[str, Any], exceptions: Exceptions) -> Finding:
    verdict, why = Verdict(answer["verdict"]), answer["why"]
    for one in exceptions.suppressions:
        if verdict is Verdict.FAIL and one.covers(entry["id"], root=root, resource=answer["resource"]):
            if one.expired(exceptions.today):
                why = f"{why}; its exception ({one.owner}) expired on {one.expires}"
            else:
                verdict = Verdict.WAIVED
                why = f"{why}; accepted by {one.approver} for {one.owner} until {one.expires}: {one.reason}"
    return Finding(
        policy=entry["id"],
        root=root,
        resource=answer["resource"],
        verdict=verdict,
        why=why,
        remedy=entry["remedy"],
        file=answer["file"],
        line=answer["line"],
        end_line=answer["end_line"],
    )


def _skips(results: Mapping[str, Any], exceptions: Exceptions) -> Iterator[str]:
    """Comments that ask to look away, without an exception that is in force."""
    in_force = {one.policy for one in exceptions.suppressions if not one.expired(exceptions.today)}
    for skip in results["skips"]:
        if skip["policy"] not in in_force:
            yield (
                f"{skip['file']}:{skip['line']}: a comment skips {skip['policy']} and no exception says so. "
                "Remove it, or add an entry to policies/suppressions.toml."
            )


def _unknown_ids(policies: Mapping[str, PolicyResult], exceptions: Exceptions) -> Iterator[str]:
    named = [one.policy for one in exceptions.suppressions]
    named += [policy for one in exceptions.not_applicable for policy in one.policies]
    for policy in dict.fromkeys(named):
        if policy not in policies:
            yield f"an exception names {policy}, which does not exist. Correct the entry."


def _unused(policies: Mapping[str, PolicyResult], exceptions: Exceptions) -> Iterator[str]:
    """Exceptions that excuse nothing any more, and would excuse the next finding unseen."""
    for one in exceptions.suppressions:
        findings: Iterable[Finding] = policies[one.policy].findings if one.policy in policies else ()
        if not any(one.covers(one.policy, root=found.root, resource=found.resource) for found in findings):
            yield f"the exception of {one.owner} for {one.policy} matches nothing. Remove it."
