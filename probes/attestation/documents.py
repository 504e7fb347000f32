"""Attestations as they lie in a directory, and what their signatures are worth.

`NAME.dsse.json` is an envelope; `NAME.json` is a statement and `NAME.json.sig` its `ssh-keygen -Y sign` signature.
A signature is checked before anything of the statement is read. What cannot be read is never left out: it may be the
damaged word of somebody who refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from probes.attestation.approvers import Approver, Approvers, same_person
from probes.attestation.dsse import BYTES_MAX, Envelope, read_envelope
from probes.attestation.sshsig import NAMESPACE, SshSignature, read_ssh_signature
from probes.attestation.statement import Statement, read_statement
from probes.strict_json import Unparsable
from rollout.model import Verdict

FILES_MAX = 64
ENVELOPE, STATEMENT, SIGNATURE = ".dsse.json", ".json", ".json.sig"


@dataclass(frozen=True, kw_only=True)
class Document:
    """One attestation, unread: the bytes of an envelope, or of a statement with its signature (None: unsigned)."""

    name: str
    content: bytes
    signature: bytes | None = None

    @property
    def is_envelope(self) -> bool:
        """Whether the signature is inside."""
        return self.name.endswith(ENVELOPE)


@dataclass(frozen=True, kw_only=True)
class Attestation:
    """A statement whose signature is that of `signer`, who is on the list and is the approver that it names."""

    name: str
    statement: Statement
    signer: Approver


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An attestation that does not count, with the reason; `lasting`: it stands against an approval by others too."""

    name: str
    verdict: Verdict
    message: str
    lasting: bool = True

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


def read_documents(directory: Path) -> tuple[Document, ...]:
    """Every attestation below `directory`, by name; none where it does not exist.

    Raises Unparsable for what is no attestation and for more than 64 files, OSError when it cannot be read.
    """
    if not directory.exists():
        return ()
    names = sorted(entry.name for entry in directory.iterdir())
    if len(names) > FILES_MAX:
        raise Unparsable(f"{len(names)} files, more than {FILES_MAX}")
    contents = {name: _read(directory / name) for name in names}
    signatures = {name for name in names if name.endswith(SIGNATURE)}
    stray = [name for name in names if not name.endswith(STATEMENT) and name not in signatures]
    widowed = [name for name in signatures if name.removesuffix(".sig") not in contents]
    if stray or widowed:
        raise Unparsable(f"{(stray or widowed)[0]} belongs to no attestation")
    return tuple(
        Document(name=name, content=contents[name], signature=contents.get(f"{name}.sig"))
        for name in names
        if name not in signatures
    )


def _read(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise Unparsable(f"{path.name} is no regular file")
    with path.open("rb") as stream:
        content = stream.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        raise Unparsable(f"{path.name} is larger than {BYTES_MAX} bytes")
    return content


def open_document(document: Document, approvers: Approvers) -> Attestation | Refusal:
    """The attestation, if its signature holds; never raises for anything that the bytes may be."""
    try:
        if document.is_envelope:
            return _open_envelope(document, read_envelope(document.content), approvers)
        if document.signature is None:
            return _wrong(document, "is not signed")
        return _open_signed(document, read_ssh_signature(document.signature), approvers)
    except Unparsable as error:
        return Refusal(name=document.name, verdict=Verdict.SOURCE_ERROR, message=f"cannot be read: {error}")


def _open_envelope(document: Document, envelope: Envelope, approvers: Approvers) -> Attestation | Refusal:
    if document.signature is not None:
        return _wrong(document, "has a second signature beside it: an envelope holds its own")
    signer = next((one for one in approvers.entries if envelope.signed_by(one.key)), None)
    if signer is None:
        return _wrong(document, "is signed by nobody on the list of approvers, or was altered after it was signed")
    return _attested(document, envelope.payload, signer)


def _open_signed(document: Document, signature: SshSignature, approvers: Approvers) -> Attestation | Refusal:
    signer = approvers.holder_of(signature.public_key)
    if signer is None:
        return _wrong(document, "is signed by a key that is not on the list of approvers")
    if signature.namespace != NAMESPACE:
        seen = ascii(signature.namespace[:60])
        return _wrong(document, f"is signed by {signer.identity} for another purpose ({seen}, not {NAMESPACE})")
    if not signature.signs(document.content, signer.key):
        return _wrong(document, f"was altered after {signer.identity} signed it: the signature does not verify")
    return _attested(document, document.content, signer)


def _attested(document: Document, content: bytes, signer: Approver) -> Attestation | Refusal:
    statement = read_statement(content)
    for role, name in (("approver", statement.approver), ("updated_by", statement.updated_by)):
        if not same_person(name, signer.identity):
            return _wrong(document, f"names {name} as {role}, but the key of {signer.identity} signed it")
    return Attestation(name=document.name, statement=statement, signer=signer)


def _wrong(document: Document, message: str) -> Refusal:
    return Refusal(name=document.name, verdict=Verdict.FAIL, message=message)
