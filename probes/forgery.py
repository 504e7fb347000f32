"""Access tokens that a service must refuse: made from a good one, with keys that live only in this process."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

Claims = Mapping[str, Any]
Sign = Callable[[Claims, Claims], str]  # header, claims -> compact JWT

_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: dict[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
_PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class TokenError(ValueError):
    """A token or key that is none."""


@dataclass(frozen=True)
class Forgery:
    """A token that must be refused, and what is wrong with it."""

    name: str
    token: str


@dataclass(frozen=True)
class Unforged:
    """A forgery that could not be made, and why."""

    name: str
    why: str


def encode(content: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The inverse of `encode`. Raises TokenError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise TokenError(f"{text[:20]!r} is not base64url") from error


def read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a compact JWT, unverified. Raises TokenError for anything else."""
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("the token is no JWT of three parts")
    try:
        header, claims = (json.loads(decode(part)) for part in parts[:2])
    except (ValueError, RecursionError) as error:
        raise TokenError(f"the token cannot be read: {error}") from error
    if not (isinstance(header, dict) and isinstance(claims, dict)):
        raise TokenError("the token's header or claims are no object")
    return header, claims


def write(header: Claims, claims: Claims, *, sign: Callable[[bytes], bytes]) -> str:
    """A compact JWT whose signature is `sign(signing input)`."""
    signed = f"{encode(_json(header))}.{encode(_json(claims))}"
    return f"{signed}.{encode(sign(signed.encode()))}"


def _json(content: Claims) -> bytes:
    return json.dumps(dict(content), separators=(",", ":")).encode()


def stranger(algorithm: str) -> Callable[[bytes], bytes]:
    """A signer for a JWS algorithm with a key made now. Raises TokenError for an algorithm unknown here."""
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate().sign
    family, digest = algorithm[:2], _digest_of({"alg": algorithm})
    if family not in ("RS", "PS", "ES", "HS"):
        raise TokenError(f"{algorithm!r} is no algorithm this probe can sign with")
    if family == "HS":
        return lambda data: hmac.digest(b"a key that nobody else has", data, digest.name)
    if family == "ES":
        return _elliptic(ec.generate_private_key(_CURVES[algorithm]), digest)
    return _rsa(rsa.generate_private_key(public_exponent=65537, key_size=2048), algorithm)


def sign_with(private_key_pem: bytes) -> Sign:
    """A signer with the service's real key, where a test environment can hand it out. Raises TokenError, ValueError."""
    key = serialization.load_pem_private_key(private_key_pem, password=None)

    def sign(header: Claims, claims: Claims) -> str:
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return write(header, claims, sign=_elliptic(key, _digest_of(header)))
        if isinstance(key, rsa.RSAPrivateKey):
            return write(header, claims, sign=_rsa(key, str(header.get("alg", ""))))
        raise TokenError(f"a key of type {type(key).__name__} is none this probe can sign with")

    return sign


def _digest_of(header: Claims) -> hashes.HashAlgorithm:
    digest = _HASHES.get(str(header.get("alg", ""))[2:])
    if digest is None:
        raise TokenError(f"{header.get('alg')!r} is no algorithm this probe can sign with")
    return digest


def _rsa(key: rsa.RSAPrivateKey, algorithm: str) -> Callable[[bytes], bytes]:
    digest = _digest_of({"alg": algorithm})
    pad = padding.PSS(padding.MGF1(digest), digest.digest_size) if algorithm.startswith("PS") else padding.PKCS1v15()
    return lambda data: key.sign(data, pad, digest)


def _elliptic(key: ec.EllipticCurvePrivateKey, digest: hashes.HashAlgorithm) -> Callable[[bytes], bytes]:
    size = (key.key_size + 7) // 8

    def sign(data: bytes) -> bytes:
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")  # RFC 7518 section 3.4

    return sign


