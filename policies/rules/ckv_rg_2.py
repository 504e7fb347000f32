"""No apply may revert a running canary: the weights belong to the engine."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, fails, holds
from policies.settings import Settings
from policies.traffic import carries_customers
from policies.tree import Origin, Tree


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for listener in tree.of("aws_lb_listener", "aws_lb_listener_rule"):
        if carries_customers(listener):
            wanted = "default_action" if listener.kind == "aws_lb_listener" else "action"
            ignored = {path.partition("[")[0].partition(".")[0] for path in listener.ignored}
            if ignored & {wanted, "all"}:
                yield holds(listener)
            else:
                yield fails(listener, f"an apply would set its weights back: {wanted} is not ignored")


RULE = Rule(
    id="CKV_RG_2",
    says="An apply leaves the weights of both slots alone",
    remedy="Add lifecycle { ignore_changes = [action] } (default_action on a listener).",
    controls=("PROC-01", "IAC-01"),
    judge=judge,
    origins=(Origin.SOURCE,),
)
