"""What an apply left behind, against the plan that was approved (PROC-01). Reader and judgements, pure.

The run that applies writes one JSON document and adds to it as it goes, so that a run that ended half-way left what it
knew. What is null was not reached or not looked at; it is never taken for good.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from probes.question import Question
from probes.strict_json import Fields, Unparsable, parse
from probes.terraform_plan import SavedPlan, State
from rollout.model import Basis, Observation

SCHEMA = 1
_SHA256 = r"[0-9a-f]{64}"
_COMMIT = r"[0-9a-f]{40}|[0-9a-f]{64}"
# `terraform plan -detailed-exitcode`: 0 nothing to change, 1 error, 2 something to change.
_REPLAN_EMPTY, _REPLAN_ERROR, _REPLAN_CHANGES = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What the run of `terraform apply` saw and did; None: not reached, or not looked at.

    `commit`: of the tree that it ran in, None where that has changes which no commit holds. `plan_sha256`: of the file
    that was given to apply ("" when none was, so that apply planned anew). `lock_sha256`: `terraform_plan.lock_digest`
    of the provider lock file that lay there. `state_before`: the state at the moment before, `state_after`: the state
    that it left. `lock_id`: of the state lock that was held ("" for none). `rollouts_active`: on record at that moment.
    `exit_code`: of apply. `replan_exit_code`: of the plan with -detailed-exitcode made afterwards.
    """

    environment: str
    started: datetime
    plan_sha256: str
    commit: str | None = None
    lock_sha256: str | None = None
    state_before: State | None = None
    lock_id: str | None = None
    rollouts_active: int | None = None
    exit_code: int | None = None
    ended: datetime | None = None
    state_after: State | None = None
    replan_exit_code: int | None = None


def read_applied(raw: bytes) -> Applied:
    """The record in its bytes. Raises probes.strict_json.Unparsable; unknown keys are refused."""
    fields = Fields(parse(raw), "apply")
    fields.integer("schema", low=SCHEMA, high=SCHEMA)
    applied = Applied(
        environment=fields.text("environment", r"[a-z][a-z0-9-]{0,31}"),
        started=fields.instant("started"),
        plan_sha256=fields.text("plan_sha256", rf"({_SHA256})?"),
        commit=fields.text("commit", _COMMIT) if fields.has("commit") else None,
        lock_sha256=fields.text("lock_sha256", _SHA256) if fields.has("lock_sha256") else None,
        state_before=_state(fields.fields("state_before")) if fields.has("state_before") else None,
        lock_id=fields.text("lock_id", r".{0,100}") if fields.has("lock_id") else None,
        rollouts_active=_count(fields, "rollouts_active", high=10_000),
        exit_code=_count(fields, "exit_code", high=255),
        ended=fields.instant("ended") if fields.has("ended") else None,
        state_after=_state(fields.fields("state_after")) if fields.has("state_after") else None,
        replan_exit_code=_count(fields, "replan_exit_code", high=_REPLAN_CHANGES),
    )
    fields.finish()
    if applied.ended is not None and applied.ended < applied.started:
        raise Unparsable("apply.ended is before apply.started")
    return applied


def write_applied(applied: Applied) -> bytes:
    """The record as JSON; `read_applied` gives the same back. Times to the second; what is None is left out."""
    given: dict[str, Any] = {name: value for name, value in vars(applied).items() if value is not None}
    document = {name: _plain(value) for name, value in given.items()}
    return json.dumps({"schema": SCHEMA, **document}, indent=2).encode() + b"\n"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"lineage": value.lineage, "serial": value.serial} if isinstance(value, State) else value


def _state(fields: Fields) -> State:
    state = State(lineage=fields.text("lineage", r".{0,100}"), serial=fields.integer("serial", low=0, high=2**63))
    fields.finish()
    return state


def _count(fields: Fields, key: str, *, high: int) -> int | None:
    return fields.integer(key, low=0, high=high) if fields.has(key) else None


def judge_applied(applied: Applied, approved: SavedPlan, *, source: str) -> tuple[Observation, ...]:
    """One observation per part of PROC-01 (`apply.plan`, `apply.providers`, `apply.state`, `apply.lock`,
    `apply.rollouts`, `apply.end`, `apply.settled`), each against the saved plan that PRE-16 found approved."""
    return (
        _judge_plan(applied, approved, source),
        _judge_providers(applied, approved, source),
        _judge_state(applied, approved, source),
        _judge_lock(applied, source),
        _judge_rollouts(applied, source),
        _judge_end(applied, source),
        _judge_settled(applied, source),
    )