def from_the_outside(good: str, public_keys: Mapping[str, bytes]) -> Iterator[Forgery | Unforged]:
    """What anybody can make who holds one good token and the public keys (`name -> the bytes used as a secret`)."""
    header, claims = read(good)
    head, body, signature = good.split(".")
    for spelling in ("none", "None", "NONE"):
        yield Forgery(f"alg {spelling}", f"{encode(_json({**header, 'alg': spelling}))}.{body}.")
    yield Forgery("no signature", f"{head}.{body}.")
    changed = {**claims, "sub": f"{claims.get('sub', '')}-somebody-else"}
    yield Forgery("tampered payload", f"{head}.{encode(_json(changed))}.{signature}")
    longer = {**claims, "exp": int(claims.get("exp", 0)) + 86400 if _is_number(claims.get("exp", 0)) else 2**31}
    yield Forgery("tampered expiry", f"{head}.{encode(_json(longer))}.{signature}")
    yield Forgery("tampered signature", f"{head}.{body}.{_flipped(signature)}")
    yield _wrong_key(header, claims)
    if str(header.get("alg", "")).startswith("HS"):
        yield Unforged("key confusion", "the service signs with a shared secret: there is no public key to confuse")
    elif not public_keys:
        yield Unforged("key confusion", "no public key is known")
    for name, secret in public_keys.items():
        yield Forgery(f"HS256 signed with the public key ({name})", confused(header, claims, secret=secret))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong_key(header: Claims, claims: Claims) -> Forgery | Unforged:
    try:
        return Forgery("wrong key", write(header, claims, sign=stranger(str(header.get("alg", "")))))
    except TokenError as error:
        return Unforged("wrong key", str(error))


def confused(header: Claims, claims: Claims, *, secret: bytes) -> str:
    """A token that a service accepts if it takes the algorithm from the token and the public key as a secret."""
    return write({**header, "alg": "HS256"}, claims, sign=lambda data: hmac.new(secret, data, hashlib.sha256).digest())


def _flipped(signature: str) -> str:
    content = bytearray(decode(signature))
    if not content:
        raise TokenError("the good token carries no signature")
    content[len(content) // 2] ^= 0x01
    return encode(bytes(content))


def really_signed(good: str, sign: Sign | None, *, now: float) -> Iterator[Forgery | Unforged]:
    """Tokens with a true signature and one wrong claim; without the signing key they cannot be made."""
    header, claims = read(good)
    wrong: dict[str, dict[str, Any]] = {
        "expired": {"iat": int(now) - 7200, "nbf": int(now) - 7200, "exp": int(now) - 3600},
        "not yet valid": {"iat": int(now), "nbf": int(now) + 3600, "exp": int(now) + 7200},
        "wrong audience": {"aud": "https://somewhere-else.invalid"},
        "wrong issuer": {"iss": "https://somebody-else.invalid"},
    }
    for name, change in wrong.items():
        if sign is None:
            yield Unforged(name, "only the holder of the signing key can make this token")
        else:
            yield Forgery(name, sign(header, {**claims, **change}))


def secrets_from(jwks: object) -> dict[str, bytes]:
    """The public keys of a JWKS document as the secrets that confused services use: PEM, with and without line end.

    Keys that cannot be read are left out.
    """
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    secrets: dict[str, bytes] = {}
    for number, key in enumerate(keys if isinstance(keys, list) else []):
        try:
            public = _public_key(key)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        secrets[f"key {number}, PEM"] = pem
        secrets[f"key {number}, PEM without line end"] = pem.rstrip(b"\n")
    return secrets


def _public_key(jwk: Mapping[str, str]) -> _PublicKey:
    def number(name: str) -> int:
        return int.from_bytes(decode(jwk[name]), "big")

    if jwk["kty"] == "RSA":
        return rsa.RSAPublicNumbers(number("e"), number("n")).public_key()
    curves: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    return ec.EllipticCurvePublicNumbers(number("x"), number("y"), curves[jwk["crv"]]).public_key()
