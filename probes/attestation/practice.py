"""Whether people vouch for what they keep doing: access reviews, exercises, training (policies/catalogue). Pure.

A practice has no author, so anybody of the role may vouch for it; it has words, and an attestation of other words is
none. What cannot be read, and what was altered or signed by a stranger, stands against every practice: it may be the
word of somebody who refused, and nobody can tell of what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from probes.attestation.approval import Demand, rule
from probes.attestation.approvers import Approvers
from probes.attestation.documents import Attestation, Document, Refusal, open_document
from probes.attestation.statement import Subject
from probes.question import Question
from rollout.model import Basis, Observation, Verdict

CONTROL = "PRE-09"


@dataclass(frozen=True, kw_only=True)
class Practice:
    """What is vouched for: name, words, their digest, who may, and the longest time between two attestations."""

    name: str
    says: str
    sha256: str
    role: str
    every_days: int

    @property
    def demand(self) -> Demand:
        """What is asked of an attestation of it."""
        return Demand(
            control_id=CONTROL,
            subject=Subject(kind="practice", digest=self.sha256),
            role=self.role,
            authors=frozenset(),
            lifetime_max=timedelta(days=self.every_days),
        )


def judge_practices(
    practices: Sequence[Practice], documents: Sequence[Document], approvers: Approvers, *, now: datetime, source: str
) -> tuple[Observation, ...]:
    """`attestation.<name>` for each practice: NO_DATA when nobody vouched for it, FAIL when nobody's word counts, or
    when somebody of the role refused; SOURCE_ERROR when an attestation cannot be read."""
    opened = [open_document(document, approvers) for document in documents]
    strange = [one for one in opened if isinstance(one, Refusal)]
    read = [one for one in opened if isinstance(one, Attestation)]
    told = f"{source}, approvers {approvers.sha256[:12]}"
    return tuple(_judge(one, read, strange, now=now, source=told) for one in practices)


def _judge(
    practice: Practice, read: Sequence[Attestation], strange: Sequence[Refusal], *, now: datetime, source: str
) -> Observation:
    demand = practice.demand
    question = Question(
        name=f"attestation.{practice.name}",
        rule=f"{practice.says} (attested by {practice.role} within {practice.every_days} days)",
        limit=practice.every_days,
        unit="days",
        source=source,
        basis=Basis.ARTEFACT,
    )
    ruled = [rule(one, demand, now=now) for one in read if one.statement.subject == demand.subject]
    refusals = [one for one in ruled if isinstance(one, Refusal)]
    counted = [one for one in ruled if isinstance(one, Attestation)]
    standing = [*strange, *(one for one in refusals if one.lasting)]
    if standing or (refusals and not counted):
        against = standing or refusals
        failed = any(one.verdict is Verdict.FAIL for one in against)
        verdict = Verdict.FAIL if failed else Verdict.SOURCE_ERROR
        return question.answer(verdict, None, message=f"{practice.name}: {'; '.join(map(str, against))}")
    if not counted:
        return question.no_data(f"nobody of the role {practice.role} has attested {practice.name}")
    newest = max(counted, key=lambda one: one.statement.updated)
    age_days = round((now - newest.statement.updated) / timedelta(days=1), 1)
    message = f"{practice.name} attested by {newest.signer.identity}, {age_days:g} days ago"
    return question.passed(age_days, message, n=len(counted))
