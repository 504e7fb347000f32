"""Virtual time of one sandbox, shared by file: one process writes, any number read.

Layout of the file, 32 bytes, little endian: sequence (u64, even = stable), anchor_monotonic (f64, CLOCK_MONOTONIC
seconds), anchor_virtual (f64, epoch seconds), factor (f64, virtual seconds per real second).
"""

from __future__ import annotations

import math
import mmap
import os
import struct
import threading
import time
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_LAYOUT = struct.Struct("<Qddd")
_READ_ATTEMPTS_MAX = 10_000


class ClockError(Exception):
    """The clock file is missing, damaged, or asked for something impossible."""


@dataclass(frozen=True)
class Segment:
    """A stretch of time with one factor."""

    anchor_monotonic: float
    anchor_virtual: float
    factor: float

    def virtual_at(self, monotonic_seconds: float) -> float:
        """The virtual instant (epoch seconds) at a reading of CLOCK_MONOTONIC, by this segment alone."""
        return self.anchor_virtual + (monotonic_seconds - self.anchor_monotonic) * self.factor


class ClockReader:
    """Reads the clock file; never writes. Satisfies `sandbox.contracts.Clock`.

    A reader only knows the factors it has seen, so `virtual_at` of an instant before its first look extrapolates.
    """

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), _LAYOUT.size, prot=mmap.PROT_READ)
        except (OSError, ValueError) as error:
            raise ClockError(f"cannot read the clock file {path}: {error}; is the sandbox up?") from error
        self._lock = threading.Lock()
        self._segments = [self._read()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the mapping."""
        self._map.close()

    def now(self) -> float:
        """Virtual time, epoch seconds."""
        return self._current().virtual_at(time.monotonic())

    def factor(self) -> float:
        """Virtual seconds per real second."""
        return self._current().factor

    def virtual_at(self, monotonic_seconds: float) -> float:
        """The virtual instant that belonged to a past reading of CLOCK_MONOTONIC, factor changes included."""
        self._current()
        with self._lock:
            return segment_at(self._segments, monotonic_seconds).virtual_at(monotonic_seconds)

    def _current(self) -> Segment:
        segment = self._read()
        with self._lock:
            if segment.anchor_monotonic > self._segments[-1].anchor_monotonic:
                self._segments.append(segment)
        return segment

    def _read(self) -> Segment:
        for _ in range(_READ_ATTEMPTS_MAX):
            before, monotonic, virtual, factor = _LAYOUT.unpack_from(self._map)
            (after,) = struct.unpack_from("<Q", self._map)
            if before == after and before % 2 == 0:
                return Segment(monotonic, virtual, factor)
        raise ClockError("the clock file stays locked by a writer that died; start the sandbox again")


class ClockWriter:
    """Owns the clock file of a sandbox. Satisfies `sandbox.contracts.Clock`; remembers every factor since its start."""

    def __init__(self, path: Path, *, factor: float = 1.0) -> None:
        _require_factor(factor)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        first = Segment(time.monotonic(), time.time(), factor)
        self._segments = [first]
        self._sequence = 0
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_bytes(_LAYOUT.pack(0, first.anchor_monotonic, first.anchor_virtual, first.factor))
        with temporary.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _LAYOUT.size)
        temporary.rename(path)

    def now(self) -> float:
        """Virtual time, epoch seconds."""
        return self._segments[-1].virtual_at(time.monotonic())

    def factor(self) -> float:
        """Virtual seconds per real second."""
        return self._segments[-1].factor

    def virtual_at(self, monotonic_seconds: float) -> float:
        """The virtual instant that belonged to a past reading of CLOCK_MONOTONIC, factor changes included."""
        return segment_at(self._segments, monotonic_seconds).virtual_at(monotonic_seconds)

    def monotonic_at(self, virtual_seconds: float) -> float:
        """The reading of CLOCK_MONOTONIC at which the clock showed (or will show) a virtual instant."""
        starts = [segment.anchor_virtual for segment in self._segments]
        segment = self._segments[max(0, bisect_right(starts, virtual_seconds) - 1)]
        return segment.anchor_monotonic + (virtual_seconds - segment.anchor_virtual) / segment.factor

    def set_factor(self, factor: float) -> None:
        """Change the factor from now on; the virtual instant stays, so time neither jumps nor runs backwards.

        Raises ClockError unless the factor is finite and over zero."""
        _require_factor(factor)
        with self._lock:
            if factor == self._segments[-1].factor:
                return
            now = time.monotonic()
            segment = Segment(now, self._segments[-1].virtual_at(now), factor)
            self._write(segment)
            self._segments.append(segment)

    def _write(self, segment: Segment) -> None:
        fields = (segment.anchor_monotonic, segment.anchor_virtual, segment.factor)
        struct.pack_into("<Q", self._map, 0, self._sequence + 1)
        struct.pack_into("<ddd", self._map, 8, *fields)
        self._sequence += 2
        struct.pack_into("<Q", self._map, 0, self._sequence)


def segment_at(segments: list[Segment], monotonic_seconds: float) -> Segment:
    """The segment in force at a reading of CLOCK_MONOTONIC (the first one for instants before it)."""
    starts = [segment.anchor_monotonic for segment in segments]
    return segments[max(0, bisect_right(starts, monotonic_seconds) - 1)]


def _require_factor(factor: float) -> None:
    if not (math.isfinite(factor) and factor > 0):
        raise ClockError(f"the clock factor must be a number over 0, not {factor!r}")
