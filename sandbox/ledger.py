"""Where the seconds of a start went."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager


class Ledger:
    """Times named parts, in any thread; `progress` hears of each as it ends."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._start = time.monotonic()
        self._parts: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time one part; a part that raises is not recorded."""
        begun = time.monotonic() - self._start
        yield
        ended = time.monotonic() - self._start
        with self._lock:
            self._parts[name] = (begun, ended)
        self._progress(f"{ended:6.2f} s  {name} ({ended - begun:.2f} s)")

    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._start

    def parts(self) -> Mapping[str, Mapping[str, float]]:
        """{part: {"from": s, "to": s}}, seconds since the start."""
        with self._lock:
            return {name: {"from": round(a, 3), "to": round(b, 3)} for name, (a, b) in self._parts.items()}
