"""Access tokens: JWT signed with ES256, checked for signature, issuer, audience, times and revocation."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis.asyncio as redis_client
from joserfc import jwt
from joserfc.errors import JoseError
from starlette.requests import Request

from sandbox.service.cache import need
from sandbox.service.keys import SigningKeys
from sandbox.service.live import Live
from sandbox.service.problem import RefusedError
from sandbox.service.settings import AUDIENCE, ISSUER

ALGORITHM = "ES256"
TYPE = "at+jwt"
LIFETIME_SECONDS = 900
TOKEN_CHARACTERS_MAX = 4096


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What somebody was granted; `family` ties the access tokens of one refresh token chain together."""

    subject: str
    client_id: str
    scope: str
    audience: str
    family: str
    lifetime_seconds: int = LIFETIME_SECONDS


class Tokens:
    """Issues and checks tokens; the dials signing_key and auth plant defects."""

    def __init__(self, live: Live, keys: SigningKeys, *, memory: redis_client.Redis) -> None:
        self._live = live
        self._keys = keys
        self._memory = memory

    def issue(self, grant: Grant) -> str:
        """A signed token for `grant`."""
        key = self._keys.current(self._live.dials.signing_key)
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": grant.audience,
            "sub": grant.subject,
            "client_id": grant.client_id,
            "scope": grant.scope,
            "iat": now,
            "nbf": now,
            "exp": now + grant.lifetime_seconds,
            "jti": secrets.token_urlsafe(12),
            "sid": grant.family,
        }
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])

    async def of_request(self, request: Request, *, scope: str | None = None) -> Mapping[str, Any]:
        """The claims of the request's bearer token. Raises RefusedError: 401, 403 without `scope`, 503 without
        the cache, because a revoked token must not work while nobody can tell."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise RefusedError(401, "a bearer token is needed", headers={"www-authenticate": "Bearer"})
        claims = await self.verified(token.strip())
        if scope is not None and scope not in str(claims.get("scope", "")).split():
            challenge = {"www-authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
            raise RefusedError(403, f"the token lacks the scope {scope}", headers=challenge)
        return claims

    async def verified(self, token: str) -> Mapping[str, Any]:
        """The claims of a good token. Raises RefusedError: 401, or 503 without the cache."""
        claims = self.claims(token)
        if self._live.dials.auth == "accepts_revoked":
            return claims
        keys = [f"revoked:token:{claims.get('jti')}", f"revoked:family:{claims.get('sid')}"]
        if any(await need(self._memory.mget(keys))):
            raise _invalid("the token was revoked")
        return claims

    def claims(self, token: str) -> dict[str, Any]:
        """The claims, signature, issuer, audience and times checked; not revocation. Raises RefusedError(401)."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise _invalid("the token is too long")
        defect = self._live.dials.auth
        try:
            claims = self._unsealed(token, defect)
            _REGISTRY.validate(_softened(claims, defect))
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise _invalid(f"the token is not valid ({type(error).__name__})") from error
        return claims

    def _unsealed(self, token: str, defect: str) -> dict[str, Any]:
        if defect == "accepts_wrong_key" or (defect == "accepts_alg_none" and _algorithm(token) == "none"):
            return _part(token, 1)
        key = self._keys.current(self._live.dials.signing_key)
        decoded = jwt.decode(token, key, algorithms=[ALGORITHM])
        if decoded.header.get("typ") != TYPE:
            raise ValueError("another type of token")
        return dict(decoded.claims)

    async def revoke(self, claims: Mapping[str, Any]) -> None:
        """From now on the token with these claims is refused, on both slots. Raises RefusedError(503)."""
        seconds_left = max(1, int(claims["exp"]) - int(time.time()) + 1)
        await need(self._memory.set(f"revoked:token:{claims['jti']}", 1, ex=seconds_left))


def _registry() -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        leeway=0,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
        nbf={"essential": True},
        jti={"essential": True},
        sid={"essential": True},
        client_id={"essential": True},
        sub={"essential": True},
    )


_REGISTRY = _registry()


def _softened(claims: dict[str, Any], defect: str) -> dict[str, Any]:
    if defect == "accepts_expired":
        return {**claims, "exp": int(time.time()) + 60}
    if defect == "accepts_any_audience":
        return {**claims, "aud": AUDIENCE}
    return claims


def _algorithm(token: str) -> str:
    return str(_part(token, 0).get("alg", "")).lower()


def _part(token: str, index: int) -> dict[str, Any]:
    part = token.split(".")[index]
    value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _invalid(detail: str) -> RefusedError:
    return RefusedError(401, detail, headers={"www-authenticate": 'Bearer error="invalid_token"'})
