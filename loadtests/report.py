"""loadreport.json (schema 1): the only record of a run; every other file and page is a function of it.

It carries the histograms, so that anybody can judge it anew. It is checked against its schema before it is written and
after it was read, and it is written in one step.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from loadtests.checks import Judgement
from loadtests.figures import P95, P99, Figures
from loadtests.histogram import encode, rank_of
from loadtests.measurement import Measurement
from loadtests.tally import Recording, Slice
from loadtests.thresholds import Thresholds
from rollout.bounds import upper_bound

SCHEMA = 1
SCHEMA_PATH = Path(__file__).parent / "schema" / "loadreport.schema.json"
REPORT_NAME = "loadreport.json"
BYTES_MAX = 16 * 1024 * 1024
_DECIMALS = 6


class BadReport(ValueError):
    """The report cannot be read, breaks its schema, or contradicts itself; the text says where."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What was tested, as told by whoever ran it; None is not known."""

    service: str | None = None
    version: str | None = None
    commit: str | None = None
    image_digest: str | None = None
    environment: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What a report says beside measurement and judgement.

    `started`, `finished`: ISO 8601 in UTC. `traffic`: the fields of the schema. `wanted_per_second`: requests per
    second that were wanted at a time in seconds since the start of the test.
    """

    run_id: str
    started: str
    finished: str
    host: str
    subject: Subject
    traffic: Mapping[str, Any]
    wanted_per_second: Callable[[float], float]


def report_of(
    facts: RunFacts,
    recording: Recording,
    *,
    measurement: Measurement,
    judgement: Judgement,
    thresholds: Thresholds,
) -> dict[str, Any]:
    """The report of plain types, without a comparison (`baseline` is null). Raises BadReport: a bug of the caller."""
    report = {
        "schema": SCHEMA,
        "run_id": facts.run_id,
        "started": facts.started,
        "finished": facts.finished,
        "host": facts.host,
        "subject": asdict(facts.subject),
        "traffic": dict(facts.traffic),
        **measured_fields(measurement, thresholds),
        "errors": _errors(recording),
        "series": [_point(one, recording.warm_up_seconds, facts.wanted_per_second) for one in recording.series],
        "baseline": None,
        **judged_fields(judgement, thresholds),
    }
    plain: dict[str, Any] = json.loads(json.dumps(report, allow_nan=False))
    validate_report(plain)
    return plain


def measured_fields(measurement: Measurement, thresholds: Thresholds) -> dict[str, Any]:
    """The fields that say what was measured."""
    rate = measurement.rate
    sure = thresholds.confidence
    return {
        "workers": asdict(measurement.workers),
        "generator": {**asdict(measurement.generator), "missed": measurement.all.missed},
        "window": asdict(measurement.window),
        "rate": {
            "wanted_per_second": rate.wanted_per_second,
            "reached_per_second": rate.reached_per_second,
            "reached_percent": rounded(rate.reached_percent),
            "steady": rate.steady,
        },
        "names": {name: figures_fields(one, sure) for name, one in measurement.names.items()},
        "all": figures_fields(measurement.all, sure),
    }


def judged_fields(judgement: Judgement, thresholds: Thresholds) -> dict[str, Any]:
    """The fields that say what the run came to, and by which limits."""
    return {
        "thresholds": asdict(thresholds),
        "checks": [{**asdict(check), "verdict": check.verdict.value} for check in judgement.checks],
        "verdict": judgement.verdict.value,
        "exit_code": judgement.exit_code,
        "sentence": judgement.sentence,
    }


def figures_fields(figures: Figures, confidence: float) -> dict[str, Any]:
    """One name's figures as the report has them."""
    n, k = figures.requests, figures.failures
    low, high = figures.quantile_bounds(P95, confidence)
    return {
        "requests": n,
        "failures": k,
        "unfinished": figures.unfinished,
        "missed": figures.missed,
        "at_or_over_limit": figures.at_or_over_limit,
        "limit_milliseconds": figures.limit_milliseconds,
        "p50": figures.quantile_milliseconds(0.5),
        "p95": figures.quantile_milliseconds(P95),
        "p95_low": low,
        "p95_high": high,
        "p99": figures.quantile_milliseconds(P99),
        "maximum": figures.maximum_milliseconds,
        "error_rate_percent": rounded(100 * k / n) if n else None,
        "error_rate_percent_upper": rounded(100 * upper_bound(k, n, confidence)) if n else None,
        "histogram": encode(figures.counts),
        "parts": [{"lost": part.lost, "histogram": encode(part.counts)} for part in figures.parts],
    }


def rounded(value: float) -> float:
    """What is worth writing of a rate or a share."""
    return round(value, _DECIMALS)


def _errors(recording: Recording) -> list[dict[str, Any]]:
    most_first = sorted(recording.errors.items(), key=lambda entry: (-entry[1], entry[0]))
    return [{"name": name, "error": error, "count": count} for (name, error), count in most_first]


def _point(one: Slice, warm_up_seconds: float, wanted_per_second: Callable[[float], float]) -> dict[str, Any]:
    second, tally = one.start_seconds + warm_up_seconds, one.tally

    def quantile(share: float) -> float | None:
        value = tally.quantile_microseconds(rank_of(share, tally.requests)) if tally.requests else None
        return None if value is None else min(value / 1000, tally.maximum_seconds * 1000)

    return {
        "second": rounded(second),
        "seconds": one.seconds,
        "wanted": rounded(max(wanted_per_second(second + one.seconds / 2), 0.0) * one.seconds),
        "sent": tally.started,
        "answered": tally.ended,
        "failures": tally.failures + tally.lost,
        "p50": quantile(0.5),
        "p95": quantile(P95),
        "p99": quantile(P99),
    }


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def validate_report(report: Mapping[str, Any]) -> None:
    """Raises BadReport that names the places which break the schema."""
    errors = sorted(_validator().iter_errors(report), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        places = "; ".join(f"{error.json_path}: {error.message[:200]}" for error in errors[:5])
        raise BadReport(f"{REPORT_NAME} breaks schema {SCHEMA}: {places}")


def write_report(directory: Path, report: Mapping[str, Any]) -> Path:
    """Validate and write loadreport.json into the directory, which is made; the path. Raises BadReport, OSError."""
    validate_report(report)
    path = directory / REPORT_NAME
    write_text(path, json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def write_text(path: Path, text: str) -> None:
    """Write the file in one step: a reader sees the old one or the new one, whole; readable by all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8", delete=False
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def read_report(directory: Path) -> dict[str, Any]:
    """The report in a directory, checked against its schema, not yet against itself.

    Raises:
        BadReport: there is none, or it cannot be read as one.
    """
    path = directory / REPORT_NAME
    try:
        if path.stat().st_size > BYTES_MAX:
            raise BadReport(f"{path}: more than {BYTES_MAX} bytes")
        report = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except OSError as error:
        raise BadReport(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BadReport(f"{path}: not JSON: {error}") from error
    validate_report(report)
    assert isinstance(report, dict), "the schema asks for an object"
    return report


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")
