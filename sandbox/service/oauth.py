"""OAuth2: tokens for clients and customers, rotation of refresh tokens, revocation, the public keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, replace
from urllib.parse import urlencode

import redis.asyncio as redis_client
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.service import clients
from sandbox.service.body import read_form
from sandbox.service.cache import need, read, take
from sandbox.service.clients import Client, oauth_error
from sandbox.service.keys import SigningKeys, public_document
from sandbox.service.limits import RateLimits, client_of
from sandbox.service.live import Live
from sandbox.service.problem import RefusedError
from sandbox.service.sessions import Sessions
from sandbox.service.settings import AUDIENCE
from sandbox.service.tokens import LIFETIME_SECONDS, Grant, Tokens

REFRESH_SECONDS = 86_400
CODE_SECONDS = 60


class OAuth:
    """The endpoints below /oauth2 and the key set."""

    def __init__(self, live: Live, keys: SigningKeys, *, tokens: Tokens, memory: redis_client.Redis) -> None:
        self._live = live
        self._keys = keys
        self._tokens = tokens
        self._memory = memory
        self._pem = live.settings.signing_key_file.read_bytes()
        self._grants = {
            "client_credentials": self._client_credentials,
            "authorization_code": self._authorization_code,
            "refresh_token": self._refresh_token,
        }

    def routes(self, limits: RateLimits, sessions: Sessions) -> list[Route]:
        """All endpoints; `token` is limited."""

        async def token(request: Request) -> Response:
            return await self._token(request, limits)

        async def authorize(request: Request) -> Response:
            return await self._authorize(request, sessions)

        return [
            Route("/oauth2/token", token, methods=["POST"]),
            Route("/oauth2/revoke", self._revoke, methods=["POST"]),
            Route("/oauth2/authorize", authorize),
            Route("/.well-known/jwks.json", self._key_set),
            Route("/api/v1/auth/verify", self._verify),
        ]

    async def _verify(self, request: Request) -> Response:
        claims = await self._tokens.of_request(request)
        shown = {"subject": claims["sub"], "client_id": claims["client_id"], "scope": claims.get("scope", "")}
        return JSONResponse({"active": True, **shown, "expires": claims["exp"], "slot": self._live.settings.slot})

    async def _key_set(self, _request: Request) -> Response:
        return JSONResponse(public_document(self._keys.current(self._live.dials.signing_key)))

    async def _token(self, request: Request, limits: RateLimits) -> Response:
        form = await _oauth_form(request)
        authorization = request.headers.get("authorization", "")
        # The address is part of the name that is counted: a stranger cannot use up somebody else's share.
        counted = f"{clients.claimed_id(authorization, form)}@{client_of(request)}"
        headers = await limits.charge("token", counted)
        client = clients.authenticate(self._pem, authorization, form=form)
        grant_type = self._grants.get(form.get("grant_type", ""))
        if grant_type is None:
            raise oauth_error("unsupported_grant_type", f"grant_type is one of {', '.join(self._grants)}")
        grant = await grant_type(client, form)
        return JSONResponse(await self._answer(grant), headers=dict(headers))

    async def _answer(self, grant: Grant) -> dict[str, object]:
        answer: dict[str, object] = {
            "access_token": self._tokens.issue(grant),
            "token_type": "Bearer",
            "expires_in": grant.lifetime_seconds,
            "scope": grant.scope,
        }
        if "offline_access" in grant.scope.split():
            refresh = secrets.token_urlsafe(32)
            stored = json.dumps(asdict(replace(grant, lifetime_seconds=LIFETIME_SECONDS)))
            await need(self._memory.set(_refresh_key(refresh), stored, ex=REFRESH_SECONDS))
            answer["refresh_token"] = refresh
        return answer

    async def _client_credentials(self, client: Client, form: Mapping[str, str]) -> Grant:
        default = " ".join(scope for scope in client.scopes if scope != "offline_access")
        return Grant(
            subject=client.id,
            client_id=client.id,
            scope=_scope(form.get("scope") or default, client.scopes),
            audience=_audience(form, client),
            family=secrets.token_urlsafe(12),
            lifetime_seconds=_lifetime(form),
        )

    async def _authorization_code(self, client: Client, form: Mapping[str, str]) -> Grant:
        stored = await take(self._memory, _code_key(form.get("code", "")))  # a code works once
        if stored is None:
            raise oauth_error("invalid_grant", "the code is unknown, used or too old")
        code = json.loads(stored)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode("utf-8", "replace")).digest()
        proof = base64.urlsafe_b64encode(challenge).decode().rstrip("=")
        same = code["client_id"] == client.id and code["redirect_uri"] == form.get("redirect_uri")
        if not same or not hmac.compare_digest(proof, code["code_challenge"]):
            raise oauth_error("invalid_grant", "the code belongs to another client, redirect_uri or code_verifier")
        return Grant(
            subject=code["customer"],
            client_id=client.id,
            scope=code["scope"],
            audience=AUDIENCE,
            family=secrets.token_urlsafe(12),
            lifetime_seconds=_lifetime(form),
        )

    async def _refresh_token(self, client: Client, form: Mapping[str, str]) -> Grant:
        given = form.get("refresh_token", "")
        stored = await take(self._memory, _refresh_key(given))
        if stored is None:
            await self._punish_reuse(given)
            raise oauth_error("invalid_grant", "the refresh token is unknown, used, revoked or too old")
        grant = Grant(**json.loads(stored))
        ended = await read(self._memory, _family_key(grant.family))
        if grant.client_id != client.id or ended is not None:
            raise oauth_error("invalid_grant", "the refresh token is unknown, used, revoked or too old")
        await need(self._memory.set(_used_key(given), grant.family, ex=REFRESH_SECONDS))
        scope = _scope(form.get("scope") or grant.scope, tuple(grant.scope.split()))
        return replace(grant, scope=scope, lifetime_seconds=_lifetime(form))

    async def _punish_reuse(self, given: str) -> None:
        # RFC 9700, 4.14.2: a refresh token seen twice was stolen, by whichever side; the whole family ends.
        family = await read(self._memory, _used_key(given))
        if family is not None:
            await need(self._memory.set(_family_key(family.decode()), 1, ex=REFRESH_SECONDS))

    async def _revoke(self, request: Request) -> Response:
        form = await _oauth_form(request)
        client = clients.authenticate(self._pem, request.headers.get("authorization", ""), form=form)
        token = form.get("token", "")
        if not token:
            raise oauth_error("invalid_request", "token is missing")
        stored = await read(self._memory, _refresh_key(token))
        if stored is not None:
            await self._revoke_family(client, token, grant=Grant(**json.loads(stored)))
        else:
            await self._revoke_access(client, token)
        # RFC 7009, 2.2: also 200 for a token that is unknown, so that nobody learns which tokens exist.
        return Response(status_code=200)

    async def _revoke_family(self, client: Client, token: str, *, grant: Grant) -> None:
        if grant.client_id == client.id:
            await need(self._memory.set(_family_key(grant.family), 1, ex=REFRESH_SECONDS))
            await need(self._memory.delete(_refresh_key(token)))

    async def _revoke_access(self, client: Client, token: str) -> None:
        try:
            claims = self._tokens.claims(token)
        except RefusedError:
            return  # not one of ours, or over already: nothing is left to revoke
        if claims.get("client_id") == client.id:
            await self._tokens.revoke(claims)

    async def _authorize(self, request: Request, sessions: Sessions) -> Response:
        asked = request.query_params
        client = clients.CLIENTS.get(asked.get("client_id", ""))
        redirect_uri = asked.get("redirect_uri", "")
        if client is None or redirect_uri not in client.redirect_uris:
            raise oauth_error("invalid_request", "client_id is unknown or redirect_uri is not registered for it")
        state = {"state": asked["state"]} if "state" in asked else {}
        challenge = asked.get("code_challenge", "")
        plain = asked.get("code_challenge_method") != "S256" or not 43 <= len(challenge) <= 128
        if asked.get("response_type") != "code" or plain or not challenge.isascii():
            return _back(redirect_uri, {"error": "invalid_request", **state})
        _, session = await sessions.of_request(request)
        code = secrets.token_urlsafe(24)
        stored = {
            "client_id": client.id,
            "redirect_uri": redirect_uri,
            "code_challenge": challenge,
            "customer": session["customer"],
            "scope": _scope(asked.get("scope") or "items:read items:write", client.scopes),
        }
        await need(self._memory.set(_code_key(code), json.dumps(stored), ex=CODE_SECONDS))
        return _back(redirect_uri, {"code": code, **state})


async def _oauth_form(request: Request) -> dict[str, str]:
    try:
        return await read_form(request)
    except RefusedError as error:
        if error.status == 413:
            raise
        raise oauth_error("invalid_request", error.detail, status=error.status) from error


def _scope(asked: str, allowed: tuple[str, ...]) -> str:
    if not set(asked.split()) <= set(allowed):
        raise oauth_error("invalid_scope", f"scope is some of {' '.join(allowed)}")
    return " ".join(dict.fromkeys(asked.split()))


def _audience(form: Mapping[str, str], client: Client) -> str:
    audience = form.get("audience", AUDIENCE)
    if audience not in client.audiences:
        raise oauth_error("invalid_target", f"audience is one of {', '.join(client.audiences)}")
    return audience


def _lifetime(form: Mapping[str, str]) -> int:
    asked = form.get("lifetime_seconds", str(LIFETIME_SECONDS))
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 4 and 1 <= int(asked) <= LIFETIME_SECONDS):
        raise oauth_error("invalid_request", f"lifetime_seconds is a whole number from 1 to {LIFETIME_SECONDS}")
    return int(asked)


def _back(redirect_uri: str, parameters: Mapping[str, str]) -> Response:
    return RedirectResponse(f"{redirect_uri}?{urlencode(parameters, errors='replace')}", status_code=302)


def _hashed(kind: str, secret: str) -> str:
    return f"{kind}:{hashlib.sha256(secret.encode('utf-8', 'replace')).hexdigest()}"


def _refresh_key(token: str) -> str:
    return _hashed("refresh", token)


def _used_key(token: str) -> str:
    return _hashed("refresh-used", token)


def _code_key(code: str) -> str:
    return _hashed("code", code)


def _family_key(family: str) -> str:
    return f"revoked:family:{family}"
