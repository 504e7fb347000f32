"""How a good rehearsal's result is changed into what a wrong one would have shown; each function one defect."""

from __future__ import annotations

import copy

from probes.stream_record import Outcome
from tests.defects.evidence import Evidence

_SKIPPED = 25


def runs_old_image(evidence: Evidence) -> None:
    """The candidate's tasks run the image that was live already."""
    services = evidence.facts["ready"]["services"]
    old = services[evidence.stable]["images"]
    services[evidence.candidate]["images"] = list(old)
    services[evidence.candidate]["definition"]["containerDefinitions"][0]["image"] = old[0]


def one_target_unhealthy(evidence: Evidence) -> None:
    """One of the stable side's targets fails its check when the candidate is ready."""
    evidence.facts["ready"]["groups"][evidence.stable]["targets"][0] = "unhealthy"


def revision_made_up(evidence: Evidence) -> None:
    """The service runs a revision of some build's number, not the one that ECS answered."""
    view = evidence.facts["ready"]["services"][evidence.candidate]
    view["task_definition"] = view["task_definition"].rsplit(":", 1)[0] + ":117"


def role_changed(evidence: Evidence) -> None:
    """The new revision has another role and one more variable."""
    definition = evidence.facts["ready"]["services"][evidence.candidate]["definition"]
    definition["taskRoleArn"] = "arn:aws:iam::123456789012:role/administrator"
    definition["containerDefinitions"][0]["environment"] = [{"name": "DEBUG", "value": "1"}]


def stage_skipped(evidence: Evidence) -> None:
    """From 5 % straight to 50 %."""
    gone = evidence.share_moves(_SKIPPED)
    evidence.document["operations"] = [call for call in evidence.document["operations"] if call not in gone]
    evidence.record["passes"] = [p for p in evidence.record["passes"] if p["share_percent"] != _SKIPPED]


def retired_with_weight(evidence: Evidence) -> None:
    """The old side was scaled down while half of the customers were on it."""
    half, full = evidence.share_moves(50)[0], evidence.share_moves(100)[0]
    evidence.scale_downs(evidence.stable)[0]["time_virtual"] = (half["time_virtual"] + full["time_virtual"]) / 2


def connections_cut(evidence: Evidence) -> None:
    """Three long answers were cut when the old side's tasks stopped."""
    since = evidence.monotonic_at(evidence.scale_downs(evidence.stable)[0]["time_virtual"])
    later = [number for number, request in enumerate(evidence.requests) if request.monotonic > since]
    for number in later[:3]:
        cut = evidence.requests[number]._replace(outcome=str(Outcome.RESET), status=0, slot="", version="")
        evidence.requests[number] = cut


def retired_before_expiry(evidence: Evidence) -> None:
    """The old side went 20 s after the name had followed; resolvers may keep the old answer for 60 s."""
    evidence.scale_downs(evidence.stable)[0]["time_virtual"] = evidence.record["dns_changed_at"] + 20


def retired_before_names(evidence: Evidence) -> None:
    """The old side was gone when the name still led to it."""
    changed = evidence.calls("ChangeResourceRecordSets")[0]["time_virtual"]
    evidence.scale_downs(evidence.stable)[0]["time_virtual"] = changed - 60


def watched_29_minutes(evidence: Evidence) -> None:
    decision = evidence.decisions("STABLE_LONG_ENOUGH")[0]
    decision["reason"] = "29" + decision["reason"].removeprefix("30")


def stable_detached(evidence: Evidence) -> None:
    """With all customers on the candidate the rule forwards to its group alone."""
    for action in evidence.facts["at 100"]["rule"]["Actions"]:
        groups = action["ForwardConfig"]["TargetGroups"]
        action["ForwardConfig"]["TargetGroups"] = [
            g for g in groups if f"-{evidence.stable}/" not in g["TargetGroupArn"]
        ]


def triggers_not_shown(evidence: Evidence) -> None:
    """With all customers on the candidate nobody looked at a trigger."""
    for entry in evidence.document["journal"]:
        if entry["payload"].get("state") == "STABILIZING":
            rows = entry["payload"].get("observations", [])
            entry["payload"]["observations"] = [row for row in rows if not row["name"].startswith("TRIG-")]


def foreign_record(evidence: Evidence) -> None:
    """The batch also changes the public name itself."""
    changes = evidence.calls("ChangeResourceRecordSets")[0]["parameters"]["ChangeBatch"]["Changes"]
    foreign = copy.deepcopy(changes[0])
    foreign["ResourceRecordSet"]["Name"] = "api.shop.example."
    changes.append(foreign)


def deleted_only(evidence: Evidence) -> None:
    """The batch takes the record away and puts nothing in its place."""
    changes = evidence.calls("ChangeResourceRecordSets")[0]["parameters"]["ChangeBatch"]["Changes"]
    changes[0]["Action"] = "DELETE"


def another_zone(evidence: Evidence) -> None:
    evidence.calls("ChangeResourceRecordSets")[0]["parameters"]["HostedZoneId"] = "/hostedzone/ZANOTHER"


def verified_late(evidence: Evidence) -> None:
    """Five minutes and one second after the decision."""
    back = evidence.record["back"]
    back["verified_at"] = back["decided_at"] + 301


def candidate_answers_on(evidence: Evidence) -> None:
    """The candidate, draining, still answered every other request up to the verification and after it."""
    since = evidence.monotonic_at(evidence.record["back"]["decided_at"])
    for number, request in enumerate(evidence.requests):
        if request.monotonic > since and number % 2:
            evidence.requests[number] = request._replace(slot=evidence.candidate)


def cleaned_with_weight(evidence: Evidence) -> None:
    """The candidate was scaled down before the listener had taken its customers away."""
    operations = evidence.document["operations"]
    down = evidence.scale_downs(evidence.candidate)[0]
    down["time_virtual"] = evidence.record["back"]["decided_at"] + 0.001
    operations.sort(key=lambda call: call["time_virtual"])


def cleaned_unverified(evidence: Evidence) -> None:
    """The candidate was scaled to nothing although nobody had seen the stable side healthy."""
    update = copy.deepcopy(evidence.calls("UpdateService", lambda p: "taskDefinition" in p)[0])
    update["parameters"] = {"service": f"shop-api-{evidence.candidate}", "desiredCount": 0}
    update["time_virtual"] = evidence.record["back"]["decided_at"] + 60
    evidence.document["operations"].append(update)
    evidence.facts["after"]["services"][evidence.candidate]["desired"] = 0


def journal_line_edited(evidence: Evidence) -> None:
    """Somebody writes a better reason into an entry, and leaves its hash as it was."""
    payload = evidence.document["journal"][3]["payload"]
    payload["reason"] = "everything was in order"
