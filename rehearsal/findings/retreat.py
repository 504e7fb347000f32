"""Rollbacks: what came first, what was verified, what people were told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from probes.stream_report import nobody_noticed, slot_went_quiet, unexplained_failures
from rehearsal.findings.common import (
    candidate_of,
    effects,
    finding,
    journalled,
    share_in,
    stable_of,
    updates_of,
)
from rehearsal.result import Result
from rollout.model import Observation, Verdict

_ROLLED_BACK = ("ROLLED_BACK", "ABORTED_EXTERNALLY")
_GOOD_NEWS = ("ROLLBACK VERIFIED", "ROLLBACK COMPLETED", "ROLLOUT COMPLETED", "SUCCESS")


def _back(result: Result) -> Mapping[str, Any]:
    return result.record["back"] or {}


def taken_back_by(result: Result, rule: str) -> tuple[Observation, ...]:
    back, first = _back(result), result.plan["stages"][0]["share_percent"]
    stage, passes = result.record["stage"], len(result.record["passes"])
    holds = back.get("rule") == rule and stage == 0 and passes == 0
    message = (
        f"taken back by {back.get('rule') or 'nothing'} at {first} %: {back.get('cause', result.record['reason'])}"
    )
    return (finding("rollback.rule", holds, message, value=back.get("rule"), limit=rule),)


def trigger_counted(result: Result, minutes: int, limit: float) -> tuple[Observation, ...]:
    """The trigger's own observation in the decision, held against the minutes and the limit of the feature."""
    decisions = result.decisions(event="TRIGGER_TRIPPED")
    tripped = [seen for d in decisions for seen in journalled(d) if seen.verdict is Verdict.FAIL]
    if not tripped:
        return (finding("trigger.minutes", None, "no trigger tripped"),)
    seen = tripped[0]
    counted = re.search(rf"(\d+) of {minutes} consecutive minutes", seen.message)
    enough = counted is not None and int(counted[1]) >= minutes
    holds = enough and seen.limit == limit and isinstance(seen.value, float) and seen.value > limit
    return (
        finding("trigger.minutes", holds, seen.message, value=seen.value, limit=seen.limit, unit=seen.unit, n=seen.n),
    )


def tasks_shown(result: Result) -> tuple[Observation, ...]:
    decided = _back(result).get("decided_at", 0.0)
    views = result.facts["before"]["services"], result.facts["after"]["services"]
    tasks = [view[candidate_of(result)]["desired"] for view in views]
    changed = updates_of(result, candidate_of(result), effects(result, until=decided))
    message = f"{len(changed)} changes of the candidate's size before the decision; desired {tasks[0]} before"
    return (finding("candidate.size", len(changed) <= 1, message, value=len(changed), limit=1),)


def listener_first(result: Result) -> tuple[Observation, ...]:
    calls = effects(result, since=_back(result).get("decided_at", float("inf")))
    first = calls[0] if calls else None
    holds = first is not None and share_in(first, candidate_of(result)) == 0
    said = f"{first['service']} {first['operation']}" if first else "nothing"
    return (finding("rollback.first_effect", holds, f"the first effect of the rollback was {said}", value=said),)


def quiet_within(result: Result, seconds: float) -> tuple[Observation, ...]:
    decided = _back(result).get("decided_at")
    if decided is None:
        return (finding("candidate.last_request", None, "no rollback was decided"),)
    after = result.clock.monotonic_at(float(decided))
    return (slot_went_quiet(result.requests, candidate_of(result), after=after, within_seconds=seconds),)


def customers_back(result: Result) -> tuple[Observation, ...]:
    """The listener as it is at the end, and the record's read-back."""
    rule = result.facts["after"]["rule"]
    share = share_in({"parameters": {"Actions": rule["Actions"]}}, candidate_of(result))
    switched = _back(result).get("switched_at")
    message = f"the candidate has {share} % at the end; read back as switched: {switched is not None}"
    return (finding("rollback.share", share == 0 and switched is not None, message, value=share, limit=0, unit="%"),)


def ended(result: Result) -> tuple[Observation, ...]:
    """A drill waits for the end of its rollout; one that did not come is a fact about the engine."""
    overdue = result.facts.get("overdue")
    message = f"the rollout did not come to its end: {overdue}" if overdue else result.ending
    return (finding("rollout.end", not overdue, message),)


