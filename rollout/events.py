"""What happened: one event for what a tick saw. Pure.

The first line of `find_event` that applies wins, so the order is the policy: a person's abort, then whatever harms
customers (`harm`), then the state's own progress (`forward`, `backward`).
"""

from __future__ import annotations

from collections.abc import Callable

from rollout import backward, forward
from rollout.harm import find_harm
from rollout.record import CUSTOMER_STATES, State
from rollout.sight import Event, Found, Sight


def find_event(sight: Sight) -> Found:
    """The one event of this tick."""
    record = sight.record
    request = record.request
    if request is not None and request.kind == "abort" and record.state in _ABORTABLE:
        return Found(event=Event.ABORT_REQUESTED, reason=f"{request.by}: {request.reason}", rule="operator")
    if record.state in CUSTOMER_STATES or record.state is State.SETTLING:
        found = find_harm(sight)
        if found is not None:
            return found
    return _PROGRESS[record.state](sight)


_ABORTABLE = CUSTOMER_STATES | {State.PREPARING, State.READY, State.SETTLING}


_PROGRESS: dict[State, Callable[[Sight], Found]] = {
    State.PREPARING: forward.preparing,
    State.READY: forward.ready,
    State.SHIFTING: forward.shifting,
    State.BAKING: forward.baking,
    State.STABILIZING: forward.stabilizing,
    State.RETIRING: forward.retiring,
    State.SETTLING: forward.settling,
    State.HOLDING: backward.holding,
    State.ROLLING_BACK: backward.rolling_back,
    State.VERIFYING: backward.verifying,
    State.CLEANING: backward.cleaning,
    State.SETTLING_BACK: backward.settling_back,
    State.COMPLETED: backward.ended,
    State.ROLLED_BACK: backward.ended,
    State.ABORTED_EXTERNALLY: backward.ended,
    State.FAILED: backward.ended,
}
