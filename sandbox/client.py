"""The client of a running sandbox's control API. Tests, steps and the CLI use nothing else."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from sandbox.control_api import TOKEN_HEADER
from sandbox.errors import SandboxError
from sandbox.faults import read_fault
from sandbox.state import DEFAULT_NAME, StateDirectory, default_directory, read_description

__all__ = ["Sandbox", "SandboxError"]

_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox. Every method raises SandboxError (with a remedy) when it is gone or refuses."""

    directory: Path
    description: Mapping[str, Any]

    @classmethod
    def attach(cls, directory: Path | None = None) -> Self:
        """The sandbox whose state lies in `directory` (default: build/sandbox/default). Raises SandboxError."""
        root = (directory or default_directory(DEFAULT_NAME)).resolve()
        sandbox = cls(root, read_description(root))
        sandbox.status()
        return sandbox

    @property
    def outputs(self) -> dict[str, Any]:
        """Values of outputs.json by key (without Terraform's {"value": ...} around them)."""
        content = json.loads(StateDirectory(self.directory).outputs.read_text())
        return {key: item["value"] for key, item in content.items()}

    @property
    def outputs_path(self) -> Path:
        """outputs.json, in the shape of `terraform output -json`."""
        return StateDirectory(self.directory).outputs

    @property
    def database_url(self) -> str:
        """Connection URL of the service's database, for migrations; holds a password."""
        return str(self.description["database_url"])

    def status(self) -> dict[str, Any]:
        """Everything at a glance; see GET /status."""
        return self._object("GET", "/status")

    def fault(self, slot: str, **values: object) -> None:
        """Plant faults: `fault("blue", error_rate=0.1)`. All are checked before the first is planted."""
        checked = {name: read_fault(slot, name, value) for name, value in values.items()}
        for name, value in checked.items():
            self._object("POST", "/fault", {"slot": slot, "name": name, "value": value})

    def clear(self) -> None:
        """Remove every fault."""
        self._object("POST", "/clear", {})

    def clock(self, factor: float) -> None:
        """Let virtual time run at `factor` virtual seconds per real second from now on."""
        self._object("POST", "/clock", {"factor": factor})

    def migrate(self, version: str) -> None:
        """Apply the database migrations that a version of the service needs."""
        self._object("POST", "/migrate", {"version": version})

    def operations(self, since: int = 0) -> list[dict[str, Any]]:
        """AWS calls after a sequence number, in order."""
        return self._list(f"/operations?{urlencode({'since': since})}")

    def traffic(self, since: float = 0.0) -> list[dict[str, Any]]:
        """Per closed virtual minute and slot since a virtual instant: start, slot, requests, target_5xx,
        connection_errors, elb_5xx."""
        return self._list(f"/traffic?{urlencode({'since': since})}")

    def mail(self) -> list[dict[str, Any]]:
        """Alerts that arrived: time, subject, message."""
        return self._list("/mail")

    def down(self) -> None:
        """Ask the sandbox to end; returns when it has begun to."""
        self._object("POST", "/down", {})

    def _object(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        answer = self._ask(method, path, body)
        return answer if isinstance(answer, dict) else {}

    def _list(self, path: str) -> list[dict[str, Any]]:
        answer: Sequence[dict[str, Any]] = self._ask("GET", path, None)
        return list(answer)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        address = urlsplit(str(self.description["control_url"]))
        connection = http.client.HTTPConnection(address.hostname or "", address.port or 0, timeout=_TIMEOUT_SECONDS)
        try:
            headers = {TOKEN_HEADER: str(self.description["token"]), "content-type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            content = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SandboxError(
                f"the sandbox in {self.directory} does not answer ({type(error).__name__})",
                "Start it again with `python -m sandbox up`; a dead one leaves nothing behind",
            ) from error
        finally:
            connection.close()
        if response.status != 200:
            raise SandboxError(str(content.get("error")), str(content.get("remedy") or ""))
        return content
