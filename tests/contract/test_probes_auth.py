"""API-02, ARCH-02 and ARCH-11 against a small real service whose defects are planted one by one."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jwt import JWTClaimsRegistry

from probes import auth, session
from probes.auth import Authority
from probes.failures import Cause
from probes.forgery import read, sign_with
from probes.session import Door, SignIn
from rollout.model import Observation, Verdict
from tests.contract.probe_world import (
    Asked,
    Reply,
    Serve,
    document,
)

pytest_plugins = ("tests.contract.probe_fixtures",)

KEY = ECKey.generate_key("P-256", {"kid": "k"})
OTHER_KEY = ECKey.generate_key("P-256", {"kid": "k"})
SECRET = secrets.token_urlsafe(8)
AUTHORITY = Authority(client_id="release checks", client_secret=SECRET)
BASIC = base64.b64encode(f"release+checks:{SECRET}".encode()).decode()


class Service:
    """Issues and verifies tokens; `defect` says what it does wrong."""

    def __init__(self, defect: str = "", *, key: ECKey = KEY, sessions: dict[str, str] | None = None) -> None:
        self.defect, self.key = defect, key
        self.sessions: dict[str, str] = {} if sessions is None else sessions
        self.slot = "blue"

    def __call__(self, asked: Asked) -> Reply:
        answers = {
            "/oauth2/token": self._token,
            "/api/v1/auth/verify": self._verify,
            "/.well-known/jwks.json": lambda _: document({"keys": [self.key.as_dict(private=False)]}),
            "/api/v1/session": self._session,
        }
        reply = answers.get(asked.path, lambda _: Reply(404))(asked)
        return Reply(reply.status, (*reply.headers, ("x-slot", self.slot)), reply.body)

    def _token(self, asked: Asked) -> Reply:
        form = parse_qs(asked.body.decode())
        if asked.headers.get("authorization") != f"Basic {BASIC}" or form["grant_type"] != ["client_credentials"]:
            return document({"error": "invalid_client"}, 401)
        now = int(time.time())
        lifetime = int(form.get("lifetime_seconds", ["900"])[0])
        claims = {"iss": "shop", "aud": form.get("audience", ["shop"])[0], "nbf": now, "exp": now + lifetime}
        token = jwt.encode({"alg": "ES256"}, {**claims, "sub": "checks"}, self.key)
        return document({"access_token": token, "token_type": "mac" if self.defect == "mac" else "Bearer"})

    def _verify(self, asked: Asked) -> Reply:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if self.defect == "accepts all":
            return document({})
        if self.defect == "refuses all":
            return document({}, 401)
        if self.defect == "forbids":
            return document({}, 200 if self._good(token) else 403)
        return document({}, 200 if scheme == "Bearer" and self._good(token) else 401)

    def _good(self, token: str) -> bool:
        try:
            header, claims = read(token)
            if self.defect == "accepts alg none" and str(header["alg"]).lower() == "none":
                return True
            if self.defect not in ("accepts wrong key", "accepts tampered"):
                claims = jwt.decode(token, self.key, algorithms=["ES256"]).claims
            self._registry().validate(claims)
        except (JoseError, ValueError):
            return False
        return True

    def _registry(self) -> JWTClaimsRegistry:
        expected = {"iss": "shop", "aud": "shop"}
        if self.defect.startswith("accepts any "):
            expected.pop(self.defect.removeprefix("accepts any "))
        leeway = 10**6 if self.defect == "accepts expired" else 0
        options: dict[str, Any] = {name: {"essential": True, "value": value} for name, value in expected.items()}
        return JWTClaimsRegistry(leeway=leeway, **options)

    def _session(self, asked: Asked) -> Reply:
        if asked.method == "POST":
            name = secrets.token_hex(4)
            self.sessions[name] = json.loads(asked.body)["customer"]
            cookies = () if self.defect == "no cookie" else (("set-cookie", f"s={name}; Secure; HttpOnly"),)
            return document({}, 201, cookies)
        customer = self.sessions.get(asked.headers.get("cookie", "").removeprefix("s="))
        return document({}, 401) if customer is None else document({"customer": customer})


def pem() -> bytes:
    """The service's private key."""
    private: bytes = KEY.private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private


SIGNING = Authority(client_id="release checks", client_secret=SECRET, sign=sign_with(pem()))


def failed(observations: tuple[Observation, ...]) -> list[str]:
    """The messages of what failed, up to the colon."""
    return [each.message.partition(":")[0] for each in observations if each.verdict is Verdict.FAIL]


# ------------------------------------------------------------------------------------------------ tokens


