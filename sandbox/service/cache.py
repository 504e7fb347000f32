"""Redis: sessions, revocations and rate limits live here, shared by both slots."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar, cast

import redis.asyncio as redis_client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from sandbox.service.problem import unavailable

Result = TypeVar("Result")
TIMEOUT_SECONDS = 0.3
DOWN = (RedisError, OSError, TimeoutError)


def open_cache(url: str) -> redis_client.Redis:
    """A client that connects when first used, waits at most TIMEOUT_SECONDS, and tries a lost connection once again."""
    client: redis_client.Redis = redis_client.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
        protocol=2,
        max_connections=32,
    )
    return client


async def need(answer: Awaitable[Result]) -> Result:
    """The cache's answer; a cache that is down is a RefusedError with status 503."""
    try:
        return await answer
    except DOWN as error:
        raise unavailable("cache", f"cannot be used ({type(error).__name__})") from error


async def read(memory: redis_client.Redis, key: str) -> bytes | None:
    """The value of `key`, None when there is none. Raises RefusedError(503)."""
    return cast("bytes | None", await need(memory.get(key)))


async def take(memory: redis_client.Redis, key: str) -> bytes | None:
    """The value of `key`, which is gone afterwards: of several takers one gets it. Raises RefusedError(503)."""
    return cast("bytes | None", await need(memory.getdel(key)))
