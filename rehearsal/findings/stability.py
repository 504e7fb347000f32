"""The stability time, the change of names, the old side's end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.stream_report import nobody_noticed
from rehearsal.findings.common import candidate_of, effects, finding, journalled, share_in, stable_of, updates_of
from rehearsal.result import Result
from rollout.model import MINUTE_SECONDS, Observation

_LATE_MINUTES_MAX = 2
_TRIGGERS = {"TRIG-01", "TRIG-02", "TRIG-03", "TRIG-04", "TRIG-05"}


def _span(result: Result) -> tuple[float, float] | None:
    full = result.decisions(event="FULL_SHARE_VERIFIED")
    done = result.decisions(event="STABLE_LONG_ENOUGH")
    return (full[-1]["time"], done[-1]["time"]) if full and done else None


def watched_long_enough(result: Result, minutes_min: int) -> tuple[Observation, ...]:
    span = _span(result)
    if span is None:
        return (finding("stability.minutes", None, f"the stability time never ended; {result.ending}"),)
    minutes = (span[1] - span[0]) / MINUTE_SECONDS
    decision = result.decisions(event="STABLE_LONG_ENOUGH")[-1]
    verified = int(str(decision["reason"]).split(" ", 1)[0])
    message = f"{verified} verified minutes in {minutes:.1f} min with all customers, at least {minutes_min}"
    return (finding("stability.minutes", verified >= minutes_min, message, value=verified, limit=minutes_min),)


def triggers_armed(result: Result) -> tuple[Observation, ...]:
    """Each minute of the stability time was looked at by a decision that names all five triggers.

    A decision judges the last fifteen minutes; it counts for those that closed at most two minutes before it."""
    span = _span(result)
    if span is None:
        return (finding("stability.triggers", None, f"the stability time never ended; {result.ending}"),)
    armed: set[int] = set()
    for decision in result.decisions():
        names = {seen.name for seen in journalled(decision)}
        if decision["state"] == "STABILIZING" and names >= _TRIGGERS:
            minute = int(decision["time"] // MINUTE_SECONDS)
            armed |= {minute - late for late in range(1, _LATE_MINUTES_MAX + 1)}
    expected = range(int(span[0] // MINUTE_SECONDS) + 1, int(span[1] // MINUTE_SECONDS) - 1)
    missing = [minute for minute in expected if minute not in armed]
    message = f"{len(expected) - len(missing)} of {len(expected)} minutes have a decision with all five triggers"
    return (finding("stability.triggers", not missing, message, value=len(missing), limit=0, n=len(expected)),)


def way_back_warm(result: Result) -> tuple[Observation, ...]:
    """With all customers on the candidate: stable attached at weight 0, at its recorded size, healthy, never lost."""
    view = result.facts.get("at 100")
    if view is None:
        return (finding("way_back", None, f"nobody looked while all customers were on the candidate; {result.ending}"),)
    stable = stable_of(result)
    service, states = view["services"][stable], view["groups"][stable]["targets"]
    groups = [
        row
        for action in view["rule"]["Actions"]
        for row in action.get("ForwardConfig", {}).get("TargetGroups", [])
        if f"-{stable}/" in row["TargetGroupArn"]
    ]
    attached = len(groups) == 1 and groups[0]["Weight"] == 0
    full = service["running"] >= result.record["stable_size"]
    healthy = states.count("healthy") == len(states) > 0
    lost = result.decisions(event="STABLE_SIDE_LOST")
    message = (
        f"{stable} {'attached at weight 0' if attached else 'not attached at weight 0'}, {service['running']} of "
        f"{result.record['stable_size']} tasks, {states.count('healthy')} of {len(states)} targets healthy, "
        f"found lost {len(lost)} times"
    )
    return (finding("way_back", attached and full and healthy and not lost, message, value=len(lost), limit=0),)


def name_followed(result: Result) -> tuple[Observation, ...]:
    change = result.plan.get("dns")
    if change is None:
        return (finding("dns.live_name", None, "the plan changes no name"),)
    wanted = change["values"][candidate_of(result)]
    resolved = result.decisions(event="DNS_RESOLVED")
    rows = [row for row in result.facts["after"]["records"] if row["Name"].rstrip(".") == change["name"]]
    values = [value["Value"].rstrip(".") for row in rows for value in row.get("ResourceRecords", [])]
    holds = bool(resolved) and values == [wanted]
    said = resolved[-1]["reason"] if resolved else "never INSYNC and resolved"
    return (finding("dns.live_name", holds, f"{change['name']} holds {values}; {said}", value=values, limit=wanted),)


def served_until_expiry(result: Result) -> tuple[Observation, ...]:
    change, changed = result.plan.get("dns"), result.record["dns_changed_at"]
    down = [c for c in updates_of(result, stable_of(result), effects(result)) if _to_zero(c)]
    if change is None or changed is None or not down:
        return (finding("dns.expiry", None, f"no change of names before a scale-down to look at; {result.ending}"),)
    waited = down[0]["time_virtual"] - changed
    message = (
        f"the old side was scaled down {waited:.0f} s after the name was resolved, lifetime {change['ttl_seconds']} s"
    )
    holds = waited >= change["ttl_seconds"]
    return (finding("dns.expiry", holds, message, value=waited, limit=change["ttl_seconds"], unit="s"),)


def _to_zero(call: object) -> bool:
    return call["parameters"].get("desiredCount") == 0  # type: ignore[index,no-any-return]


def only_declared_record(result: Result) -> tuple[Observation, ...]:
    declared, zone = (result.plan.get("dns") or {}).get("name"), result.facts["before"]["zone"]
    calls = [c for c in effects(result) if c["operation"] == "ChangeResourceRecordSets"]
    changed = [_name_and_action(change) for call in calls for change in _changes(call)]
    foreign = [change for change in changed if change != (declared, "UPSERT")]
    elsewhere = sorted({_zone_in(call) for call in calls} - {zone})
    message = f"changed: {changed or 'nothing'}; declared is {declared}"
    message += f"; in another zone: {', '.join(elsewhere)}, declared is {zone}" if elsewhere else f" in zone {zone}"
    holds = bool(changed) and not foreign and not elsewhere
    return (finding("dns.batch", holds, message, value=len(foreign), limit=0, n=len(changed)),)


def _zone_in(call: Mapping[str, Any]) -> str:
    return str(call["parameters"].get("HostedZoneId", "no zone")).rsplit("/", 1)[-1]


def _name_and_action(change: dict[str, Any]) -> tuple[str, str]:
    return str(change["ResourceRecordSet"]["Name"]).rstrip("."), str(change["Action"])


def _changes(call: object) -> list[dict[str, Any]]:
    batch = call["parameters"].get("ChangeBatch", {})  # type: ignore[index]
    changes = batch.get("Changes", [])
    return list(changes["Change"]) if isinstance(changes, dict) else list(changes)


def reverse_stored(result: Result) -> tuple[Observation, ...]:
    """The frozen plan names the record's value for both slots: the change, and its reverse."""
    values = (result.plan.get("dns") or {}).get("values", {})
    holds = set(values) == {stable_of(result), candidate_of(result)}
    message = f"the plan {result.record['plan_sha256'][:12]} holds values for {', '.join(sorted(values)) or 'no slot'}"
    return (finding("dns.reverse", holds, message, value=dict(values)),)


