"""KMS: a symmetric key has no private half.

Corrects moto 5.2.5, which makes an RSA key for every key, whatever it is for: 75 ms of processor time each, and an
answer to GetPublicKey where KMS refuses it. Source: KMS API reference, GetPublicKey.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NoReturn

from moto.core.exceptions import JsonRESTError
from moto.kms import models
from moto.kms.utils import AbstractPrivateKey

_ASYMMETRIC = ("RSA_", "ECC_", "SM2")


class _None(AbstractPrivateKey):
    """Stands where moto keeps a private key."""

    def sign(self, *_: Any) -> NoReturn:
        raise _refusal()

    def verify(self, *_: Any) -> NoReturn:
        raise _refusal()

    def public_key(self) -> NoReturn:
        raise _refusal()


def _refusal() -> JsonRESTError:
    return JsonRESTError("UnsupportedOperationException", "The key is symmetric: it has no public key.")


@functools.cache
def install() -> None:
    """Correct moto for this process, once."""
    module: Any = models
    make: Callable[[str], AbstractPrivateKey] = module.generate_private_key

    def generate_private_key(key_spec: str) -> AbstractPrivateKey:
        return make(key_spec) if key_spec.startswith(_ASYMMETRIC) else _None()

    module.generate_private_key = generate_private_key
