"""When customers arrive: from a profile to the intended times of one worker's share. Pure.

The rate is a broken line, so the number of arrivals up to a time, its integral, is a chain of parabolas. Arrivals stand
where that number passes given marks: every whole one for a constant rate (an even gap, also within a ramp), marks with
exponential gaps for a Poisson process whose rate changes (inversion method: Cinlar 1975, Introduction to Stochastic
Processes, theorem 4.7.5).
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loadtests.traffic import CONSTANT, Stage, Traffic


@dataclass(frozen=True, kw_only=True)
class Share:
    """Which of the workers this one is: `rank` from 0 to `workers` - 1."""

    rank: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.workers:
            raise ValueError(f"rank {self.rank} is none of {self.workers} workers")


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """A stage in absolute terms: rates per second at its two ends, `before` arrivals up to its start."""

    start: float
    seconds: float
    first: float
    last: float
    before: float

    @property
    def arrivals(self) -> float:
        return self.seconds * (self.first + self.last) / 2

    def passed_at(self, mark: float) -> float:
        """The time at which `mark` arrivals have come, for a mark within this piece."""
        wanted = max(mark - self.before, 0.0)
        slope = (self.last - self.first) / self.seconds
        # The root of first * x + slope * x^2 / 2 = wanted, in the form that does not subtract two near numbers.
        root = math.sqrt(max(self.first * self.first + 2 * slope * wanted, 0.0))
        within = 2 * wanted / (self.first + root) if self.first + root > 0 else 0.0
        return self.start + min(within, self.seconds)


def intended_times(traffic: Traffic, share: Share, *, seed: int) -> Iterator[float]:
    """The arrivals of one worker, in seconds from the start, never falling, all within the profile.

    Constant: the workers deal the arrivals out in turn. Poisson: each draws its own with its share of the rate, and
    together they are a Poisson process of the whole rate.
    """
    pieces = _pieces(traffic.profile.stages, traffic.arrivals_per_second)
    marks = _even(share) if traffic.arrivals == CONSTANT else _drawn(share, seed)
    place = 0
    for mark in marks:
        while mark >= pieces[place].before + pieces[place].arrivals:
            place += 1
            if place == len(pieces):
                return
        yield pieces[place].passed_at(mark)


def arrivals_between(traffic: Traffic, start: float, end: float) -> float:
    """How many arrivals all workers together intend in [start, end) seconds; none outside of the profile."""
    pieces = _pieces(traffic.profile.stages, traffic.arrivals_per_second)
    return _until(pieces, end) - _until(pieces, start)


def _until(pieces: Sequence[_Piece], elapsed: float) -> float:
    total = 0.0
    for piece in pieces:
        part = min(max(elapsed - piece.start, 0.0), piece.seconds)
        total += part * (piece.first + (piece.last - piece.first) * part / piece.seconds / 2)
    return total


def rate_at(traffic: Traffic, elapsed: float) -> float:
    """Arrivals per second that all workers together intend at this time; 0 outside of the profile."""
    for piece in _pieces(traffic.profile.stages, traffic.arrivals_per_second):
        if piece.start <= elapsed < piece.start + piece.seconds:
            return piece.first + (piece.last - piece.first) * (elapsed - piece.start) / piece.seconds
    return 0.0


def _pieces(stages: Sequence[Stage], per_second: float) -> list[_Piece]:
    pieces, start, before = [], 0.0, 0.0
    for stage in stages:
        first, last = per_second * stage.from_percent / 100, per_second * stage.percent / 100
        piece = _Piece(start=start, seconds=stage.seconds, first=first, last=last, before=before)
        pieces.append(piece)
        start, before = start + stage.seconds, before + piece.arrivals
    return pieces


def _even(share: Share) -> Iterator[float]:
    """Half a gap from the start, so that any part of the profile has the number that it should have, rounded."""
    return (number + 0.5 for number in itertools.count(share.rank, share.workers))


def _drawn(share: Share, seed: int) -> Iterator[float]:
    source = random.Random(f"{seed} {share.rank} {share.workers}")
    mark = 0.0
    while True:
        mark += source.expovariate(1.0) * share.workers
        yield mark
