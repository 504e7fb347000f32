"""An allowance of everything on everything is no policy."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.shapes import in_statement, policies, statements
from policies.tree import Resource, Tree
from policies.values import Unknown, Value


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for resource, document in policies(tree):
        for statement in statements(document):
            yield _judge(resource, statement)


def _judge(resource: Resource, statement: Value) -> Judged:
    if isinstance(statement, Unknown):
        return deferred(resource, statement, "what it allows")
    if isinstance(statement.get("Effect"), Unknown):
        return deferred(resource, statement["Effect"], "what it allows")
    actions = in_statement(statement, "Action")
    targets = in_statement(statement, "Resource")
    if statement.get("Effect") != "Allow" or "*" not in targets:
        return holds(resource)
    wide = [str(action) for action in actions if not isinstance(action, Unknown) and str(action).endswith("*")]
    whole = [action for action in wide if action == "*" or action.endswith(":*")]
    if whole or statement.get("NotAction") is not None:
        return fails(resource, f"it allows {', '.join(whole) or 'all but a few actions'} on every resource")
    unknown = [action for action in actions if isinstance(action, Unknown)]
    return deferred(resource, unknown, "what it allows on every resource") if unknown else holds(resource)


RULE = Rule(
    id="CKV_RG_31",
    says="No policy allows all actions (of a service) on all resources",
    remedy="Name the actions that are called, and the ARNs that they are called on.",
    controls=("SEC-03",),
    judge=judge,
)
