"""Approvers, plans and signed statements for tests; keys are made anew at every run."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from probes.attestation import dsse
from probes.attestation.approvers import Approver, Approvers
from probes.attestation.documents import Document
from probes.attestation.statement import Statement, Subject, write_statement
from probes.change_review import Proposal
from probes.terraform_plan import read_saved_plan, read_shown_plan

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ADA, BOB, AUTHOR = "ada@shop.example", "bob@shop.example", "eve@shop.example"
KEYS = {name: Ed25519PrivateKey.generate() for name in (ADA, BOB, AUTHOR)}
STRANGER = Ed25519PrivateKey.generate()
LOCK = b'provider "registry.example/hashicorp/aws" {\n  version = "5.100.0"\n}\n'
DATABASE = "module.database.aws_db_instance.main"


def raw_public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def line_of(key: Ed25519PrivateKey) -> str:
    """As it stands in an allowed-approvers file."""
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


APPROVERS = Approvers(
    entries=tuple(
        Approver(identity=name, roles=("infrastructure",), public_key=raw_public(key)) for name, key in KEYS.items()
    ),
    sha256="0" * 64,
)


def saved_plan(*, serial: int = 7, lineage: str = "one", lock: bytes = LOCK, plan: bytes = b"plan") -> bytes:
    """The file of a saved plan, with the parts that are read."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tfplan", plan)
        archive.writestr("tfstate", json.dumps({"version": 4, "serial": serial, "lineage": lineage, "resources": []}))
        archive.writestr(".terraform.lock.hcl", lock)
    return buffer.getvalue()


def change(address: str, *actions: str, **more: Any) -> dict[str, Any]:
    """A resource change as `terraform show -json` writes it."""
    resource_type = address.split("[")[0].split(".")[-2]
    return {"address": address, "mode": "managed", "type": resource_type, "change": {"actions": list(actions)}, **more}


def shown_plan(*changes: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"format_version": "1.2", "resource_changes": list(changes), **more}).encode()


def proposal(*changes: dict[str, Any], plan: bytes | None = None, approvers_min: int = 1) -> Proposal:
    """What is to be applied, written by AUTHOR."""
    return Proposal(
        saved=read_saved_plan(plan or SAVED),
        shown=read_shown_plan(shown_plan(*(changes or (change("aws_ecs_service.blue", "update"),)))),
        authors=frozenset({AUTHOR}),
        approvers_min=approvers_min,
    )


SAVED = saved_plan()


def statement(subject: Subject, name: str = ADA, **more: Any) -> Statement:
    """An approval of an hour ago that counts for a day."""
    given = Statement(
        control_id="PRE-16",
        explanation="read the plan",
        frequency="once",
        status="passed",
        updated=NOW - timedelta(hours=1),
        updated_by=name,
        subject=subject,
        approver=name,
        role="infrastructure",
        expires=NOW + timedelta(days=1),
    )
    return replace(given, **more)


def envelope(said: Statement, key: Ed25519PrivateKey | None = None, name: str = "review.dsse.json") -> Document:
    """The statement in an envelope, signed by its approver's key unless told otherwise."""
    signer = key or KEYS[said.approver]
    return Document(name=name, content=dsse.sign(write_statement(said), signer))


def ssh_signature(
    message: bytes, key: Ed25519PrivateKey, *, namespace: str = "attestation@release-gates", hashed: str = "sha512"
) -> bytes:
    """What `ssh-keygen -Y sign` writes (PROTOCOL.sshsig), made independently of the reader."""

    def string(value: bytes) -> bytes:
        return len(value).to_bytes(4, "big") + value

    digest = hashlib.new(hashed, message).digest()
    space, algorithm = namespace.encode(), b"ssh-ed25519"
    signature = key.sign(b"SSHSIG" + string(space) + string(b"") + string(hashed.encode()) + string(digest))
    blob = (
        b"SSHSIG"
        + (1).to_bytes(4, "big")
        + string(string(algorithm) + string(raw_public(key)))
        + string(space)
        + string(b"")
        + string(hashed.encode())
        + string(string(algorithm) + string(signature))
    )
    return armoured(blob)


def armoured(blob: bytes) -> bytes:
    text = base64.b64encode(blob)
    lines = [text[start : start + 70] for start in range(0, len(text), 70)]
    return b"\n".join([b"-----BEGIN SSH SIGNATURE-----", *lines, b"-----END SSH SIGNATURE-----", b""])


def signed_beside(said: Statement, key: Ed25519PrivateKey | None = None, **more: Any) -> Document:
    """The statement with an SSH signature beside it."""
    content = write_statement(said)
    signature = ssh_signature(content, key or KEYS[said.approver], **more)
    return Document(name="review.json", content=content, signature=signature)


def names(destroys: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {"destroys": tuple(destroys)}
