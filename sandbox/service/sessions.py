"""Customers' sessions: an opaque cookie, the content in the cache, readable by both slots and versions."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any

import redis.asyncio as redis_client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.service.body import check_fields, read_json, text
from sandbox.service.cache import need, read
from sandbox.service.live import Live
from sandbox.service.problem import RefusedError

COOKIE = "__Host-session"
LIFETIME_SECONDS = 1800
BASKET_MAX = 20
FORMAT = 1
_CHANGED = b"2:"


class Sessions:
    """Sign in (POST), look (GET), fill the basket (PUT), sign out (DELETE); the dial session_format plants a defect."""

    def __init__(self, live: Live, memory: redis_client.Redis) -> None:
        self._live = live
        self._memory = memory

    def routes(self) -> list[Route]:
        """The four operations on one resource."""
        path = "/api/v1/session"
        return [
            Route(path, self._sign_in, methods=["POST"]),
            Route(path, self._look, methods=["GET"]),
            Route(path, self._fill, methods=["PUT"]),
            Route(path, self._sign_out, methods=["DELETE"]),
        ]

    async def of_request(self, request: Request) -> tuple[str, dict[str, Any]]:
        """Key and content of the request's session. Raises RefusedError: 401 signed out, 503 without the cache."""
        key = _key(request.cookies.get(COOKIE, ""))
        stored = await read(self._memory, key)
        content = self._decoded(stored) if stored else None
        if content is None:
            challenge = {"www-authenticate": f'Cookie cookie-name="{COOKIE}"'}
            raise RefusedError(401, "not signed in, or signed out since", headers=challenge)
        return key, content

    async def _sign_in(self, request: Request) -> Response:
        document = await read_json(request)
        check_fields(document, frozenset({"customer"}))
        content = {
            "format": FORMAT,
            "customer": text(document, "customer", length_max=120),
            "basket": [],
            "signed_in_at": int(time.time()),
            "signed_in_slot": self._live.settings.slot,
        }
        name = secrets.token_urlsafe(24)  # always a new one: a session id chosen by somebody else is never adopted
        await self._store(_key(name), content)
        response = JSONResponse(self._shown(content), status_code=201)
        response.headers["set-cookie"] = self._cookie(name, LIFETIME_SECONDS)
        return response

    async def _look(self, request: Request) -> Response:
        _, content = await self.of_request(request)
        return JSONResponse(self._shown(content))

    async def _fill(self, request: Request) -> Response:
        key, content = await self.of_request(request)
        document = await read_json(request)
        check_fields(document, frozenset({"basket"}))
        basket = document.get("basket")
        if not isinstance(basket, list) or len(basket) > BASKET_MAX:
            raise RefusedError(422, f"basket must be a list of at most {BASKET_MAX} item ids")
        content["basket"] = [text({"basket": entry}, "basket", length_max=64) for entry in basket]
        await self._store(key, content)
        return JSONResponse(self._shown(content))

    async def _sign_out(self, request: Request) -> Response:
        key, _ = await self.of_request(request)
        await need(self._memory.delete(key))
        return Response(status_code=204, headers={"set-cookie": self._cookie("", 0)})

    async def _store(self, key: str, content: dict[str, Any]) -> None:
        encoded = json.dumps(content).encode()
        if self._live.dials.session_format == "changed":
            encoded = _CHANGED + base64.b85encode(encoded)
        await need(self._memory.set(key, encoded, ex=LIFETIME_SECONDS))

    def _decoded(self, stored: bytes) -> dict[str, Any] | None:
        changed = self._live.dials.session_format == "changed"
        if stored.startswith(_CHANGED) != changed:
            return None
        content = json.loads(base64.b85decode(stored[len(_CHANGED) :]) if changed else stored)
        return content if isinstance(content, dict) and content.get("format") == FORMAT else None

    def _shown(self, content: dict[str, Any]) -> dict[str, Any]:
        shown = {name: content[name] for name in ("customer", "basket", "signed_in_at", "signed_in_slot")}
        return {**shown, "slot": self._live.settings.slot}

    def _cookie(self, value: str, seconds: int) -> str:
        secure = "" if self._live.dials.headers == "cookie_insecure" else "; Secure"
        return f"{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"


def _key(name: str) -> str:
    # Only a hash is stored: whoever reads the cache cannot take over a session.
    return f"session:{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()}"