def test_a_careful_service_passes(asking: Callable[[Serve], Any]) -> None:
    """The flow works, the token is accepted, sixteen bad ones are refused."""
    with asking(Service()) as asker:
        seen = auth.tokens(asker, SIGNING)

    assert [each.message for each in seen if each.verdict is not Verdict.PASS] == []
    assert [each.name for each in seen[:2]] == ["auth.flow", "auth.accepts"]
    assert len(seen) == 2 + 2 + 10 + 4


@pytest.mark.parametrize(
    ("defect", "accepted"),
    [
        ("accepts alg none", ["alg none", "alg None", "alg NONE"]),
        ("accepts expired", ["expired", "not yet valid"]),
        ("accepts any aud", ["wrong audience"]),
        ("accepts any iss", ["wrong issuer"]),
    ],
)
def test_each_defect_is_found(defect: str, accepted: list[str], asking: Callable[[Serve], Any]) -> None:
    """By what it accepts."""
    with asking(Service(defect)) as asker:
        assert failed(auth.tokens(asker, SIGNING)) == accepted


@pytest.mark.parametrize(
    "name", ["wrong key", "tampered payload", "tampered signature", "HS256 signed with the public key (key 0, PEM)"]
)
def test_a_service_that_does_not_verify_is_found(name: str, asking: Callable[[Serve], Any]) -> None:
    """Whatever the forgery."""
    with asking(Service("accepts wrong key")) as asker:
        assert name in failed(auth.tokens(asker, SIGNING))


def test_refusing_with_another_status_is_not_refusing(asking: Callable[[Serve], Any]) -> None:
    """403 tells a client that its token is good."""
    with asking(Service("forbids")) as asker:
        seen = auth.tokens(asker, SIGNING)

    bad = [each for each in seen if each.verdict is Verdict.FAIL]
    assert len(bad) == 16
    assert "answered 403, not refused with 401" in bad[0].message


def test_a_service_that_accepts_everything_or_nothing(asking: Callable[[Serve], Any]) -> None:
    """Nothing accepted makes the refusals worthless."""
    with asking(Service("accepts all")) as asker:
        everything = auth.tokens(asker, SIGNING)
    with asking(Service("refuses all")) as asker:
        nothing = auth.tokens(asker, SIGNING)

    assert len(failed(everything)) == 16
    assert [each.verdict for each in nothing[:2]] == [Verdict.PASS, Verdict.FAIL]
    assert {each.verdict for each in nothing[2:]} == {Verdict.NO_DATA}


def test_without_the_signing_key_some_tokens_cannot_be_made(asking: Callable[[Serve], Any]) -> None:
    """They are not passed over in silence."""
    with asking(Service()) as asker:
        seen = auth.tokens(asker, Authority(client_id="release checks", client_secret=SECRET, jwks_path=""))

    unmade = [each.message.partition(":")[0] for each in seen if each.verdict is Verdict.NO_DATA]
    assert unmade == ["key confusion", "expired", "not yet valid", "wrong audience", "wrong issuer"]


def test_the_token_endpoint_can_help(asking: Callable[[Serve], Any]) -> None:
    """A token that ends within a second, and one for another audience: both truly signed."""
    helped = Authority(
        client_id="release checks",
        client_secret=SECRET,
        short_lived={"lifetime_seconds": "1"},
        elsewhere={"audience": "reports"},
    )
    with asking(Service()) as asker:
        careful = auth.tokens(asker, helped)
    with asking(Service("accepts expired")) as asker:
        careless = auth.tokens(asker, helped)

    assert failed(careful) == []
    assert failed(careless) == ["expired"]


def test_a_token_that_lives_too_long_is_not_waited_for(asking: Callable[[Serve], Any]) -> None:
    """The wait is bounded; a token endpoint that refuses helps nobody."""
    with asking(Service()) as asker:
        long = Authority(client_id="release checks", client_secret=SECRET, short_lived={"lifetime_seconds": "60"})
        patient = auth._expired(asker, long)
        refused = auth._expired(asker, Authority(client_id="x", client_secret="y", short_lived={"a": "b"}))

    assert "no token that ends within" in patient.why  # type: ignore[union-attr]
    assert "answered 401" in refused.why  # type: ignore[union-attr]


def test_no_token_no_answer(asking: Callable[[Serve], Any], nobody: httpx.Client) -> None:
    """A wrong secret, another kind of token, a dead server, a token that is no JWT."""
    with asking(Service()) as asker:
        wrong = auth.tokens(asker, Authority(client_id="release checks", client_secret="wrong"))
    with asking(Service("mac")) as asker:
        mac = auth.tokens(asker, AUTHORITY)
    dead = auth.tokens(nobody, AUTHORITY)
    with asking(lambda _: document({"access_token": "opaque", "token_type": "bearer"})) as asker:
        opaque = auth.tokens(asker, AUTHORITY)

    assert [len(failed(each)) for each in (wrong, mac, dead)] == [1, 1, 1]
    assert [each.verdict for each in opaque] == [Verdict.PASS, Verdict.PASS, Verdict.NO_DATA]


