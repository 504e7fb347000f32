"""GuardDuty: the region's detector, and what it found that nobody has put away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.population import Resource, Seen, View, check, known, population, view_of

SEVERITY_HIGH = 7  # high is 7.0 to 8.9, critical 9.0 and more (GuardDuty user guide, severity levels)
_FINDINGS_AT_ONCE = 50  # GetFindings takes no more


def view(account: ClientMaker, declared: Declared) -> View:
    """The detectors of the region (AWS allows one), each with its open findings of high severity."""
    asker = Asker(account)
    ids = asker.all("guardduty", "list_detectors", "DetectorIds")
    members = population(
        "detector", "guardduty ListDetectors", lambda: tuple(_detector(asker, one) for one in known(ids))
    )
    return view_of(declared, members, sandbox=asker.sandbox)


def _detector(asker: Asker, name: str) -> Resource:
    status = asker.field("guardduty", "get_detector", "Status", DetectorId=name)
    return Resource(name=name, facts={"status": status, "findings": _findings(asker, name)})


def _findings(asker: Asker, detector: str) -> tuple[Mapping[str, Any], ...] | Unread:
    """Type and severity of every finding that is not archived and at least high."""
    open_and_high = {
        "service.archived": {"Equals": ["false"]},
        "severity": {"GreaterThanOrEqual": SEVERITY_HIGH},
    }
    asked = {"DetectorId": detector, "FindingCriteria": {"Criterion": open_and_high}}
    ids = asker.all("guardduty", "list_findings", "FindingIds", **asked)
    if isinstance(ids, Unread):
        return ids
    found: list[Mapping[str, Any]] = []
    for start in range(0, len(ids), _FINDINGS_AT_ONCE):
        some = list(ids[start : start + _FINDINGS_AT_ONCE])
        rows = asker.field("guardduty", "get_findings", "Findings", DetectorId=detector, FindingIds=some)
        if isinstance(rows, Unread):
            return rows
        found += [{"id": row["Id"], "type": row["Type"], "severity": row["Severity"]} for row in rows or ()]
    # A finding that was put away between the two calls is still told: one too many is not one too few.
    known_ids = {row["id"] for row in found}
    return tuple(found) + tuple({"id": one, "type": "unknown", "severity": None} for one in ids if one not in known_ids)


@check("detector", rule="is enabled")
def enabled(one: Resource, _: Declared) -> Seen:
    """ARCH-09. A region without a detector has none to judge, which is NO_DATA and opens nothing."""
    status = str(one["status"])
    return Seen(status, "" if status == "ENABLED" else f"is {status}")


@check("detector", rule="has no open finding of high severity", limit=lambda _: SEVERITY_HIGH, imitated=True)
def no_high_findings(one: Resource, _: Declared) -> Seen:
    """ARCH-09: a release goes nowhere while somebody else may be in the account. Findings of moto are imitated."""
    findings = one["findings"]
    kinds = sorted({str(row["type"]) for row in findings})
    return Seen(kinds, f"{len(findings)} open finding(s): {', '.join(kinds)}" if findings else "")
