"""What every part of the control plane shares: time, the one lock, faults, and who wants to hear of changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from sandbox.contracts import Clock

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"

FaultReader = Callable[[str, str], object]


class FaultSource(Protocol):
    """Answers the present value of a fault dial, None where it is not set."""

    def get(self, slot: str, name: str) -> object: ...


class World:
    """Shared by all services of one control plane.

    `lock` is held around every API call, so a conditional write is atomic (moto 5.2.5's server lost 3 of 360
    compare-and-set writes without it). It is never needed to *read* what the edge reads: those views are snapshots.
    """

    def __init__(self, clock: Clock, faults: FaultSource) -> None:
        self.clock = clock
        self.faults = faults
        self.lock = threading.RLock()
        self._callbacks: list[Callable[[str], None]] = []
        self._notify_lock = threading.RLock()

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Register `callback(kind)`. It may use the control plane's methods, but no AWS API (the lock is held)."""
        self._callbacks.append(callback)

    def notify(self, kind: str) -> None:
        """Call every callback in this thread, one notification at a time."""
        with self._notify_lock:
            for callback in list(self._callbacks):
                callback(kind)
