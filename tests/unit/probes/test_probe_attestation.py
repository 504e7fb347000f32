"""PRE-16's approvals: every reason why a signed statement does not count has its own verdict and its own sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from probes.attestation import dsse
from probes.attestation.approval import Approval, Demand, judge_approval
from probes.attestation.approvers import Approvers
from probes.attestation.documents import Document
from probes.attestation.statement import Subject, write_statement
from rollout.model import Basis, Verdict
from tests.unit.probes.attestation_samples import (
    ADA,
    APPROVERS,
    AUTHOR,
    BOB,
    KEYS,
    NOW,
    STRANGER,
    envelope,
    signed_beside,
    statement,
)

COMMIT = Subject(kind="commit", digest="a" * 40)
OTHER = Subject(kind="commit", digest="b" * 40)
DEMAND = Demand(control_id="PRE-16", subject=COMMIT, role="infrastructure", authors=frozenset({AUTHOR}))
GOOD = envelope(statement(COMMIT))


def judged(*documents: Document, approvers: Approvers = APPROVERS, **demand: Any) -> Approval:
    return judge_approval(documents, approvers, demand=replace(DEMAND, **demand), now=NOW, source="approvals")


def with_roles(*roles: str) -> Approvers:
    return replace(APPROVERS, entries=tuple(replace(entry, roles=roles) for entry in APPROVERS.entries))


@pytest.mark.parametrize("document", [GOOD, signed_beside(statement(COMMIT))], ids=["DSSE", "SSHSIG"])
def test_one_approval_by_somebody_else_suffices(document: Document) -> None:
    """In either form; the observation names the person, the subject and the list's digest."""
    approval = judged(document)
    seen = approval.observation

    assert (seen.verdict, seen.value, seen.n, seen.basis) == (Verdict.PASS, [ADA], 1, Basis.ARTEFACT), seen.message
    assert "commit aaaaaaaaaaaa is approved by ada@shop.example [approvals, approvers 000000000000]" in seen.message
    assert [one.signer.identity for one in approval.attestations] == [ADA]


def test_no_attestation_is_no_data() -> None:
    """Nothing said is not nothing wrong."""
    approval = judged()

    assert approval.observation.verdict is Verdict.NO_DATA
    assert "nobody has attested anything about commit aaaaaaaaaaaa" in approval.observation.message
    assert approval.attestations == ()


def test_without_a_known_author_nobody_is_another() -> None:
    assert judged(GOOD, authors=frozenset()).observation.verdict is Verdict.NO_DATA


def altered() -> Document:
    said = signed_beside(statement(COMMIT))
    return replace(said, content=said.content.replace(b"read the plan", b"read no plan!"))


def relabelled() -> Document:
    """One byte of the payload of an envelope is another one."""
    return replace(GOOD, content=GOOD.content.replace(b'"payload": "ew', b'"payload": "fw'))


WRONG = [
    ("another commit", envelope(statement(OTHER)), "attestation for another commit: commit bbbbbbbb"),
    ("another control", envelope(statement(COMMIT, control_id="DOC-01")), "attestation for DOC-01, not for PRE-16"),
    ("self-approval", envelope(statement(COMMIT, AUTHOR)), "self-approval: eve@shop.example wrote the change"),
    ("expired", envelope(statement(COMMIT, expires=NOW)), "expired at 2026-11-24 12:00 UTC"),
    (
        "due again",
        envelope(statement(COMMIT, frequency="daily", updated=NOW - timedelta(days=1), expires=NOW + timedelta(1))),
        "expired at 2026-11-24 12:00 UTC",
    ),
    ("from the future", envelope(statement(COMMIT, updated=NOW + timedelta(minutes=6))), "which is yet to come"),
    (
        "too long",
        envelope(statement(COMMIT, expires=NOW + timedelta(days=7))),
        "made to count longer than 7 days, until 2026-12-01",
    ),
    ("another role", envelope(statement(COMMIT, role="release")), "approved as release, not as infrastructure"),
    ("refused", envelope(statement(COMMIT, status="failed")), "ada@shop.example refused commit aaaaaaaaaaaa: read the"),
    ("unsigned", Document(name="review.json", content=write_statement(statement(COMMIT))), "is not signed"),
    ("by a stranger", envelope(statement(COMMIT), STRANGER), "nobody on the list of approvers"),
    ("by a stranger's SSH key", signed_beside(statement(COMMIT), STRANGER), "a key that is not on the list"),
    ("altered", altered(), "was altered after ada@shop.example signed it"),
    ("envelope altered", relabelled(), "or was altered after it was signed"),
    ("another's key", envelope(statement(COMMIT, BOB), KEYS[ADA]), "names bob@shop.example as approver, but the key"),
    (
        "recorded by another",
        envelope(statement(COMMIT, updated_by=BOB)),
        "names bob@shop.example as updated_by, but the key of ada",
    ),
    ("for Git", signed_beside(statement(COMMIT), namespace="git"), "for another purpose ('git', not attestation@"),
    ("two signatures", replace(GOOD, signature=b"x"), "has a second signature beside it"),
]


