"""DSSE envelopes with one Ed25519 signature (Dead Simple Signing Envelope 1.0, protocol.md and envelope.md).

What is signed is the pre-authentication encoding of type and payload, so that no payload can be taken for one of
another type. `keyid` is a hint that nobody signed; it is read and never trusted. The format allows several
signatures; here an envelope is one person's word and has exactly one.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from probes.strict_json import Fields, Unparsable, parse

PAYLOAD_TYPE = "application/vnd.release-gates.attestation+json"
BYTES_MAX = 128 * 1024
SIGNATURE_BYTES = 64  # RFC 8032 section 5.1.6


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A payload, and a signature over its type and bytes that has not been checked yet."""

    payload: bytes
    signature: bytes
    key_hint: str = ""

    def signed_by(self, key: Ed25519PublicKey) -> bool:
        """Whether this key made the signature."""
        try:
            key.verify(self.signature, pre_authentication_encoding(PAYLOAD_TYPE, self.payload))
        except InvalidSignature:
            return False
        return True


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """What a DSSE signature is over: version, lengths in bytes, type, payload."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def read_envelope(raw: bytes) -> Envelope:
    """The envelope that JSON bytes hold. Raises probes.strict_json.Unparsable."""
    fields = Fields(parse(raw, bytes_max=BYTES_MAX), "envelope")
    kind = fields.text("payloadType")
    if kind != PAYLOAD_TYPE:
        raise Unparsable(f"the envelope is for {kind}, not for {PAYLOAD_TYPE}")
    payload = _decoded(fields, "payload")
    signatures = fields.each("signatures", most=1)
    if not signatures:
        raise Unparsable("the envelope has no signature")
    signature = _decoded(signatures[0], "sig")
    if len(signature) != SIGNATURE_BYTES:
        raise Unparsable(f"the signature has {len(signature)} bytes instead of {SIGNATURE_BYTES}")
    hint = signatures[0].text("keyid", r".{0,200}") if signatures[0].has("keyid") else ""
    signatures[0].finish()
    fields.finish()
    return Envelope(payload=payload, signature=signature, key_hint=hint)


def _decoded(fields: Fields, key: str) -> bytes:
    value = fields.raw(key)
    if not isinstance(value, str):
        raise fields.refusal(key, value)
    try:
        return base64.b64decode(value.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Unparsable(f"envelope: {key} is not base64") from None


def sign(payload: bytes, key: Ed25519PrivateKey, *, key_hint: str = "") -> bytes:
    """The envelope around a payload, as JSON bytes with a line end."""
    signature = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    envelope = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key_hint, "sig": base64.b64encode(signature).decode()}],
    }
    return json.dumps(envelope, indent=2).encode() + b"\n"
