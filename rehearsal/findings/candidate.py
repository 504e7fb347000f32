"""The candidate before it meets a customer."""

from __future__ import annotations

import re
from typing import Any

from probes.account.containers import differences
from rehearsal.findings.common import (
    candidate_of,
    effects,
    finding,
    service_name,
    stable_of,
    updates_of,
)
from rehearsal.result import Result
from rollout.model import Observation

_IMAGE = re.compile(r"containerDefinitions\[\d+\]\.image")


def _ready(result: Result, slot: str) -> dict[str, Any]:
    return dict(result.facts["ready"]["services"][slot])


def became_ready(result: Result) -> tuple[Observation, ...]:
    """Whether there is a ready candidate to look at; what kept it from becoming one, if not."""
    ready = "ready" in result.facts
    message = f"{candidate_of(result)} was ready" if ready else f"the candidate was never ready; {result.ending}"
    return (finding("candidate.ready", ready, message),)


def runs_released_image(result: Result) -> tuple[Observation, ...]:
    view, image = _ready(result, candidate_of(result)), result.record["image"]
    holds = view["running"] == view["desired"] > 0 and all(one == image for one in view["images"])
    message = f"{view['running']} of {view['desired']} tasks run {', '.join(view['images'])}; released is {image}"
    return (
        finding("candidate.tasks", holds, message, value=view["running"], limit=view["desired"], n=view["running"]),
    )


def spread_over_zones(result: Result, zones_min: int) -> tuple[Observation, ...]:
    zones = _ready(result, candidate_of(result))["zones"]
    count = len({zone for zone in zones if zone})
    message = f"{len(zones)} tasks in {count} zones: {', '.join(sorted(set(zones))) or 'none'}; at least {zones_min}"
    return (finding("candidate.zones", count >= zones_min, message, value=count, limit=zones_min, n=len(zones)),)


def nobody_met_it_before_the_shift(result: Result) -> tuple[Observation, ...]:
    """From the stream: no request that ended before the first shift was answered by the candidate."""
    shifted_at = result.record["first_shift_at"]
    if shifted_at is None:
        return (finding("customers.before_shift", None, f"the rollout never shifted; {result.ending}"),)
    until = result.clock.monotonic_at(float(shifted_at))
    before = [record for record in result.requests if record.ended < until and record.slot]
    met = [record for record in before if record.slot == candidate_of(result)]
    message = f"{len(met)} of {len(before)} requests before the first shift were answered by the candidate"
    holds = None if not before else not met
    return (finding("customers.before_shift", holds, message, value=len(met), limit=0, n=len(before)),)


def all_targets_healthy(result: Result) -> tuple[Observation, ...]:
    seen = []
    for slot, group in sorted(result.facts["ready"]["groups"].items()):
        states = group["targets"]
        healthy = states.count("healthy")
        message = f"{healthy} of {len(states)} targets of {slot} healthy: {', '.join(states) or 'none registered'}"
        holds = healthy == len(states) > 0
        seen.append(finding(f"targets.{slot}", holds, message, value=healthy, limit=len(states), n=len(states)))
    return tuple(seen)


def differs_in_image_only(result: Result) -> tuple[Observation, ...]:
    live = result.facts["before"]["services"][stable_of(result)]["definition"]
    new = _ready(result, candidate_of(result))["definition"]
    paths = differences(live, new)
    others = [path for path in paths if not _IMAGE.fullmatch(path)]
    message = f"the revisions differ in {', '.join(paths) or 'nothing'}"
    message += f"; not declared: {', '.join(others)}" if others else ""
    differences_found = finding("revision.differences", bool(paths) and not others, message, value=list(paths))
    return (differences_found, _revision_of_the_answer(result))


def _revision_of_the_answer(result: Result) -> Observation:
    """ECS numbers revisions: the service runs what this rollout registered and asked for, not a number made up."""
    runs = str(_ready(result, candidate_of(result))["task_definition"])
    calls = updates_of(result, candidate_of(result), effects(result, until=result.facts["ready"]["virtual"]))
    asked = [str(call["parameters"]["taskDefinition"]) for call in calls if call["parameters"].get("taskDefinition")]
    registered = str(result.record["candidate_task_definition"])
    message = f"the service runs {_revision(runs)}; asked for {', '.join(map(_revision, asked)) or 'none'}"
    message += f"; the rollout registered {_revision(registered)}"
    return finding("revision.number", runs == registered == (asked or [""])[-1], message, value=_revision(runs))


def _revision(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def only_candidate_updated(result: Result) -> tuple[Observation, ...]:
    """Up to the moment when the candidate was ready, the stable service was not touched by anybody."""
    calls = effects(result, until=result.facts["ready"]["virtual"])
    ours, theirs = (updates_of(result, slot, calls) for slot in (candidate_of(result), stable_of(result)))
    unchanged = (
        result.facts["before"]["services"][stable_of(result)]["task_definition"]
        == _ready(result, stable_of(result))["task_definition"]
    )
    message = (
        f"{len(ours)} updates of {service_name(result, candidate_of(result))}, {len(theirs)} of the stable service"
    )
    return (finding("services.updated", bool(ours) and not theirs and unchanged, message, value=len(theirs), limit=0),)


def no_task_died(result: Result) -> tuple[Observation, ...]:
    view = _ready(result, candidate_of(result))
    message = f"{view['failed_tasks']} tasks of the candidate died while it was prepared"
    holds = view["failed_tasks"] == 0 and view["rollout_state"] == "COMPLETED"
    return (finding("candidate.deaths", holds, message, value=view["failed_tasks"], limit=0),)


def same_health_check(result: Result, path: str, status: int) -> tuple[Observation, ...]:
    groups = result.facts["ready"]["groups"]
    one, other = ({k: v for k, v in groups[s].items() if k != "targets"} for s in ("blue", "green"))
    paths = differences(one, other)
    alike = finding(
        "health_check.alike", not paths, f"both groups differ in {', '.join(paths) or 'nothing'}", value=list(paths)
    )
    seen = [alike]
    for slot, group in sorted(groups.items()):
        check, codes = group["check"], group["check"]["Matcher"].get("HttpCode")
        holds = check["HealthCheckPath"] == path and codes == str(status)
        message = f"{slot} checks {check['HealthCheckPath']} for status {codes}; declared are {path} and {status}"
        seen.append(finding(f"health_check.{slot}", holds, message, value=f"{check['HealthCheckPath']} {codes}"))
    return tuple(seen)


def health_check_in_force(result: Result) -> tuple[Observation, ...]:
    """Read before the first shift, and unchanged since the rollout began."""
    before, ready = (result.facts[moment]["groups"] for moment in ("before", "ready"))
    then, now = ({slot: group["check"] for slot, group in view.items()} for view in (before, ready))
    changed = differences(then, now)
    first = result.record["first_shift_at"]
    in_time = first is not None and result.facts["ready"]["virtual"] < first
    message = f"read {'before' if in_time else 'after'} the first shift, changed: {', '.join(changed) or 'nothing'}"
    return (finding("health_check.in_force", in_time and not changed, message, value=list(changed)),)
