"""Runs as tests want them: by the latencies of their requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from loadtests.gate import judge
from loadtests.measurement import Circumstances, Measurement, Window, measurement_of
from loadtests.recording import Merged, Recorder
from loadtests.report import RunFacts, Subject, report_of
from loadtests.tally import Recording
from loadtests.thresholds import Thresholds

STATUS, TOKEN = "GET /status", "POST /oauth2/token"
THRESHOLDS = Thresholds(
    p95_milliseconds_max=200.0,
    p99_milliseconds_max=1000.0,
    maximum_milliseconds_max=3000.0,
    error_rate_percent_max=0.1,
    rate_reached_percent_min=95.0,
    requests_min=1000,
    requests_per_name_min=20,
    measured_seconds_min=15.0,
    confidence=0.95,
    lateness_p99_milliseconds_max=10.0,
    missed_max=0,
    p95_growth_percent_max=30.0,
    p95_growth_milliseconds_max=10.0,
    sha256="0" * 64,
)
WARM_UP_SECONDS, SECONDS, REQUESTS = 5.0, 30.0, 6000


def spread(*kinds: tuple[int, float]) -> list[float]:
    """So many requests of each latency in milliseconds, each kind spread evenly over the run; seconds."""
    n = sum(count for count, _ in kinds)
    places = sorted((place * n / count, milliseconds) for count, milliseconds in kinds for place in range(count))
    return [milliseconds / 1000 for _, milliseconds in places]


def healthy(n: int = REQUESTS) -> list[float]:
    """Three in a hundred at 250 ms, the others at 60."""
    return spread((n * 97 // 100, 60.0), (n - n * 97 // 100, 250.0))


def recorded(
    by_name: Mapping[str, Sequence[float]], *, lateness_seconds: float = 0.001, thresholds: Thresholds = THRESHOLDS
) -> Recorder:
    """A worker that sent these requests evenly over the measured time; a latency of infinity never ends."""
    recorder = Recorder(warm_up_seconds=WARM_UP_SECONDS, limits_seconds=thresholds.limits_seconds())
    for name, latencies in by_name.items():
        for place, latency in enumerate(latencies):
            at = WARM_UP_SECONDS + SECONDS * place / len(latencies)
            recorder.late(at, lateness_seconds)
            recorder.started(name, at)
            if latency != float("inf"):
                recorder.ended(name, at, latency)
    return recorder


def recording(recorder: Recorder) -> Recording:
    """Of this one worker."""
    merged = Merged()
    merged.add("w0", recorder.parcel(final=True))
    return merged.result()


def fail(recorder: Recorder, count: int, *, name: str = STATUS) -> Recorder:
    """So many more requests that failed fast."""
    for place in range(count):
        at = WARM_UP_SECONDS + SECONDS * place / count
        recorder.started(name, at)
        recorder.ended(name, at, 0.002, "HTTP 503")
    return recorder


def circumstances(n: int = REQUESTS, **changes: Any) -> Circumstances:
    """Of a run in which nothing was lost; `n` requests were wanted."""
    whole = Circumstances(
        names=(STATUS,),
        workers_wanted=1,
        workers_joined=1,
        window=Window(measured_seconds=SECONDS, planned_seconds=SECONDS),
        wanted_per_second=n / SECONDS,
        steady=True,
    )
    return replace(whole, **changes)


def measured(
    latencies: Sequence[float] | Mapping[str, Sequence[float]] | Recorder,
    *,
    thresholds: Thresholds = THRESHOLDS,
    **changes: Any,
) -> Measurement:
    """The measurement of a run with these latencies in seconds, by name or all of one name."""
    if isinstance(latencies, Recorder):
        record = recording(latencies)
    else:
        by_name = latencies if isinstance(latencies, Mapping) else {STATUS: latencies}
        record = recording(recorded(by_name, thresholds=thresholds))
    n = sum(tally.requests for tally in record.names.values())
    return measurement_of(
        record, circumstances(n, **{"names": tuple(record.names) or (STATUS,), **changes}), thresholds
    )


TRAFFIC = {
    "name": "expected",
    "profile": "steady",
    "arrivals": "poisson",
    "arrivals_per_second": 200.0,
    "requests_per_second": 200.0,
    "mix": {"status": 40.0},
    "sha256": "1" * 64,
    "warm_up_seconds": WARM_UP_SECONDS,
    "planned_seconds": SECONDS,
}


def facts(**changes: Any) -> RunFacts:
    """Of a run of a known version against staging."""
    subject = Subject(service="shop", version="1.4.0", commit="c" * 40, environment="staging")
    whole = RunFacts(
        run_id="20260102T030405Z-aaaaaa",
        started="2026-01-02T03:04:05Z",
        finished="2026-01-02T03:04:40Z",
        host="https://staging.shop.example",
        subject=subject,
        traffic=TRAFFIC,
        wanted_per_second=lambda second: 200.0,
    )
    return replace(whole, **changes)


def report(
    recorder: Recorder | None = None, *, thresholds: Thresholds = THRESHOLDS, **changes: Any
) -> tuple[dict[str, Any], Recording]:
    """The report of a run, and its record; `changes` are of its facts or its circumstances."""
    record = recording(recorder or recorded({STATUS: healthy(), TOKEN: spread((300, 40.0))}, thresholds=thresholds))
    n = sum(tally.requests for tally in record.names.values())
    about = {key: value for key, value in changes.items() if key in RunFacts.__dataclass_fields__}
    rest = {key: value for key, value in changes.items() if key not in about}
    measurement = measurement_of(record, circumstances(n, names=tuple(record.names) or (STATUS,), **rest), thresholds)
    judgement = judge(measurement, thresholds)
    made = report_of(facts(**about), record, measurement=measurement, judgement=judgement, thresholds=thresholds)
    return made, record
