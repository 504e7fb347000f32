"""What must never happen, asserted before a decision is stored. Pure. A broken one holds the rollout and pages.

Numbers are those of the design: I2 health before a raise, I10 a stored PASS before a raise, I13 nothing rises after
an abort, I16 stable capacity is not touched before its time, I17 the plan does not change in flight.
"""

from __future__ import annotations

from rollout.errors import InvariantBroken
from rollout.forward import may_raise
from rollout.record import Decision, ScaleDown, SetShare, State
from rollout.sight import Sight

_GOING_BACK = frozenset({State.ROLLING_BACK, State.VERIFYING, State.CLEANING, State.SETTLING_BACK})


def check(sight: Sight, decision: Decision) -> None:
    """Raises InvariantBroken, naming the invariant, when `decision` would break one."""
    before, after = sight.record, decision.record
    if before.plan_sha256 != after.plan_sha256:
        _broken("I17", "the plan changed in flight")
    for command in decision.commands:
        # After a drift the record holds the share that was just seen: a raise starts there, and so does a fall.
        if isinstance(command, SetShare) and command.candidate > after.share_verified:
            _check_raise(sight, command.candidate)
        if isinstance(command, ScaleDown):
            _check_scale_down(sight, decision, command.slot)


def _check_raise(sight: Sight, share: int) -> None:
    record, plan = sight.record, sight.plan
    if record.back is not None or record.state in _GOING_BACK:
        _broken("I13", f"the candidate would rise to {share} % after a rollback was decided")
    unhealthy = may_raise(sight)
    if unhealthy:
        _broken("I2", f"the candidate would rise to {share} % while {unhealthy}")
    proven = {proof.share_percent for proof in record.passes}
    missing = [
        stage.share_percent for stage in plan.stages[: max(record.stage, 0)] if stage.share_percent not in proven
    ]
    if missing or share != plan.stages[record.stage].share_percent:
        _broken("I10", f"the candidate would rise to {share} % without a stored PASS at {missing}")


def _check_scale_down(sight: Sight, decision: Decision, slot: str) -> None:
    record = sight.record
    if slot == record.stable and not (decision.record.state is State.RETIRING and sight.live_share == 100):
        _broken("I16", f"{slot} is the way back and would be scaled down in {record.state}")
    if slot == record.candidate and sight.live_share != 0:
        share = "an unknown share" if sight.live_share is None else f"{sight.live_share:g} %"
        _broken("I16", f"{slot} still has {share} of the customers and would be scaled down")


def _broken(number: str, text: str) -> None:
    raise InvariantBroken(f"{number}: {text}", hint="The rollout holds; take traffic back with `rollout rollback`.")
