"""Load reports as a run of two workers leaves them, built from response times; and the limits that they are held to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hdrh.histogram import HdrHistogram

from probes.load_limits import Thresholds, Wanted, read_thresholds, read_traffic

ROOT = Path(__file__).resolve().parents[3]
TRAFFIC = (ROOT / "loadtests/traffic.toml").read_bytes()
DIGEST, COMMIT = f"sha256:{'ab' * 32}", "c" * 40
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECONDS, WARM_UP, RATE, PARTS = 18, 2, 250.0, 9
Times = Mapping[str, Sequence[float]]
# What the run's own gate was told: none of it is what we hold it to.
_LIMITS = dict.fromkeys(
    (
        *("p95_milliseconds_max", "p99_milliseconds_max", "maximum_milliseconds_max", "error_rate_percent_max"),
        *("rate_reached_percent_min", "requests_min", "requests_per_name_min", "measured_seconds_min", "confidence"),
        *("lateness_p99_milliseconds_max", "missed_max", "p95_growth_percent_max", "p95_growth_milliseconds_max"),
    ),
    99_999.0,
)


def thresholds() -> Thresholds:
    return read_thresholds((ROOT / "loadtests/thresholds.toml").read_bytes())


def schema() -> dict[str, Any]:
    return dict(json.loads((ROOT / "loadtests/schema/loadreport.schema.json").read_bytes()))


def wanted(**changes: Any) -> Wanted:
    """The release that the sample is about, an hour after it was made."""
    good = Wanted(
        thresholds=thresholds(),
        traffic=read_traffic(TRAFFIC),
        schema=schema(),
        image_digest=DIGEST,
        commit=COMMIT,
        now=NOW,
        age_max=timedelta(hours=24),
        source="loadreport.json",
    )
    return replace(good, **changes)


def quick(n: int = 4500) -> list[float]:
    """Response times of a healthy service, milliseconds."""
    return [5.0 + (number * 37 % 100) / 2 for number in range(n)]


def times(slow: int = 0, milliseconds: float = 201.0, *, n: int = 4500) -> Times:
    """Two kinds of requests; of the first, `slow` took `milliseconds`."""
    return {"GET /api/v1/status": [*quick(n - slow), *[milliseconds] * slow], "POST /api/v1/items": quick(500)}


def document(by_name: Times | None = None, *, failures: int = 0, limit: float = 200.0) -> dict[str, Any]:
    """A whole report of a good run; `failures` are of the first name."""
    by_name = times() if by_name is None else by_name
    rows = {name: row(values, limit=limit) for name, values in by_name.items()}
    for name in list(rows)[:1]:
        rows[name]["failures"] += failures
    every = row([value for values in by_name.values() for value in values], limit=limit)
    every["failures"] += failures
    return {**_about(), "names": rows, "all": every, "series": series(), **_judged()}


def row(values: Sequence[float], *, limit: float = 200.0, unfinished: int = 0, missed: int = 0) -> dict[str, Any]:
    """The figures of one kind of request, its histogram among them."""
    untimed = unfinished + missed
    ordered = sorted(values)
    ranked = [*ordered, *[None] * untimed]
    quantiles = {name: _rank(ranked, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    return {
        "requests": len(values) + untimed,
        "failures": untimed,
        "unfinished": unfinished,
        "missed": missed,
        "at_or_over_limit": sum(value >= limit for value in values) + untimed,
        "limit_milliseconds": limit,
        **quantiles,
        "p95_low": quantiles["p95"],
        "p95_high": quantiles["p95"],
        "maximum": ordered[-1] if ordered else 0.0,
        "error_rate_percent": 0.0,
        "error_rate_percent_upper": 0.1,
        "histogram": encode(values),
        "parts": parts([values[part::PARTS] for part in range(PARTS)], lost=untimed),
    }


def parts(values: Sequence[Sequence[float]], *, lost: int = 0) -> list[dict[str, Any]]:
    """Ninths of the measured time; what has no time lies in the last."""
    rows: list[dict[str, Any]] = [{"lost": 0, "histogram": encode(one)} for one in values]
    rows[-1]["lost"] = lost
    return rows


def encode(values: Sequence[float]) -> str:
    """Milliseconds as an HdrHistogram of microseconds."""
    histogram = HdrHistogram(1, 120_000_000, 3)
    for value in values:
        histogram.record_value(max(1, int(value * 1000)))
    return str(histogram.encode().decode("ascii"))


def _rank(ordered: Sequence[float | None], share: float) -> float | None:
    return ordered[max(1, -(-round(share * len(ordered) * 1000) // 1000)) - 1] if ordered else None


def series(*, sent: float = RATE) -> list[dict[str, Any]]:
    """A row a second, the warm-up's too."""
    return [
        {
            "second": float(second),
            "seconds": 1.0,
            "wanted": RATE,
            "sent": round(sent),
            "answered": round(sent),
            "failures": 0,
            "p50": 20.0,
            "p95": 50.0,
            "p99": 95.0,
        }
        for second in range(SECONDS + WARM_UP)
    ]


def _about() -> dict[str, Any]:
    return {
        "schema": 1,
        "run_id": "20261124T105930Z-4f2a",
        "started": "2026-11-24T10:59:30.000Z",
        "finished": "2026-11-24T11:00:00.000Z",
        "host": "https://api.shop.example",
        "subject": {
            "service": "shop-api",
            "version": "1.1.0",
            "commit": COMMIT,
            "image_digest": DIGEST,
            "environment": "sandbox",
        },
        "traffic": {
            "name": "expected",
            "profile": "gate",
            "arrivals": "poisson",
            "arrivals_per_second": 200.0,
            "requests_per_second": RATE,
            "mix": {"status": 90.0, "write_and_read": 10.0},
            "sha256": hashlib.sha256(TRAFFIC).hexdigest(),
            "warm_up_seconds": float(WARM_UP),
            "planned_seconds": float(SECONDS + WARM_UP),
        },
        "thresholds": {**_LIMITS, "names": {}, "sha256": "0" * 64},
        "workers": {"wanted": 2, "joined": 2, "ended": 2, "lost": [], "problems": []},
        "generator": {
            "arrivals": 4000,
            "lateness_p50": 0.1,
            "lateness_p99": 2.0,
            "lateness_maximum": 4.0,
            "missed": 0,
            "cpu_percent_p95": 20.0,
            "bottleneck": None,
        },
        "window": _window(),
        "rate": {"wanted_per_second": RATE, "reached_per_second": RATE, "reached_percent": 100.0, "steady": True},
    }


def _judged() -> dict[str, Any]:
    """What the run said of itself; nobody may believe it."""
    check = {"name": "p95", "verdict": "PASS", "value": 1.0, "limit": 200.0, "unit": "ms", "rule": "p95 <", "n": 9}
    good = {"verdict": "PASS", "exit_code": 0, "sentence": "PASS: all is well"}
    return {"errors": [], "checks": [{**check, "message": "all is well"}], "baseline": None, **good}


def _window() -> dict[str, Any]:
    return {
        "measured_seconds": float(SECONDS),
        "planned_seconds": float(SECONDS),
        "cut": None,
        "aborted": None,
        "broken": [],
    }


def encoded(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content).encode()
