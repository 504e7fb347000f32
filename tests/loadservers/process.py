"""A known server in a process of its own, for the length of a with-statement."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.loadservers.behaviour import Behaviour

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 30.0


@dataclass(frozen=True)
class KnownServer:
    """A running server: its lanes' ports, and the port that tells the truth."""

    ports: tuple[int, ...]
    control: int
    pid: int

    def url(self, lane: int = 0) -> str:
        """The address of a lane."""
        return f"http://127.0.0.1:{self.ports[lane]}"

    def truth(self, lane: int = 0, *, skip_seconds: float = 0.0) -> dict[str, Any]:
        """What the lane truly did (`Lane.truth`)."""
        answer: dict[str, Any] = self._ask(f"/truth/{lane}?{skip_seconds}")
        return answer

    def reset(self) -> None:
        """All plans from their beginning, all records empty."""
        self._ask("/reset")

    def _ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control}{path}", timeout=_SECONDS) as answer:
            return json.load(answer)


@contextlib.contextmanager
def known_server(behaviour: Behaviour, *, lanes: int = 1, core: int | None = None) -> Iterator[KnownServer]:
    """Start one; on this core only if given. It ends with the with-statement, and with this process."""
    command = [sys.executable, "-m", "tests.loadservers", behaviour.to_json(), str(lanes)]
    process = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process, process.stdin, process.stdout:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        *ports, control = json.loads(process.stdout.readline())
        yield KnownServer(ports=tuple(ports), control=control, pid=process.pid)


@contextlib.contextmanager
def refusing_port() -> Iterator[int]:
    """A port of 127.0.0.1 that is taken, so that nobody else gets it, and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])