def changed_before_scale_down(result: Result) -> tuple[Observation, ...]:
    calls = effects(result)
    names = [c["time_virtual"] for c in calls if c["operation"] == "ChangeResourceRecordSets"]
    down = [c["time_virtual"] for c in updates_of(result, stable_of(result), calls) if _to_zero(c)]
    if not names or not down:
        return (finding("dns.order", None, f"no change of names, or no scale-down; {result.ending}"),)
    message = f"names changed {down[0] - names[0]:.0f} s before the old side was scaled down"
    return (finding("dns.order", names[-1] < down[0], message, value=down[0] - names[0], unit="s"),)


def old_side_gone(result: Result) -> tuple[Observation, ...]:
    view = result.facts["after"]["services"][stable_of(result)]
    kept = view["task_definition"] == result.record["stable_task_definition"]
    message = f"{view['running']} tasks left, keeps {view['task_definition'].rsplit('/', 1)[-1]}"
    return (finding("old_side.tasks", view["running"] == 0 and kept, message, value=view["running"], limit=0),)


def scaled_down_without_weight(result: Result) -> tuple[Observation, ...]:
    calls = effects(result)
    down = [c["time_virtual"] for c in updates_of(result, stable_of(result), calls) if _to_zero(c)]
    moves = [c for c in calls if share_in(c, stable_of(result)) is not None]
    if not down or not moves:
        return (
            finding(
                "old_side.weight",
                None,
                f"the old side was never scaled down, or the listener never changed; {result.ending}",
            ),
        )
    last = [c for c in moves if c["time_virtual"] < down[0]][-1]
    weight = share_in(last, stable_of(result))
    message = f"its weight was {weight} % for {down[0] - last['time_virtual']:.0f} s when it was scaled down"
    return (finding("old_side.weight", weight == 0, message, value=weight, limit=0, unit="%"),)


def nobody_cut_off(result: Result) -> tuple[Observation, ...]:
    down = [c["time_virtual"] for c in updates_of(result, stable_of(result), effects(result)) if _to_zero(c)]
    if not down:
        return (finding("stream.failures", None, f"the old side was never scaled down; {result.ending}"),)
    since = result.clock.monotonic_at(down[0]) - 1.0
    return (nobody_noticed([r for r in result.requests if r.monotonic >= since], result.run),)
