"""Whether a change of the infrastructure was reviewed: the plan to be applied is the one that was approved (PRE-16).

Pure: files are read by `terraform_plan` and `attestation`, here they are held against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from probes.attestation.approval import Approval, Demand, judge_approval
from probes.attestation.approvers import Approvers
from probes.attestation.documents import Document
from probes.attestation.statement import Subject
from probes.question import Question
from probes.terraform_plan import Change, SavedPlan, ShownPlan
from rollout.model import Basis, Observation

CONTROL, ROLE = "PRE-16", "infrastructure"


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What is to be applied: the saved plan, what it shows, and the identities of all who wrote the change."""

    saved: SavedPlan
    shown: ShownPlan
    authors: frozenset[str]
    approvers_min: int = 1

    @property
    def subject(self) -> Subject:
        """What an attestation has to be about."""
        return Subject(kind="plan", digest=self.saved.sha256, shown_sha256=self.shown.sha256)

    @property
    def demand(self) -> Demand:
        """What PRE-16 asks of the attestations."""
        return Demand(
            control_id=CONTROL,
            subject=self.subject,
            role=ROLE,
            authors=self.authors,
            approvers_min=self.approvers_min,
        )


def judge_review(
    proposal: Proposal, documents: Sequence[Document], approvers: Approvers, *, now: datetime, source: str
) -> tuple[Observation, ...]:
    """`change.approval`, `change.whole`, `change.losses`: the very plan is approved, it is all that will be done, and
    no resource with state goes that the approvers did not name."""
    approval = judge_approval(documents, approvers, demand=proposal.demand, now=now, source=source)
    approved = replace(approval.observation, name="change.approval")
    return approved, _judge_whole(proposal.shown, source), judge_losses(proposal.shown, approval, source=source)


def _judge_whole(shown: ShownPlan, source: str) -> Observation:
    question = Question(
        name="change.whole",
        rule="the plan was made without error and leaves nothing for later",
        source=source,
        basis=Basis.ARTEFACT,
    )
    if shown.whole:
        return question.passed(True, f"the plan is whole: {len(shown.changes)} changes", n=len(shown.changes))
    return question.failed(False, "Terraform says that this plan failed or leaves changes for later: it shows a part")


def judge_code(saved: SavedPlan, present: Mapping[str, str], *, source: str) -> Observation:
    """`change.code`: the files that the plan was made of are those that there are (`present`: SHA-256 by path)."""
    question = Question(
        name="change.code", rule="the plan was made of the code under release", source=source, basis=Basis.ARTEFACT
    )
    if not saved.code or not present:
        return question.no_data("the saved plan does not say of which code it was made")
    gone, new = sorted(saved.code.keys() - present.keys()), sorted(present.keys() - saved.code.keys())
    other = sorted(name for name in saved.code.keys() & present.keys() if saved.code[name] != present[name])
    told = [
        f"{what}: {', '.join(names)}" for what, names in (("changed", other), ("new", new), ("gone", gone)) if names
    ]
    if told:
        message = f"the plan was made of other code ({'; '.join(told)}); plan again, and have that approved"
        return question.failed([*other, *new, *gone], message, n=len(present))
    return question.passed(len(present), f"the plan was made of these {len(present)} files", n=len(present))


def judge_losses(shown: ShownPlan, approval: Approval, *, source: str) -> Observation:
    """`change.losses`: what the plan destroys, replaces or forgets and may hold data is named by every approver."""
    question = Question(
        name="change.losses",
        rule="no resource with state is destroyed, replaced or forgotten that the approvers did not name",
        limit=[],
        source=source,
        basis=Basis.ARTEFACT,
    )
    if not shown.losses:
        message = f"none of {len(shown.changes)} changes removes a resource with state"
        return question.passed([], message, n=len(shown.changes))
    unnamed = [change for change in shown.losses if not _named(change, approval)]
    if unnamed:
        said = "; ".join(f"{change.verb} the {change.loses} {_label(change)}" for change in unnamed)
        message = f"the plan {said}, which {_who(approval)}"
        return question.failed([_label(change) for change in unnamed], message, n=len(shown.losses))
    names = ", ".join(_label(change) for change in shown.losses)
    return question.passed([], f"named by every approver: {names}", n=len(shown.losses))


def _named(change: Change, approval: Approval) -> bool:
    """Each of the approvers has to have seen it; nobody has where nothing is approved."""
    stated = [set(attestation.statement.destroys) for attestation in approval.attestations]
    return bool(stated) and all(_label(change) in names for names in stated)


def _label(change: Change) -> str:
    """An address as `terraform plan` prints it, so that a person can copy it into a statement."""
    return f"{change.address} (deposed object {change.deposed})" if change.deposed else change.address


def _who(approval: Approval) -> str:
    if not approval.attestations:
        return "no approval names"
    return "not every approver named" if len(approval.attestations) > 1 else "the approver did not name"
