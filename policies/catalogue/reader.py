"""Reads areas.toml and the frameworks' files. Strict: an unknown key, name or repetition is an error that names it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.catalogue.model import KINDS, TECHNICAL, Attestation, Catalogue, CatalogueError, Control

DIRECTORY = Path(__file__).parent
FRAMEWORKS = ("hipaa", "soc2", "gdpr")
POLICY_ID = re.compile(r"CKV2?_(?:AWS|RG)_\d+")
CHECK_NAME = re.compile(r"[a-z_]+\.[a-z0-9_]+")
_CONTROL_KEYS = {"id", "says", "kind", "supports", "areas", "attestations", "gap"}


@dataclass(frozen=True, kw_only=True)
class _Area:
    code: tuple[str, ...]
    plan: tuple[str, ...]
    live: tuple[str, ...]


def load(directory: Path = DIRECTORY) -> Catalogue:
    """The whole catalogue. Raises CatalogueError for the first thing that is wrong."""
    shared = _toml(directory / "areas.toml")
    _only(shared, {"reading", "area", "attestation"}, "areas.toml")
    areas = _areas(shared)
    attestations = {name: _attestation(name, entry) for name, entry in shared["attestation"].items()}
    controls: list[Control] = []
    for framework in FRAMEWORKS:
        document = _toml(directory / f"{framework}.toml")
        _only(document, {"framework", "control"}, f"{framework}.toml")
        for entry in document["control"]:
            controls.append(_control(document["framework"]["name"], entry, areas=areas, attestations=attestations))
    _no_twice([f"{control.framework} {control.id}" for control in controls], "the catalogue")
    return Catalogue(controls=tuple(controls), attestations=attestations)


def incomplete(catalogue: Catalogue) -> tuple[str, ...]:
    """Controls that are neither checked nor declared a gap, as sentences (VAL-10: one in code and one live)."""
    found = []
    for control in catalogue.controls:
        who = f"{control.framework} {control.id}"
        if control.kind == TECHNICAL and not (control.gap or (control.code and control.live)):
            found.append(f"{who} is technical, but has no check in code and on the live account, and declares no gap")
        if control.kind != TECHNICAL and not (control.attestations or control.gap):
            found.append(f"{who} is a matter of people, but nobody attests it and it declares no gap")
        if not (control.code or control.live or control.gap):
            found.append(f"{who} is checked by nothing and declares no gap")
    return tuple(found)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(f"{path.name} cannot be read: {error.strerror}. Restore it from the repository.") from None
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{path.name} is no TOML: {error}. Correct the line it names.") from None


def _areas(shared: Mapping[str, Any]) -> dict[str, _Area]:
    reading = shared["reading"]
    _only(reading, {"source_only", "plan_only"}, "areas.toml [reading]")
    source_only, plan_only = frozenset(reading["source_only"]), frozenset(reading["plan_only"])
    areas = {}
    for name, entry in shared["area"].items():
        where = f"areas.toml [area.{name}]"
        _only(entry, {"says", "code", "live"}, where)
        _text(entry, "says", where)
        code = _names(entry, "code", where, POLICY_ID)
        areas[name] = _Area(
            code=tuple(one for one in code if one not in plan_only),
            plan=tuple(one for one in code if one not in source_only),
            live=_names(entry, "live", where, CHECK_NAME),
        )
    return areas


def _attestation(name: str, entry: Mapping[str, Any]) -> Attestation:
    where = f"areas.toml [attestation.{name}]"
    _only(entry, {"says", "by", "every_days"}, where)
    days = entry.get("every_days")
    if not isinstance(days, int) or isinstance(days, bool) or days <= 0:
        raise CatalogueError(f"{where}: every_days is {days!r}. Give whole days above 0.")
    return Attestation(name=name, says=_text(entry, "says", where), by=_text(entry, "by", where), every_days=days)


def _control(
    framework: str, entry: Mapping[str, Any], *, areas: Mapping[str, _Area], attestations: Mapping[str, Attestation]
) -> Control:
    where = f"{framework} {entry.get('id', 'without id')}"
    _only(entry, _CONTROL_KEYS, where)
    kind = _text(entry, "kind", where)
    if kind not in KINDS:
        raise CatalogueError(f"{where}: kind is {kind!r}. Take one of {', '.join(KINDS)}.")
    named = [areas[one] for one in _known(entry, "areas", where, areas)]
    return Control(
        framework=framework,
        id=_text(entry, "id", where),
        says=_text(entry, "says", where),
        kind=kind,
        supports=_text(entry, "supports", where),
        areas=tuple(entry.get("areas", ())),
        code=_union(area.code for area in named),
        plan=_union(area.plan for area in named),
        live=_union(area.live for area in named),
        attestations=_known(entry, "attestations", where, attestations),
        gap=_text(entry, "gap", where) if "gap" in entry else "",
    )


def _union(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Each name once, in the order of its first mention: two areas of one control may share a check."""
    return tuple(dict.fromkeys(name for names in lists for name in names))


def _only(entry: Mapping[str, Any], keys: set[str], where: str) -> None:
    unknown = sorted(set(entry) - keys)
    if unknown:
        raise CatalogueError(f"{where}: {', '.join(unknown)} is not known. Write one of {', '.join(sorted(keys))}.")


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise CatalogueError(f"{where}: {key} is missing. Say it in own words.")
    return value


def _names(entry: Mapping[str, Any], key: str, where: str, shape: re.Pattern[str]) -> tuple[str, ...]:
    names = tuple(entry.get(key, ()))
    wrong = [name for name in names if not isinstance(name, str) or not shape.fullmatch(name)]
    if wrong:
        raise CatalogueError(f"{where}: {key} names {wrong[0]!r}, which cannot be a check. Mend the name.")
    _no_twice(names, f"{where}: {key}")
    return names


def _known(entry: Mapping[str, Any], key: str, where: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    names = tuple(entry.get(key, ()))
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise CatalogueError(f"{where}: {key} names {unknown[0]!r}, which areas.toml does not have. Mend the name.")
    _no_twice(names, f"{where}: {key}")
    return names


def _no_twice(names: Iterable[str], where: str) -> None:
    told: set[str] = set()
    for name in names:
        if name in told:
            raise CatalogueError(f"{where} names {name} twice. Keep one.")
        told.add(name)