@pytest.mark.parametrize(("document", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_wrong_fails_with_its_reason(document: Document, says: str) -> None:
    approval = judged(document)

    assert (approval.observation.verdict, approval.attestations) == (Verdict.FAIL, ())
    assert says in approval.observation.message


UNREADABLE = [
    Document(name="a.dsse.json", content=b""),
    Document(name="a.dsse.json", content=b"[]"),
    Document(name="a.dsse.json", content=GOOD.content[:-20]),
    Document(
        name="a.json", content=b"{}", signature=b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----"
    ),
    Document(name="a.json", content=b"{}", signature=b""),
]


@pytest.mark.parametrize(
    "document", UNREADABLE, ids=["empty", "no object", "cut off", "thin signature", "no signature"]
)
def test_what_cannot_be_read_is_a_source_error(document: Document) -> None:
    """Neither a yes nor a no."""
    seen = judged(document).observation

    assert seen.verdict is Verdict.SOURCE_ERROR
    assert "cannot be read" in seen.message


def test_a_signed_statement_with_an_unknown_key_is_not_read() -> None:
    """A signature over nonsense makes no sense of it."""
    content = write_statement(statement(COMMIT)).replace(b'"status"', b'"stotus"')
    document = replace(GOOD, content=dsse.sign(content, KEYS[ADA]))

    assert judged(document).observation.verdict is Verdict.SOURCE_ERROR


def test_two_approvers_are_two_people() -> None:
    """The same person twice, in another spelling too, is one."""
    again = replace(GOOD, name="again.dsse.json")
    both = judged(GOOD, envelope(statement(COMMIT, BOB)), approvers_min=2).observation
    one = judged(GOOD, again, approvers_min=2).observation

    assert (both.verdict, both.value) == (Verdict.PASS, [ADA, BOB])
    assert (one.verdict, one.value) == (Verdict.FAIL, [ADA])
    assert "only 1 of 2 approvers of commit aaaaaaaaaaaa (ada@shop.example)" in one.message


def test_letter_case_does_not_make_another_person_of_the_author() -> None:
    seen = judged(GOOD, authors=frozenset({ADA.upper()})).observation

    assert seen.verdict is Verdict.FAIL
    assert "self-approval" in seen.message


def test_what_does_not_count_is_outweighed_by_what_does() -> None:
    """Last week's approval may lie there still; it is named."""
    seen = judged(GOOD, envelope(statement(OTHER, BOB), name="old.dsse.json")).observation

    assert seen.verdict is Verdict.PASS
    assert "(not counted: old.dsse.json: attestation for another commit" in seen.message


@pytest.mark.parametrize(
    ("beside", "verdict"),
    [
        (envelope(statement(COMMIT, BOB, status="failed")), Verdict.FAIL),
        (envelope(statement(COMMIT), STRANGER), Verdict.FAIL),
        (altered(), Verdict.FAIL),
        (Document(name="b.dsse.json", content=b"{"), Verdict.SOURCE_ERROR),
    ],
    ids=["a refusal", "a stranger's", "an altered one", "an unreadable one"],
)
def test_an_approval_does_not_outweigh(beside: Document, verdict: Verdict) -> None:
    """A no of somebody who looked stands, and so does what may be a damaged one."""
    approval = judged(GOOD, beside)

    assert (approval.observation.verdict, approval.attestations) == (verdict, ())


def test_a_role_is_given_by_the_list_not_by_the_statement() -> None:
    seen = judged(GOOD, approvers=with_roles("release")).observation

    assert seen.verdict is Verdict.FAIL
    assert "ada@shop.example does not have the role infrastructure" in seen.message


@pytest.mark.parametrize(("until", "verdict"), [(date(2026, 11, 24), Verdict.PASS), (date(2026, 11, 23), Verdict.FAIL)])
def test_a_key_counts_through_its_last_day(until: date, verdict: Verdict) -> None:
    ended = replace(APPROVERS, entries=tuple(replace(entry, until=until) for entry in APPROVERS.entries))

    assert judged(GOOD, approvers=ended).observation.verdict is verdict


@pytest.mark.parametrize(("seconds", "verdict"), [(1, Verdict.PASS), (0, Verdict.FAIL)])
def test_an_approval_ends_at_its_second(seconds: int, verdict: Verdict) -> None:
    """`expires` is the first instant at which it does not count."""
    document = envelope(statement(COMMIT, expires=NOW + timedelta(seconds=seconds)))

    assert judged(document).observation.verdict is verdict


def test_nobody_can_be_asked_for_no_approver() -> None:
    with pytest.raises(ValueError, match="approval by nobody"):
        judged(GOOD, approvers_min=0)