def verified(result: Result) -> tuple[Observation, ...]:
    back = _back(result)
    late = bool(back.get("escalated"))
    holds = back.get("verified_at") is not None and result.record["state"] in _ROLLED_BACK and not late
    said = result.decisions(event="HEALTH_VERIFIED")
    message = f"{result.record['state']}: {said[-1]['reason'] if said else 'health was never verified'}"
    message += "; only after it had been reported as not verified" if late else ""
    return (finding("rollback.verified", holds, message, value=result.record["state"]),)


def answered_in_a_row(result: Result) -> tuple[Observation, ...]:
    said = result.decisions(event="HEALTH_VERIFIED")
    if not said:
        return (finding("rollback.answers", False, "the public address was never verified"),)
    count, wanted = int(str(said[-1]["reason"]).split(" ", 1)[0]), result.plan["health_answers_in_a_row"]
    engine = finding("rollback.answers", count >= wanted, str(said[-1]["reason"]), value=count, limit=wanted)
    return (engine, _answers_before_verification(result, wanted))


def _answers_before_verification(result: Result, wanted: int) -> Observation:
    """The engine's word against the customers': whose answers were the last ones when it called health verified."""
    until = result.clock.monotonic_at(float(_back(result)["verified_at"]))
    answered = sorted((r for r in result.requests if r.slot and r.ended <= until), key=lambda record: record.ended)
    last = answered[-wanted:]
    by_stable = sum(record.slot == stable_of(result) for record in last)
    message = f"{by_stable} of the last {wanted} answers to customers before the verification came from "
    message += f"{stable_of(result)}"
    holds = by_stable == wanted if len(last) == wanted else None
    return finding("rollback.last_answers", holds, message, value=by_stable, limit=wanted, n=len(last))


def stable_targets_healthy(result: Result) -> tuple[Observation, ...]:
    states = result.facts["after"]["groups"][stable_of(result)]["targets"]
    healthy = states.count("healthy")
    message = f"{healthy} of {len(states)} targets of {stable_of(result)} healthy"
    return (finding("rollback.targets", healthy == len(states) > 0, message, value=healthy, limit=len(states)),)


def capacity_before_customers(result: Result) -> tuple[Observation, ...]:
    calls = effects(result, since=_back(result).get("decided_at", float("inf")))
    capacity = [c for c in updates_of(result, stable_of(result), calls) if c["parameters"].get("desiredCount", 0) > 0]
    moves = [c for c in calls if share_in(c, candidate_of(result)) == 0]
    if not capacity or not moves:
        what = f"{len(capacity)} scalings of the stable side and {len(moves)} moves of customers after the decision"
        return (finding("rollback.capacity_first", False, what),)
    lead = moves[0]["time_virtual"] - capacity[0]["time_virtual"]
    message = f"the stable side was scaled up {lead:.0f} s before it got customers"
    return (finding("rollback.capacity_first", lead > 0, message, value=lead, unit="s"),)


def order_explained(result: Result) -> tuple[Observation, ...]:
    back = _back(result)
    decisions = result.decisions(to="ROLLING_BACK")
    intents = [intent for decision in decisions for intent in decision["intents"]]
    holds = bool(back.get("capacity_first")) and any("EnsureStableCapacity" in intent for intent in intents)
    message = f"capacity first: {back.get('capacity_first')}; intents of the decision: {', '.join(intents) or 'none'}"
    return (finding("rollback.reason", holds, message, value=bool(back.get("capacity_first"))),)


def stable_at_size(result: Result) -> tuple[Observation, ...]:
    running, size = result.facts["after"]["services"][stable_of(result)]["running"], result.record["stable_size"]
    shrunk = [
        c
        for c in updates_of(result, stable_of(result), effects(result))
        if c["parameters"].get("desiredCount", 9) < size
    ]
    message = f"{running} of {size} tasks at the end, after {len(shrunk)} scale-ins by somebody else"
    return (
        finding("stable.size", running >= size and bool(shrunk), message, value=running, limit=size, n=len(shrunk)),
    )


def released_after_verified(result: Result) -> tuple[Observation, ...]:
    decisions = [d for d in result.decisions() if any("ReleaseCapacity" in intent for intent in d["intents"])]
    verified_at = _back(result).get("verified_at")
    holds = bool(decisions) and verified_at is not None and decisions[0]["time"] >= verified_at
    message = f"scale-in released {len(decisions)} times, {'after' if holds else 'not after'} the verification"
    return (finding("stable.release", holds, message, value=len(decisions)),)


