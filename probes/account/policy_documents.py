"""IAM policy documents as AWS stores them: statements, actions, resources, principals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

Statement = Mapping[str, Any]
# Conditions that narrow a principal of `*` to callers that are named. Source: IAM user guide, global condition keys.
_NARROWING = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "kms:calleraccount",
    }
)
_POSITIVE = ("StringEquals", "StringLike", "ArnEquals", "ArnLike", "ForAnyValue:StringLike", "ForAnyValue:StringEquals")


def document(given: object) -> Mapping[str, Any]:
    """A document from boto3: a mapping, or JSON text, percent-encoded or not. Raises ValueError, TypeError."""
    if isinstance(given, Mapping):
        return given
    if not isinstance(given, str):
        raise TypeError(f"a policy document is text or a mapping, not {type(given).__name__}")
    found = json.loads(given if given.lstrip().startswith("{") else unquote(given))
    if not isinstance(found, dict):
        raise ValueError("a policy document is an object")
    return found


def statements(given: object) -> tuple[Statement, ...]:
    """The statements of a document; one that stands alone is a list of one. Raises KeyError without any."""
    found = document(given)["Statement"]
    return tuple(found) if isinstance(found, list) else (found,)


def allowing(given: object) -> Iterator[Statement]:
    """Statements that allow."""
    return (one for one in statements(given) if one["Effect"] == "Allow")


def texts(value: object) -> tuple[str, ...]:
    """One text or a list of them."""
    if value is None:
        return ()
    return tuple(str(one) for one in value) if isinstance(value, list | tuple) else (str(value),)


def principals(statement: Statement) -> tuple[str, ...]:
    """Every principal that a statement names; `NotPrincipal` in an Allow is everybody else, so `*`."""
    if "NotPrincipal" in statement:
        return ("*",)
    given = statement.get("Principal")
    if isinstance(given, Mapping):
        return tuple(name for value in given.values() for name in texts(value))
    return texts(given)


def is_everybody(principal: str) -> bool:
    """Everybody on earth: `*`, also as an AWS principal."""
    return principal == "*" or principal.endswith("::*:root")


def conditions(statement: Statement) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(operator, key in lower case, values) of every condition."""
    for operator, pairs in (statement.get("Condition") or {}).items():
        for key, values in pairs.items():
            yield operator, key.lower(), texts(values)


def is_narrowed(statement: Statement) -> bool:
    """A condition limits who the callers are, to values without a bare `*`."""
    return any(
        operator in _POSITIVE and key in _NARROWING and values and "*" not in values
        for operator, key, values in conditions(statement)
    )


def opens_to_everybody(given: object) -> tuple[str, ...]:
    """Sids (or numbers) of the statements that allow everybody on earth something."""
    return tuple(
        str(one.get("Sid") or f"statement {number}")
        for number, one in enumerate(statements(given), 1)
        if one["Effect"] == "Allow" and any(map(is_everybody, principals(one))) and not is_narrowed(one)
    )


def is_wild(action: str) -> bool:
    """The action names every action of a service, or of all."""
    return action == "*" or action.split(":", 1)[-1] == "*"


def too_wide(given: object) -> tuple[str, ...]:
    """What a document allows by a wild action on every resource (SEC-03); `NotAction` names all but a few."""
    found: list[str] = []
    for one in allowing(given):
        everywhere = "*" in texts(one.get("Resource")) or "NotResource" in one
        if everywhere and "NotAction" in one:
            found.append("every action but some")
        if everywhere:
            found += [action for action in texts(one.get("Action")) if is_wild(action)]
    return tuple(found)


def allows(given: object, action: str) -> bool:
    """Some statement allows the action, whatever its resource and condition; case does not matter."""
    return any(
        fnmatchcase(action.lower(), pattern.lower()) for one in allowing(given) for pattern in texts(one.get("Action"))
    )
