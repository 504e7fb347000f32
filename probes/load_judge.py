"""Judges a load run anew from the histograms in its report, against what the caller brings (QG-03 and the like).

The verdict in the report is never read. A generator that measured itself is SOURCE_ERROR, a report that is not about
the version under release or was edited is FAIL, one that is too old NO_DATA: none of them is ever taken for good.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import timedelta

from probes import load_growth, load_times
from probes.load_limits import Wanted
from probes.load_report import LoadReport, disagreements, read_report
from probes.question import Question
from probes.strict_json import Unparsable
from rollout.model import Observation, Verdict

_AHEAD = timedelta(minutes=5)  # clocks of two machines may differ
_PARTS = 3  # of the measured time: in each of them the rate was held
_DEVIATIONS = 4.5  # a right rate is refused less than once in 100,000 runs
_ENDING_SECONDS = 1.0  # an arrival may be the last one that long before the end


def judge_report(raw: bytes | None, wanted: Wanted) -> tuple[Observation, ...]:
    """What the bytes of a report show (None: there is none): `load.report`, and only if that passes all the others.

    `load.p95 NAME` for each kind of request and for all, `load.p99`, `load.maximum`, `load.errors`, `load.samples`,
    `load.traffic`, `load.rate`, `load.duration`, `load.workers`, `load.generator`, `load.growth`."""
    question = wanted.question("report", "a whole, recent and unedited report on this very version is there")
    if raw is None:
        return (question.no_data("no load run was made of this version"),)
    try:
        report = read_report(raw, wanted.schema)
    except Unparsable as error:
        return (question.source_error(f"the load report cannot be read: {error}"),)
    unfit = _unfit(report, wanted, question)
    if unfit is not None:
        return (unfit,)
    run = report.run
    fit = question.passed(
        run.run_id, f"run {run.run_id} of {run.image_digest} at {run.commit}, {report.all.requests} requests"
    )
    return (fit, *(seen for judge in _RULES for seen in judge(report, wanted)))


def _unfit(report: LoadReport, wanted: Wanted, question: Question) -> Observation | None:
    """Why the report says nothing about the version under release, or nothing at all."""
    for what, said, ours in (
        ("image digest", report.run.image_digest, wanted.image_digest),
        ("commit", report.run.commit, wanted.commit),
    ):
        if ours is None:
            return question.no_data(f"nobody says which {what} is under release, so no report can be about it")
        if said is None:
            return question.no_data(f"the report names no {what}: nobody knows which version it is about")
        if said != ours:
            return question.failed(said, f"report of another version: its {what} is {said}, under release is {ours}")
    age = wanted.now - report.run.finished
    if age < -_AHEAD:
        return question.no_data(f"the report ended {report.run.finished:%Y-%m-%d %H:%M} UTC, which is yet to come")
    if age > wanted.age_max:
        return question.no_data(f"the report is {_hours(age)} h old, at most {_hours(wanted.age_max)} h are allowed")
    wrong = disagreements(report)
    if wrong:
        more = f"; and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return question.failed(wrong[0], f"the report was edited: {wrong[0]}{more}")
    return None


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.1f}"


# ------------------------------------------------------------------------------------------------ the run


def _traffic(report: LoadReport, wanted: Wanted) -> Iterator[Observation]:
    run, expected = report.run, wanted.traffic
    question = wanted.question("traffic", "the expected traffic, arriving whether or not answers come")
    said = f"{run.arrivals} arrivals, {run.arrivals_per_second:g} a second"
    if run.traffic_sha256 != expected.sha256:
        yield question.failed(said, f"other traffic than traffic.toml expects: {said} of {run.traffic_sha256[:12]}")
    elif run.arrivals_per_second < expected.arrivals_per_second:
        yield question.failed(said, f"{said}, expected are {expected.arrivals_per_second:g}")
    else:
        yield question.passed(said, f"{said}, as {expected.name!r} in traffic.toml")


def _rate(report: LoadReport, wanted: Wanted) -> Iterator[Observation]:
    """Requests by the second, sent against wanted. A third of the run may lack what chance takes from Poisson arrivals
    as well; the run as a whole may not."""
    limit = wanted.thresholds.rate_reached_percent_min
    rule = "of the wanted rate reached, over the run and in each third of it, at least"
    question = wanted.question("rate", rule, limit=limit, unit="%")
    rows = report.whole_seconds
    parts = [rows[len(rows) * i // _PARTS : len(rows) * (i + 1) // _PARTS] for i in range(_PARTS)]
    due = [sum(row.wanted for row in part) for part in (rows, *parts)]
    if not all(due):
        yield question.no_data("no whole second of the run, or some in which nothing was wanted")
        return
    shares = [100 * sum(row.sent for row in part) / n for part, n in zip((rows, *parts), due, strict=True)]
    held = all(share >= limit - 100 * _DEVIATIONS / math.sqrt(n) for share, n in zip(shares[1:], due[1:], strict=True))
    a_second = due[0] / len(rows)
    thirds = ", ".join(f"{share:.1f}" for share in shares[1:])
    message = (
        f"{shares[0]:.1f} % of {a_second:.0f} requests a second, in thirds of the run {thirds} %, limit {limit:g} %"
    )
    if a_second < report.run.arrivals_per_second:  # every arrival is a request at least
        yield question.failed(
            round(shares[0], 2), f"fewer requests were wanted than customers were to arrive: {message}"
        )
        return
    verdict = Verdict.PASS if shares[0] >= limit and held else Verdict.FAIL
    yield question.answer(verdict, round(shares[0], 2), message=message, n=round(sum(row.sent for row in rows)))


def _duration(report: LoadReport, wanted: Wanted) -> Iterator[Observation]:
    run, limit = report.run, wanted.thresholds.measured_seconds_min
    rule = "measured after the warm-up, to the planned end, at least"
    question = wanted.question("duration", rule, limit=limit, unit="s")
    planned = run.planned_seconds - run.warm_up_seconds
    told = f"measured {run.measured_seconds:.1f} s of {planned:g} s after a warm-up of {run.warm_up_seconds:g} s"
    told += f", at least {limit:g} s"
    if run.broken:
        yield question.failed(run.measured_seconds, f"the run was cut short: {run.broken}; {told}")
    elif planned <= 0:
        yield question.failed(run.measured_seconds, f"the warm-up is as long as the run: {told}")
    elif run.measured_seconds < max(limit, planned - _ENDING_SECONDS):
        yield question.failed(run.measured_seconds, f"the run was cut short: {told}")
    else:
        yield question.passed(run.measured_seconds, told)


def _workers(report: LoadReport, wanted: Wanted) -> Iterator[Observation]:
    workers = report.workers
    question = wanted.question("workers", "every worker was there to the end", limit=workers.wanted)
    counts = f"{workers.wanted} wanted, {workers.joined} joined, {workers.ended} ended"
    if not workers.wanted:
        yield question.no_data("no worker was wanted")
    elif workers.lost or workers.joined != workers.wanted or workers.ended != workers.wanted:
        yield question.failed(workers.ended, f"a worker was lost: {'; '.join((counts, *workers.lost))}")
    else:
        yield question.passed(workers.ended, counts)


def _generator(report: LoadReport, wanted: Wanted) -> Iterator[Observation]:
    run, limits = report.run, wanted.thresholds
    question = wanted.question(
        "generator", "lateness (p99) of the generator itself <=", limit=limits.lateness_p99_milliseconds_max, unit="ms"
    )
    late = run.lateness_p99_milliseconds
    if run.bottleneck is not None:
        yield question.source_error(f"the generator measured itself: {run.bottleneck}")
    elif late is None:
        yield question.no_data("the report does not say how late the generator was")
    elif late > limits.lateness_p99_milliseconds_max:
        over = f"{late:.1f} ms late (p99), limit {limits.lateness_p99_milliseconds_max:g} ms"
        yield question.source_error(f"the generator measured itself: {over}")
    elif report.all.missed > limits.missed_max:
        yield question.failed(
            report.all.missed, f"{report.all.missed} arrivals could not be sent, at most {limits.missed_max}"
        )
    else:
        yield question.passed(late, f"{late:.1f} ms late (p99), nothing that could not be sent")


_Rule = Callable[[LoadReport, Wanted], Iterator[Observation]]
_RULES: tuple[_Rule, ...] = (
    load_times.p95,
    load_times.tail,
    load_times.errors,
    load_times.samples,
    load_growth.growth,
    _traffic,
    _rate,
    _duration,
    _workers,
    _generator,
)
