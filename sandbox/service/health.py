"""The five health endpoints."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.service.components import NAMES, REQUIRED, Component, Components
from sandbox.service.headers import shown_version
from sandbox.service.live import Live
from sandbox.service.tokens import Tokens

SLOW_SECONDS = 1.5
LEFT_OUT = "cache"

Page = Callable[[Request], Awaitable[Response]]


class Health:
    """Answers /health and its four deeper pages from one set of components."""

    def __init__(self, live: Live, components: Components, *, chosen: Callable[[], bool]) -> None:
        """`chosen()` is True when the dial unhealthy_tasks has chosen this task."""
        self._live = live
        self._components = components
        self._chosen = chosen

    def routes(self, tokens: Tokens) -> list[Route]:
        """The public page, and the deeper ones, which on the public host need a token with scope health:read."""
        deeper = {"detailed": self._detailed, **{name: self._single(name) for name in NAMES}}

        def kept_inside(page: Page) -> Page:
            async def guarded(request: Request) -> Response:
                host = request.headers.get("host", "").split(":")[0].lower()
                if host == self._live.settings.public_host:
                    await tokens.of_request(request, scope="health:read")
                return await page(request)

            return guarded

        inside = [Route(f"/health/{name}", kept_inside(page)) for name, page in deeper.items()]
        return [Route("/health", self._public), *inside]

    async def _public(self, _request: Request) -> Response:
        dials, settings = self._live.dials, self._live.settings
        if dials.health == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        found = await self._components.known()
        down = [component.name for component in found if not component.up]
        status = self._public_status(down)
        document = {
            "status": status,
            "slot": settings.slot,
            "version": shown_version(settings, dials),
            "release": settings.release_id,
            "down": [] if dials.health == "lie" else down,
        }
        return _answer(document, ok=status in ("ok", "degraded"))

    def _public_status(self, down: list[str]) -> str:
        if self._live.draining:
            return "draining"
        if self._live.dials.health == "fail" or self._chosen():
            return "failing"
        if not down or self._live.dials.health == "lie":
            return "ok"
        return "failing" if any(name in REQUIRED for name in down) else "degraded"

    async def _detailed(self, _request: Request) -> Response:
        dials, settings = self._live.dials, self._live.settings
        found = await self._components.check_all()
        documents = {component.name: component.document() for component in found}
        down = [component.name for component in found if not component.up]
        if dials.components == "left_out":
            documents.pop(LEFT_OUT)
            down = [name for name in down if name != LEFT_OUT]
        if dials.components == "detailed_says_up":
            down = []
            documents = {name: _whitewashed(document) for name, document in documents.items()}
        document = {
            "status": "failing" if down else "ok",
            "slot": settings.slot,
            "version": shown_version(settings, dials),
            "release": settings.release_id,
            "components": documents,
            "down": down,
        }
        return _answer(document, ok=not down)

    def _single(self, name: str) -> Page:
        async def page(_request: Request) -> Response:
            component: Component = await self._components.check(name)
            return _answer({**component.document(), "slot": self._live.settings.slot}, ok=component.up)

        return page


def _answer(document: dict[str, Any], *, ok: bool) -> Response:
    return Response(json.dumps(document), status_code=200 if ok else 503, media_type="application/json")


def _whitewashed(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "status": "up", "checks": dict.fromkeys(document["checks"], "ok")}


class UnhealthyChoice:
    """Lets exactly `unhealthy_tasks` tasks of a slot fail: each place is a lock file that one task holds.

    The kernel frees the lock of a task that ended, so its successor takes the place.
    """

    def __init__(self, live: Live) -> None:
        self._live = live
        self._held: tuple[int, int] | None = None  # place, file descriptor

    def __call__(self) -> bool:
        """True when this task holds a place."""
        wanted = self._live.dials.unhealthy_tasks
        if self._held is not None and self._held[0] >= wanted:
            os.close(self._held[1])
            self._held = None
        if self._held is None:
            self._held = next(filter(None, map(self._take, range(wanted))), None)
        return self._held is not None

    def _take(self, place: int) -> tuple[int, int] | None:
        fault_file = self._live.settings.fault_file
        lock_file = fault_file.with_name(f"{fault_file.name}.unhealthy-{place}")
        descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return place, descriptor
