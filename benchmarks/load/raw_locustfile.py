"""The shipped customers, whose workers also write down every latency that they judge: RAW_DIRECTORY/PROCESS.latencies.

For this benchmark alone: doubles in seconds, of requests intended after the warm-up, in the order of their answers.
"""

from __future__ import annotations

import os
from array import array
from pathlib import Path
from typing import Any

from loadtests import dispatcher
from loadtests.locustfile import ProfileShape, ShopCustomer
from loadtests.recording import Recorder

__all__ = ["ProfileShape", "ShopCustomer"]


class RawRecorder(Recorder):
    """A recorder that keeps what it is told."""

    def __init__(self, *, warm_up_seconds: float, **settings: Any) -> None:
        super().__init__(warm_up_seconds=warm_up_seconds, **settings)
        self._from = warm_up_seconds
        self._raw = array("d")

    def ended(self, name: str, at: float, latency_seconds: float, error: str | None = None) -> None:
        if at >= self._from:
            self._raw.append(latency_seconds)
        super().ended(name, at, latency_seconds, error)

    def parcel(self, *, final: bool) -> dict[str, Any]:
        if final:
            place = Path(os.environ["RAW_DIRECTORY"]) / f"{os.getpid()}.latencies"
            place.write_bytes(self._raw.tobytes())
        return super().parcel(final=final)


dispatcher.Recorder = RawRecorder  # type: ignore[attr-defined]  # the benchmark's own, in a process of its own
