"""Puts the parts of one task together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis.asyncio as redis_client
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sandbox.service.cache import open_cache
from sandbox.service.components import Components
from sandbox.service.database import Database
from sandbox.service.error_log import ErrorLog
from sandbox.service.front import Front
from sandbox.service.health import Health, UnhealthyChoice
from sandbox.service.items import Items
from sandbox.service.keys import SigningKeys
from sandbox.service.limits import RateLimits
from sandbox.service.live import Live
from sandbox.service.oauth import OAuth
from sandbox.service.plain import plain_routes
from sandbox.service.problem import RefusedError
from sandbox.service.sessions import Sessions
from sandbox.service.status import StatusAnswer
from sandbox.service.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The ASGI application, the hot route that the protocol answers, and what must be closed at the end."""

    application: Any
    status: StatusAnswer
    database: Database
    cache: redis_client.Redis


def assemble(live: Live, log: ErrorLog) -> Parts:
    """Build everything; nothing connects before the first request."""
    settings = live.settings
    database = Database(settings.database_url, application_name=f"shop-api-{settings.slot}")
    cache = open_cache(settings.redis_url)
    keys = SigningKeys(settings.signing_key_file, settings.slot)
    tokens = Tokens(live, keys, memory=cache)
    limits = RateLimits(live, cache)
    sessions = Sessions(live, cache)
    status = StatusAnswer(live)
    health = Health(live, Components(settings, database, memory=cache), chosen=UnhealthyChoice(live))
    routes = [
        status.route(),
        *health.routes(tokens),
        *OAuth(live, keys, tokens=tokens, memory=cache).routes(limits, sessions),
        *sessions.routes(),
        *Items(live, database, tokens=tokens, limits=limits).routes(),
        *plain_routes(live, limits),
    ]
    front = Front(live, starlette_with(routes), log=log)
    return Parts(application=front, status=status, database=database, cache=cache)


def starlette_with(routes: Sequence[BaseRoute]) -> Starlette:
    """Routes, with every refusal and failure told as a problem document."""
    return Starlette(routes=routes, exception_handlers={HTTPException: _refused, RefusedError: _problem, 500: _failed})


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return RefusedError(error.status_code, str(error.detail), headers=dict(error.headers or {})).response()


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return error.response()


async def _failed(_request: Request, _error: Exception) -> Response:
    return RefusedError(500, "the service failed; look for the request id in its log").response()
