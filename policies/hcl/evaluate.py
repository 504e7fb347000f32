"""Expressions to values. What cannot be known is Unknown and stays so through every operation on it.

The one deliberate strictness: an operation that Terraform would refuse gives Unknown as well, never a guess.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace

from policies.hcl.expressions import parse_template
from policies.hcl.functions import call
from policies.hcl.scope import Scope
from policies.hcl.syntax import (
    Attribute,
    Binary,
    Call,
    Conditional,
    Expression,
    For,
    Index,
    Literal,
    Name,
    Object,
    Opaque,
    Splat,
    Template,
    Tuple,
    Unary,
    Unparsable,
)
from policies.values import Encoded, Instance, Text, Unknown, Value, is_known, joined, partly, references

_NUMERIC: Mapping[str, Callable[[Value, Value], Value]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def evaluate(expression: Expression, scope: Scope) -> Value:
    """The value of an expression. Never raises for a program that says too little: that is Unknown."""
    try:
        return _EVALUATORS[type(expression)](expression, scope)
    except RecursionError:
        return Unknown("an expression that is nested too deeply")


def _literal(expression: Literal, scope: Scope) -> Value:
    return expression.value


def _opaque(expression: Opaque, scope: Scope) -> Value:
    return Unknown("a template with directives")


def _template(expression: Template, scope: Scope) -> Value:
    parts = [part if isinstance(part, str) else evaluate(part, scope) for part in expression.parts]
    if len(parts) == 1 and not isinstance(expression.parts[0], str):
        return parts[0]  # "${x}" is x itself
    if all(isinstance(part, str | int | float | bool | Unknown) for part in parts):
        if any(isinstance(part, Unknown) for part in parts):
            return partly([part if isinstance(part, Unknown) else _as_text(part) for part in parts])
    else:
        return joined("a text of what is no text", parts)
    text = "".join(_as_text(part) for part in parts)
    origins = references(parts)
    return Text(text, origins) if origins else text


def _as_text(part: Value) -> str:
    if isinstance(part, bool):
        return str(part).lower()
    return f"{part:g}" if isinstance(part, float) else str(part)


def _reference(expression: Name | Attribute, scope: Scope) -> Value:
    """The longest chain of plain words is a reference; the rest is read from its value."""
    words: list[str] = []
    inner: Expression = expression
    while isinstance(inner, Attribute):
        words.insert(0, inner.name)
        inner = inner.of
    if not isinstance(inner, Name):
        return _read(evaluate(inner, scope), words)
    if inner.name in scope.bound:
        return _read(scope.bound[inner.name], words)
    value, taken = scope.names.lookup((inner.name, *words))
    return _read(value, words[taken - 1 :])


def _read(value: Value, words: list[str]) -> Value:
    for word in words:
        value = item(value, word)
    return value


def item(value: Value, key: Value) -> Value:
    """`value[key]` or `value.key`."""
    if isinstance(value, Unknown) or isinstance(key, Unknown):
        return joined("an unknown part", [value, key])
    if isinstance(value, Instance):
        return _attribute(value, str(key))
    if isinstance(value, dict):
        return value.get(str(key), Unknown(f"no {key} in an object", references(value)))
    if isinstance(value, list) and isinstance(key, int | str) and str(key).lstrip("-").isdigit():
        return value[int(key)] if -len(value) <= int(key) < len(value) else Unknown(f"no element {key}")
    return Unknown(f"nothing has no {key}" if value is None else f"{type(value).__name__} has no {key}")


def _attribute(instance: Instance, name: str) -> Value:
    """What the code sets is known (and whose it is); what the provider computes is not."""
    origin = frozenset({instance.address})
    if name not in instance.read:
        return Unknown(f"{instance.address}.{name}", origin, computed=True)
    value = instance.read[name]
    if isinstance(value, Unknown):
        return replace(value, references=value.references | origin)
    return Text(value, references(value) | origin) if isinstance(value, str) else value


def _index(expression: Index, scope: Scope) -> Value:
    return item(evaluate(expression.of, scope), evaluate(expression.key, scope))


def _splat(expression: Splat, scope: Scope) -> Value:
    value = evaluate(expression.of, scope)
    if isinstance(value, Unknown):
        return value
    items = value if isinstance(value, list) else [] if value is None else [value]
    return [evaluate(expression.rest, scope.binding(**{"*": one})) for one in items]


def _call(expression: Call, scope: Scope) -> Value:
    if expression.name == "try":
        return _first_readable(expression, scope)
    if expression.name in ("file", "templatefile"):
        return _file(expression, scope)
    arguments = [evaluate(argument, scope) for argument in expression.arguments]
    if expression.expand:
        if not isinstance(arguments[-1], list):
            return joined("an expanded unknown", arguments)
        arguments = [*arguments[:-1], *arguments[-1]]
    return call(expression.name, arguments)


def _file(expression: Call, scope: Scope) -> Value:
    """file(path) and templatefile(path, names): the text of a file of this repository, with its names filled in."""
    path, *named = [evaluate(argument, scope) for argument in expression.arguments]
    text = scope.names.read(path) if isinstance(path, str) else None
    if text is None or (named and not isinstance(named[0], dict)):
        return joined(f"the file {path}", [path, *named])
    if expression.name == "file":
        return text
    try:
        template = parse_template(text, path)
    except Unparsable as error:
        return Unknown(f"the template {error}")
    return evaluate(template, Scope(names=scope.names, bound=named[0]))


def _first_readable(expression: Call, scope: Scope) -> Value:
    """try(a, b): whether `a` errors cannot be told from not being known, so only a known `a` is believed."""
    values = [evaluate(argument, scope) for argument in expression.arguments]
    return values[0] if values and is_known(values[0]) else joined("an attempt", values)


def _unary(expression: Unary, scope: Scope) -> Value:
    value = evaluate(expression.operand, scope)
    if expression.operator == "!":
        return not value if isinstance(value, bool) else joined("not of no boolean", [value])
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return -value if plain else joined("minus of no number", [value])


def _binary(expression: Binary, scope: Scope) -> Value:
    left, right = evaluate(expression.left, scope), evaluate(expression.right, scope)
    sign = expression.operator
    if sign in ("&&", "||"):
        decisive = sign == "||"
        if left is decisive or right is decisive:
            return decisive
        return (
            not decisive if isinstance(left, bool) and isinstance(right, bool) else joined("a condition", [left, right])
        )
    if sign in ("==", "!="):
        if {type(left), type(right)} == {Unknown, type(None)} and (left or right).computed:
            return sign == "!="  # what the provider computes is never null
        if not (is_known(left) and is_known(right)):
            return joined("a comparison", [left, right])
        return (left == right and isinstance(left, bool) == isinstance(right, bool)) == (sign == "==")
    try:
        return _NUMERIC[sign](_number(left), _number(right))
    except (TypeError, ValueError, ZeroDivisionError):
        return joined("arithmetic on no numbers", [left, right])


def _number(value: Value) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("not a number")
    return value if not isinstance(value, str) else (int(value) if value.lstrip("-").isdigit() else float(value))


def _conditional(expression: Conditional, scope: Scope) -> Value:
    condition = evaluate(expression.condition, scope)
    if isinstance(condition, bool):
        return evaluate(expression.yes if condition else expression.no, scope)
    yes, no = evaluate(expression.yes, scope), evaluate(expression.no, scope)
    if is_known(yes) and is_known(no) and yes == no:
        return yes
    return joined("an undecided condition", [condition, yes, no])


def _tuple(expression: Tuple, scope: Scope) -> Value:
    return [evaluate(one, scope) for one in expression.items]


def _object(expression: Object, scope: Scope) -> Value:
    made: dict[str, Value] = {}
    for key, value in expression.items:
        name = key.name if isinstance(key, Name) else evaluate(key, scope)
        if isinstance(name, Unknown):
            return joined("an object with an unknown key", [name, evaluate(value, scope)])
        made[_as_text(name)] = evaluate(value, scope)
    return made


def _for(expression: For, scope: Scope) -> Value:
    over = evaluate(expression.over, scope)
    if isinstance(over, Encoded | Unknown) or not isinstance(over, dict | list):
        return joined("a loop over the unknown", [over])
    made: list[tuple[Value, Value]] = []
    for key, value in over.items() if isinstance(over, dict) else enumerate(over):
        bound = scope.binding(**dict(zip(expression.names[::-1], (value, key), strict=False)))
        kept = True if expression.condition is None else evaluate(expression.condition, bound)
        if not isinstance(kept, bool):
            return joined("a loop with an undecided condition", [kept, over])
        if kept:
            name = evaluate(expression.key, bound) if expression.key is not None else None
            made.append((name, evaluate(expression.value, bound)))
    if expression.key is None:
        return [value for _, value in made]
    if any(isinstance(name, Unknown) for name, _ in made):
        return joined("an object with an unknown key", [part for pair in made for part in pair])
    return _grouped(made) if expression.grouped else {_as_text(name): value for name, value in made}


def _grouped(pairs: list[tuple[Value, Value]]) -> dict[str, list[Value]]:
    made: dict[str, list[Value]] = {}
    for name, value in pairs:
        made.setdefault(_as_text(name), []).append(value)
    return made


_EVALUATORS: Mapping[type, Callable[..., Value]] = {
    Literal: _literal, Opaque: _opaque, Template: _template, Name: _reference, Attribute: _reference, Index: _index,
    Splat: _splat, Call: _call, Unary: _unary, Binary: _binary, Conditional: _conditional, Tuple: _tuple,
    Object: _object, For: _for,
}  # fmt: skip
