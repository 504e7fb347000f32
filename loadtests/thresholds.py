"""Reads the file of thresholds (thresholds.toml): what a run must hold.

The file comes from outside: an unknown key, a missing one, a number that cannot be right are refused, with the line.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from loadtests.recording import OTHERS

SCHEMA = 1
BYTES_MAX = 64 * 1024
# The greatest limit that can be told: beyond the histogram's end every latency looks alike.
_MILLISECONDS_MAX = 120_000.0
_REQUESTS_MAX = 10**9


class BadThresholds(ValueError):
    """The file cannot be used; the text names the line and what is right."""


@dataclass(frozen=True)
class Limits:
    """Limits of latencies in milliseconds, all strict: a value equal to its limit is not under it."""

    p95_milliseconds_max: float
    p99_milliseconds_max: float
    maximum_milliseconds_max: float


@dataclass(frozen=True)
class Thresholds(Limits):
    """What a run must hold; the names carry the units. `names` has the limits of names with any of their own."""

    error_rate_percent_max: float
    rate_reached_percent_min: float
    requests_min: int
    requests_per_name_min: int
    measured_seconds_min: float
    confidence: float
    lateness_p99_milliseconds_max: float
    missed_max: int
    p95_growth_percent_max: float
    p95_growth_milliseconds_max: float
    names: Mapping[str, Limits] = field(default_factory=dict)
    sha256: str = ""

    def limits(self, name: str) -> Limits:
        """The limits of a name: its own where it has them."""
        return self.names.get(name, self)

    def limits_seconds(self) -> dict[str, float]:
        """The p95 limits as a Recorder takes them: by name, the rest under "*"."""
        own = {name: limits.p95_milliseconds_max / 1000 for name, limits in self.names.items()}
        return {**own, OTHERS: self.p95_milliseconds_max / 1000}


# Key: what a value must be above, and at most.
_LIMITS: Mapping[str, tuple[float, float]] = {one.name: (0.0, _MILLISECONDS_MAX) for one in fields(Limits)}
_RANGES: Mapping[str, tuple[float, float]] = {
    **_LIMITS,
    "error_rate_percent_max": (0.0, 100.0),
    "rate_reached_percent_min": (0.0, 100.0),
    "requests_min": (0, _REQUESTS_MAX),
    "requests_per_name_min": (0, _REQUESTS_MAX),
    "measured_seconds_min": (0.0, 7 * 86_400.0),
    "confidence": (0.5, 0.9999),
    "lateness_p99_milliseconds_max": (0.0, _MILLISECONDS_MAX),
    "missed_max": (-1, _REQUESTS_MAX),
    "p95_growth_percent_max": (0.0, 10_000.0),
    "p95_growth_milliseconds_max": (0.0, _MILLISECONDS_MAX),
}
_WHOLE = frozenset({"requests_min", "requests_per_name_min", "missed_max"})


def read_thresholds_file(path: Path) -> Thresholds:
    """Read and check the file.

    Raises:
        BadThresholds: it cannot be read, or something in it is wrong.
    """
    try:
        return parse_thresholds(path.read_bytes())
    except OSError as error:
        raise BadThresholds(f"{path}: cannot be read: {error.strerror}") from error
    except BadThresholds as error:
        raise BadThresholds(f"{path}: {error}") from error


def parse_thresholds(raw: bytes) -> Thresholds:
    """Check the bytes of a file. Raises BadThresholds with the first mistake and its line."""
    if len(raw) > BYTES_MAX:
        raise BadThresholds(f"more than {BYTES_MAX} bytes")
    try:
        text = raw.decode("utf-8")
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadThresholds(f"not TOML in UTF-8: {error}") from error
    return _Reader(text).thresholds(document, hashlib.sha256(raw).hexdigest())


def thresholds_from(values: Mapping[str, Any]) -> Thresholds:
    """The thresholds that a report carries. Raises BadThresholds."""
    document = {"schema": SCHEMA, **values}
    sha256 = str(document.pop("sha256", ""))
    return _Reader("").thresholds(document, sha256)


class _Reader:
    """Checks one document; knows the text to name lines."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()

    def thresholds(self, document: Mapping[str, Any], sha256: str) -> Thresholds:
        values = dict(document)
        if values.pop("schema", None) != SCHEMA:
            raise self._bad("schema", f"write schema = {SCHEMA}, or use the program that reads it")
        by_name = values.pop("names", {})
        self._known(values, _RANGES)
        for key in _RANGES:
            if key not in values:
                raise BadThresholds(f"{key} is missing: a limit that is not written down is none")
        common = {key: self._number(key, values[key]) for key in _RANGES}
        limits = {key: common[key] for key in _LIMITS}
        if not isinstance(by_name, dict):
            raise self._bad("names", 'write [names."GET /path"] and its limits below')
        names = {name: self._own(name, own, limits) for name, own in by_name.items()}
        whole = {key: int(common[key]) for key in _WHOLE}
        return Thresholds(**{**common, **whole}, names=names, sha256=sha256)  # type: ignore[arg-type]

    def _own(self, name: str, own: object, common: Mapping[str, float]) -> Limits:
        if not isinstance(own, dict) or not own:
            raise self._bad(name, f"names.{name}: write the limits that differ below its own heading")
        self._known(own, _LIMITS, below=name)
        return Limits(**{**common, **{key: self._number(key, value, below=name) for key, value in own.items()}})

    def _known(self, values: Mapping[str, Any], known: Mapping[str, object], *, below: str = "") -> None:
        for key in values:
            if key not in known:
                raise self._bad(key, f"{key} is not known here; known are {', '.join(known)}", below=below)

    def _number(self, key: str, value: object, *, below: str = "") -> float:
        least, most = _RANGES[key]
        whole = key in _WHOLE
        right = isinstance(value, int) if whole else isinstance(value, int | float)
        if not right or isinstance(value, bool) or not least < float(value) <= most:  # type: ignore[arg-type]
            kind = "a whole number" if whole else "a number"
            raise self._bad(
                key, f"{key} must be {kind} above {least:g} and at most {most:g}, not {value!r}", below=below
            )
        return float(value)  # type: ignore[arg-type]

    def _bad(self, key: str, said: str, *, below: str = "") -> BadThresholds:
        """With the first line that names the key, below that of the heading: tomllib keeps no places."""
        start = self._line(below, 0) if below else 0
        line = self._line(key, start)
        return BadThresholds(f"line {line}: {said}" if line else said)

    def _line(self, word: str, start: int) -> int:
        """The number of the first line after `start` with this word outside of a comment; 0 without one."""
        pattern = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
        for number, line in enumerate(self._lines[start:], start + 1):
            if pattern.search(line.split("#")[0]):
                return number
        return 0
