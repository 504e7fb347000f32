"""PostgreSQL: a pool that recovers by itself, with every wait bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from sandbox.service.problem import unavailable

Result = TypeVar("Result")
CONNECT_SECONDS = 0.5
WORK_SECONDS = 2.0
CONNECTIONS_MAX = 4

DOWN = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Database:
    """A pool of connections opened on demand; a connection that the server lost is replaced at the next use."""

    def __init__(self, url: str, *, application_name: str) -> None:
        self._url = url
        self._application_name = application_name
        self._pool: Any = None

    async def run(self, work: Callable[[Any], Awaitable[Result]], *, seconds: float = WORK_SECONDS) -> Result:
        """`work(connection)` within `seconds`, waiting for a connection included. Raises what DOWN lists and
        whatever `work` raises."""
        async with asyncio.timeout(seconds):
            pool = await self._opened()
            connection = await pool.acquire(timeout=CONNECT_SECONDS)
        done = False
        try:
            async with asyncio.timeout(seconds):
                result = await work(connection)
            done = True
            return result
        finally:
            await self._give_back(pool, connection, healthy=done)

    async def need(self, work: Callable[[Any], Awaitable[Result]]) -> Result:
        """As `run`, but a database that is down, hangs or is read-only is a RefusedError with status 503."""
        try:
            return await self.run(work)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            raise
        except DOWN as error:
            raise unavailable("database", reason(error)) from error

    async def close(self) -> None:
        """End all connections at once."""
        if self._pool is not None:
            self._pool.terminate()

    async def _opened(self) -> Any:
        if self._pool is None:
            self._pool = asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=CONNECTIONS_MAX,
                timeout=CONNECT_SECONDS,
                max_inactive_connection_lifetime=60.0,
                server_settings={"application_name": self._application_name},
            )
        return await self._pool

    @staticmethod
    async def _give_back(pool: Any, connection: Any, *, healthy: bool) -> None:
        if not healthy:
            # After a time-out or an error the connection may wait for a server that never answers; it is
            # cheaper to open another one than to find out.
            connection.terminate()
        await pool.release(connection, timeout=CONNECT_SECONDS)


def reason(error: BaseException) -> str:
    """What to tell about a failed use of the database, without addresses."""
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        return "is read-only"
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)):
        return "its schema lacks something: apply the migrations of this version"
    return f"cannot be used ({type(error).__name__})"
