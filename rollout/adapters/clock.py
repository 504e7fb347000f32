"""Clocks: the machine's own, and the virtual one that a sandbox shares by file."""

from __future__ import annotations

import mmap
import struct
import threading
import time
from pathlib import Path

from rollout.errors import SourceError

# sequence (even = stable), anchor_monotonic (CLOCK_MONOTONIC s), anchor_virtual (epoch s), virtual s per real s
_LAYOUT = struct.Struct("<Qddd")
_READ_ATTEMPTS_MAX = 10_000


class _Waiting:
    """Real waiting that a signal handler can end early by `wake`."""

    def __init__(self) -> None:
        self._woken = threading.Event()

    def wake(self) -> None:
        """End the present wait, or the next one if none is under way."""
        self._woken.set()

    def wait(self, real_seconds: float) -> None:
        """Wait at most so many real seconds; the only place where the engine waits."""
        if self._woken.wait(max(0.0, real_seconds)):
            self._woken.clear()


class SystemClock(_Waiting):
    """The machine's clocks. Satisfies `ports.Clock`."""

    def wall(self) -> float:
        """Epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never run backwards, comparable within this process only."""
        return time.monotonic()


class SharedClock(_Waiting):
    """The virtual clock of a sandbox, read from its `clock` file. Satisfies `ports.Clock`.

    Virtual time never jumps, also not when its factor changes, so it serves as the monotonic time too.
    """

    def __init__(self, path: str | Path) -> None:
        """Raises SourceError if there is no clock file of the right size."""
        super().__init__()
        self._path = str(path)
        try:
            with Path(path).open("rb") as file:
                self._map = mmap.mmap(file.fileno(), _LAYOUT.size, prot=mmap.PROT_READ)
        except (OSError, ValueError) as error:
            raise SourceError(
                f"cannot read the clock file: {error}", target=self._path, hint="Is the sandbox up?"
            ) from error

    def wall(self) -> float:
        """The virtual instant, epoch seconds."""
        anchor_monotonic, anchor_virtual, factor = self._read()
        return anchor_virtual + (time.monotonic() - anchor_monotonic) * factor

    def monotonic(self) -> float:
        """Virtual seconds, passing at the factor."""
        return self.wall()

    def factor(self) -> float:
        """Virtual seconds per real second."""
        return self._read()[2]

    def close(self) -> None:
        """Release the mapping."""
        self._map.close()

    def _read(self) -> tuple[float, float, float]:
        for _ in range(_READ_ATTEMPTS_MAX):
            before, anchor_monotonic, anchor_virtual, factor = _LAYOUT.unpack_from(self._map)
            (after,) = struct.unpack_from("<Q", self._map)
            if before == after and before % 2 == 0:
                return anchor_monotonic, anchor_virtual, factor
        raise SourceError(
            "the clock file stays locked by a writer that died", target=self._path, hint="Start the sandbox again."
        )
