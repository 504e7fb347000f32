"""Values as rules see them: plain ones, and three that say more than a plain value can.

A value is None, bool, int, float, str, a list, a dict with text keys, or one of the classes here. `Unknown` is the
heart: what no reader of the code can know is never mistaken for a value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Value = Any
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Unknown:
    """A value that only the apply, a variable without a value, or another tool knows.

    `what` names it as a person would look for it; `references` are the addresses of resources that it comes from.
    """

    what: str
    references: frozenset[str] = NOTHING

    def __str__(self) -> str:
        return f"({self.what})"


class Text(str):
    """A known text that was read from resources: what it says, and whose it is."""

    references: frozenset[str]

    def __new__(cls, text: str, references: frozenset[str] = NOTHING) -> Text:
        made = super().__new__(cls, text)
        made.references = references
        return made


@dataclass(frozen=True)
class Encoded:
    """JSON that is not text yet: its structure is known, some of its leaves may be Unknown."""

    value: Value


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One instance of a resource (or a module's outputs) as expressions see it: what its code sets, by name."""

    address: str
    read: Mapping[str, Value]


def references(value: Value) -> frozenset[str]:
    """Addresses of all resources that a value was read from."""
    found: set[str] = set()
    for leaf in leaves(value):
        if isinstance(leaf, Unknown | Text):
            found |= leaf.references
        elif isinstance(leaf, Instance):
            found.add(leaf.address)
    return frozenset(found)


def leaves(value: Value) -> Iterator[Value]:
    """The values at the ends of lists and objects; an Encoded text is entered."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Encoded):
            waiting.append(item.value)
        elif isinstance(item, dict):
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
        else:
            yield item


def unknowns(value: Value) -> list[Unknown]:
    """What is not known within a value."""
    return [leaf for leaf in leaves(value) if isinstance(leaf, Unknown)]


def is_known(value: Value) -> bool:
    """No part of it is Unknown."""
    return not unknowns(value)


def joined(what: str, values: Iterable[Value]) -> Unknown:
    """An Unknown that was made from these values."""
    items = list(values)
    first = next((unknown for item in items for unknown in unknowns(item)), None)
    return Unknown(first.what if first else what, frozenset().union(*map(references, items)))


def decoded(value: Value) -> Value:
    """The structure of a JSON text; Unknown for what is none. Raises nothing: unreadable JSON is Unknown too."""
    if isinstance(value, Encoded | Unknown):
        return value.value if isinstance(value, Encoded) else value
    if not isinstance(value, str):
        return Unknown("no JSON text")
    try:
        return json.loads(value)
    except ValueError:
        return Unknown("unreadable JSON", references(value))


def listed(value: Value) -> list[Value]:
    """A list as it is, nothing as an empty one, anything else as a list of one (IAM takes either everywhere)."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
