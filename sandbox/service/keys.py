"""The key that signs tokens, shared by both slots, so that a token outlives the switch."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class SigningKeys:
    """`shared` from the file; `own`, which differs by slot, is what the dial signing_key plants."""

    def __init__(self, file: Path, slot: str) -> None:
        pem = file.read_bytes()
        self.shared: ECKey = _named(ECKey.import_key(pem))
        self._pem = pem
        self._slot = slot
        self._own: ECKey | None = None

    def current(self, choice: str) -> ECKey:
        """The key for the dial's `choice`, "shared" or "own"."""
        if choice == "shared":
            return self.shared
        if self._own is None:
            # Derived, not random: all tasks of a slot must agree, as they would with one wrong secret per slot.
            seed = hashlib.sha512(self._pem + self._slot.encode()).digest()
            private = ec.derive_private_key(int.from_bytes(seed) % (ORDER_P256 - 1) + 1, ec.SECP256R1())
            plain = serialization.NoEncryption()
            pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
            self._own = _named(ECKey.import_key(pem))
        return self._own


def public_document(key: ECKey) -> dict[str, Any]:
    """The JSON Web Key Set that verifiers read."""
    return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "ES256"}]}


def _named(key: ECKey) -> ECKey:
    return ECKey.import_key({**key.as_dict(private=True), "kid": key.thumbprint()})
