"""The report of a load run, `loadreport.json`, read as the work of a stranger.

What is not a whole report of schema 1 is `Unparsable`. The verdict in it is not read: `probes.load_judge` judges the
run anew from the histograms, and `disagreements` says where the report's own figures are not those of its histograms.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jsonschema import Draft202012Validator

from probes.load_histogram import Histogram, decode_histogram, merged
from probes.strict_json import Fields, Unparsable, parse, shown

SCHEMA = 1
PARTS = 9  # of the measured time
BYTES_MAX = 32 * 1024 * 1024
ENCODED_MAX = 1_000_000
_NAMES_MAX, _SECONDS_MAX, _WORKERS_MAX = 200, 100_000, 10_000
_COUNT_MAX = 10_000_000_000
_MILLISECONDS_MAX = 1e6
# Two people may take either end of a bucket for its value: a thousandth, and what printing rounds away.
_RESOLUTION, _ROUNDING_MILLISECONDS = 0.0011, 0.011
_WHOLE_SECONDS = 0.05  # an interval that lacks less is whole
_ALL = "all requests"


@dataclass(frozen=True)
class Part:
    """A ninth of the measured time: the times of its requests, and how many have none."""

    histogram: Histogram
    untimed: int


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Requests of one name, or all of them; times in milliseconds, None where the report says none.

    `requests` are all that were wanted. `unfinished` were in flight at the end, `missed` could not be sent: neither has
    a time, and both are among the failures and those at or over the limit.
    """

    name: str
    requests: int
    failures: int
    unfinished: int
    missed: int
    at_or_over_limit: int
    limit_milliseconds: float
    quantiles: Mapping[str, float | None]
    histogram: Histogram
    parts: tuple[Part, ...] = ()

    @property
    def untimed(self) -> int:
        """Requests without an answer or an error of their own."""
        return self.unfinished + self.missed


@dataclass(frozen=True, kw_only=True)
class Second:
    """An interval of the run, usually a second long, counted from its start: requests that were wanted and sent."""

    second: float
    seconds: float
    wanted: float
    sent: float


@dataclass(frozen=True, kw_only=True)
class Workers:
    """How many were wanted, joined and reported their end; `lost`: a sentence for each that did not, or of which
    something is missing."""

    wanted: int
    joined: int
    ended: int
    lost: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was run, when, and how it went, apart from the requests. `commit`, `image_digest`: None where nobody said.

    `broken`: why it did not come to its end or cannot be used, empty where it did; `bottleneck`: why the generator
    measured itself, None where it did not."""

    run_id: str
    finished: datetime
    commit: str | None
    image_digest: str | None
    version: str | None
    arrivals: str
    arrivals_per_second: float
    traffic_sha256: str
    warm_up_seconds: float
    planned_seconds: float
    measured_seconds: float
    lateness_p99_milliseconds: float | None
    broken: str
    bottleneck: str | None


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """A whole report. `kinds` by name; `all` is all of them together."""

    run: Run
    workers: Workers
    kinds: Mapping[str, Kind]
    all: Kind
    series: tuple[Second, ...]

    @property
    def whole_seconds(self) -> tuple[Second, ...]:
        """The seconds after the warm-up that were measured from their beginning to their end."""
        begin = self.run.warm_up_seconds
        end = begin + self.run.measured_seconds + _WHOLE_SECONDS
        return tuple(row for row in self.series if begin <= row.second and row.second + row.seconds <= end)


def read_report(raw: bytes, schema: Mapping[str, Any]) -> LoadReport:
    """The report in its bytes, held against its JSON Schema. Raises probes.strict_json.Unparsable."""
    document = parse(raw, bytes_max=BYTES_MAX)
    error = next(iter(Draft202012Validator(dict(schema)).iter_errors(document)), None)
    if error is not None:
        place = ".".join(str(part) for part in error.absolute_path) or "the document"
        raise Unparsable(f"no load report of schema {SCHEMA}: {place}: {error.message[:200]}")
    fields = Fields(document, "report")
    fields.integer("schema", low=SCHEMA, high=SCHEMA)
    names = fields.raw("names")
    if not isinstance(names, Mapping) or len(names) > _NAMES_MAX:
        raise Unparsable(f"report.names is no table of at most {_NAMES_MAX} names")
    return LoadReport(
        run=_run(fields),
        workers=_workers(fields.fields("workers")),
        kinds={name: _kind(name, Fields(row, f"report.names.{name}")) for name, row in names.items()},
        all=_kind(_ALL, fields.fields("all")),
        series=tuple(_second(row) for row in fields.each("series", most=_SECONDS_MAX)),
    )


def _run(fields: Fields) -> Run:
    subject, traffic = fields.fields("subject"), fields.fields("traffic")
    window, generator = fields.fields("window"), fields.fields("generator")
    return Run(
        run_id=fields.text("run_id"),
        finished=_instant(fields),
        commit=_said(subject, "commit"),
        image_digest=_said(subject, "image_digest"),
        version=_said(subject, "version"),
        arrivals=traffic.text("arrivals"),
        arrivals_per_second=traffic.number("arrivals_per_second", low=0.0, high=1e9),
        traffic_sha256=traffic.text("sha256", r"[0-9a-f]{64}"),
        warm_up_seconds=traffic.number("warm_up_seconds", low=0.0, high=1e6),
        planned_seconds=traffic.number("planned_seconds", low=0.0, high=1e7),
        measured_seconds=window.number("measured_seconds", low=0.0, high=1e7),
        lateness_p99_milliseconds=_number(generator, "lateness_p99", _MILLISECONDS_MAX),
        broken="; ".join(filter(None, (_said(window, "cut"), _said(window, "aborted"), *_sentences(window, "broken")))),
        bottleneck=_said(generator, "bottleneck"),
    )


def _instant(fields: Fields) -> datetime:
    text = fields.text("finished", r"\d{4}-\d\d-\d\dT[\d:.]{8,15}(Z|\+00:00)")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise Unparsable(f"report.finished is {shown(text)}, which is no time") from None


def _said(fields: Fields, key: str) -> str | None:
    return fields.text(key, r".{1,1000}") if fields.has(key) else None


def _number(fields: Fields, key: str, high: float) -> float | None:
    return fields.number(key, low=0.0, high=high) if fields.has(key) else None


def _workers(fields: Fields) -> Workers:
    counts = {name: fields.integer(name, low=0, high=_WORKERS_MAX) for name in ("wanted", "joined", "ended")}
    lost = tuple(row.text("sentence", r".{1,1000}") for row in fields.each("lost", most=_WORKERS_MAX))
    return Workers(**counts, lost=(*lost, *_sentences(fields, "problems")))


def _sentences(fields: Fields, key: str) -> tuple[str, ...]:
    return fields.texts(key, most=_WORKERS_MAX, pattern=r".{1,1000}")


def _kind(name: str, fields: Fields) -> Kind:
    counts = {
        key: fields.integer(key, low=0, high=_COUNT_MAX)
        for key in ("requests", "failures", "unfinished", "missed", "at_or_over_limit")
    }
    return Kind(
        name=name,
        **counts,
        limit_milliseconds=fields.number("limit_milliseconds", low=0.001, high=_MILLISECONDS_MAX),
        quantiles={key: _number(fields, key, _MILLISECONDS_MAX) for key in ("p50", "p95", "p99", "maximum")},
        histogram=_histogram(fields),
        parts=tuple(_part(row) for row in fields.each("parts", most=PARTS)),
    )


def _part(fields: Fields) -> Part:
    return Part(_histogram(fields), fields.integer("lost", low=0, high=_COUNT_MAX))


def _histogram(fields: Fields) -> Histogram:
    return decode_histogram(fields.text("histogram", rf"[A-Za-z0-9+/=]{{1,{ENCODED_MAX}}}"))


def _second(fields: Fields) -> Second:
    return Second(
        second=fields.number("second", low=0.0, high=1e7),
        seconds=fields.number("seconds", low=0.001, high=1e6),
        wanted=fields.number("wanted", low=0.0, high=1e9),
        sent=fields.number("sent", low=0.0, high=1e9),
    )


def disagreements(report: LoadReport) -> tuple[str, ...]:
    """Where the report's figures are not those of its histograms, a sentence each; empty for an honest report."""
    rows = [*report.kinds.values(), report.all]
    return (*(text for row in rows for text in _own_figures(row)), *_sums(report))


