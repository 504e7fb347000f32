"""The register: features/controls.toml, every line of the guide that is made executable."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

EFFECTS = ("none", "synthetic tenant", "drill")


@dataclass(frozen=True, kw_only=True)
class Control:
    """One line of the guide. `built_in` is the subject of the issue that builds it, None once that is history."""

    id: str
    says: str
    effect: str = "none"
    built_in: str | None = None
    guide: tuple[str, ...] = ()
    proof: str = ""
    same_as: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Register:
    """All controls by id, in the file's order, and the closed list of topic tags with their meaning."""

    controls: Mapping[str, Control] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)


def load_register(path: Path) -> Register:
    """Read the register. Raises pytest.UsageError with file and remedy when it is absent or wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise pytest.UsageError(f"{path}: no register of controls; restore it from version control") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise pytest.UsageError(f"{path}: not readable as TOML: {error}; correct the line it names") from None
    controls: dict[str, Control] = {}
    for entry in document.get("control", []):
        control = _control(path, entry)
        if control.id in controls:
            raise pytest.UsageError(f"{path}: control {control.id} stands there twice; remove one")
        controls[control.id] = control
    _check_references(path, controls)
    return Register(controls=controls, topics=dict(document.get("topics", {})))


def _control(path: Path, entry: Mapping[str, Any]) -> Control:
    if not entry.get("id") or not entry.get("says"):
        raise pytest.UsageError(f"{path}: a control without id or says: {dict(entry)!r}; give it both")
    effect = entry.get("effect", "none")
    if effect not in EFFECTS:
        raise pytest.UsageError(f"{path}: {entry['id']} has effect {effect!r}; use one of {', '.join(EFFECTS)}")
    return Control(
        id=entry["id"],
        says=entry["says"],
        effect=effect,
        built_in=entry.get("built_in"),
        guide=tuple(entry.get("guide", ())),
        proof=entry.get("proof", ""),
        same_as=tuple(entry.get("same_as", ())),
        rests_on=tuple(entry.get("rests_on", ())),
    )


def _check_references(path: Path, controls: Mapping[str, Control]) -> None:
    for control in controls.values():
        for other in (*control.same_as, *control.rests_on):
            if other not in controls:
                raise pytest.UsageError(f"{path}: {control.id} refers to {other}, which the register does not hold")