def reported_not_verified(result: Result) -> tuple[Observation, ...]:
    holds = bool(_back(result).get("escalated")) and result.exit_code == 12
    message = f"`rollout run` ended with {result.exit_code} in {result.record['state']}; 12 says not verified"
    return (finding("rollback.exit", holds, message, value=result.exit_code, limit=12),)


def told(result: Result, *wanted: str) -> tuple[Observation, ...]:
    subjects = [str(alert["subject"]) for alert in result.alerts]
    missing = [want for want in wanted if not any(subject.startswith(want) for subject in subjects)]
    message = f"told: {'; '.join(subjects) or 'nothing'}" + (f"; missing: {', '.join(missing)}" if missing else "")
    return (finding("alerts.sent", not missing, message, value=len(subjects), n=len(subjects)),)


def figures_told(result: Result) -> tuple[Observation, ...]:
    texts = [str(a["message"]) for a in result.alerts if str(a["subject"]).startswith("ROLLBACK INITIATED")]
    cause = str(_back(result).get("cause", "no cause on record"))
    holds = any(cause in text for text in texts)
    return (finding("alerts.figures", holds, f"told {texts or 'nothing'}; the cause is {cause}", value=len(texts)),)


def nothing_says_success(result: Result) -> tuple[Observation, ...]:
    said = [str(a["subject"]) for a in result.alerts if any(word in str(a["subject"]).upper() for word in _GOOD_NEWS)]
    return (
        finding("alerts.success", not said, f"said to have succeeded: {said or 'nowhere'}", value=len(said), limit=0),
    )


def undelivered_on_record(result: Result) -> tuple[Observation, ...]:
    left = result.record["outbox"]
    arrived = len(result.alerts)
    message = f"{len(left)} alerts on record as not delivered, {arrived} arrived"
    return (finding("alerts.undelivered", bool(left) and arrived == 0, message, value=len(left)),)


def cleaned_after_verified(result: Result) -> tuple[Observation, ...]:
    calls = updates_of(result, candidate_of(result), effects(result))
    down = [c["time_virtual"] for c in calls if c["parameters"].get("desiredCount") == 0]
    verified_at = _back(result).get("verified_at")
    holds = bool(down) and verified_at is not None and down[0] >= verified_at
    message = f"the candidate was scaled down {len(down)} times, {'after' if holds else 'not after'} the verification"
    return (finding("candidate.scale_down", holds, message, value=len(down)),)


def candidate_left_whole(result: Result) -> tuple[Observation, ...]:
    calls = updates_of(result, candidate_of(result), effects(result))
    down = [c for c in calls if c["parameters"].get("desiredCount") == 0]
    desired = result.facts["after"]["services"][candidate_of(result)]["desired"]
    message = f"{len(down)} scale-downs of the candidate, {desired} tasks desired"
    return (finding("candidate.kept", not down and desired > 0, message, value=desired),)


def revision_kept(result: Result) -> tuple[Observation, ...]:
    view = result.facts["after"]["services"][candidate_of(result)]
    kept = view["task_definition"] == result.record["candidate_task_definition"]
    rule = result.facts["after"]["rule"]
    share = share_in({"parameters": {"Actions": rule["Actions"]}}, candidate_of(result))
    message = f"share {share} %, keeps {view['task_definition'].rsplit('/', 1)[-1]}"
    return (finding("candidate.revision", kept and share == 0, message, value=share, limit=0, unit="%"),)


def returned_in(result: Result, minutes_max: float) -> tuple[Observation, ...]:
    back = _back(result)
    if back.get("verified_at") is None:
        return (finding("rollback.minutes", False, "the rollback was never verified"),)
    minutes = (back["verified_at"] - back["decided_at"]) / 60
    message = f"{minutes:.1f} min from the decision to verified health, limit {minutes_max:g} min"
    return (finding("rollback.minutes", minutes < minutes_max, message, value=minutes, limit=minutes_max, unit="min"),)


def only_planted_failures(result: Result) -> tuple[Observation, ...]:
    return (nobody_noticed(result.requests, result.run, planted=list(result.planted)),)


def failures_in_own_log(result: Result) -> tuple[Observation, ...]:
    failed = [record for record in result.requests if record.failed]
    strange = unexplained_failures(result.requests, result.run, planted=list(result.planted))
    message = f"{len(failed) - len(strange)} of {len(failed)} failed requests stand in the candidate's own log by id"
    holds = None if not failed else not strange
    return (finding("failures.logged", holds, message, value=len(strange), limit=0, n=len(failed)),)
