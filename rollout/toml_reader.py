"""Reads a TOML file that people write: bounded, typed, every mistake of it named at once.

A `Table` hands out checked values and notes a `Problem` for each wrong one, so that a reader is told of all of them in
one go; `finish` refuses keys that nobody asked for. Variables of the environment are not replaced: a value means what
the file says.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rollout.errors import BadInput

BYTES_MAX = 256 * 1024
DEPTH_MAX = 8
_SHOWN_MAX = 60  # characters of a wrong value in a message


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake: the dotted key, what is wrong with its value, what is allowed, what to do."""

    key: str
    what: str
    allowed: str
    remedy: str

    def __str__(self) -> str:
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        return f"{self.key}: {self.what}{allowed}. {self.remedy}"


class BadFile(BadInput):
    """A file that cannot be used; `problems` holds every mistake that was found."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file, self.problems = file, tuple(problems)
        lines = [f"{file}: {problem}" for problem in problems]
        super().__init__(lines[0] if len(lines) == 1 else "\n".join([f"{file} has {len(lines)} errors:", *lines]))


@dataclass(frozen=True, kw_only=True)
class Range:
    """Which numbers a key takes. `low` itself is allowed unless `above_low`; `step` only for whole numbers."""

    low: float
    high: float
    whole: bool = False
    above_low: bool = False
    step: int = 1
    unit: str = ""

    def allows(self, value: float) -> bool:
        fits = (value > self.low if self.above_low else value >= self.low) and value <= self.high
        return fits and (not self.whole or int(value) % self.step == 0)

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        low = f"above {self.low:g} and up to" if self.above_low else f"from {self.low:g} to"
        step = f" in steps of {self.step}" if self.step > 1 else ""
        return f"{kind} {low} {self.high:g}{step}" + (f" {self.unit}" if self.unit else "")


@dataclass(frozen=True, kw_only=True)
class Words:
    """Which texts a key takes, and how that is said to a person."""

    pattern: str
    allowed: str

    def allows(self, value: str) -> bool:
        return re.fullmatch(self.pattern, value) is not None


def read_document(path: Path) -> dict[str, Any]:
    """The parsed file. Raises BadFile when it is missing, too large, not UTF-8, not TOML, or nested too deeply."""
    text = _read_text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(path, f"not valid TOML: {error}", "Correct the place it names.") from None
    except (RecursionError, ValueError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else f"not valid TOML: {error}"
        raise _unreadable(path, what, "Compare it with the release.toml of this repository.") from None
    if _depth(document) > DEPTH_MAX:
        raise _unreadable(path, f"nested more than {DEPTH_MAX} levels deep", "No key needs that; remove the nesting.")
    return document


def _read_text(path: Path) -> str:
    if not path.is_file():
        what = "is not a file" if path.exists() else "does not exist"
        raise _unreadable(path, what, "Name the release file with --release-file, or run from the repository's root.")
    try:
        with path.open("rb") as stream:
            raw = stream.read(BYTES_MAX + 1)
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}", "Make it readable for this user.") from None
    if len(raw) > BYTES_MAX:
        raise _unreadable(path, f"is larger than {BYTES_MAX // 1024} KiB", "A release file holds settings only.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"is not UTF-8 at byte {error.start}", "Save it as UTF-8.") from None


def _unreadable(path: Path, what: str, remedy: str) -> BadFile:
    return BadFile(str(path), [Problem(key="file", what=what, allowed="", remedy=remedy)])


def _depth(value: object) -> int:
    """Levels of tables and arrays, counted without recursion."""
    deepest, waiting = 0, [(value, 0)]
    while waiting:
        item, level = waiting.pop()
        deepest = max(deepest, level)
        children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        waiting.extend((child, level + 1) for child in children)
    return deepest


def shown(value: object) -> str:
    """A wrong value as a message shows it: short, whatever it is."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, (Mapping, list)):
        return f"{'a table' if isinstance(value, Mapping) else 'an array'} with {len(value)} entries"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value) if isinstance(value, (date, int, float)) else repr(value)
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 3] + "..."


