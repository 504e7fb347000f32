"""The declared components and how each is tried; every try is bounded and shared by those who ask at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio as redis_client

from sandbox.service import cache, database, external
from sandbox.service.migrate import required_ids
from sandbox.service.settings import Settings

DATABASE_SECONDS = 0.7
# The load balancer asks often and waits briefly: it gets what was found last, while a new try is under way.
FRESH_SECONDS = 0.5
KNOWN_SECONDS = 2.0
NAMES = ("database", "cache", "external")
REQUIRED = ("database", "cache")  # without these no customer can be served; without `external` one can


@dataclass(frozen=True, kw_only=True)
class Component:
    """How one component was found: `checks` maps each thing that was tried to "ok" or to what went wrong."""

    name: str
    checks: Mapping[str, str] = field(default_factory=dict)
    latency_ms: float = 0.0
    monotonic_seconds: float = 0.0

    @property
    def up(self) -> bool:
        """Whether everything that was tried went well."""
        return all(outcome == "ok" for outcome in self.checks.values())

    def document(self) -> dict[str, Any]:
        """As it is shown."""
        return {
            "component": self.name,
            "status": "up" if self.up else "down",
            "latency_ms": round(self.latency_ms, 2),
            "checks": dict(self.checks),
        }


class Components:
    """Tries the components of one task."""

    def __init__(self, settings: Settings, store: database.Database, *, memory: redis_client.Redis) -> None:
        self._settings = settings
        self._store = store
        self._memory = memory
        self._running: dict[str, asyncio.Task[Component]] = {}
        self._last: dict[str, Component] = {}
        self._tries: Mapping[str, Callable[[], Awaitable[dict[str, str]]]] = {
            "database": self._database,
            "cache": self._cache,
            "external": self._external,
        }

    async def check(self, name: str) -> Component:
        """Try `name` now; those who ask while a try is under way share its outcome."""
        return await asyncio.shield(self._start(name))

    def _start(self, name: str) -> asyncio.Task[Component]:
        task = self._running.get(name)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._try(name))
            self._running[name] = task
            task.add_done_callback(lambda _: self._running.pop(name, None))
        return task

    async def check_all(self) -> list[Component]:
        """All components, tried now."""
        return list(await asyncio.gather(*(self.check(name) for name in NAMES)))

    async def known(self) -> list[Component]:
        """All components as last found, at most KNOWN_SECONDS ago, without waiting for a slow one if possible."""
        return list(await asyncio.gather(*(self._known(name) for name in NAMES)))

    async def _known(self, name: str) -> Component:
        last = self._last.get(name)
        age_seconds = time.monotonic() - last.monotonic_seconds if last else KNOWN_SECONDS
        if last is None or age_seconds >= KNOWN_SECONDS:
            return await self.check(name)
        if age_seconds >= FRESH_SECONDS:
            self._start(name)
        return last

    async def _try(self, name: str) -> Component:
        started = time.monotonic()
        checks = await self._tries[name]()
        ended = time.monotonic()
        found = Component(name=name, checks=checks, latency_ms=(ended - started) * 1000.0, monotonic_seconds=ended)
        self._last[name] = found
        return found

    async def _database(self) -> dict[str, str]:
        checks = {"read": "not tried", "write": "not tried", "schema": "not tried"}

        async def work(connection: Any) -> None:
            applied = {row["id"] for row in await connection.fetch("SELECT id FROM schema_migrations")}
            checks["read"] = "ok"
            missing = sorted(set(required_ids(self._settings.version)) - applied)
            checks["schema"] = f"migrations pending: {', '.join(missing)}" if missing else "ok"
            await connection.execute(
                "INSERT INTO heartbeats (slot, version, seen_at) VALUES ($1, $2, now())"
                " ON CONFLICT (slot) DO UPDATE SET version = EXCLUDED.version, seen_at = EXCLUDED.seen_at",
                self._settings.slot,
                self._settings.version,
            )
            checks["write"] = "ok"

        try:
            await self._store.run(work, seconds=DATABASE_SECONDS)
        except database.DOWN as error:
            first = next(name for name, outcome in checks.items() if outcome == "not tried")
            checks[first] = database.reason(error)
        return checks

    async def _cache(self) -> dict[str, str]:
        key, value = f"health:{self._settings.task_id}", str(time.time())
        checks = {"write": "not tried", "read": "not tried"}
        try:
            await self._memory.set(key, value, ex=60)
            checks["write"] = "ok"
            read = await self._memory.get(key)
            checks["read"] = "ok" if read == value.encode() else "reads back another value"
        except cache.DOWN as error:
            first = next(name for name, outcome in checks.items() if outcome == "not tried")
            checks[first] = f"cannot be used ({type(error).__name__})"
        return checks

    async def _external(self) -> dict[str, str]:
        dependencies = self._settings.external
        outcomes = await asyncio.gather(*(_outcome(url) for url in dependencies.values()))
        return dict(zip(dependencies, outcomes, strict=True))


async def _outcome(url: str) -> str:
    try:
        await external.probe(url)
    except external.DependencyError as error:
        return str(error)
    return "ok"
