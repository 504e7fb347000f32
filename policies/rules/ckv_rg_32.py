"""Who may deploy proves it: a pipeline by its OIDC claims, a person by a second factor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.shapes import in_statement, statements
from policies.tree import Resource, Tree
from policies.values import Unknown, Value, decoded, listed

_FACTOR = "aws:MultiFactorAuthPresent"


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for role in tree.of("aws_iam_role"):
        document = role.values.get("assume_role_policy")
        found = statements(document)
        if isinstance(decoded(document), Unknown):
            yield deferred(role, decoded(document), "who may assume it")
            continue
        for statement in found:
            if isinstance(statement, Unknown):
                yield deferred(role, statement, "who may assume it")
            elif statement.get("Effect", "Allow") == "Allow":
                yield from _judge(role, statement)


def _judge(role: Resource, statement: Mapping[str, Value]) -> Iterator[Judged]:
    principal = statement.get("Principal")
    if isinstance(principal, Unknown):
        yield deferred(role, principal, "who may assume it")
    elif principal == "*" or "*" in in_statement(statement, "Principal"):
        yield fails(role, "everybody may assume it")
    elif isinstance(principal, Mapping) and principal.get("Federated"):
        yield _federated(role, statement)
    elif isinstance(principal, Mapping) and principal.get("AWS"):
        yield _person(role, statement)


def _federated(role: Resource, statement: Mapping[str, Value]) -> Judged:
    """GitHub's guide: without a condition on `sub`, every repository of the forge may assume the role."""
    keys = _condition(statement)
    if isinstance(keys, Unknown):
        return deferred(role, keys, "which claims it asks for")
    missing = [claim for claim in ("aud", "sub") if not any(key.endswith(f":{claim}") for key in keys)]
    if missing:
        return fails(role, f"a pipeline may assume it without a condition on {' and '.join(missing)}")
    subjects = [str(one) for key, values in keys.items() if key.endswith(":sub") for one in listed(values)]
    wide = [subject for subject in subjects if subject.strip("*") in ("", "repo:")]
    return fails(role, f"any repository may assume it ({wide[0]})") if wide else holds(role)


def _person(role: Resource, statement: Mapping[str, Value]) -> Judged:
    keys = _condition(statement)
    if isinstance(keys, Unknown):
        return deferred(role, keys, "whether it asks for a second factor")
    asked = [str(one).lower() for one in listed(keys.get(_FACTOR))]
    return holds(role) if asked == ["true"] else fails(role, "people may assume it without a second factor")


def _condition(statement: Mapping[str, Value]) -> dict[str, Value] | Unknown:
    """Condition keys with their values; Bool counts, BoolIfExists does not (it lets requests without the key pass)."""
    condition = statement.get("Condition") or {}
    if isinstance(condition, Unknown):
        return condition
    return {
        str(key): values
        for test, pairs in condition.items()
        if not str(test).endswith("IfExists") and isinstance(pairs, Mapping)
        for key, values in pairs.items()
    }


RULE = Rule(
    id="CKV_RG_32",
    says="A role that people or pipelines assume asks for a second factor or for the pipeline's claims",
    remedy="Add a condition on aud and sub (OIDC), or Bool aws:MultiFactorAuthPresent = true.",
    controls=("VAL-11", "PIPE-06", "SEC-03"),
    judge=judge,
)
