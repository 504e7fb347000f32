"""The small routes: a limited one, a slow one, and the API's own description."""

from __future__ import annotations

import asyncio
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.service.limits import RateLimits
from sandbox.service.live import Live
from sandbox.service.problem import RefusedError

OPENAPI_FILE = Path(__file__).with_name("openapi.json")
SLOW_SECONDS_MAX = 5.0


def document(version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of `version`."""
    described: dict[str, Any] = json.loads(OPENAPI_FILE.read_text(encoding="utf-8"))
    described["info"]["version"] = version
    if tuple(int(part) for part in version.split(".")) < (1, 1, 0):
        for schema in ("Item", "NewItem"):
            described["components"]["schemas"][schema]["properties"].pop("note")
        described["components"]["schemas"]["Item"]["required"].remove("note")
    return described


@cache
def _document_bytes(version: str) -> bytes:
    return json.dumps(document(version)).encode()


def plain_routes(live: Live, limits: RateLimits) -> list[Route]:
    """/api/v1/limited, /api/v1/slow and /openapi.json."""
    described = _document_bytes(live.settings.version)

    async def limited(_request: Request) -> Response:
        return JSONResponse({"status": "ok", "slot": live.settings.slot})

    async def slow(request: Request) -> Response:
        seconds = _seconds(request.query_params.get("seconds", "1"))
        await asyncio.sleep(seconds)
        return JSONResponse({"slept_seconds": seconds, "slot": live.settings.slot})

    async def openapi(_request: Request) -> Response:
        return Response(described, media_type="application/json")

    return [
        Route("/api/v1/limited", limits.guard("limited", limited)),
        Route("/api/v1/slow", slow),
        Route("/openapi.json", openapi),
    ]


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError as error:
        raise RefusedError(422, "seconds must be a number") from error
    if not (math.isfinite(seconds) and 0 <= seconds <= SLOW_SECONDS_MAX):
        raise RefusedError(422, f"seconds must lie between 0 and {SLOW_SECONDS_MAX:g}")
    return seconds
