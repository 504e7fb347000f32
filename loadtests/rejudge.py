"""Judges a report anew from its own histograms, and refuses one that does not agree with them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from loadtests.checks import Judgement
from loadtests.figures import Figures, Part
from loadtests.gate import judge
from loadtests.histogram import Counts, at_or_over, decode, index_of, merged, microseconds
from loadtests.measurement import Generator, LostWorker, Measurement, Rate, Window, Workers
from loadtests.report import BadReport, figures_fields, judged_fields, rounded
from loadtests.thresholds import BadThresholds, Thresholds, thresholds_from

_SUMMED = ("requests", "failures", "unfinished", "missed")


def measurement_from(report: Mapping[str, Any]) -> Measurement:
    """The measurement that the report (valid by its schema) carries. Raises BadReport."""
    generator = {key: value for key, value in report["generator"].items() if key != "missed"}
    workers, rate = report["workers"], report["rate"]
    lost = tuple(LostWorker(**one) for one in workers["lost"])
    return Measurement(
        names={name: _figures(name, one) for name, one in report["names"].items()},
        all=_figures("all", report["all"]),
        workers=Workers(**{**workers, "lost": lost, "problems": tuple(workers["problems"])}),
        generator=Generator(**generator),
        window=Window(**{**report["window"], "broken": tuple(report["window"]["broken"])}),
        rate=Rate(
            wanted_per_second=rate["wanted_per_second"],
            reached_per_second=rate["reached_per_second"],
            steady=rate["steady"],
        ),
    )


def _figures(name: str, told: Mapping[str, Any]) -> Figures:
    try:
        return Figures(
            requests=told["requests"],
            failures=told["failures"],
            unfinished=told["unfinished"],
            missed=told["missed"],
            at_or_over_limit=told["at_or_over_limit"],
            limit_milliseconds=told["limit_milliseconds"],
            maximum_milliseconds=told["maximum"],
            counts=decode(told["histogram"]),
            parts=tuple(Part(lost=part["lost"], counts=decode(part["histogram"])) for part in told["parts"]),
        )
    except ValueError as error:
        raise BadReport(f"{name}: {error}") from error


def rejudged(report: Mapping[str, Any], thresholds: Thresholds | None = None) -> Judgement:
    """The judgement of the report's own measurement, by its own thresholds or by others.

    By other limits the bucket of a limit counts as over it, as the report has exact counts for its own limits only.

    Raises:
        BadReport: the report contradicts itself: it was edited, or written by a program with a fault.
    """
    try:
        own = thresholds_from(report["thresholds"])
    except BadThresholds as error:
        raise BadReport(f"thresholds: {error}") from error
    measurement = measurement_from(report)
    found = list(_contradictions(report, measurement, own))
    if found:
        raise BadReport("edited: the report does not agree with its own histograms: " + "; ".join(found[:5]))
    return judge(_under(measurement, thresholds or own), thresholds or own)


def _under(measurement: Measurement, thresholds: Thresholds) -> Measurement:
    """The measurement with its counts against these limits."""

    def under(figures: Figures, limit: float) -> Figures:
        return replace(figures, at_or_over_limit=figures.reaching(limit), limit_milliseconds=limit)

    names = {n: under(one, thresholds.limits(n).p95_milliseconds_max) for n, one in measurement.names.items()}
    return replace(measurement, names=names, all=under(measurement.all, thresholds.p95_milliseconds_max))


def _contradictions(report: Mapping[str, Any], measurement: Measurement, own: Thresholds) -> Iterator[str]:
    limits = {name: own.limits(name).p95_milliseconds_max for name in measurement.names}
    for name, figures in measurement.names.items():
        if figures.limit_milliseconds != limits[name]:
            yield f"{name}: counted against {figures.limit_milliseconds:g} ms, the thresholds say {limits[name]:g}"
        yield from _of_figures(name, figures, report["names"][name], own)
    yield from _of_figures("all", measurement.all, report["all"], own)
    if measurement.all.limit_milliseconds != own.p95_milliseconds_max:
        yield f"all: counted against {measurement.all.limit_milliseconds:g} ms"
    yield from _of_sums(measurement)
    yield from _of_errors(report, measurement)
    yield from _of_rate(report, measurement)
    told = judged_fields(judge(measurement, own), own)
    for field in ("checks", "verdict", "exit_code", "sentence"):
        if report[field] != told[field]:
            yield f"{field} are not what the figures come to" if field == "checks" else f"{field} is {report[field]!r}"


def _of_figures(name: str, figures: Figures, told: Mapping[str, Any], own: Thresholds) -> Iterator[str]:
    answered = sum(figures.counts.values())
    if answered + figures.lost != figures.requests:
        yield f"{name}: {figures.requests} requests, {answered} in the histogram, {figures.lost} without an answer"
        return
    surely, possibly = at_or_over(figures.counts, microseconds(figures.limit_milliseconds / 1000))
    if not surely <= figures.at_or_over_limit - figures.lost <= possibly:
        yield f"{name}: {figures.at_or_over_limit} at or over the limit, its histogram says {surely} to {possibly}"
    if not figures.lost <= figures.failures <= figures.requests:
        yield f"{name}: {figures.failures} failures of {figures.requests}"
    longest = microseconds(figures.maximum_milliseconds / 1000)
    # Seconds to milliseconds and back may move a microsecond.
    if figures.counts and not index_of(longest - 1) <= max(figures.counts) <= index_of(longest + 1):
        yield f"{name}: the maximum {figures.maximum_milliseconds:g} ms is not that of its histogram"
    if figures.parts and not _same(figures.counts, figures.lost, figures.parts):
        yield f"{name}: its parts do not add up"
    for field, value in figures_fields(figures, own.confidence).items():
        if field not in ("histogram", "parts") and told[field] != value:
            yield f"{name}: {field} is {told[field]}, its histogram says {value}"


def _same(counts: Counts, lost: int, parts: tuple[Part, ...] | Any) -> bool:
    return merged(part.counts for part in parts) == counts and sum(part.lost for part in parts) == lost


def _of_sums(measurement: Measurement) -> Iterator[str]:
    """Of all, what the names come to."""
    names, everything = list(measurement.names.values()), measurement.all
    for field in _SUMMED:
        total = sum(getattr(one, field) for one in names)
        if total != getattr(everything, field):
            yield f"all: {getattr(everything, field)} {field}, the names have {total}"
    if merged(one.counts for one in names) != everything.counts:
        yield "all: the histogram is not the sum of those of the names"


def _of_errors(report: Mapping[str, Any], measurement: Measurement) -> Iterator[str]:
    listed: dict[str, int] = {}
    for error in report["errors"]:
        listed[error["name"]] = listed.get(error["name"], 0) + error["count"]
    for name in {*listed, *measurement.names}:
        figures = measurement.names.get(name)
        failed = figures.failures - figures.lost if figures else 0
        if listed.get(name, 0) != failed:
            yield f"{name}: {listed.get(name, 0)} errors are listed, {failed} answers failed"


def _of_rate(report: Mapping[str, Any], measurement: Measurement) -> Iterator[str]:
    sent = measurement.all.requests - measurement.all.missed
    seconds, rate = measurement.window.measured_seconds, measurement.rate
    reached = sent / seconds if seconds > 0 else 0.0
    if rounded(reached) != rounded(rate.reached_per_second):
        yield f"rate: {rate.reached_per_second:g} requests/s, {sent} in {seconds:g} s are {reached:g}"
    if report["rate"]["reached_percent"] != rounded(rate.reached_percent):
        yield f"rate: {report['rate']['reached_percent']:g} % reached, it was {rate.reached_percent:g} %"
    if report["generator"]["missed"] != measurement.all.missed:
        yield f"generator: {report['generator']['missed']} missed, the names have {measurement.all.missed}"
    warm_up = report["traffic"]["warm_up_seconds"]
    series = [point for point in report["series"] if point["second"] >= warm_up - 1e-6]
    if sum(point["sent"] for point in series) != sent:
        yield "series: it does not hold the requests that were sent"