def _own_figures(kind: Kind) -> Iterator[str]:
    held = kind.histogram.total + kind.untimed
    if kind.requests != held:
        yield f"{kind.name}: {kind.requests} requests, its histogram and those without a time {held}"
    if not kind.untimed <= kind.failures <= kind.requests:
        yield f"{kind.name}: {kind.failures} failures of {kind.requests} requests, {kind.untimed} without a time"
    least, most = kind.histogram.at_or_over(kind.limit_milliseconds)
    if not least + kind.untimed <= kind.at_or_over_limit <= most + kind.untimed:
        span, limit = f"{least + kind.untimed} to {most + kind.untimed}", f"{kind.limit_milliseconds:g} ms"
        yield f"{kind.name}: {kind.at_or_over_limit} at or over {limit}, the histogram holds {span}"
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("maximum", 1.0)):
        # The longest that was timed; a quantile has all requests among its ranks.
        value = kind.histogram.quantile_milliseconds(share, more=0 if name == "maximum" else kind.untimed)
        said = kind.quantiles[name]
        if said is not None and kind.requests and (math.isinf(value) or not _same(said, value)):
            yield f"{kind.name}: {name} {said:g} ms, the histogram says {value:g} ms"
    whole = merged(part.histogram for part in kind.parts)
    if kind.parts and (whole != kind.histogram or sum(part.untimed for part in kind.parts) != kind.untimed):
        yield f"{kind.name}: the histogram is not the sum of its {len(kind.parts)} parts"


def _same(said: float, held: float) -> bool:
    return abs(said - held) <= _RESOLUTION * max(said, held) + _ROUNDING_MILLISECONDS


def _sums(report: LoadReport) -> Iterator[str]:
    for name in ("requests", "failures", "unfinished", "missed"):
        parts = sum(getattr(kind, name) for kind in report.kinds.values())
        if parts != getattr(report.all, name):
            yield f"{name}: {getattr(report.all, name)} of all, {parts} by name"
    if merged(kind.histogram for kind in report.kinds.values()) != report.all.histogram:
        yield "the histogram of all requests is not the sum of those by name"
