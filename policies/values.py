"""Values as rules see them: plain ones, and three that say more than a plain value can.

A value is None, bool, int, float, str, a list, a dict with text keys, or one of the classes here. `Unknown` is the
heart: what no reader of the code can know is never mistaken for a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Value = Any
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Unknown:
    """A value that only the apply, a variable without a value, or another tool knows.

    `what` names it as a person would look for it; `references` are the addresses of resources that it comes from.
    `computed`: the provider will compute it, so it is a value that nobody chooses, and never null.
    """

    what: str
    references: frozenset[str] = NOTHING
    computed: bool = False

    def __str__(self) -> str:
        return f"({self.what})"


@dataclass(frozen=True)
class Partly(Unknown):
    """A text of which some parts are not known; `parts` are its texts and Unknowns in order."""

    parts: tuple[str | Unknown, ...] = ()

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


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
    if isinstance(value, Partly):
        return _decoded_partly(value)
    if isinstance(value, Encoded | Unknown):
        return value.value if isinstance(value, Encoded) else value
    if not isinstance(value, str):
        return Unknown("no JSON text")
    try:
        return json.loads(value)
    except ValueError:
        return Unknown("unreadable JSON", references(value))


def _decoded_partly(text: Partly) -> Value:
    """JSON with unknown parts within its texts: these texts become Unknown, everything else is known."""
    holes = {f"\x02{index}\x03": part for index, part in enumerate(text.parts) if isinstance(part, Unknown)}
    whole = "".join(next(mark for mark, one in holes.items() if one is part) if isinstance(part, Unknown) else part
                    for part in text.parts)  # fmt: skip
    try:
        return _filled(json.loads(whole, strict=False), holes)
    except ValueError:
        return Unknown(text.what, text.references)  # a part outside of any text: a number, an object


def _filled(value: Value, holes: Mapping[str, Unknown]) -> Value:
    if isinstance(value, dict):
        return {key: _filled(item, holes) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, holes) for item in value]
    if not isinstance(value, str) or "\x02" not in value:
        return value
    pieces = re.split(r"(\x02\d+\x03)", value)
    return partly([holes.get(piece, piece) for piece in pieces if piece])


def partly(parts: list[str | Unknown]) -> Unknown:
    """A text of these parts, at least one of them Unknown; a single Unknown is itself."""
    flat: list[str | Unknown] = []
    for part in (inner for one in parts for inner in (one.parts if isinstance(one, Partly) else (one,))):
        if flat and isinstance(part, str) and isinstance(flat[-1], str):
            flat[-1] += part  # known texts side by side are one text
        else:
            flat.append(part)
    if len(flat) == 1 and isinstance(flat[0], Unknown):
        return flat[0]
    made = joined("a text with unknown parts", flat)
    return Partly(made.what, made.references, parts=tuple(flat))


def known_end(value: Value) -> str:
    """What a text certainly ends with: all of it where it is known, "" where its end is not."""
    if isinstance(value, Partly):
        return value.parts[-1] if isinstance(value.parts[-1], str) else ""
    return value if isinstance(value, str) else ""


def listed(value: Value) -> list[Value]:
    """A list as it is, nothing as an empty one, anything else as a list of one (IAM takes either everywhere)."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
