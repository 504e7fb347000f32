"""What the control API offers: each endpoint is one small method; and the mailbox for alerts."""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any

from sandbox.clock import ClockError
from sandbox.control_api import ControlApi, Endpoint
from sandbox.errors import SandboxError
from sandbox.status import Running, status

_LOG = logging.getLogger(__name__)
_MAIL_MAX = 10_000
# The sandbox's own hands; an account's owner would not see them in his trail.
_OWN_CLIENTS = ("sandbox-",)


class Offices:
    """Holds the control API. The mailbox takes letters at once; the rest answers after `open`."""

    def __init__(self, address: str, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._running: Running | None = None
        self._mail: list[dict[str, Any]] = []
        self.token = secrets.token_urlsafe(24)
        # SNS cannot send our token, so the mailbox has a path that nobody guesses.
        self._mailbox = f"/mailbox/{secrets.token_urlsafe(18)}"
        self._api = ControlApi(address, self.token, self._endpoints(), {self._mailbox: self._receive})
        self._api.start()

    @property
    def url(self) -> str:
        """Of the control API."""
        return self._api.url

    @property
    def mailbox_url(self) -> str:
        """Where SNS delivers alerts."""
        return f"{self._api.url}{self._mailbox}"

    def open(self, running: Running) -> None:
        """Answer questions about this sandbox from now on."""
        self._running = running

    def stop(self) -> None:
        """Close."""
        self._api.stop()

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        return {
            ("GET", "/status"): lambda query: status(self._sandbox()),
            ("GET", "/operations"): self._operations,
            ("GET", "/traffic"): self._traffic,
            ("GET", "/mail"): lambda query: list(self._mail),
            ("POST", "/fault"): self._fault,
            ("POST", "/clear"): self._clear,
            ("POST", "/clock"): self._clock,
            ("POST", "/migrate"): self._migrate,
            ("POST", "/down"): self._down,
        }

    def _sandbox(self) -> Running:
        if self._running is None:
            raise SandboxError("the sandbox is still starting", "Wait for READY")
        return self._running

    def _operations(self, query: Mapping[str, Any]) -> object:
        entries = self._sandbox().plane.operations(int(query.get("since", 0)))
        return [entry for entry in entries if not str(entry["client"]).startswith(_OWN_CLIENTS)]

    def _traffic(self, query: Mapping[str, Any]) -> object:
        publisher = self._sandbox().gateway.publisher
        return publisher.traffic(float(query.get("since", 0.0))) if publisher else []

    def _fault(self, body: Mapping[str, Any]) -> object:
        self._sandbox().switch.set(str(body["slot"]), str(body["name"]), body["value"])
        return {}

    def _clear(self, body: Mapping[str, Any]) -> object:
        self._sandbox().switch.clear()
        return {}

    def _clock(self, body: Mapping[str, Any]) -> object:
        clock = self._sandbox().foundation.clock
        try:
            clock.set_factor(float(body["factor"]))
        except ClockError as error:
            raise SandboxError(str(error), "Use a number over 0, 60 for a minute per second") from error
        return {"factor": clock.factor(), "virtual_now": clock.now()}

    def _migrate(self, body: Mapping[str, Any]) -> object:
        backing = self._sandbox().backing
        backing.tasks.migrate(backing.postgres.url, str(body["version"]))
        return {}

    def _down(self, body: Mapping[str, Any]) -> object:
        # The answer is sent before the main thread, which this wakes, closes the API.
        self._stopped.set()
        return {}

    def _receive(self, body: bytes) -> None:
        """A letter from SNS; its time is the sandbox's virtual one."""
        try:
            letter = json.loads(body)
        except ValueError:
            _LOG.warning("a letter in the mailbox is not JSON: %r", body[:200])
            return
        if letter.get("Type") == "Notification" and len(self._mail) < _MAIL_MAX:
            now = self._running.foundation.clock.now() if self._running else time.time()
            self._mail.append({"time": now, "subject": letter.get("Subject"), "message": letter.get("Message")})
