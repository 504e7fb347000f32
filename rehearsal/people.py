"""The sandbox's people: keys made at run time, and what they sign about its practices and its change.

A sandbox has nobody who could vouch for anything, so what is signed here is an imitation and its basis is emulated
(contracts.md 1): it shows that signatures are verified and that a missing, old, strange or refusing one is seen. The
private keys are forgotten as soon as everything is signed.
"""

from __future__ import annotations

import fcntl
import gzip
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from probes.attestation.dsse import sign
from probes.attestation.practice import CONTROL as PRACTICES_CONTROL
from probes.attestation.practice import Practice
from probes.attestation.statement import Statement, Subject, write_statement
from probes.change_files import APPLIED, APPROVALS, APPROVERS, AUTHORS, INVENTORY, KEPT_PLAN, KEPT_SHOWN, SAVED, SHOWN
from probes.change_review import CONTROL as REVIEW_CONTROL
from probes.change_review import ROLE as REVIEW_ROLE
from probes.terraform_plan import read_saved_plan, read_shown_plan

PRACTICES, CHANGE = "practices", "change"
AUTHOR = "author@sandbox.example"
_DOMAIN = "sandbox.example"
_COUNTS_DAYS = 1  # a sandbox lives for an hour or two; nothing it signs has to outlast a day


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with one role, named after it."""

    role: str
    key: Ed25519PrivateKey

    @property
    def identity(self) -> str:
        """As the list of approvers names them."""
        return f"{self.role}@{_DOMAIN}"

    @property
    def line(self) -> str:
        """The public key as OpenSSH writes it."""
        public = self.key.public_key()
        return public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def papers_of(directory: Path, practices: Iterable[Practice], recorded: Path) -> Path:
    """The papers below a sandbox's directory, written by the first process that asks; others wait for it.

    `recorded`: the files of the change that made the sandbox's account, as infrastructure/apply.py left them; without
    them there is no change to approve, and none is made up.
    """
    papers = directory / "papers"
    with (directory / "papers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file closes
        if not papers.exists():
            unfinished = directory / "papers.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            _write(unfinished, tuple(practices), recorded)
            unfinished.rename(papers)
    return papers


def _write(place: Path, practices: tuple[Practice, ...], recorded: Path) -> None:
    roles = dict.fromkeys([*(one.role for one in practices), REVIEW_ROLE])
    people = {role: Person(role=role, key=Ed25519PrivateKey.generate()) for role in roles}
    (place / PRACTICES).mkdir(parents=True)
    (place / APPROVERS).write_text(list_of(people.values()), encoding="utf-8")
    for practice in practices:
        subject = practice.demand.subject
        said = statement(people[practice.role], subject, control=PRACTICES_CONTROL, says=f"imitated: {practice.name}")
        (place / PRACTICES / f"{practice.name}.dsse.json").write_bytes(
            sign(write_statement(said), people[said.role].key)
        )
    if (recorded / KEPT_PLAN).exists():
        _write_change(place / CHANGE, recorded, people)


def _write_change(place: Path, recorded: Path, people: Mapping[str, Person]) -> None:
    (place / APPROVALS).mkdir(parents=True)
    for kept, name in ((KEPT_PLAN, SAVED), (APPLIED, APPLIED), (INVENTORY, INVENTORY)):
        shutil.copyfile(recorded / kept, place / name)
    shown = gzip.decompress((recorded / KEPT_SHOWN).read_bytes())
    (place / SHOWN).write_bytes(shown)
    (place / AUTHORS).write_text(f"{AUTHOR}\n", encoding="utf-8")
    saved = read_saved_plan((place / SAVED).read_bytes())
    subject = Subject(kind="plan", digest=saved.sha256, shown_sha256=read_shown_plan(shown).sha256)
    approver = people[REVIEW_ROLE]
    said = statement(approver, subject, control=REVIEW_CONTROL, says="imitated: read what the plan shows")
    (place / APPROVALS / "review.dsse.json").write_bytes(sign(write_statement(said), approver.key))


def list_of(people: Iterable[Person]) -> str:
    """The allowed-approvers file."""
    entries = (
        f'[[approver]]\nidentity = "{one.identity}"\nroles = ["{one.role}"]\nkey = "{one.line}"\n' for one in people
    )
    return "schema = 1\n\n" + "\n".join(entries)


def statement(person: Person, subject: Subject, *, control: str, says: str) -> Statement:
    """An approval of now that counts for a day."""
    now = datetime.now(UTC).replace(microsecond=0)
    return Statement(
        control_id=control,
        explanation=says,
        frequency="once",
        status="passed",
        updated=now,
        updated_by=person.identity,
        subject=subject,
        approver=person.identity,
        role=person.role,
        expires=now + timedelta(days=_COUNTS_DAYS),
    )
