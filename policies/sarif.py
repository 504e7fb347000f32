"""The report as SARIF 2.1.0 (OASIS), for forges that show findings in the files themselves. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

from policies.report import Finding, PolicyResult, Report
from policies.verdict import Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# SARIF has no word for "not known": a warning opens no gate, a note is an accepted finding.
_LEVELS = {
    Verdict.FAIL: "error",
    Verdict.SOURCE_ERROR: "error",
    Verdict.NO_DATA: "warning",
    Verdict.DEFERRED: "warning",
    Verdict.WAIVED: "note",
}


def sarif(report: Report) -> dict[str, Any]:
    """One run: a rule per policy that was evaluated, a result per finding."""
    rules = [_rule(policy) for policy in report.policies.values()]
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    results = [_result(finding, index) for policy in report.policies.values() for finding in policy.findings]
    driver = {"name": "release-gates policies", "version": report.facts.get("checkov", ""), "rules": rules}
    notes = [{"level": "error", "message": {"text": text}} for text in report.problems]
    invocation = {"executionSuccessful": not report.problems, "toolConfigurationNotifications": notes}
    run = {
        "tool": {"driver": driver},
        "results": results,
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(policy: PolicyResult) -> dict[str, Any]:
    return {
        "id": policy.id,
        "shortDescription": {"text": policy.says},
        "help": {"text": policy.remedy},
        "properties": {"tags": list(policy.controls), "verdict": policy.verdict.value},
    }


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    region = {"startLine": finding.line, "endLine": max(finding.line, finding.end_line)}
    location = {"artifactLocation": {"uri": finding.file}, "region": region}
    # The same finding in the next run, wherever its lines have moved to.
    identity = hashlib.sha256(f"{finding.policy}\0{finding.root}\0{finding.resource}".encode()).hexdigest()
    made: dict[str, Any] = {
        "ruleId": finding.policy,
        "ruleIndex": index[finding.policy],
        "level": _LEVELS[finding.verdict],
        "kind": "fail" if finding.verdict in (Verdict.FAIL, Verdict.WAIVED) else "open",
        "message": {"text": f"{finding.resource}: {finding.why}. {finding.remedy}"},
        "locations": [{"physicalLocation": location, "logicalLocations": [{"fullyQualifiedName": finding.resource}]}],
        "partialFingerprints": {"policyRootResource/v1": identity},
        "properties": {"root": finding.root, "verdict": finding.verdict.value},
    }
    if made["kind"] != "fail":
        made["level"] = "none"  # SARIF 3.27.10: a level belongs to kind "fail" only
    if finding.verdict is Verdict.WAIVED:
        made["suppressions"] = [{"kind": "external", "status": "accepted", "justification": finding.why}]
    return made
