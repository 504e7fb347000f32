"""The OAuth2 flow and what the service does with tokens that it must refuse (API-02, ARCH-02)."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

import httpx

from probes.failures import Cause, Kind
from probes.forgery import (
    Forgery,
    Sign,
    TokenError,
    Unforged,
    from_the_outside,
    read,
    really_signed,
    secrets_from,
)
from probes.http import ask
from probes.question import Question
from probes.waiting import Tries
from rollout.model import Observation

LONGEST_WAIT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Authority:
    """How tokens are got and checked. `jwks_path` may be "" when the service publishes no keys.

    Truly signed bad tokens need help: `sign(header, claims)` signs with the service's real key where a test
    environment can; else form fields of the token request may give a token that ends within seconds
    (`short_lived`, {"lifetime_seconds": "1"}) or is for another audience (`elsewhere`, {"audience": "..."}).
    """

    client_id: str
    client_secret: str
    scope: str = ""
    token_path: str = "/oauth2/token"
    verify_path: str = "/api/v1/auth/verify"
    jwks_path: str = "/.well-known/jwks.json"
    sign: Sign | None = None
    short_lived: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)


def fetch_token(asker: httpx.Client, authority: Authority, *, extra: Mapping[str, str] | None = None) -> str | Cause:
    """A token by OAuth2's client credentials grant (RFC 6749 section 4.4); `extra` form fields are sent along."""
    form = {"grant_type": "client_credentials", "scope": authority.scope, **(extra or {})}
    answer = ask(
        asker,
        authority.token_path,
        method="POST",
        data={name: value for name, value in form.items() if value},
        headers={"authorization": _basic(authority)},
    )
    if isinstance(answer, Cause):
        return answer
    token = answer.mapping().get("access_token")
    if answer.status != 200 or not isinstance(token, str):
        return Cause(Kind.OTHER, f"the token endpoint answered {answer.status} without an access token")
    kind = str(answer.mapping().get("token_type", "")).lower()
    if kind != "bearer":
        return Cause(Kind.OTHER, f"the token endpoint gave a token of type {kind!r}, not bearer")
    return token


def _basic(authority: Authority) -> str:
    """Both parts are form-encoded first (RFC 6749 section 2.3.1)."""
    pair = ":".join(quote_plus(part) for part in (authority.client_id, authority.client_secret))
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def tokens(asker: httpx.Client, authority: Authority) -> tuple[Observation, ...]:
    """`auth.flow`, `auth.accepts`, and `auth.refuses` per bad token: refused with exactly 401.

    When the good token is not accepted, refusals prove nothing and are NO_DATA. What cannot be forged is NO_DATA.
    """
    source = f"{asker.base_url.host} {authority.verify_path}"
    flow = Question(name="auth.flow", rule="client credentials give a bearer token", source=source)
    token = fetch_token(asker, authority)
    if isinstance(token, Cause):
        return (flow.failed(token.kind, token.sentence),)
    observations = [
        flow.passed("bearer", "the OAuth2 flow gave a bearer token"),
        accepts(asker, authority, token=token),
    ]
    try:
        forgeries = list(_forgeries(asker, authority, token=token))
    except TokenError as error:
        return (*observations, flow.named("auth.refuses").no_data(f"the token cannot be varied: {error}"))
    good = observations[1].value == 200
    return (*observations, *(_refusal(asker, authority, forgery=forgery, judged=good) for forgery in forgeries))


def accepts(asker: httpx.Client, authority: Authority, *, token: str) -> Observation:
    """`auth.accepts`: a token is accepted with 200."""
    question = Question(
        name="auth.accepts",
        rule="a token from the OAuth2 flow is accepted",
        limit=200,
        source=f"{asker.base_url.host} {authority.verify_path}",
    )
    status = _status(asker, authority, authorization=f"Bearer {token}")
    if isinstance(status, Cause):
        return question.failed(status.kind, status.sentence)
    judge = question.passed if status == 200 else question.failed
    return judge(status, f"the token is answered with {status}")


def _forgeries(asker: httpx.Client, authority: Authority, *, token: str) -> Iterator[Forgery | Unforged]:
    read(token)
    yield Forgery("no token", "")
    yield Forgery("no JWT", "Bearer not-a-token")
    jwks = ask(asker, authority.jwks_path) if authority.jwks_path else None
    public_keys = {} if jwks is None or isinstance(jwks, Cause) else secrets_from(jwks.json())
    for forgery in (*from_the_outside(token, public_keys), *_truly_signed(asker, authority, token=token)):
        yield Forgery(forgery.name, f"Bearer {forgery.token}") if isinstance(forgery, Forgery) else forgery


def _truly_signed(asker: httpx.Client, authority: Authority, *, token: str) -> Iterator[Forgery | Unforged]:
    """With the signing key if there is one, else by the token endpoint itself where it can be asked to."""
    for forgery in really_signed(token, authority.sign, now=time.time()):
        if isinstance(forgery, Unforged) and forgery.name == "expired" and authority.short_lived:
            yield _expired(asker, authority)
        elif isinstance(forgery, Unforged) and forgery.name == "wrong audience" and authority.elsewhere:
            other = fetch_token(asker, authority, extra=authority.elsewhere)
            yield Unforged(forgery.name, other.sentence) if isinstance(other, Cause) else Forgery(forgery.name, other)
        else:
            yield forgery


def _expired(asker: httpx.Client, authority: Authority) -> Forgery | Unforged:
    """A token that was good until a moment ago."""
    token = fetch_token(asker, authority, extra=authority.short_lived)
    if isinstance(token, Cause):
        return Unforged("expired", token.sentence)
    end = read(token)[1].get("exp")
    if not isinstance(end, int | float) or end - time.time() > LONGEST_WAIT_SECONDS:
        return Unforged("expired", f"the token endpoint gave no token that ends within {LONGEST_WAIT_SECONDS:g} s")
    for _ in Tries(deadline_seconds=LONGEST_WAIT_SECONDS + 2.0, interval_seconds=0.1):
        if time.time() > end + 1.0:  # a second of leeway is no defect
            break
    return Forgery("expired", token)


def _refusal(asker: httpx.Client, authority: Authority, *, forgery: Forgery | Unforged, judged: bool) -> Observation:
    question = Question(
        name="auth.refuses",
        rule=f"a token is refused with 401: {forgery.name}",
        limit=401,
        source=f"{asker.base_url.host} {authority.verify_path}",
    )
    if isinstance(forgery, Unforged):
        return question.no_data(f"{forgery.name}: not tried, {forgery.why}")
    status = _status(asker, authority, authorization=forgery.token)
    if isinstance(status, Cause):
        return question.failed(status.kind, f"{forgery.name}: {status.sentence}")
    if 200 <= status < 300:
        return question.failed(status, f"{forgery.name}: accepted with {status}")
    if status != 401:
        return question.failed(status, f"{forgery.name}: answered {status}, not refused with 401")
    if not judged:
        return question.no_data(f"{forgery.name}: refused, but so is the good token", value=status)
    return question.passed(status, f"{forgery.name}: refused with 401")


def _status(asker: httpx.Client, authority: Authority, *, authorization: str) -> int | Cause:
    headers = {"authorization": authorization} if authorization else {}
    answer = ask(asker, authority.verify_path, headers=headers)
    return answer if isinstance(answer, Cause) else answer.status
