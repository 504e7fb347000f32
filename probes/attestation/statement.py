"""What a person states: the fields of a MITRE SAF attestation, and what they are bound to.

SAF's fields (control_id, explanation, frequency, status, updated, updated_by) say that somebody looked; subject,
approver, role, expires and destroys bind it to one thing, one person and one span of time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from probes.strict_json import Fields, Unparsable, parse

SCHEMA = 1
DESTROYS_MAX = 500
PERSON = r"[A-Za-z0-9][A-Za-z0-9._%+@-]{0,127}"
ROLE = r"[a-z][a-z0-9-]{0,31}"
_DIGESTS = {"commit": r"[0-9a-f]{40}|[0-9a-f]{64}", "plan": r"[0-9a-f]{64}", "practice": r"[0-9a-f]{64}"}
_ADDRESS = r"[^\s].{0,499}"
# SAF's words; None: the statement is about this one subject and its age is bounded by `expires` alone.
FREQUENCIES: dict[str, timedelta | None] = {
    "once": None,
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=31),
    "quarterly": timedelta(days=92),
    "annually": timedelta(days=366),
}
STATUSES = ("passed", "failed")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The one thing that a statement is about.

    `kind` "commit" with its Git object id, or "plan" with the SHA-256 of the saved Terraform plan; then
    `shown_sha256` is that of the JSON that was read by the approver (`terraform show -json`). Or "practice", something
    that people keep doing, with the SHA-256 of the words in which it is asked for (policies/catalogue).
    """

    kind: str
    digest: str
    shown_sha256: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.digest[:12]}"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement as it was signed. `destroys`: addresses of a plan whose loss the approver accepts, as shown there."""

    control_id: str
    explanation: str
    frequency: str
    status: str
    updated: datetime
    updated_by: str
    subject: Subject
    approver: str
    role: str
    expires: datetime
    destroys: tuple[str, ...] = ()

    @property
    def ends(self) -> datetime:
        """When it stops to count: at `expires`, or earlier when its frequency asks for a new look."""
        span = FREQUENCIES[self.frequency]
        return self.expires if span is None else min(self.expires, self.updated + span)


def read_statement(raw: bytes) -> Statement:
    """The statement that JSON bytes hold. Raises probes.strict_json.Unparsable: unknown keys are refused too."""
    fields = Fields(parse(raw))
    fields.integer("schema", low=SCHEMA, high=SCHEMA)
    subject = _subject(fields.fields("subject"))
    statement = Statement(
        control_id=fields.text("control_id", r"[A-Z][A-Z0-9]*-[0-9]{2}"),
        explanation=fields.text("explanation", r"\S.{0,1999}"),
        frequency=fields.text("frequency", "|".join(FREQUENCIES)),
        status=fields.text("status", "|".join(STATUSES)),
        updated=fields.instant("updated"),
        updated_by=fields.text("updated_by", PERSON),
        subject=subject,
        approver=fields.text("approver", PERSON),
        role=fields.text("role", ROLE),
        expires=fields.instant("expires"),
        destroys=fields.texts("destroys", most=DESTROYS_MAX, pattern=_ADDRESS) if fields.has("destroys") else (),
    )
    fields.finish()
    if statement.destroys and subject.kind != "plan":
        raise Unparsable("destroys are named, but the subject is no plan")
    return statement


def _subject(fields: Fields) -> Subject:
    kind = fields.text("kind", "|".join(_DIGESTS))
    subject = Subject(
        kind=kind,
        digest=fields.text("digest", _DIGESTS[kind]),
        shown_sha256=fields.text("shown_sha256", r"[0-9a-f]{64}") if kind == "plan" else "",
    )
    fields.finish()
    return subject


def write_statement(statement: Statement) -> bytes:
    """The bytes to be signed; `read_statement` gives the same statement back."""
    subject = {"kind": statement.subject.kind, "digest": statement.subject.digest}
    if statement.subject.shown_sha256:
        subject["shown_sha256"] = statement.subject.shown_sha256
    document = {
        "schema": SCHEMA,
        "control_id": statement.control_id,
        "explanation": statement.explanation,
        "frequency": statement.frequency,
        "status": statement.status,
        "updated": _written(statement.updated),
        "updated_by": statement.updated_by,
        "subject": subject,
        "approver": statement.approver,
        "role": statement.role,
        "expires": _written(statement.expires),
        "destroys": _listed(statement.destroys),
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _listed(addresses: Sequence[str]) -> list[str]:
    return sorted(set(addresses))
