"""Reads the sandbox's clock file (its format: sandbox/clock.py), for the one dial that is told in virtual minutes."""

from __future__ import annotations

import struct
import time
from pathlib import Path

_LAYOUT = struct.Struct("<Qddd")
_TRIES = 1000


class VirtualClock:
    """Virtual time, epoch seconds; the machine's time where there is no clock file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> float:
        """Raises OSError when the file cannot be read, RuntimeError when its writer never finishes."""
        for _ in range(_TRIES):
            try:
                sequence, monotonic, virtual, factor = _LAYOUT.unpack(self._path.read_bytes()[: _LAYOUT.size])
            except (FileNotFoundError, struct.error):
                return time.time()
            if sequence % 2 == 0:
                return float(virtual + (time.monotonic() - monotonic) * factor)
        raise RuntimeError("the clock file stays half written; is the supervisor alive?")
