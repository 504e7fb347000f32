"""Small hand-made results: a release that reached everybody and a drill that was taken back, to be changed by tests.

Virtual time begins at START, where the stream's clock shows MONOTONIC; a virtual minute lasts one real second.
Green is stable, blue the candidate.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from probes.stream_record import REQUESTS_FILE, Outcome, Record, Recorder
from rehearsal.result import RESULT_FILE, Result
from rollout.model import Observation, Verdict

START, MONOTONIC, FACTOR = 1_800_000_000.0, 1000.0, 60.0
IMAGE, OLD_IMAGE = "registry/shop-api@sha256:new", "registry/shop-api@sha256:old"
RUN = "run"

Document = dict[str, Any]
Change = Callable[[Document], None]


# ------------------------------------------------------------------------------------------------ parts


def arn(slot: str) -> str:
    return f"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop-api-{slot}/1"


def rule(share: int) -> Document:
    """The public rule with this share for the candidate."""
    groups = [{"TargetGroupArn": arn("blue"), "Weight": share}, {"TargetGroupArn": arn("green"), "Weight": 100 - share}]
    return {"Priority": "100", "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]}


def call(at: float, api: str, operation: str, /, **parameters: Any) -> Document:
    return {
        "service": api,
        "operation": operation,
        "time_virtual": START + at,
        "status": 200,
        "parameters": parameters,
    }


def shift(at: float, share: int) -> Document:
    return call(at, "elbv2", "ModifyRule", Actions=rule(share)["Actions"])


def update(at: float, slot: str, **parameters: Any) -> Document:
    return call(at, "ecs", "UpdateService", service=f"shop-api-{slot}", **parameters)


def rename(at: float, name: str = "current.shop.example", action: str = "UPSERT", zone: str = "Z1") -> Document:
    change = {"Action": action, "ResourceRecordSet": {"Name": f"{name}."}}
    return call(at, "route53", "ChangeResourceRecordSets", HostedZoneId=zone, ChangeBatch={"Changes": [change]})


def decision(at: float, event: str, state: str, to: str, **more: Any) -> Document:
    payload = {
        "kind": "decision",
        "time": START + at,
        "event": event,
        "state": state,
        "to": to,
        "verdict": "PASS",
        "reason": event.lower(),
        "intents": [],
        "share_wanted": 0,
        "observations": [],
    }
    return {"payload": payload | more}


def seen(name: str, verdict: str = "PASS", **more: Any) -> Document:
    """An observation as a journal keeps it."""
    return {"name": name, "verdict": verdict, "time": START, "value": 0.0, "message": f"{verdict} {name}"} | more


def definition(image: str) -> Document:
    return {"family": "shop-api", "containerDefinitions": [{"name": "shop-api", "image": image, "cpu": 256}]}


def service(image: str, revision: int, *, tasks: int = 2) -> Document:
    return {
        "desired": tasks,
        "running": tasks,
        "task_definition": f"arn:task-definition/shop-api:{revision}",
        "rollout_state": "COMPLETED",
        "failed_tasks": 0,
        "zones": ["us-east-1a", "us-east-1b"][:tasks],
        "definition": definition(image),
        "images": [image],
    }


def group(*states: str) -> Document:
    return {"check": {"HealthCheckPath": "/health", "Matcher": {"HttpCode": "200"}}, "targets": list(states)}


def view(at: float, *, blue: Document, green: Document, share: int) -> Document:
    """The account at one moment."""
    return {
        "virtual": START + at,
        "services": {"blue": blue, "green": green},
        "groups": {slot: group(*["healthy"] * side["running"]) for slot, side in (("blue", blue), ("green", green))},
        "rule": rule(share),
        "zone": "Z1",
        "records": [],
    }


def request(number: int, at: float, slot: str, outcome: Outcome = Outcome.OK) -> Record:
    """A request that was meant to leave at a virtual instant, seconds after START."""
    monotonic = MONOTONIC + at / FACTOR
    status = {Outcome.OK: 200, Outcome.TARGET_ERROR: 500}.get(outcome, 0)
    return Record(number, monotonic, monotonic, "get", outcome, status, slot if status else "", "1.0.0", 5.0)


# ------------------------------------------------------------------------------------------------ whole documents

_GATES = ("GATE-01", "GATE-02", "GATE-03", "GATE-04")
_TRIGGERS = ("TRIG-01", "TRIG-02", "TRIG-03", "TRIG-04", "TRIG-05")
_STAGES = ((5, 120.0, 360.0), (25, 360.0, 600.0), (50, 600.0, 840.0))
DNS = {"name": "current.shop.example", "ttl_seconds": 60, "values": {"blue": "blue.shop.example", "green": "g"}}


def _base(**record: Any) -> Document:
    whole = {
        "rollout_id": "r1",
        "stable": "green",
        "candidate": "blue",
        "stable_version": "1.0.0",
        "version_name": "1.1.0",
        "state": "COMPLETED",
        "image": IMAGE,
        "plan_sha256": "f" * 64,
        "created_at": START,
        "submitted_at": START + 100,
        "first_shift_at": START + 120,
        "reached_full_at": None,
        "finished_at": None,
        "dns_changed_at": None,
        "stage": 3,
        "passes": [],
        "back": None,
        "reason": "still so after 300 s",
        "outbox": [],
        "stable_size": 2,
        "stable_task_definition": "arn:task-definition/shop-api:1",
        "candidate_task_definition": "arn:task-definition/shop-api:2",
    }
    idle, live = service(IMAGE, 2, tasks=0), service(OLD_IMAGE, 1)
    return {
        "seconds": 60.0,
        "exit_code": 0,
        "record": whole | record,
        "plan": {"stages": [{"share_percent": share} for share in (5, 25, 50, 100)], "health_answers_in_a_row": 5},
        "journal": [],
        "operations": [],
        "alerts": [],
        "clock": {"monotonic": MONOTONIC, "virtual": START, "factor": FACTOR},
        "stream_run": RUN,
        "service_errors": [],
        "facts": {"before": view(0, blue=idle, green=live, share=0)},
        "observations": {},
    }


def release() -> Document:
    """A release without incident: 5, 25, 50 and 100 %, the name, the old side's end."""
    whole = _base(reached_full_at=START + 840, finished_at=START + 3360, dns_changed_at=START + 2820)
    whole["plan"]["dns"] = DNS
    whole["record"]["passes"] = [
        {"share_percent": share, "first_minute": START + since + 60, "last_minute": START + until - 120}
        for share, since, until in _STAGES
    ]
    whole["journal"] = [*_growth(), *_stability(), {"payload": {"kind": "outcome"}}]
    whole["operations"] = [
        update(10, "blue", taskDefinition="arn:task-definition/shop-api:2", desiredCount=2),
        *(shift(since, share) for share, since, _ in (*_STAGES, (100, 840.0, 0.0))),
        rename(2760),
        update(2900, "green", desiredCount=0),
    ]
    new, old = service(IMAGE, 2), service(OLD_IMAGE, 1)
    gone = service(OLD_IMAGE, 1, tasks=0)
    whole["facts"] |= {
        "ready": view(90, blue=new, green=old, share=0),
        "at 100": view(900, blue=new, green=old, share=100),
        "after": view(3400, blue=new, green=gone, share=100),
    }
    name = {"Name": "current.shop.example.", "ResourceRecords": [{"Value": "blue.shop.example."}]}
    whole["facts"]["after"]["records"] = [name]
    return whole


