"""The log of failed answers: one JSON line for each, so that a failed request can be found by its id."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path


class ErrorLog:
    """Appends lines {request_id, time (epoch s, real), path, status, planted, ...}; tasks may share the file."""

    def __init__(self, path: Path, *, task_id: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._task_id = task_id

    def answer(self, *, request_id: str, path: str, status: int, planted: bool, error: str = "") -> None:
        """Write one failed answer; `planted` says that a dial, not the code, made it fail."""
        line = {"request_id": request_id, "time": time.time(), "path": path, "status": status, "planted": planted}
        self._write({**line, "task": self._task_id, **({"error": error} if error else {})})

    def note(self, event: str, detail: str) -> None:
        """Write something that is not an answer, such as a dial that could not be read."""
        self._write({"event": event, "time": time.time(), "task": self._task_id, "detail": detail})

    def _write(self, line: dict[str, object]) -> None:
        # One write of less than a page to an O_APPEND file: lines of several tasks never mix.
        os.write(self._descriptor, json.dumps(line).encode() + b"\n")
