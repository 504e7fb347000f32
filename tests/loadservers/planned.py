"""Latencies planned instead of drawn: every 200 requests hold the law's quantiles exactly, in shuffled order.

Of independent draws, 200 requests would have 4 to 16 over the 95th percentile; here it is ten in each 200, so a
sample is the law and not an estimate of it, and one run decides what would take many.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.loadservers.behaviour import Behaviour
from tests.loadservers.laws import Law

STRATA = 200
BLOCKS = 50  # after 10,000 requests the plan starts anew
FATES = 1000
ANSWER, HANG, ERROR = 0, 1, 2


def latencies(law: Law, seed: int) -> list[float]:
    """10,000 latencies in milliseconds: 50 blocks of 200, each with one from every 200th part of the law.

    The offset within the part differs from block to block, so that every block is balanced and the whole fine-grained.
    """
    order = random.Random(seed)
    planned: list[float] = []
    for block in range(BLOCKS):
        offset = _van_der_corput(block + 1)
        values = [law.quantile((stratum + offset) / STRATA) for stratum in range(STRATA)]
        order.shuffle(values)
        planned += values
    return planned


def fates(behaviour: Behaviour) -> list[int]:
    """What becomes of each of a thousand requests: ANSWER, HANG or ERROR, as often as the behaviour says, shuffled."""
    hangs, errors = (round(FATES * percent / 100) for percent in (behaviour.hang_percent, behaviour.error_percent))
    assert hangs + errors <= FATES
    planned = [HANG] * hangs + [ERROR] * errors + [ANSWER] * (FATES - hangs - errors)
    random.Random(behaviour.seed).shuffle(planned)
    return planned


def endless(planned: list[float]) -> Iterator[float]:
    """The plan over and over."""
    while True:
        yield from planned


def _van_der_corput(number: int) -> float:
    """The binary digits of the number mirrored at the point: 1/2, 1/4, 3/4, 1/8, ... (van der Corput 1935)."""
    value, weight = 0.0, 0.5
    while number:
        value += weight * (number & 1)
        number >>= 1
        weight /= 2
    return value
