"""What a team may set about policies: policies/settings.toml, checked once, every mistake named."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATH = Path(__file__).parent / "settings.toml"


class Unusable(Exception):
    """Something that the gate cannot work with: one sentence with cause and remedy."""


@dataclass(frozen=True, kw_only=True)
class NotApplicable:
    """Policies that have nothing to judge in some roots, on purpose: who says so, and why. Roots are patterns."""

    policies: tuple[str, ...]
    roots: tuple[str, ...]
    reason: str
    owner: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Limits that rules compare with; days and counts are inclusive bounds."""

    residency_regions: tuple[str, ...]
    log_retention_days_min: int = 30
    log_retention_days_max: int = 2557
    backup_retention_days_min: int = 7
    images_kept_min: int = 10
    tasks_min: int = 2
    tasks_max: int = 20
    vpc_endpoints: tuple[str, ...] = ()
    session_tables: str = "session"
    open_routes: tuple[str, ...] = ()
    not_applicable: tuple[NotApplicable, ...] = field(default=())


def read_settings(path: Path = PATH) -> Settings:
    """The settings of a file. Raises Unusable that names file, key and remedy."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unusable(f"{path.name} cannot be read: {error}. Restore it from the repository.") from None
    entries = document.pop("not_applicable", [])
    try:
        exceptions = tuple(NotApplicable(**{**entry, **_tuples(entry, "roots", "policies")}) for entry in entries)
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
        }
        settings = Settings(**values, not_applicable=exceptions)
    except (TypeError, KeyError) as error:
        raise Unusable(
            f"{path.name} has a wrong or missing key: {error}. Compare it with policies/README.md."
        ) from None
    _check(settings, path)
    return settings


def _tuples(entry: dict[str, Any], *keys: str) -> dict[str, tuple[str, ...]]:
    return {key: tuple(entry[key]) for key in keys}


def _check(settings: Settings, path: Path) -> None:
    defaults: dict[str, Any] = vars(Settings(residency_regions=("eu-central-1",)))
    for key, default in defaults.items():
        value = getattr(settings, key)
        if type(value) is not type(default) or (isinstance(value, int) and value < 0):
            raise Unusable(f"{path.name}: {key} = {value!r} is not allowed. Write a value like {default!r}.")
    if not settings.residency_regions:
        raise Unusable(f"{path.name}: residency_regions is empty. Name every region in which data may lie.")
    for entry in settings.not_applicable:
        if not (entry.policies and entry.roots and entry.reason and entry.owner):
            raise Unusable(f"{path.name}: a not_applicable entry lacks policies, roots, reason or owner. Add it.")
