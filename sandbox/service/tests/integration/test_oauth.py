"""The whole OAuth2 flow against the real cache, and every refusal."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from sandbox.service.settings import AUDIENCE, ISSUER, OTHER_AUDIENCE
from sandbox.service.tests.inside import CLIENT, InProcess
from sandbox.service.tests.support import World, eventually

VERIFY = "/api/v1/auth/verify"


def good_claims(**changes: object) -> dict[str, object]:
    """Claims that only a bad signature can spoil."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "x", "client_id": "x", "jti": "x", "sid": "x"}
    return {**claims, "nbf": now - 1, "exp": now + 60, **changes}


def signed(key: ECKey, **changes: object) -> str:
    """A token with those claims, by any key."""
    return jwt.encode({"alg": "ES256", "typ": "at+jwt"}, good_claims(**changes), key, algorithms=["ES256"])


def unsigned() -> str:
    """A token with algorithm none."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "at+jwt"}, good_claims())]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def verify(inside: InProcess, token: str) -> int:
    """The status that the token gets."""
    return inside.get(VERIFY, headers={"authorization": f"Bearer {token}"}).status_code


def shared_key(inside: InProcess) -> ECKey:
    """The key that signs."""
    return ECKey.import_key(inside.settings.signing_key_file.read_bytes())


def test_a_token_from_the_flow_is_accepted(inside: InProcess) -> None:
    """And says whom it stands for."""
    answer = inside.get(VERIFY, headers=inside.bearer())

    assert (answer.status_code, answer.json()["subject"]) == (200, CLIENT)


BAD: dict[str, Callable[[InProcess], str]] = {
    "expired": lambda inside: signed(shared_key(inside), exp=int(time.time()) - 1),
    "not yet valid": lambda inside: signed(shared_key(inside), nbf=int(time.time()) + 60),
    "another audience": lambda inside: inside.token_answer(audience=OTHER_AUDIENCE).json()["access_token"],
    "another issuer": lambda inside: signed(shared_key(inside), iss="https://elsewhere.example"),
    "another key": lambda inside: signed(ECKey.generate_key("P-256")),
    "algorithm none": lambda inside: unsigned(),
    "tampered": lambda inside: inside.bearer()["authorization"][7:-4] + "AAAA",
    "no jti": lambda inside: signed(shared_key(inside), jti=None),
    "not a token": lambda inside: "a.b.c",
    "three dots": lambda inside: "...",
    "very long": lambda inside: "x" * 5000,
}


@pytest.mark.parametrize("kind", sorted(BAD))
def test_a_bad_token_is_refused(inside: InProcess, kind: str) -> None:
    """With 401, and a challenge."""
    answer = inside.get(VERIFY, headers={"authorization": f"Bearer {BAD[kind](inside)}"})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["status"] == 401


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic eDp5", "Bearer  "])
def test_no_token_is_refused(inside: InProcess, authorization: str) -> None:
    """Whatever stands in its place."""
    assert inside.get(VERIFY, headers={"authorization": authorization}).status_code == 401


@pytest.mark.parametrize(
    ("dial", "kind"),
    [
        ("accepts_alg_none", "algorithm none"),
        ("accepts_expired", "expired"),
        ("accepts_any_audience", "another audience"),
        ("accepts_wrong_key", "another key"),
    ],
)
def test_each_planted_defect_accepts_just_its_bad_token(inside: InProcess, dial: str, kind: str) -> None:
    """So that a check that goes red goes red for the reason it names."""
    inside.turn(auth=dial)
    kinds = ("algorithm none", "expired", "another audience", "another key")
    accepted = {name for name in kinds if verify(inside, BAD[name](inside)) == 200}

    assert kind in accepted
    assert accepted <= {kind, "algorithm none"} if dial == "accepts_wrong_key" else accepted == {kind}


def test_a_revoked_token_works_no_more(inside: InProcess) -> None:
    """Revocation is for the token's own client only, and the planted defect undoes it."""
    token = inside.bearer()["authorization"][7:]
    answer = inside.request("POST", "/oauth2/revoke", data={"token": token}, auth=(CLIENT, inside.secret))

    assert (answer.status_code, verify(inside, token)) == (200, 401)
    inside.turn(auth="accepts_revoked")
    assert verify(inside, token) == 200