def _question(name: str, rule: str, *, source: str, limit: object = None) -> Question:
    return Question(name=f"apply.{name}", rule=rule, limit=limit, source=source, basis=Basis.ARTEFACT)


def _judge_plan(applied: Applied, approved: SavedPlan, source: str) -> Observation:
    question = _question(
        "plan", "what was applied is the saved plan that was approved", source=source, limit=approved.sha256
    )
    seen = applied.plan_sha256
    if not seen:
        return question.failed(seen, "apply without a saved plan: it planned anew, and nobody saw what")
    if seen != approved.sha256:
        return question.failed(seen, f"another plan was applied: {seen[:12]}, approved is {approved.sha256[:12]}")
    return question.passed(seen, f"the approved plan {seen[:12]} was applied")


def _judge_providers(applied: Applied, approved: SavedPlan, source: str) -> Observation:
    rule = "the provider lock file is the one that the plan was made with"
    question = _question("providers", rule, source=source, limit=approved.lock_sha256)
    seen = applied.lock_sha256
    if seen is None:
        return question.no_data("which provider lock file lay there was not recorded")
    if seen != approved.lock_sha256:
        said = f"the provider lock file differs: {seen[:12]}, the plan was made with {approved.lock_sha256[:12]}"
        return question.failed(seen, said)
    return question.passed(seen, f"provider lock file unchanged since the plan ({seen[:12]})")


def _judge_state(applied: Applied, approved: SavedPlan, source: str) -> Observation:
    question = _question(
        "state", "the state did not change between plan and apply", source=source, limit=str(approved.state)
    )
    seen = applied.state_before
    if seen is None:
        return question.no_data("which state there was before the apply was not recorded")
    if seen != approved.state:
        said = f"the state changed between plan and apply: planned on {approved.state}, applied on {seen}"
        return question.failed(str(seen), said)
    return question.passed(str(seen), f"planned and applied on {seen}")


def _judge_lock(applied: Applied, source: str) -> Observation:
    question = _question("lock", "the state was locked while it was changed", source=source)
    if applied.lock_id is None:
        return question.no_data("whether the state was locked was not recorded")
    if not applied.lock_id:
        return question.failed("", "the state was not locked: two applies at once would lose one's changes")
    return question.passed(applied.lock_id, f"held state lock {applied.lock_id}")


def _judge_rollouts(applied: Applied, source: str) -> Observation:
    question = _question("rollouts", "no rollout was active when it was applied", source=source, limit=0)
    count = applied.rollouts_active
    if count is None:
        return question.no_data("whether a rollout was active was not looked at")
    if count:
        return question.failed(count, f"{count} active: infrastructure must not change below a rollout")
    return question.passed(0, "no rollout was active")


def _judge_end(applied: Applied, source: str) -> Observation:
    question = _question("end", "the apply ended without error", source=source, limit=0)
    if applied.exit_code is None or applied.ended is None:
        begun = f"{applied.started:%Y-%m-%d %H:%M:%S} UTC"
        return question.no_data(f"the apply begun at {begun} has no end on record: it may have stopped half-way")
    if applied.exit_code:
        said = f"the apply failed half-way with exit code {applied.exit_code}: a part of the plan is in effect"
        return question.failed(applied.exit_code, said)
    seconds = (applied.ended - applied.started).total_seconds()
    return question.passed(0, f"ended without error after {seconds:.0f} s")


def _judge_settled(applied: Applied, source: str) -> Observation:
    question = _question("settled", "a plan made afterwards is empty", source=source, limit=_REPLAN_EMPTY)
    code = applied.replan_exit_code
    if code is None:
        return question.no_data("no plan was made afterwards")
    if code == _REPLAN_ERROR:
        return question.source_error("the plan made afterwards failed, so nothing is known of what it would show")
    if code == _REPLAN_CHANGES:
        return question.failed(code, "a plan made afterwards would change something again")
    return question.passed(code, "a plan made afterwards is empty")
