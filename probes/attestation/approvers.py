"""Who may approve: the allowed-approvers file, TOML.

    schema = 1

    [[approver]]
    identity = "ada@shop.example"       # as the forge names the author of a commit
    roles = ["infrastructure"]
    key = "ssh-ed25519 AAAA... ada"
    until = 2027-12-31                  # optional: the last day on which signatures of this key count

The file decides who can let a change through, so it belongs where the author of a change cannot change it alone; its
SHA-256 stands in every observation. One person may have several keys; one key may not have several persons, else two
approvals could be one person's.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from probes.attestation.sshsig import read_public_key
from probes.attestation.statement import PERSON, ROLE
from probes.strict_json import Fields, Unparsable

BYTES_MAX = 256 * 1024
_APPROVERS_MAX, _ROLES_MAX = 500, 20


@dataclass(frozen=True, kw_only=True)
class Approver:
    """A person's key (32 bytes) with what they may approve; `until` is the last day, in UTC, None without end."""

    identity: str
    roles: tuple[str, ...]
    public_key: bytes
    until: date | None = None

    @property
    def key(self) -> Ed25519PublicKey:
        """For checking a signature."""
        return Ed25519PublicKey.from_public_bytes(self.public_key)


@dataclass(frozen=True, kw_only=True)
class Approvers:
    """All that may approve, and the digest of the file that says so."""

    entries: tuple[Approver, ...]
    sha256: str

    def holder_of(self, public_key: bytes) -> Approver | None:
        """Whose key this is."""
        return next((one for one in self.entries if one.public_key == public_key), None)


def same_person(one: str, other: str) -> bool:
    """Whether two identities are one: letter case does not make two people of one."""
    return one.casefold() == other.casefold()


def read_approvers(raw: bytes) -> Approvers:
    """The approvers that a file names. Raises probes.strict_json.Unparsable."""
    if len(raw) > BYTES_MAX:
        raise Unparsable(f"the list of approvers is larger than {BYTES_MAX // 1024} KiB")
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Unparsable(f"the list of approvers is not TOML: {str(error)[:200]}") from None
    fields = Fields(document, "approvers")
    fields.integer("schema", low=1, high=1)
    entries = tuple(_approver(entry) for entry in fields.each("approver", most=_APPROVERS_MAX))
    fields.finish()
    if not entries:
        raise Unparsable("the list of approvers is empty")
    _demand_one_person_per_key(entries)
    return Approvers(entries=entries, sha256=hashlib.sha256(raw).hexdigest())


def _approver(fields: Fields) -> Approver:
    approver = Approver(
        identity=fields.text("identity", PERSON),
        roles=fields.texts("roles", most=_ROLES_MAX, pattern=ROLE),
        public_key=read_public_key(fields.text("key", r"ssh-ed25519 \S{1,200}( .{0,200})?")),
        until=_day(fields, "until") if fields.has("until") else None,
    )
    fields.finish()
    return approver


def _day(fields: Fields, key: str) -> date:
    value = fields.raw(key)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise fields.refusal(key, value)
    return value


def _demand_one_person_per_key(entries: Iterable[Approver]) -> None:
    seen: set[bytes] = set()
    for entry in entries:
        if entry.public_key in seen:
            raise Unparsable(f"the key of {entry.identity} stands there twice: a key is one person's")
        seen.add(entry.public_key)