def _growth() -> list[Document]:
    gates = [seen(gate, n=1000, message=f"PASS {gate}: complete") for gate in _GATES]
    rows = [decision(100, "CONFIRMED", "READY", "SHIFTING", share_wanted=5)]
    for (share, since, until), following in zip(_STAGES, (25, 50, 100), strict=True):
        rows.append(decision(since, "WAIT", "SHIFTING", "SHIFTING", intents=[f"SetShare(candidate={share})"]))
        rows.append(decision(since, "SHARE_VERIFIED", "SHIFTING", "BAKING", share_wanted=share))
        rows.append(decision(until, "GATE_PASSED", "BAKING", "SHIFTING", share_wanted=following, observations=gates))
    rows.append(decision(840, "WAIT", "SHIFTING", "SHIFTING", intents=["SetShare(candidate=100)"]))
    return rows


def _stability() -> list[Document]:
    armed = [seen(trigger) for trigger in _TRIGGERS]
    rows = [decision(840, "FULL_SHARE_VERIFIED", "SHIFTING", "STABILIZING", share_wanted=100)]
    rows += [decision(at, "WAIT", "STABILIZING", "STABILIZING", observations=armed) for at in range(900, 2760, 60)]
    reason = "30 verified minutes at 100 %, no trigger tripped"
    rows.append(decision(2760, "STABLE_LONG_ENOUGH", "STABILIZING", "RETIRING", reason=reason))
    rows.append(decision(2820, "DNS_RESOLVED", "RETIRING", "RETIRING", reason="current is INSYNC"))
    return rows