class Table:
    """A table of the file at a dotted `path`; problems are collected, never raised."""

    def __init__(self, values: Mapping[str, Any], path: str, problems: list[Problem]) -> None:
        self._values, self.path, self._problems = values, path, problems
        self._asked: set[str] = set()

    def dotted(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def refuse(self, key: str, what: str, *, allowed: str = "", remedy: str) -> None:
        """Note that `key` is wrong."""
        self._problems.append(Problem(key=self.dotted(key), what=what, allowed=allowed, remedy=remedy))

    def has(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._values

    def names(self) -> tuple[str, ...]:
        """Every key, for tables whose keys are names that the writer chooses."""
        self._asked.update(self._values)
        return tuple(self._values)

    def raw(self, key: str) -> Any:
        """The value as parsed; None without one."""
        self._asked.add(key)
        return self._values.get(key)

    def number(self, key: str, allowed: Range, default: float) -> Any:
        """A number in range, in the kind of the default; the default when it is absent or wrong."""
        if not self.has(key):
            return default
        value = self._values[key]
        kinds = (int,) if allowed.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not allowed.allows(value):
            remedy = f"Write for example {key} = {default:g}."
            self.refuse(key, f"{shown(value)} is not allowed", allowed=str(allowed), remedy=remedy)
            return default
        return type(default)(value)  # 600 and 600.0 are one plan, and have to be one hash

    def text(self, key: str, words: Words, *, example: str, default: str | None = None) -> str:
        """A text of the wanted form; the default (none: compulsory) when it is absent."""
        if not self.has(key) and default is not None:
            return default
        value = self._values.get(key)
        if not isinstance(value, str) or not words.allows(value):
            what = f"{shown(value)} is not allowed" if key in self._values else "is missing"
            self.refuse(key, what, allowed=words.allowed, remedy=f'Write for example {key} = "{example}".')
            return default or example
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.raw(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        remedy = f"Write {key} = {str(default).lower()}, without quotes."
        self.refuse(key, f"{shown(value)} is not allowed", allowed="true or false", remedy=remedy)
        return default

    def day(self, key: str) -> date:
        """A calendar day, as a TOML date or as a text in its form."""
        value = self.raw(key)
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            what = f"{shown(value)} is not allowed" if key in self._values else "is missing"
            remedy = f"Write for example {key} = 2027-01-31, without quotes."
            self.refuse(key, what, allowed="a day, year-month-day", remedy=remedy)
            return date.max

    def table(self, key: str) -> Table:
        """The table under `key`, an empty one when it is absent or none."""
        value = self.raw(key)
        if value is not None and not isinstance(value, dict):
            header = self.dotted(key)
            self.refuse(key, f"{shown(value)} is not a table", remedy=f"Write it as a table: [{header}].")
        return Table(value if isinstance(value, dict) else {}, self.dotted(key), self._problems)

    def tables(self, key: str) -> list[Table] | None:
        """The array of tables under `key`, entries named `key[0]`, `key[1]`, ...; None when it is refused."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            self.refuse(key, f"{shown(value)} is no array of tables", remedy=f"Write [[{self.dotted(key)}]] per entry.")
            return None
        return [Table(entry, f"{self.dotted(key)}[{index}]", self._problems) for index, entry in enumerate(value)]

    def finish(self) -> None:
        """Refuse every key that nobody asked for, with the nearest known name."""
        for key in self._values:
            if key in self._asked:
                continue
            near = nearest(key, self._asked)
            remedy = f"Did you mean {near}?" if near else "Remove it."
            known = ", ".join(sorted(self._asked))
            self.refuse(shown_key(key), "is not known here", allowed=known, remedy=remedy)


def nearest(key: str, known: Collection[str]) -> str:
    """The known name that was probably meant: a similar one, else one with the same first word; empty without one."""
    names = sorted(known)
    similar = difflib.get_close_matches(key, names, n=1, cutoff=0.6)
    first = key.partition("_")[0]
    return next(iter(similar), "") or next((name for name in names if name.partition("_")[0] == first), "")


def shown_key(key: str) -> str:
    """A key as TOML writes it, shortened."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", key) else shown(key)
