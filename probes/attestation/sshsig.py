"""Signatures of `ssh-keygen -Y sign`, read and verified without ssh-keygen (OpenSSH PROTOCOL.sshsig).

Only Ed25519: one algorithm, nothing to negotiate. The namespace is part of what is signed, so that a signature that a
person made for a Git commit or a mail is none for an attestation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from probes.strict_json import Unparsable

NAMESPACE = "attestation@release-gates"
BYTES_MAX = 4096
KEY_BYTES, SIGNATURE_BYTES = 32, 64  # RFC 8032 section 5.1
_MAGIC = b"SSHSIG"
_VERSION = 1
_ALGORITHM = b"ssh-ed25519"
_ARMOUR = re.compile(
    rb"\s*-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)\r?\n-----END SSH SIGNATURE-----\s*", re.ASCII
)
_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}


@dataclass(frozen=True, kw_only=True)
class SshSignature:
    """A signature that has not been checked yet, with the public key that it claims (32 bytes, RFC 8032)."""

    public_key: bytes
    namespace: str
    hash_algorithm: bytes
    signature: bytes

    def signs(self, message: bytes, key: Ed25519PublicKey) -> bool:
        """Whether `key` made this signature over `message` in our namespace."""
        if self.namespace != NAMESPACE:
            return False
        try:
            key.verify(self.signature, _signed_data(message, self.hash_algorithm))
        except InvalidSignature:
            return False
        return True


def _signed_data(message: bytes, algorithm: bytes) -> bytes:
    """PROTOCOL.sshsig section 3: magic, namespace, reserved, name of the hash, hash of the message."""
    digest = _HASHES[algorithm](message).digest()
    return _MAGIC + b"".join(map(_string, (NAMESPACE.encode(), b"", algorithm, digest)))


def _string(value: bytes) -> bytes:
    """RFC 4251 section 5: a length in four bytes, then the bytes."""
    return len(value).to_bytes(4, "big") + value


class _Reader:
    """Takes fields off a blob; Unparsable where it is too short or something is left over."""

    def __init__(self, blob: bytes) -> None:
        self._rest = blob

    def take(self, count: int) -> bytes:
        if count > len(self._rest):
            raise Unparsable("the SSH signature is cut off")
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def integer(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.integer())

    def finish(self) -> None:
        if self._rest:
            raise Unparsable(f"{len(self._rest)} bytes too many in the SSH signature")


def read_ssh_signature(raw: bytes) -> SshSignature:
    """The signature in an armoured file. Raises probes.strict_json.Unparsable."""
    if len(raw) > BYTES_MAX:
        raise Unparsable(f"the SSH signature is larger than {BYTES_MAX} bytes")
    armour = _ARMOUR.fullmatch(raw)
    if armour is None:
        raise Unparsable("no SSH signature in its armour")
    try:
        blob = base64.b64decode(re.sub(rb"[\r\n]", b"", armour[1]), validate=True)
    except binascii.Error:
        raise Unparsable("the SSH signature is not base64") from None
    return _read_blob(_Reader(blob))


def read_public_key(line: str) -> bytes:
    """The 32 bytes of a line "ssh-ed25519 AAAA... comment". Raises probes.strict_json.Unparsable."""
    words = line.split(maxsplit=2)
    if len(words) < 2 or words[0].encode() != _ALGORITHM:
        raise Unparsable('a key is "ssh-ed25519", a blank, and its base64 (`ssh-keygen -t ed25519` makes one)')
    try:
        blob = base64.b64decode(words[1].encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Unparsable("the key is not base64") from None
    key = _one_algorithm(blob, "key")
    if len(key) != KEY_BYTES:
        raise Unparsable(f"the key has {len(key)} bytes instead of {KEY_BYTES}")
    return key


def _read_blob(reader: _Reader) -> SshSignature:
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise Unparsable("the SSH signature does not begin with SSHSIG")
    version = reader.integer()
    if version != _VERSION:
        raise Unparsable(f"version {version} of SSH signatures is not known")
    public_key = _one_algorithm(reader.string(), "key")
    namespace = reader.string()
    if not namespace or not namespace.isascii():
        raise Unparsable("the namespace of the SSH signature is empty or not ASCII")
    reader.string()  # reserved: verifiers ignore it, and it is signed as an empty string
    algorithm = reader.string()
    if algorithm not in _HASHES:
        raise Unparsable(f"the hash {algorithm[:20]!r} is not allowed in SSH signatures")
    signature = _one_algorithm(reader.string(), "signature")
    reader.finish()
    if len(public_key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        raise Unparsable("key or signature of the SSH signature has another length than Ed25519 has")
    return SshSignature(
        public_key=public_key, namespace=namespace.decode(), hash_algorithm=algorithm, signature=signature
    )


def _one_algorithm(blob: bytes, what: str) -> bytes:
    """The bytes behind the algorithm's name in a public key or a signature (RFC 8709 sections 4 and 6)."""
    reader = _Reader(blob)
    algorithm = reader.string()
    if algorithm != _ALGORITHM:
        raise Unparsable(f"the {what} is {algorithm[:40]!r}; only ssh-ed25519 is read")
    value = reader.string()
    reader.finish()
    return value
