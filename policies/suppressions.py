"""Accepted findings: each with owner, reason, approver and end. Pure but for reading the file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from policies.settings import Unusable

PATH = Path(__file__).parent / "suppressions.toml"
BUILT_IN_PATH = PATH.with_name("suppressions_built_in.toml")  # of checkov's rules that are not among the named
DAYS_MAX = 366
_TEXTS = ("policy", "owner", "reason", "approver")
_LISTS = ("resources", "roots")


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """One entry; `resources` and `roots` are patterns in which * stands for any text."""

    policy: str
    resources: tuple[str, ...]
    roots: tuple[str, ...]
    owner: str
    reason: str
    approver: str
    expires: date

    def covers(self, policy: str, *, root: str, resource: str) -> bool:
        return self.policy == policy and _any(self.roots, root) and _any(self.resources, resource)

    def expired(self, today: date) -> bool:
        return today > self.expires


def _any(patterns: tuple[str, ...], text: str) -> bool:
    # In addresses, brackets are part of the text, not of a pattern.
    return any(fnmatchcase(text, pattern.replace("[", "[[]")) for pattern in patterns)


def read_suppressions(path: Path = PATH, *, today: date) -> tuple[Suppression, ...]:
    """The entries of the file, expired ones among them. Raises Unusable that names the first wrong entry."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unusable(f"{path.name} cannot be read: {error}. Restore or correct it.") from None
    unknown = sorted(set(entries) - {"suppression"})
    if unknown:
        raise Unusable(f"{path.name} has unknown tables: {', '.join(unknown)}. Write [[suppression]] for each entry.")
    return tuple(
        _entry(entry, f"{path.name}: entry {n}", today) for n, entry in enumerate(entries.get("suppression", []), 1)
    )


def _entry(entry: dict[str, Any], place: str, today: date) -> Suppression:
    wrong = sorted(set(entry) ^ {*_TEXTS, *_LISTS, "expires"})
    if wrong:
        raise Unusable(
            f"{place}: keys missing or not known: {', '.join(wrong)}. Write exactly the keys shown in the file."
        )
    for key in _TEXTS:
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise Unusable(f"{place}: {key} is empty. Say it.")
    for key in _LISTS:
        if not isinstance(entry[key], list) or not entry[key] or not all(isinstance(one, str) for one in entry[key]):
            raise Unusable(f"{place}: {key} is no list of texts. Name what it covers.")
    if entry["owner"].strip().lower() == entry["approver"].strip().lower():
        raise Unusable(f"{place}: {entry['owner']} approved their own exception. Have somebody else approve it.")
    if type(entry["expires"]) is not date:
        raise Unusable(f"{place}: expires is no day. Write expires = 2027-01-31, without quotes.")
    if entry["expires"] > today + timedelta(days=DAYS_MAX):
        raise Unusable(f"{place}: it would last more than a year. Let it end earlier, and renew it then.")
    return Suppression(**{**entry, "resources": tuple(entry["resources"]), "roots": tuple(entry["roots"])})
