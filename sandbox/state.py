"""The state directory of one sandbox: what lies where, who holds it, and what others read of it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.processes import wait_until

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_NAME = "default"
CACHE = REPOSITORY / "build" / "cache"
# Byte code goes here, also where the environment forbids writing it beside the sources: without it a start compiles
# moto anew, which takes a second.
BYTE_CODE = CACHE / "byte-code"


def default_directory(name: str) -> Path:
    """Where a sandbox of this name keeps its state."""
    return REPOSITORY / "build" / "sandbox" / name


@dataclass(frozen=True)
class StateDirectory:
    """Paths inside a sandbox's state directory."""

    root: Path

    @property
    def description(self) -> Path:
        """sandbox.json: process id, control URL and token, addresses, database URL; mode 0600."""
        return self.root / "sandbox.json"

    @property
    def outputs(self) -> Path:
        """outputs.json, in the shape of `terraform output -json`."""
        return self.root / "outputs.json"

    @property
    def clock(self) -> Path:
        """The clock file, see `sandbox.clock`."""
        return self.root / "clock"

    @property
    def authority(self) -> Path:
        """ca.pem: what clients of the public hosts trust."""
        return self.root / "ca.pem"

    @property
    def access_log(self) -> Path:
        """Envoy's access log."""
        return self.root / "access.log"

    def log(self, name: str) -> Path:
        """The log file of one process."""
        return self.root / "logs" / f"{name}.log"

    def fault_file(self, slot: str) -> Path:
        """The dials of one slot."""
        return self.root / "faults" / f"{slot}.json"

    def private(self, name: str) -> Path:
        """A file with a secret (directory 0700)."""
        return self.root / "private" / name

    def claim(self) -> TextIOWrapper:
        """Take the directory for this process and empty it of what a dead sandbox left.

        The lock is free again when the returned file is closed or the process is gone. Raises SandboxError when a
        living sandbox holds it."""
        self.root.mkdir(parents=True, exist_ok=True)
        lock = (self.root / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise SandboxError(
                f"a sandbox is up in {self.root}",
                "Use it, choose another --name, or end it with `python -m sandbox down`",
            ) from error
        self._empty()
        for name, mode in (("logs", 0o755), ("faults", 0o755), ("private", 0o700)):
            (self.root / name).mkdir(mode=mode)
        return lock

    def wait_released(self, deadline_seconds: float = 20.0) -> None:
        """Returns when no process holds the directory any more. Raises SandboxError at the deadline."""
        wait_until(self._is_free, deadline_seconds, f"the end of the sandbox in {self.root}")

    def _is_free(self) -> bool:
        with (self.root / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def write_private(self, name: str, content: bytes) -> Path:
        """Write a secret with mode 0600."""
        path = self.private(name)
        path.touch(mode=0o600)
        path.write_bytes(content)
        return path

    def write_json(self, path: Path, content: Mapping[str, Any], *, mode: int = 0o644) -> None:
        """Replace a JSON file at once."""
        temporary = path.with_name(f".{path.name}.new")
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=mode)
        temporary.write_text(json.dumps(content, indent=1) + "\n")
        os.replace(temporary, path)

    def remove_data(self) -> None:
        """Remove what nobody wants after the end: data directories and secrets; logs stay for a look."""
        for name in ("postgres", "redis", "envoy", "private"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        for path in (self.description, self.outputs, self.clock):
            path.unlink(missing_ok=True)

    def _empty(self) -> None:
        for entry in self.root.iterdir():
            if entry.name == "lock":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def read_description(root: Path) -> dict[str, Any]:
    """What sandbox.json says. Raises SandboxError when there is none."""
    path = StateDirectory(root).description
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise SandboxError(f"no sandbox is up in {root}", "Start one with `python -m sandbox up`") from error
    except (OSError, ValueError) as error:
        raise SandboxError(f"{path} cannot be read: {error}", "End the sandbox and start it again") from error
    if not isinstance(content, dict):
        raise SandboxError(f"{path} does not hold an object", "End the sandbox and start it again")
    return content
