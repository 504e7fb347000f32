"""The dials: faults that somebody plants in a slot by writing a small JSON file, read while the task runs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path


class DialError(ValueError):
    """A dial has a value that it does not know; the message names the dial and the values that it knows."""


@dataclass(frozen=True, kw_only=True)
class Dials:
    """All dials at rest. Shares are 0..1, percentages 0..100 of the task's own size, `_ms` real milliseconds."""

    error_rate: float = 0.0
    latency_ms: float = 0.0
    latency_share: float = 1.0
    stall_ms: float = 0.0
    stall_every_ms: float = 0.0
    cpu_percent: float = 0.0
    memory_percent: float = 0.0
    memory_growth_percent_per_minute: float = 0.0
    refuse_connections: bool = False
    crash_on_start: bool = False
    health: str = "ok"
    unhealthy_tasks: int = 0
    headers: str = "ok"
    auth: str = "ok"
    components: str = "ok"
    wrong_version: bool = False
    status_field_missing: bool = False
    rate_limit: str = "ok"
    signing_key: str = "shared"
    session_format: str = "shared"
    items: str = "ok"
    validation: str = "ok"

    @property
    def holds_answers(self) -> bool:
        """True when a request may be delayed or failed, so the fast path must not be taken."""
        return bool(self.error_rate or self.latency_ms or (self.stall_ms and self.stall_every_ms))


CHOICES: Mapping[str, tuple[str, ...]] = {
    "health": ("ok", "fail", "lie", "slow"),
    "headers": (
        "ok",
        "no_hsts",
        "hsts_zero",
        "hsts_twice",
        "unsafe_inline",
        "server_version",
        "missing_on_errors",
        "cookie_insecure",
    ),
    "auth": (
        "ok",
        "accepts_alg_none",
        "accepts_expired",
        "accepts_any_audience",
        "accepts_wrong_key",
        "accepts_revoked",
    ),
    "components": ("ok", "left_out", "detailed_says_up"),
    "rate_limit": ("ok", "off", "per_process", "forgets", "no_retry_after"),
    "signing_key": ("shared", "own"),
    "session_format": ("shared", "changed"),
    "items": ("ok", "not_stored"),
    "validation": ("ok", "fails_on_odd_input"),
}
_SHARES = ("error_rate", "latency_share")
_PERCENTAGES = ("cpu_percent", "memory_percent")


def dials_from(values: Mapping[str, object]) -> Dials:
    """Dials as written in a fault file; names that belong to others (one_zone) are ignored. Raises DialError."""
    known = {field.name: field.default for field in fields(Dials)}
    read = {name: _read(name, value, default=known[name]) for name, value in values.items() if name in known}
    return Dials(**read)  # type: ignore[arg-type]  # _read returns the type of the field's default


def _read(name: str, value: object, *, default: object) -> object:
    if isinstance(default, bool):
        return _boolean(name, value)
    if isinstance(default, str):
        if str(value) not in CHOICES[name]:
            raise DialError(f"{name} is {value!r}; it knows {', '.join(CHOICES[name])}")
        return str(value)
    try:
        number = float(str(value))
    except ValueError as error:
        raise DialError(f"{name} is {value!r}; it takes a number") from error
    highest = 1.0 if name in _SHARES else 100.0 if name in _PERCENTAGES else float("inf")
    if not 0 <= number <= highest:
        raise DialError(f"{name} is {number}; it must lie between 0 and {highest:g}")
    return int(number) if isinstance(default, int) else number


def _boolean(name: str, value: object) -> bool:
    meanings = {"true": True, "on": True, "1": True, "yes": True, "false": False, "off": False, "0": False, "no": False}
    word = str(value).lower()
    if word not in meanings:
        raise DialError(f"{name} is {value!r}; it takes true or false")
    return meanings[word]


class DialFile:
    """One slot's fault file, re-read only when it changed. A file that is absent means all dials at rest."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = (-1, -1, -1)

    def changed(self) -> Dials | None:
        """The dials when the file changed since the last call, else None. Raises DialError, ValueError (not JSON)."""
        seen = self._stamp()
        if seen == self._seen:
            return None
        self._seen = seen
        if seen is None:
            return Dials()
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Dials()
        values = json.loads(text) if text.strip() else {}
        if not isinstance(values, dict):
            raise DialError(f"the fault file holds a {type(values).__name__}; it must hold one JSON object")
        return dials_from(values)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
