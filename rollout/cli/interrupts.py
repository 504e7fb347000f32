"""Ctrl-C and SIGTERM end a command between two ticks, never within one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """The event is set by the first signal. A second one of the same kind acts as if this were not here: the process
    ends at once, and its lease lapses by itself."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # Python delivers signals to the main thread only
        return
    before: dict[int, Any] = {}

    def first(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[number])

    for number in _SIGNALS:
        before[number] = signal.signal(number, first)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            signal.signal(number, before[number])
