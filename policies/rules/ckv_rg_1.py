"""Both slots stand on the rule that carries customers, so that a shift is a change of weights and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.traffic import forwards, is_test_route
from policies.tree import Resource, Tree
from policies.values import Unknown, Value, is_known


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for listener in tree.of("aws_lb_listener", "aws_lb_listener_rule"):
        for action in forwards(listener):
            if not is_test_route(listener):
                yield _judge(tree, listener, action)


def _judge(tree: Tree, listener: Resource, action: Value) -> Judged:
    if isinstance(action, Unknown) or not isinstance(action, dict):
        return deferred(listener, action, "where it forwards to")
    groups = [group for forward in action.get("forward") or [] for group in _groups(forward)]
    if any(isinstance(group, Unknown) for group in groups):
        return deferred(listener, groups, "which target groups it holds")
    arns = [group.get("arn") for group in groups]
    named = {resource.address for arn in arns for resource in tree.meant(arn, "aws_lb_target_group")}
    if len(arns) != 2:
        return fails(listener, f"it forwards to {len(arns) or 1} target group, not to two by weight")
    if len(named) == 2:
        return holds(listener)
    if not is_known(arns) and len(named) == 0:
        return deferred(listener, arns, "whether its two target groups differ")
    if len({str(arn) for arn in arns}) == 2 and is_known(arns):
        return holds(listener)
    return fails(listener, "its two target groups are one and the same")


def _groups(forward: Value) -> list[Value]:
    return list(forward.get("target_group") or []) if isinstance(forward, dict) else [forward]


RULE = Rule(
    id="CKV_RG_1",
    says="The rule that carries customers holds the target groups of both slots",
    remedy="Write action { forward { target_group { blue } target_group { green } } }, with weights 100 and 0.",
    controls=("PROC-10", "DUR-07", "ARCH-01"),
    judge=judge,
)
