"""Reads the catalogue of checkov's built-in rules that this project names. Needs no checkov."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from policies.settings import Unusable

PATH = Path(__file__).parent / "catalogue" / "built_in.toml"


@dataclass(frozen=True, kw_only=True)
class BuiltIn:
    """A named built-in rule; `meaning` is checkov's title for the id in the locked version."""

    id: str
    meaning: str
    remedy: str
    controls: tuple[str, ...]


def read_built_ins(path: Path = PATH) -> dict[str, BuiltIn]:
    """The named built-in rules by id. Raises Unusable for a file that is unreadable, incomplete, or names one twice."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("policy", [])
        found = [BuiltIn(**{**entry, "controls": tuple(entry["controls"])}) for entry in entries]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise Unusable(
            f"{path.name} cannot be used: {error}. Correct it; each entry has id, meaning, remedy, controls."
        ) from None
    named = {one.id: one for one in found}
    if len(named) != len(found):
        raise Unusable(f"{path.name} names a policy twice. Keep one entry for each id.")
    return named
