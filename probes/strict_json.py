"""JSON from outside, read strictly: bounded in size and depth, no key twice, no number that JSON does not have.

Two readers that take different members of a doubled key for the true one are how a signed document comes to mean two
things (RFC 8259 section 4 leaves it open). Everything that is wrong here is `Unparsable`; nothing else is raised.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

BYTES_MAX = 64 * 1024
DEPTH_MAX = 16
_SHOWN_CHARACTERS_MAX = 60
_YEARS = range(2000, 2200)  # outside of them a time is a slip, and sums with it could leave the calendar
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Unparsable(ValueError):
    """The bytes are not what they should be; the message says what is wrong and where."""


def parse(raw: bytes, *, bytes_max: int = BYTES_MAX, depth_max: int = DEPTH_MAX) -> object:
    """The value that UTF-8 bytes hold. Raises Unparsable."""
    if len(raw) > bytes_max:
        raise Unparsable(f"larger than {bytes_max} bytes")
    if not raw.strip():
        raise Unparsable("empty")
    try:
        value: object = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite
        )
    except UnicodeDecodeError as error:
        raise Unparsable(f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise Unparsable(f"nested more than {depth_max} levels deep") from None
    except Unparsable:
        raise
    except ValueError as error:
        raise Unparsable(f"not JSON: {str(error)[:200]}") from None
    if _deeper_than(value, depth_max):
        raise Unparsable(f"nested more than {depth_max} levels deep")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unparsable(f"the key {shown(twice)} stands there twice")
    return found


def _no_number(word: str) -> NoReturn:
    raise Unparsable(f"{word} is no number in JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Unparsable(f"the number {digits[:20]} is too large")
    return number


def _deeper_than(value: object, levels: int) -> bool:
    """Counted level by level, without recursion: the input decides how deep it is."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not layer:
            return False
    return True


def shown(value: object) -> str:
    """A value for a sentence, cut."""
    text = ascii(value)
    return text if len(text) <= _SHOWN_CHARACTERS_MAX else text[: _SHOWN_CHARACTERS_MAX - 3] + "..."


class Fields:
    """An object whose keys are asked for one by one; `finish` refuses those that nobody asked for.

    Every method raises Unparsable, which names the key; `where` is how the object is called in it.
    """

    def __init__(self, value: object, where: str = "") -> None:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise Unparsable(f"{where or 'the document'} is no object")
        self._values: Mapping[str, object] = value
        self._where = where
        self._asked: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether the key is there and not null."""
        self._asked.add(key)
        return self._values.get(key) is not None

    def raw(self, key: str) -> object:
        """The value as it stands."""
        self._asked.add(key)
        if key not in self._values:
            raise Unparsable(f"{self._path(key)} is missing")
        return self._values[key]

    def text(self, key: str, pattern: str = r".{1,500}") -> str:
        """One printable line that matches `pattern` whole; control characters would change what a person reads."""
        value = self.raw(key)
        if not isinstance(value, str) or not value.isprintable() or not re.fullmatch(pattern, value):
            raise self.refusal(key, value)
        return value

    def integer(self, key: str, *, low: int, high: int) -> int:
        """A whole number from `low` to `high`; true and false are none."""
        value = self.raw(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.refusal(key, value)
        return value

    def number(self, key: str, *, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        value = self.raw(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise self.refusal(key, value)
        return float(value)

    def flag(self, key: str) -> bool:
        """true or false."""
        value = self.raw(key)
        if not isinstance(value, bool):
            raise self.refusal(key, value)
        return value

    def instant(self, key: str) -> datetime:
        """A time in UTC, to the second: "2026-11-24T09:00:00Z" (RFC 3339)."""
        value = self.raw(key)
        if not isinstance(value, str) or not value.isascii() or not _INSTANT.fullmatch(value):
            raise self.refusal(key, value)
        try:
            instant = datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise self.refusal(key, value) from None
        if instant.year not in _YEARS:
            raise self.refusal(key, value)
        return instant

    def array(self, key: str, *, most: int) -> list[object]:
        """A list of at most `most` values."""
        value = self.raw(key)
        if not isinstance(value, list):
            raise self.refusal(key, value)
        if len(value) > most:
            raise Unparsable(f"{self._path(key)} has {len(value)} entries, more than {most}")
        return value

    def texts(self, key: str, *, most: int, pattern: str = r".{1,500}") -> tuple[str, ...]:
        """A list of at most `most` printable lines that match `pattern`, none of them twice."""
        values = self.array(key, most=most)
        lines = [
            value for value in values if isinstance(value, str) and value.isprintable() and re.fullmatch(pattern, value)
        ]
        if len(lines) != len(values) or len(set(lines)) != len(lines):
            raise self.refusal(key, values)
        return tuple(lines)

    def fields(self, key: str) -> Fields:
        """An object inside this one."""
        return Fields(self.raw(key), self._path(key))

    def each(self, key: str, *, most: int) -> tuple[Fields, ...]:
        """A list of at most `most` objects."""
        path = self._path(key)
        return tuple(Fields(value, f"{path}[{index}]") for index, value in enumerate(self.array(key, most=most)))

    def refusal(self, key: str, value: object) -> Unparsable:
        """The error for a value that is not allowed at `key`."""
        return Unparsable(f"{self._path(key)} is {shown(value)}, which is not allowed there")

    def finish(self) -> None:
        """Refuse what nobody asked for: a key with a slip in it would otherwise be silently without effect."""
        unknown = sorted(set(self._values) - self._asked)
        if unknown:
            raise Unparsable(f"{self._path(shown(unknown[0]))} is not known")

    def _path(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key
