"""The emergency command beside a live engine: what it changed, and what the engine made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account.containers import differences
from rehearsal.findings.common import candidate_of, effects, finding, share_in
from rehearsal.result import Result
from rollout.model import Observation


def _runs(result: Result) -> list[Mapping[str, Any]]:
    return list(result.facts.get("emergency", []))


def emergency_worked(result: Result, number: int) -> tuple[Observation, ...]:
    runs = _runs(result)
    if len(runs) <= number:
        return (finding("emergency.command", None, "the command was not run"),)
    run = runs[number]
    share = share_in({"parameters": {"Actions": run["rule_after"]["Actions"]}}, candidate_of(result))
    message = f"exit code {run['exit_code']} after {run['seconds']:.1f} s, the candidate has {share} %"
    message += f": {run['output'][-300:].strip()}" if run["exit_code"] else ""
    return (
        finding("emergency.command", run["exit_code"] == 0 and share == 0, message, value=run["exit_code"], limit=0),
    )


def emergency_changed_weights_only(result: Result) -> tuple[Observation, ...]:
    runs = _runs(result)
    if not runs:
        return (finding("emergency.changes", None, "the command was not run"),)
    run = runs[0]
    paths = differences(run["rule_before"], run["rule_after"])
    others = [path for path in paths if not path.endswith(".Weight")]
    message = f"changed: {', '.join(paths) or 'nothing'}"
    return (finding("emergency.changes", bool(paths) and not others, message, value=len(others), limit=0),)


def emergency_changed_nothing(result: Result, number: int) -> tuple[Observation, ...]:
    runs = _runs(result)
    if len(runs) <= number:
        return (finding("emergency.again", None, f"the command was run {len(runs)} times"),)
    run = runs[number]
    paths = differences(run["rule_before"], run["rule_after"])
    holds = run["exit_code"] == 0 and not paths
    message = f"exit code {run['exit_code']}, changed: {', '.join(paths) or 'nothing'}"
    return (finding("emergency.again", holds, message, value=len(paths), limit=0),)


def abort_recorded(result: Result) -> tuple[Observation, ...]:
    said = result.decisions(event="SHARE_TAKEN_AWAY")
    state = result.record["state"]
    message = f"{state}: {said[-1]['reason'] if said else 'the engine never saw it'}"
    return (finding("emergency.record", state == "ABORTED_EXTERNALLY" and bool(said), message, value=state),)


def never_rose_again(result: Result) -> tuple[Observation, ...]:
    runs = _runs(result)
    if not runs:
        return (finding("emergency.rise", None, "the command was not run"),)
    calls = effects(result, since=runs[0]["ended_virtual"])
    rises = [share for share in (share_in(call, candidate_of(result)) for call in calls) if share]
    return (
        finding(
            "emergency.rise", not rises, f"shares given after the command: {rises or 'none'}", value=len(rises), limit=0
        ),
    )
