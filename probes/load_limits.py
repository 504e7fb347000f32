"""What a load run is held to: loadtests/thresholds.toml and loadtests/traffic.toml, read strictly, and the version.

The judge of a report never takes from the report what it is held to.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from probes.question import Question
from probes.strict_json import Fields, Unparsable
from rollout.model import Basis

BYTES_MAX = 64 * 1024
_SCHEMA = 1
_PERCENT_MAX, _MILLISECONDS_MAX, _COUNT_MAX = 100.0, 120_000.0, 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Limits of a run. p95 and error rate are strict; `p95_by_name`: another p95 limit for requests of that name."""

    p95_milliseconds_max: float
    p99_milliseconds_max: float
    maximum_milliseconds_max: float
    error_rate_percent_max: float
    rate_reached_percent_min: float
    requests_min: int
    requests_per_name_min: int
    measured_seconds_min: float
    confidence: float
    lateness_p99_milliseconds_max: float
    missed_max: int
    p95_growth_milliseconds_max: float
    p95_growth_percent_max: float
    p95_by_name: Mapping[str, float]

    def p95_limit(self, name: str) -> float:
        """The limit for requests of one name, in milliseconds."""
        return self.p95_by_name.get(name, self.p95_milliseconds_max)


@dataclass(frozen=True, kw_only=True)
class ExpectedTraffic:
    """The traffic that a version has to carry; `sha256` of the file that says so."""

    name: str
    arrivals: str
    arrivals_per_second: float
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a report is held to. `image_digest`, `commit`: of the version under release, None where nobody can say.

    `schema` is the JSON Schema of a report; `basis` says whether the run was watched or only its file is there."""

    thresholds: Thresholds
    traffic: ExpectedTraffic
    schema: Mapping[str, Any]
    image_digest: str | None
    commit: str | None
    now: datetime
    age_max: timedelta
    source: str
    basis: Basis = Basis.ARTEFACT

    def question(self, name: str, rule: str, *, limit: object = None, unit: str = "") -> Question:
        return Question(name=f"load.{name}", rule=rule, source=self.source, limit=limit, unit=unit, basis=self.basis)


def read_thresholds(raw: bytes) -> Thresholds:
    """The limits in the file's bytes. Raises probes.strict_json.Unparsable naming the key that is wrong."""
    fields = _document(raw, "thresholds.toml")
    milliseconds = {
        name: fields.number(name, low=0.001, high=_MILLISECONDS_MAX)
        for name in (
            "p95_milliseconds_max",
            "p99_milliseconds_max",
            "maximum_milliseconds_max",
            "lateness_p99_milliseconds_max",
            "p95_growth_milliseconds_max",
        )
    }
    return Thresholds(
        **milliseconds,
        error_rate_percent_max=fields.number("error_rate_percent_max", low=0.0, high=_PERCENT_MAX),
        rate_reached_percent_min=fields.number("rate_reached_percent_min", low=1.0, high=_PERCENT_MAX),
        p95_growth_percent_max=fields.number("p95_growth_percent_max", low=0.001, high=10_000.0),
        requests_min=fields.integer("requests_min", low=1, high=_COUNT_MAX),
        requests_per_name_min=fields.integer("requests_per_name_min", low=1, high=_COUNT_MAX),
        measured_seconds_min=fields.number("measured_seconds_min", low=1.0, high=1e6),
        confidence=fields.number("confidence", low=0.5, high=0.9999),
        missed_max=fields.integer("missed_max", low=0, high=_COUNT_MAX),
        p95_by_name=_p95_by_name(fields),
    )


def _p95_by_name(fields: Fields) -> Mapping[str, float]:
    if not fields.has("names"):
        return {}
    tables = fields.raw("names")
    if not isinstance(tables, Mapping):
        raise Unparsable("thresholds.toml.names is no table")
    limits = {}
    for name in tables:
        row = Fields(tables[name], f"thresholds.toml.names.{name}")
        if row.has("p95_milliseconds_max"):
            limits[str(name)] = row.number("p95_milliseconds_max", low=0.001, high=_MILLISECONDS_MAX)
    return limits


def read_traffic(raw: bytes) -> ExpectedTraffic:
    """The expected traffic in the file's bytes. Raises probes.strict_json.Unparsable naming the key that is wrong."""
    traffic = _document(raw, "traffic.toml").fields("traffic")
    return ExpectedTraffic(
        name=traffic.text("name"),
        arrivals=traffic.text("arrivals", "poisson|constant"),
        arrivals_per_second=traffic.number("arrivals_per_second", low=0.01, high=1e6),
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def _document(raw: bytes, where: str) -> Fields:
    if len(raw) > BYTES_MAX:
        raise Unparsable(f"{where} is larger than {BYTES_MAX} bytes")
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unparsable(f"{where} is not TOML: {str(error)[:200]}") from None
    fields = Fields(document, where)
    fields.integer("schema", low=_SCHEMA, high=_SCHEMA)
    return fields