def taken_back() -> Document:
    """A drill at 5 %: errors, a trigger after five minutes, everybody back, verified and cleaned."""
    cause = "FAIL TRIG-01 50 %, error rate > 1 %, n=30, 5 of 5 consecutive minutes over"
    back = {
        "cause": cause,
        "rule": "TRIG-01",
        "decided_at": START + 480,
        "switched_at": START + 485,
        "verified_at": START + 540,
        "capacity_first": False,
        "escalated": False,
    }
    whole = _base(state="ROLLED_BACK", back=back, stage=0, finished_at=START + 900)
    tripped = seen("TRIG-01", "FAIL", value=50.0, limit=1.0, unit="%", n=30, message=cause)
    whole["journal"] = [
        decision(120, "SHARE_VERIFIED", "SHIFTING", "BAKING", share_wanted=5),
        decision(
            480, "TRIGGER_TRIPPED", "BAKING", "ROLLING_BACK", verdict="FAIL", observations=[tripped],
            intents=["SetShare(candidate=0)", "EnsureStableCapacity(minimum=2)"],
        ),
        decision(485, "SWITCHED", "ROLLING_BACK", "VERIFYING"),
        decision(540, "HEALTH_VERIFIED", "VERIFYING", "CLEANING", reason="5 answers in a row by green"),
        decision(545, "WAIT", "CLEANING", "CLEANING", intents=["ReleaseCapacity(live='green', retired='blue')"]),
    ]  # fmt: skip
    whole["operations"] = [
        update(10, "blue", taskDefinition="arn:task-definition/shop-api:2", desiredCount=2),
        shift(120, 5),
        update(200, "green", desiredCount=1),
        shift(481, 0),
        update(482, "green", desiredCount=2),
        update(560, "blue", desiredCount=0),
    ]
    whole["alerts"] = [
        {"subject": "ROLLBACK INITIATED (r1)", "message": f"ROLLBACK INITIATED: {cause}"},
        {"subject": "ROLLBACK VERIFIED (r1)", "message": "ROLLBACK VERIFIED"},
    ]
    idle, old = service(IMAGE, 2, tasks=0), service(OLD_IMAGE, 1)
    whole["facts"]["after"] = view(900, blue=idle, green=old, share=0)
    whole["service_errors"] = [{"request_id": f"{RUN}-3"}]
    return whole


def emergency() -> Document:
    """A drill in which a person runs the break-glass command twice beside a live engine."""
    whole = taken_back()
    whole["record"]["state"] = "ABORTED_EXTERNALLY"
    run = {"exit_code": 0, "output": "done", "seconds": 2.5, "ended_virtual": START + 481}
    whole["facts"]["emergency"] = [
        run | {"rule_before": rule(5), "rule_after": rule(0)},
        run | {"rule_before": rule(0), "rule_after": rule(0), "ended_virtual": START + 500},
    ]
    taken = decision(485, "SHARE_TAKEN_AWAY", "BAKING", "VERIFYING", reason="somebody set 0 %")
    whole["journal"].append(taken)
    return whole


# ------------------------------------------------------------------------------------------------ streams


@functools.cache
def release_stream() -> tuple[Record, ...]:
    """120 requests a real second from the beginning to the end, split exactly as the listener was told."""
    shares = [(at, share) for share, at, _ in _STAGES] + [(840.0, 100)]
    records = []
    for number in range(57 * 120):
        at = number * FACTOR / 120
        share = max((share for since, share in shares if since <= at), default=0)
        ours = number * share // 100 != (number + 1) * share // 100
        records.append(request(number, at, "blue" if ours else "green"))
    return tuple(records)


def drill_stream() -> tuple[Record, ...]:
    """Ten a real second; the third fails by the candidate's own doing."""
    records = [request(number, number * 6.0, "green") for number in range(120)]
    records[3] = request(3, 18.0, "blue", Outcome.TARGET_ERROR)
    return tuple(records)


# ------------------------------------------------------------------------------------------------ results


def made(directory: Path, document: Document, requests: Sequence[Record] = ()) -> Result:
    """The result as a rehearsal leaves it."""
    (directory / RESULT_FILE).write_text(json.dumps(document), encoding="utf-8")
    if requests:
        (directory / "stream").mkdir()
        with (directory / "stream" / REQUESTS_FILE).open("w", encoding="ascii") as file:
            recorder = Recorder(file)
            for record in requests:
                recorder.add(record)
    return Result(directory)


def changed(document: Document, change: Change) -> Document:
    copied = copy.deepcopy(document)
    change(copied)
    return copied


def put(*path: str | int, value: Any) -> Change:
    """A change that puts a value at a place of the document."""

    def change(document: Document) -> None:
        place: Any = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def both(*changes: Change) -> Change:
    def change(document: Document) -> None:
        for one in changes:
            one(document)

    return change


def without_events(*events: str) -> Change:
    def change(document: Document) -> None:
        document["journal"] = [e for e in document["journal"] if e["payload"].get("event") not in events]

    return change


def without_calls(holds: Callable[[Document], bool]) -> Change:
    def change(document: Document) -> None:
        document["operations"] = [one for one in document["operations"] if not holds(one)]

    return change


def also(*calls: Document) -> Change:
    """More calls, in the order of their times."""

    def change(document: Document) -> None:
        document["operations"] = sorted([*document["operations"], *calls], key=lambda one: one["time_virtual"])

    return change


def same(document: Document) -> None:
    """Nothing is changed."""


_WORST = (Verdict.FAIL, Verdict.NO_DATA, Verdict.LOW_SAMPLE)


def overall(observations: Iterable[Observation]) -> str:
    """The worst verdict of some observations, of which there is at least one with a sentence each."""
    rows = list(observations)
    assert rows, "a finding without an observation"
    assert all(row.message and row.name for row in rows)
    verdicts = {row.verdict for row in rows}
    return str(next((verdict for verdict in _WORST if verdict in verdicts), Verdict.PASS))