def test_a_refresh_token_works_once_and_its_reuse_ends_the_family(inside: InProcess) -> None:
    """Rotation; a stolen refresh token costs the thief everything."""
    first = inside.token_answer(scope="items:read offline_access").json()
    second = inside.token_answer(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()

    assert verify(inside, second["access_token"]) == 200
    reused = inside.token_answer(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    assert verify(inside, second["access_token"]) == 401
    assert inside.token_answer(grant_type="refresh_token", refresh_token=second["refresh_token"]).status_code == 400


def test_revoking_a_refresh_token_ends_its_access_tokens(inside: InProcess) -> None:
    """RFC 7009, section 2.1."""
    tokens = inside.token_answer(scope="items:read offline_access").json()
    form = {"token": tokens["refresh_token"], "token_type_hint": "refresh_token"}
    inside.request("POST", "/oauth2/revoke", data=form, auth=(CLIENT, inside.secret))

    assert verify(inside, tokens["access_token"]) == 401


def test_a_short_life_may_be_asked_for_and_ends(inside: InProcess) -> None:
    """A check can thus hold an honestly expired token in its hands."""
    token = inside.token_answer(lifetime_seconds="1").json()["access_token"]

    assert verify(inside, token) == 200
    eventually(lambda: verify(inside, token) == 401, "the token expiring", seconds=3.0)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"audience": "https://elsewhere.example"}, "invalid_target"),
        ({"lifetime_seconds": "901"}, "invalid_request"),
        ({"lifetime_seconds": "\u0663"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_grant"),
    ],
)
def test_a_wrong_request_for_a_token_is_refused_by_its_name(
    inside: InProcess, form: dict[str, str], error: str
) -> None:
    """The names of RFC 6749 and 8707."""
    answer = inside.token_answer(**form)

    assert (400, error) == (answer.status_code, answer.json()["error"])


@pytest.mark.parametrize("auth", [("release-checks", "wrong"), ("nobody", "x"), ("", "")])
def test_an_unknown_client_gets_nothing(inside: InProcess, auth: tuple[str, str]) -> None:
    """401 invalid_client with a challenge."""
    answer = inside.request("POST", "/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert "www-authenticate" in answer.headers


def test_a_customer_grants_a_client_by_code_and_proof(inside: InProcess) -> None:
    """Authorization code with PKCE: signed in, redirected, redeemed once."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": "https://shop.example/callback",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "state": "s-1",
    }
    assert inside.get("/oauth2/authorize", params=asked).status_code == 401
    sent_back = inside.get("/oauth2/authorize", params=asked, headers=inside.sign_in("Ann"))
    query = parse_qs(urlsplit(sent_back.headers["location"]).query)
    form = {"grant_type": "authorization_code", "code": query["code"][0], "redirect_uri": asked["redirect_uri"]}
    answer = inside.token_answer(**form, code_verifier=verifier)

    assert (sent_back.status_code, query["state"]) == (302, ["s-1"])
    shown = inside.get(VERIFY, headers={"authorization": f"Bearer {answer.json()['access_token']}"})
    assert shown.json()["subject"] == "Ann"
    assert inside.token_answer(**form, code_verifier=verifier).json()["error"] == "invalid_grant"
    refused = inside.get("/oauth2/authorize", params={**asked, "code_challenge_method": "plain"})
    assert "error=invalid_request" in refused.headers["location"]
    assert inside.get("/oauth2/authorize", params={**asked, "redirect_uri": "https://evil"}).status_code == 400


def test_a_slot_with_its_own_key_refuses_the_other_slots_tokens(inside: InProcess, shop: World) -> None:
    """The planted defect that a switch would suffer from, both ways; its tasks agree with each other."""
    token = inside.bearer()["authorization"][7:]
    with InProcess(shop, "green") as green:
        assert verify(green, token) == 200
        green.turn(signing_key="own")
        own = green.bearer()["authorization"][7:]

        assert (verify(green, token), verify(inside, own), verify(green, own)) == (401, 401, 200)
        assert green.get("/.well-known/jwks.json").json() != inside.get("/.well-known/jwks.json").json()
    with InProcess(shop, "green", task_id="task-2") as sibling:
        sibling.turn(signing_key="own")
        assert verify(sibling, own) == 200
