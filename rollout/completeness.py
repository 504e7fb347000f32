"""Which minutes of a bake were seen at all. Pure: silence is told apart from a minute without customers."""

from __future__ import annotations

from collections.abc import Sequence

from rollout.model import MINUTE_SECONDS
from rollout.seen import BalancerMinute, SideMinute


def unseen_minutes(
    side: Sequence[SideMinute], balancer: Sequence[BalancerMinute], *, first: float, last: float, silence_share: float
) -> int:
    """How many minutes from `first` to `last` (starts) say nothing about one side.

    A minute without RequestCount was quiet if the source spoke of the side at all, and if fewer requests were to be
    expected than `silence_share` names: the listener's requests of that minute times it must stay below 1.
    """
    minutes = {minute.start: minute for minute in side}
    totals = {minute.start: minute.requests or 0 for minute in balancer}
    starts = range(int(first), int(last) + 1, MINUTE_SECONDS)
    return sum(1 for start in starts if _unseen(minutes.get(float(start)), totals.get(float(start), 0) * silence_share))


def _unseen(minute: SideMinute | None, silence: float) -> bool:
    if minute is None or (minute.requests is None and minute.healthy is None):
        return True
    return minute.requests is None and silence >= 1.0
