"""Rate limits per client, counted in the cache so that all tasks of both slots share them.

A window opens with a client's first request and holds `window_seconds`. Without the cache nobody is limited (declared
behaviour: the shop stays open), and the answer says so with `x-rate-limit: unavailable`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import redis.asyncio as redis_client
from starlette.requests import Request
from starlette.responses import Response

from sandbox.service import cache
from sandbox.service.live import Live
from sandbox.service.problem import RefusedError

Page = Callable[[Request], Awaitable[Response]]
# Atomic, so that a key cannot be left without its end when a task dies between the two steps.
_COUNT = """
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}
"""


class RateLimits:
    """Counts requests; `charge` is called once for each."""

    def __init__(self, live: Live, memory: redis_client.Redis) -> None:
        self._live = live
        self._memory = memory
        self._script: Any = memory.register_script(_COUNT)
        self._own: dict[str, tuple[int, float]] = {}

    async def charge(self, kind: str, client: str) -> Mapping[str, str]:
        """Headers for the answer. Raises RefusedError(429) with Retry-After (whole seconds) over the limit."""
        limit, dial = self._live.settings.limits[kind], self._live.dials.rate_limit
        if dial == "off":
            return {"x-rate-limit": "ok"}
        key = f"limit:{kind}:{client}"
        try:
            count, left_ms = await self._count(key, limit.window_seconds * 1000)
        except cache.DOWN:
            return {"x-rate-limit": "unavailable"}
        reset = str(max(1, math.ceil(left_ms / 1000)))
        headers = {
            "x-rate-limit": "ok",
            "ratelimit-limit": str(limit.requests),
            "ratelimit-remaining": str(max(0, limit.requests - count)),
            "ratelimit-reset": reset,
        }
        if count <= limit.requests:
            return headers
        if dial == "forgets":
            await cache.need(self._memory.delete(key))
        if dial != "no_retry_after":
            headers["retry-after"] = reset
        said = f"more than {limit.requests} requests in {limit.window_seconds} s"
        raise RefusedError(429, said, headers=headers)

    def guard(self, kind: str, page: Page) -> Page:
        """`page`, limited by the client that the request names itself; see `client_of`."""

        async def guarded(request: Request) -> Response:
            headers = await self.charge(kind, client_of(request))
            response = await page(request)
            response.headers.update(headers)
            return response

        return guarded

    async def _count(self, key: str, window_ms: int) -> tuple[int, float]:
        if self._live.dials.rate_limit == "per_process":
            return self._count_alone(key, window_ms)
        count, left_ms = await self._script(keys=[key], args=[window_ms])
        return int(count), float(left_ms)

    def _count_alone(self, key: str, window_ms: int) -> tuple[int, float]:
        now = time.monotonic()
        count, until = self._own.get(key, (0, 0.0))
        if now >= until:
            count, until = 0, now + window_ms / 1000.0
        self._own[key] = (count + 1, until)
        return count + 1, (until - now) * 1000.0


def client_of(request: Request) -> str:
    """The client that is counted: x-client-id, else the address that the load balancer saw, else the peer's."""
    named = request.headers.get("x-client-id", "")[:128]
    if named:
        return f"id:{named}"
    # The load balancer appends the address that it saw; what stands before it came from the client.
    seen = request.headers.get("x-forwarded-for", "").split(",")[-1].strip()[:64]
    return f"address:{seen or (request.client.host if request.client else 'unknown')}"
