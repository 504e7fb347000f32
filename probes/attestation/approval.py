"""Whether a thing is approved: attestations held against what is to be done. Pure.

Some reasons only make an attestation not count: it is about something else, too old, the author's own, of another
role. Enough others outweigh them. The rest stands against the whole: what cannot be read, what was altered or signed by
a stranger, and a refusal, which is the word of somebody who looked and said no.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from probes.attestation.approvers import Approvers, same_person
from probes.attestation.documents import Attestation, Document, Refusal, open_document
from probes.attestation.statement import Statement, Subject
from probes.question import Question
from rollout.model import Basis, Observation, Verdict

CLOCK_SKEW = timedelta(minutes=5)
LIFETIME_MAX = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What has to be approved and by whom.

    `authors`: the identities of all who wrote what is to be done, without them nobody can be told to be another.
    `role`: what an approver must be allowed. `lifetime_max`: no approval may be made to count longer.
    """

    control_id: str
    subject: Subject
    role: str
    authors: frozenset[str]
    approvers_min: int = 1
    lifetime_max: timedelta = LIFETIME_MAX


@dataclass(frozen=True, kw_only=True)
class Approval:
    """The observation, and the attestations that it rests on (empty unless it is PASS)."""

    observation: Observation
    attestations: tuple[Attestation, ...] = ()


def judge_approval(
    documents: Sequence[Document], approvers: Approvers, *, demand: Demand, now: datetime, source: str
) -> Approval:
    """`approval`: enough people on the list, none of them an author, approve exactly this subject at `now`.

    NO_DATA without any attestation, SOURCE_ERROR for one that cannot be read, FAIL for the rest; every attestation
    that does not count is named with its reason. Raises ValueError for a demand of no approver at all.
    """
    if demand.approvers_min < 1:
        raise ValueError("an approval by nobody is none: approvers_min starts at 1")
    question = _question(demand, f"{source}, approvers {approvers.sha256[:12]}")
    if not documents:
        return Approval(observation=question.no_data(f"nobody has attested anything about {demand.subject}"))
    if not demand.authors:
        return Approval(observation=question.no_data("who wrote the change is not known, so anybody may be its author"))
    opened = [open_document(document, approvers) for document in documents]
    ruled = [one if isinstance(one, Refusal) else rule(one, demand, now=now) for one in opened]
    counted = [one for one in ruled if isinstance(one, Attestation)]
    refusals = [one for one in ruled if isinstance(one, Refusal)]
    return _decide(question, demand, counted=counted, refusals=refusals)


def _question(demand: Demand, source: str) -> Question:
    people = "one person" if demand.approvers_min == 1 else f"{demand.approvers_min} people"
    return Question(
        name="approval",
        rule=f"approved by {people} of the role {demand.role}, none of them an author ({demand.control_id})",
        limit=demand.approvers_min,
        unit="approvers",
        source=source,
        basis=Basis.ARTEFACT,
    )


def _decide(
    question: Question, demand: Demand, *, counted: Sequence[Attestation], refusals: Sequence[Refusal]
) -> Approval:
    people = sorted({attestation.signer.identity.casefold() for attestation in counted})
    lasting = [refusal for refusal in refusals if refusal.lasting]
    enough = len(people) >= demand.approvers_min
    if enough and not lasting:
        message = f"{demand.subject} is approved by {', '.join(people)}{_besides(refusals)}"
        return Approval(observation=question.passed(people, message, n=len(people)), attestations=tuple(counted))
    reasons = "; ".join(map(str, lasting if enough else refusals))
    have = f"{len(people)} of {demand.approvers_min} approvers of {demand.subject}"
    message = f"{have}: {reasons}" if reasons else f"only {have} ({', '.join(people)})"
    verdicts = {refusal.verdict for refusal in (lasting if enough else refusals)} or {Verdict.FAIL}
    verdict = Verdict.FAIL if Verdict.FAIL in verdicts else Verdict.SOURCE_ERROR
    return Approval(observation=question.answer(verdict, people, message=message, n=len(people)))


def _besides(refusals: Sequence[Refusal]) -> str:
    return f" (not counted: {'; '.join(map(str, refusals))})" if refusals else ""


def rule(attestation: Attestation, demand: Demand, *, now: datetime) -> Attestation | Refusal:
    """The attestation if it counts for the demand at `now`, else why not; a refusal of the thing itself comes first."""
    statement = attestation.statement
    about_this = statement.control_id == demand.control_id and statement.subject == demand.subject
    if about_this and statement.status == "failed":
        said = f"{attestation.signer.identity} refused {demand.subject}: {statement.explanation}"
        return Refusal(name=attestation.name, verdict=Verdict.FAIL, message=said)
    problem = _about(statement, demand) or _time(statement, demand, now) or _person(attestation, demand, now)
    if problem:
        return Refusal(name=attestation.name, verdict=Verdict.FAIL, message=problem, lasting=False)
    return attestation


def _about(statement: Statement, demand: Demand) -> str:
    if statement.control_id != demand.control_id:
        return f"attestation for {statement.control_id}, not for {demand.control_id}"
    seen, wanted = statement.subject, demand.subject
    if (seen.kind, seen.digest) != (wanted.kind, wanted.digest):
        return f"attestation for another {wanted.kind}: {seen.kind} {seen.digest} instead of {wanted.digest}"
    if seen.shown_sha256 != wanted.shown_sha256:
        return f"what was shown to the approver ({seen.shown_sha256[:12]}) is not what this {wanted.kind} shows"
    return ""


def _time(statement: Statement, demand: Demand, now: datetime) -> str:
    if statement.updated > now + CLOCK_SKEW:
        return f"dated {statement.updated:%Y-%m-%d %H:%M} UTC, which is yet to come"
    if statement.expires - statement.updated > demand.lifetime_max:
        days = demand.lifetime_max / timedelta(days=1)
        return f"made to count longer than {days:g} days, until {statement.expires:%Y-%m-%d}"
    if now >= statement.ends:
        return f"expired at {statement.ends:%Y-%m-%d %H:%M} UTC"
    return ""


def _person(attestation: Attestation, demand: Demand, now: datetime) -> str:
    signer, role = attestation.signer, attestation.statement.role
    if any(same_person(signer.identity, author) for author in demand.authors):
        return f"self-approval: {signer.identity} wrote the change"
    if signer.until is not None and now.date() > signer.until:
        return f"the key of {signer.identity} counted until {signer.until}"
    if role != demand.role:
        return f"approved as {role}, not as {demand.role}"
    return "" if role in signer.roles else f"{signer.identity} does not have the role {role}"