def test_a_verifier_that_hangs_up(asking: Callable[[Serve], Any]) -> None:
    """Is no refusal."""

    def cut(asked: Asked) -> Reply:
        return Reply(raw=b"") if "verify" in asked.path else Service()(asked)

    with asking(cut) as asker:
        seen = auth.tokens(asker, SIGNING)

    assert {each.verdict for each in seen[1:]} == {Verdict.FAIL}


# ------------------------------------------------------------------------------------------------ sessions


@contextmanager
def two_doors(asking: Callable[[Serve], Any], blue: Service, green: Service) -> Iterator[tuple[Door, Door]]:
    """A client per slot."""
    blue.slot, green.slot = "blue", "green"
    with asking(blue) as first, asking(green) as second:
        yield Door(slot="blue", asker=first), Door(slot="green", asker=second)


def test_sessions_and_tokens_outlive_the_switch(asking: Callable[[Serve], Any]) -> None:
    """Both ways."""
    shared: dict[str, str] = {}
    with two_doors(asking, Service(sessions=shared), Service(sessions=shared)) as doors:
        seen = session.outlives_switch(doors, SignIn(), authority=AUTHORITY)

    assert [(each.name, each.verdict) for each in seen] == [
        ("session.cookie", Verdict.PASS),
        ("session.token", Verdict.PASS),
    ] * 2


def test_a_signing_key_per_slot_is_found(asking: Callable[[Serve], Any]) -> None:
    """Each slot refuses the other's tokens."""
    shared: dict[str, str] = {}
    with two_doors(asking, Service(sessions=shared), Service(key=OTHER_KEY, sessions=shared)) as doors:
        seen = session.outlives_switch(doors, SignIn(), authority=AUTHORITY)

    assert [each.name for each in seen if each.verdict is Verdict.FAIL] == ["session.token", "session.token"]
    assert "a token from blue is answered with 401 on green" in seen[1].message


class Forgetful(dict[str, str]):
    """Reads everybody's sessions as somebody else's."""

    def get(self, key: str, default: Any = None) -> Any:
        return "somebody else" if key in self else default


def test_sessions_that_the_other_slot_cannot_read_are_found(asking: Callable[[Serve], Any]) -> None:
    """Unknown there, or taken for somebody else."""
    with two_doors(asking, Service(), Service()) as doors:
        unknown = session.outlives_switch(doors, SignIn())
    mixed = Forgetful()
    with two_doors(asking, Service(sessions=mixed), Service(sessions=mixed)) as doors:
        taken = session.outlives_switch(doors, SignIn())

    assert [each.verdict for each in (*unknown, *taken)] == [Verdict.FAIL] * 4
    assert "signed in on blue: green answered 401" in unknown[0].message
    assert "takes the customer for 'somebody else'" in taken[0].message


def test_a_route_that_leads_to_the_other_slot_says_nothing(
    asking: Callable[[Serve], Any], nobody: httpx.Client
) -> None:
    """Both doors to one slot would prove only that it knows itself."""
    service = Service()
    with asking(service) as asker:
        same = session.outlives_switch((Door(slot="blue", asker=asker), Door(slot="green", asker=asker)), SignIn())
        dead = session.outlives_switch(
            (Door(slot="blue", asker=asker), Door(slot="green", asker=nobody)), SignIn(), authority=AUTHORITY
        )

        with pytest.raises(ValueError, match="both doors lead to blue"):
            session.outlives_switch((Door(slot="blue", asker=asker), Door(slot="blue", asker=asker)), SignIn())

    assert [each.verdict for each in same] == [Verdict.NO_DATA, Verdict.NO_DATA]
    assert {each.verdict for each in dead} == {Verdict.FAIL}


def test_signing_in_that_fails(asking: Callable[[Serve], Any]) -> None:
    """No cookie, no session; a slot that refuses its own token."""
    with two_doors(asking, Service("no cookie"), Service("refuses all")) as doors:
        seen = session.outlives_switch(doors, SignIn(), authority=AUTHORITY)

    assert "no session cookie" in seen[0].message
    assert "green refuses its own token" in seen[3].message


def test_a_dead_token_endpoint_is_a_cause(nobody: httpx.Client) -> None:
    """For whoever needs just the token."""
    assert isinstance(auth.fetch_token(nobody, AUTHORITY), Cause)
