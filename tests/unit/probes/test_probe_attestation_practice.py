"""What people vouch for counts in its words, from its role, in its time; a strange paper stands against all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from probes.attestation.approvers import Approvers
from probes.attestation.documents import Document
from probes.attestation.practice import CONTROL, Practice, judge_practices
from probes.attestation.statement import Statement, Subject
from rollout.model import Observation, Verdict
from tests.unit.probes.attestation_samples import ADA, APPROVERS, BOB, NOW, STRANGER, envelope, statement

REVIEW = Practice(
    name="access_review", says="access was reviewed", sha256="a" * 64, role="infrastructure", every_days=92
)
TRAINING = replace(REVIEW, name="training", sha256="b" * 64)


def vouched(practice: Practice = REVIEW, name: str = ADA, **more: Any) -> Statement:
    return statement(practice.demand.subject, name, control_id=CONTROL, **more)


def judged(*documents: Document, practice: Practice = REVIEW, approvers: Approvers = APPROVERS) -> Observation:
    (found,) = judge_practices([practice], documents, approvers, now=NOW, source="papers")
    return found


def test_a_word_that_counts_is_a_pass_with_its_age() -> None:
    found = judged(envelope(vouched(updated=NOW - timedelta(days=2))))

    assert found.verdict is Verdict.PASS
    assert found.name == "attestation.access_review"
    assert found.value == 2
    assert found.limit == 92
    assert ADA in found.message


def test_nobody_said_anything() -> None:
    found = judged()

    assert found.verdict is Verdict.NO_DATA
    assert "nobody of the role infrastructure has attested access_review" in found.message


WRONG: Sequence[tuple[str, dict[str, Any], str]] = [
    ("old", {"updated": NOW - timedelta(days=93), "expires": NOW - timedelta(days=1)}, "expired"),
    ("too long", {"expires": NOW + timedelta(days=92)}, "made to count longer than 92 days"),
    ("of tomorrow", {"updated": NOW + timedelta(days=1), "expires": NOW + timedelta(days=2)}, "yet to come"),
    ("another role", {"role": "legal"}, "approved as legal, not as infrastructure"),
    ("refused", {"status": "failed"}, "refused"),
]


@pytest.mark.parametrize(("more", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_word_that_does_not_count_is_named(more: dict[str, Any], says: str) -> None:
    found = judged(envelope(vouched(**more)))

    assert found.verdict is Verdict.FAIL
    assert says in found.message


def test_other_words_are_another_practice() -> None:
    """The catalogue's sentence changed after it was attested."""
    found = judged(envelope(vouched()), practice=replace(REVIEW, sha256="c" * 64))

    assert found.verdict is Verdict.NO_DATA


def test_another_controls_word_is_none() -> None:
    found = judged(envelope(replace(vouched(), control_id="PRE-16")))

    assert found.verdict is Verdict.FAIL
    assert "attestation for PRE-16, not for PRE-09" in found.message


def test_an_old_word_beside_a_new_one_does_no_harm() -> None:
    old = envelope(vouched(updated=NOW - timedelta(days=50), expires=NOW - timedelta(days=10)), name="old.dsse.json")

    assert judged(old, envelope(vouched(name=BOB))).verdict is Verdict.PASS


def test_a_refusal_outweighs_an_approval() -> None:
    refused = envelope(vouched(name=BOB, status="failed"), name="no.dsse.json")
    found = judged(envelope(vouched()), refused)

    assert found.verdict is Verdict.FAIL
    assert "bob@shop.example refused" in found.message


@pytest.mark.parametrize(
    ("paper", "expected", "says"),
    [
        (Document(name="torn.dsse.json", content=b'{"payload'), Verdict.SOURCE_ERROR, "cannot be read"),
        (envelope(vouched(TRAINING), STRANGER, name="strange.dsse.json"), Verdict.FAIL, "signed by nobody on the list"),
        (Document(name="bare.json", content=b"{}"), Verdict.FAIL, "is not signed"),
    ],
    ids=["torn", "strange", "bare"],
)
def test_a_paper_that_nobody_can_trust_stands_against_every_practice(
    paper: Document, expected: Verdict, says: str
) -> None:
    found = judge_practices(
        [REVIEW, TRAINING],
        [envelope(vouched()), envelope(vouched(TRAINING), name="training.dsse.json"), paper],
        APPROVERS,
        now=NOW,
        source="papers",
    )

    assert [one.verdict for one in found] == [expected, expected]
    assert all(says in one.message for one in found)


def test_each_practice_is_judged_by_its_own_papers() -> None:
    found = judge_practices([REVIEW, TRAINING], [envelope(vouched())], APPROVERS, now=NOW, source="papers")

    assert [one.verdict for one in found] == [Verdict.PASS, Verdict.NO_DATA]


def test_what_is_demanded() -> None:
    demand = REVIEW.demand

    assert demand.subject == Subject(kind="practice", digest="a" * 64)
    assert (demand.control_id, demand.role, demand.lifetime_max) == ("PRE-09", "infrastructure", timedelta(days=92))
