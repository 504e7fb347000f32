"""Compares a run with the last good one of the same kind; what cannot be compared is refused by name.

A comparison informs and never decides: the limits do. Kept beside the report, one for each kind of run, so that a bad
run never replaces the good one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadtests.checks import Verdict, number
from loadtests.rejudge import rejudged
from loadtests.report import REPORT_NAME, BadReport, read_report, write_report

AUTO = "auto"
GOOD_NAME = "last-good"


def kind_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """What two runs must have in common: the same asked of the same, by the same limits."""
    traffic = report["traffic"]
    return {
        "host": report["host"],
        "profile": traffic["profile"],
        "traffic": traffic["sha256"],
        "arrivals per second": traffic["arrivals_per_second"],
        "thresholds": report["thresholds"]["sha256"],
        "environment": report["subject"]["environment"],
    }


def good_directory(directory: Path, report: Mapping[str, Any]) -> Path:
    """Where the last good run of this kind is kept, beside the reports of a directory."""
    digest = hashlib.sha256(json.dumps(kind_of(report), sort_keys=True).encode()).hexdigest()
    return directory / GOOD_NAME / digest[:16]


def keep_if_good(directory: Path, report: Mapping[str, Any]) -> Path | None:
    """Keep a report that passed as the last good one of its kind; its path. Raises OSError."""
    if report["verdict"] != Verdict.PASS:
        return None
    return write_report(good_directory(directory, report), report)


def with_baseline(report: Mapping[str, Any], where: str | Path | None, *, directory: Path) -> dict[str, Any]:
    """The report with its comparison: with the report in `where`, or with "auto" the last good one of its kind.

    What could not be compared has null figures and a sentence that says why; None compares nothing.
    """
    if where is None:
        return {**report, "baseline": None}
    automatic = str(where) == AUTO
    place = good_directory(directory, report) if automatic else Path(where)
    if automatic and not (place / REPORT_NAME).exists():
        return {**report, "baseline": _refused(None, "there is no good run of this kind yet")}
    try:
        before = read_report(place)
        rejudged(before)
    except BadReport as error:
        return {**report, "baseline": _refused(None, str(error))}
    return {**report, "baseline": compared(report, before)}


def compared(report: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The `baseline` of a report against an earlier one."""
    run_id = before["run_id"]
    if run_id == report["run_id"]:
        return _refused(run_id, "it is the same run")
    if before["verdict"] != Verdict.PASS:
        return _refused(run_id, f"its verdict was {before['verdict']}")
    mine, theirs = kind_of(report), kind_of(before)
    other = [f"{key} ({theirs[key]}, now {mine[key]})" for key in mine if mine[key] != theirs[key]]
    if other:
        return _refused(run_id, f"it had another {', another '.join(other)}")
    now, then = report["all"], before["all"]
    if now["p95"] is None or not then["p95"]:
        return _refused(run_id, "one of them has no p95")
    change = (now["p95"] / then["p95"] - 1) * 100
    return {
        "run_id": run_id,
        "p95": then["p95"],
        "p95_low": then["p95_low"],
        "p95_high": then["p95_high"],
        "change_percent": round(change, 3),
        "sentence": f"p95 {number(now['p95'])} ms, {number(then['p95'])} ms in the last good run {run_id}:"
        f" {abs(change):.1f} % {'more' if change > 0 else 'less'}, {_meaning(now, then)}.",
    }


def _meaning(now: Mapping[str, Any], then: Mapping[str, Any]) -> str:
    """Whether the two intervals leave room for chance."""
    if None in (now["p95_low"], now["p95_high"], then["p95_low"], then["p95_high"]):
        return "too few requests to tell whether by chance"
    if now["p95_low"] > then["p95_high"]:
        return "surely slower"
    if now["p95_high"] < then["p95_low"]:
        return "surely faster"
    return "within what chance allows"


def _refused(run_id: str | None, why: str) -> dict[str, Any]:
    figures = dict.fromkeys(("p95", "p95_low", "p95_high", "change_percent"))
    return {"run_id": run_id, **figures, "sentence": f"not compared with {run_id or 'an earlier run'}: {why}."}
