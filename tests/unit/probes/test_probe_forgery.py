"""Tokens that must be refused are really wrong in exactly one way."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from probes.forgery import (
    Forgery,
    TokenError,
    Unforged,
    decode,
    encode,
    from_the_outside,
    read,
    really_signed,
    secrets_from,
    sign_with,
    stranger,
    write,
)

KEY = ECKey.generate_key("P-256")
CLAIMS = {"iss": "i", "aud": "a", "sub": "s", "exp": 2_000_000_000, "nbf": 1_000_000_000}
GOOD = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "k"}, CLAIMS, KEY)
JWKS = {"keys": [KEY.as_dict(private=False)]}


def pem_of(key: Any) -> bytes:
    """The private key, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_from_the_outside_every_kind_is_made() -> None:
    """None is left out, and each is another token than the good one."""
    made = list(from_the_outside(GOOD, secrets_from(JWKS)))

    assert [forgery.name for forgery in made] == [
        *("alg none", "alg None", "alg NONE", "no signature"),
        *("tampered payload", "tampered expiry", "tampered signature", "wrong key"),
        "HS256 signed with the public key (key 0, PEM)",
        "HS256 signed with the public key (key 0, PEM without line end)",
    ]
    tokens = [forgery.token for forgery in made if isinstance(forgery, Forgery)]
    assert len({GOOD, *tokens}) == len(made) + 1


def test_a_careful_service_refuses_them_all() -> None:
    """Verified with the real key and the one allowed algorithm."""
    for forgery in from_the_outside(GOOD, secrets_from(JWKS)):
        assert isinstance(forgery, Forgery)
        with pytest.raises((JoseError, ValueError)):
            jwt.decode(forgery.token, KEY, algorithms=["ES256"])


def test_a_confused_service_would_accept_the_public_key_as_a_secret() -> None:
    """So the forgery is a real one."""
    token = next(f.token for f in from_the_outside(GOOD, secrets_from(JWKS)) if f.name.endswith("PEM)"))  # type: ignore[union-attr]
    signed, _, signature = token.rpartition(".")

    assert decode(signature) == hmac.digest(secrets_from(JWKS)["key 0, PEM"], signed.encode(), "sha256")
    assert read(token) == ({**read(GOOD)[0], "alg": "HS256"}, CLAIMS)


def test_the_wrong_key_signs_for_real() -> None:
    """A service that takes the key from the token's owner would accept it: header and claims are the good ones."""
    token = next(f for f in from_the_outside(GOOD, {}) if f.name == "wrong key")

    assert isinstance(token, Forgery)
    assert read(token.token) == read(GOOD)


@pytest.mark.parametrize("algorithm", ["RS256", "PS384", "ES256", "ES384", "ES512", "HS256", "EdDSA"])
def test_strangers_sign_with_the_services_algorithm(algorithm: str) -> None:
    """Whatever it is, within what is common."""
    assert len(stranger(algorithm)(b"data")) >= 32


@pytest.mark.parametrize("algorithm", ["", "none", "XX256", "RS1"])
def test_an_unknown_algorithm_cannot_be_forged(algorithm: str) -> None:
    """It is said so instead of being left out."""
    with pytest.raises(TokenError, match="no algorithm"):
        stranger(algorithm)
    token = write({"alg": algorithm}, CLAIMS, sign=lambda _: b"signature")
    assert any(isinstance(each, Unforged) and each.name == "wrong key" for each in from_the_outside(token, {}))


def test_without_a_public_key_there_is_no_key_confusion() -> None:
    """Neither is there one for shared secrets."""
    shared = write({"alg": "HS256"}, CLAIMS, sign=stranger("HS256"))

    for token, why in ((GOOD, "no public key is known"), (shared, "shared secret")):
        unforged = [each for each in from_the_outside(token, {}) if isinstance(each, Unforged)]
        assert [each.name for each in unforged] == ["key confusion"]
        assert why in unforged[0].why


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)])
def test_the_holder_of_the_key_signs_bad_claims(key: Any) -> None:
    """Signature good, one claim wrong: only the claim can be the reason to refuse."""
    algorithm, jwk = ("ES256", ECKey) if isinstance(key, ec.EllipticCurvePrivateKey) else ("RS256", RSAKey)
    sign = sign_with(pem_of(key))
    good = sign({"alg": algorithm}, CLAIMS)

    made = {f.name: f.token for f in really_signed(good, sign, now=1_500_000_000.0) if isinstance(f, Forgery)}

    assert sorted(made) == ["expired", "not yet valid", "wrong audience", "wrong issuer"]
    for token in made.values():
        jwt.decode(token, jwk.import_key(pem_of(key)), algorithms=[algorithm])
    assert read(made["expired"])[1]["exp"] < 1_500_000_000
    assert read(made["not yet valid"])[1]["nbf"] > 1_500_000_000
    assert read(made["wrong audience"])[1]["iss"] == "i"


def test_without_the_key_nothing_is_really_signed() -> None:
    """And the reason is given."""
    made = list(really_signed(GOOD, None, now=0.0))

    assert all(isinstance(each, Unforged) and "holder of the signing key" in each.why for each in made)


def test_a_key_of_another_kind_cannot_sign() -> None:
    """Wrong use, named."""
    with pytest.raises(TokenError, match="Ed25519"):
        sign_with(pem_of(ed25519.Ed25519PrivateKey.generate()))({"alg": "EdDSA"}, {})


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "e30.e30", "W10.W10.x", "!!.e30.x", "e30.bnVsbA.x"])
def test_what_is_no_token_is_refused(token: str) -> None:
    """By the reader, with one kind of error."""
    with pytest.raises(TokenError):
        read(token)


def test_a_token_without_signature_cannot_be_flipped() -> None:
    """Its provider is told so."""
    with pytest.raises(TokenError, match="no signature"):
        list(from_the_outside(write({"alg": "ES256"}, CLAIMS, sign=lambda _: b""), {}))


def test_rsa_keys_are_read_from_a_key_set() -> None:
    """And keys that cannot be read are left out."""
    keys = [RSAKey.generate_key(2048).as_dict(private=False), {"kty": "oct"}, {"kty": "EC", "crv": "P-1"}, 5]

    assert len(secrets_from({"keys": keys})) == 2
    assert secrets_from({"keys": 5}) == secrets_from(None) == {}


@given(st.binary())
def test_base64url_round_trip(content: bytes) -> None:
    """Without padding."""
    assert "=" not in encode(content)
    assert decode(encode(content)) == content


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_tokens_are_read_back_as_written(claims: dict[str, object]) -> None:
    """Claims of any kind come back."""
    assert read(write({"alg": "x"}, claims, sign=lambda data: data)) == ({"alg": "x"}, json.loads(json.dumps(claims)))
