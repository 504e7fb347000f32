"""The application in the test's own process, so that coverage sees it: real database and cache, no TLS."""

from __future__ import annotations

import asyncio
import types
from typing import Any, Self

import httpx

from sandbox.service.application import assemble
from sandbox.service.clients import secret_of
from sandbox.service.dials import Dials
from sandbox.service.error_log import ErrorLog
from sandbox.service.live import Live
from sandbox.service.settings import settings_from
from sandbox.service.tests.support import World

CLIENT = "release-checks"


class InProcess:
    """One task's application; `turn` turns its dials."""

    def __init__(self, world: World, slot: str, **settings: Any) -> None:
        self.settings = settings_from({**world.settings(slot, **settings), "port_report_fd": None})
        self.live = Live(self.settings, Dials())
        self._parts = assemble(self.live, ErrorLog(self.settings.log_file, task_id=self.settings.task_id))
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._parts.application), base_url="https://api.shop.example"
        )
        self.secret = secret_of(self.settings.signing_key_file.read_bytes(), CLIENT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._runner.run(self._client.aclose())
        self._runner.run(self._parts.cache.aclose())
        self._runner.run(self._parts.database.close())
        self._runner.close()

    def turn(self, **dials: Any) -> None:
        """Turn the dials named; all others come to rest."""
        self.live.turn(Dials(**dials))

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request."""
        return self._runner.run(self._client.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        """One GET."""
        return self.request("GET", path, **options)

    def token_answer(self, **form: str) -> httpx.Response:
        """What the token endpoint answers to the test's client; client credentials unless `form` says otherwise."""
        data = {"grant_type": "client_credentials", **form}
        return self.request("POST", "/oauth2/token", data=data, auth=(CLIENT, self.secret))

    def bearer(self, **form: str) -> dict[str, str]:
        """The header that carries a fresh access token."""
        return {"authorization": f"Bearer {self.token_answer(**form).json()['access_token']}"}

    def sign_in(self, customer: str = "Ann") -> dict[str, str]:
        """The header that carries the cookie of a fresh session."""
        answer = self.request("POST", "/api/v1/session", json={"customer": customer})
        self._client.cookies.clear()
        return {"cookie": answer.headers["set-cookie"].split(";")[0]}
