"""Checks of the run itself: was there enough of it, at the rate that was wanted, by a generator that kept up? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from loadtests.checks import Check, Verdict, number
from loadtests.measurement import Measurement
from loadtests.thresholds import Thresholds


def run_checks(measurement: Measurement, thresholds: Thresholds) -> Iterator[Check]:
    """All of them, in the order of a report."""
    yield _workers(measurement)
    yield _whole(measurement, thresholds)
    yield _generator(measurement, thresholds)
    yield _missed(measurement, thresholds)
    yield _rate(measurement, thresholds)
    yield _requests(measurement, thresholds)
    yield _names(measurement, thresholds)


def keeps_up(measurement: Measurement, thresholds: Thresholds) -> bool:
    """Whether the generator was no bottleneck, as far as it was seen."""
    late = measurement.generator.lateness_p99
    return measurement.generator.bottleneck is None and (
        late is None or late <= thresholds.lateness_p99_milliseconds_max
    )


def _workers(measurement: Measurement) -> Check:
    workers = measurement.workers
    reasons = [lost.sentence for lost in workers.lost]
    if workers.joined < workers.wanted:
        reasons.append(f"{workers.joined} of {workers.wanted} workers joined")
    reasons += workers.problems
    if workers.ended < workers.joined and not reasons:
        reasons.append(f"{workers.ended} of {workers.joined} workers handed in their last parcel")
    good = f"{workers.ended} of {workers.wanted} workers were there to the end and every parcel adds up."
    if workers.wanted < 1:
        reasons.append("no worker was wanted")
    bad = f"{'; '.join(reasons)}. What it sent is not all counted: start the run again with all workers."
    return Check(
        name="workers",
        verdict=Verdict.FAIL if reasons else Verdict.PASS,
        value=workers.ended,
        limit=workers.wanted,
        unit="workers",
        rule="all workers join, live to the end and hand in every parcel",
        n=workers.wanted,
        message=bad if reasons else good,
    )


def _whole(measurement: Measurement, thresholds: Thresholds) -> Check:
    window = measurement.window
    seconds, least = window.measured_seconds, thresholds.measured_seconds_min
    seen = (
        f"measured {number(seconds)} s of {number(window.planned_seconds)} s planned, at least {number(least)} s wanted"
    )
    if window.planned_seconds <= 0:
        verdict, said = Verdict.INVALID, "the warm-up is as long as the run. Shorten warm_up_seconds or run longer"
    elif window.broken:
        verdict, said = Verdict.FAIL, f"{'; '.join(window.broken)}. Repair this first"
    elif window.aborted:
        verdict, said = Verdict.FAIL, f"{window.aborted}. Use --no-abort to measure to the end"
    elif window.cut:
        verdict, said = Verdict.INCONCLUSIVE, f"{window.cut}. Run it to its end"
    elif seconds < least:
        verdict, said = Verdict.INCONCLUSIVE, "too short to tell. Run it for longer (--seconds)"
    else:
        verdict, said = Verdict.PASS, "the run went to its end"
    return Check(
        name="duration",
        verdict=verdict,
        value=seconds,
        limit=least,
        unit="s",
        rule="the run reaches its end, undisturbed, and measures long enough",
        n=measurement.all.requests,
        message=f"{said}; {seen}.",
    )


def _generator(measurement: Measurement, thresholds: Thresholds) -> Check:
    generator, most = measurement.generator, thresholds.lateness_p99_milliseconds_max
    late = generator.lateness_p99
    shown = "unknown" if late is None else f"{number(late)} ms"
    seen = f"lateness p99 {shown}, limit {number(most)} ms, n={generator.arrivals}"
    if late is None:
        sent = measurement.all.requests > 0
        verdict = Verdict.INVALID if sent else Verdict.INCONCLUSIVE
        said = (
            "nobody knows how late requests were sent. Record every arrival's lateness" if sent else "nothing was sent"
        )
    elif not keeps_up(measurement, thresholds):
        verdict = Verdict.INVALID
        why = generator.bottleneck or "the generator sent later than intended"
        said = f"{why}: these latencies are partly its own. Use more workers or a lower rate"
    else:
        verdict, said = Verdict.PASS, "the generator kept up"
    return Check(
        name="generator",
        verdict=verdict,
        value=late,
        limit=most,
        unit="ms",
        rule="99 % of arrivals are dispatched no later than the limit after their intended time",
        n=generator.arrivals,
        message=f"{said}; {seen}.",
    )


def _missed(measurement: Measurement, thresholds: Thresholds) -> Check:
    missed, most = measurement.all.missed, thresholds.missed_max
    verdict = Verdict.PASS
    said = "every arrival was sent"
    if missed > most:
        late = not keeps_up(measurement, thresholds)
        verdict = Verdict.INVALID if late else Verdict.FAIL
        said = "as many requests were in flight as allowed: " + (
            "the generator was too slow. Use more workers" if late else "the service answers slower than customers come"
        )
    elif missed:
        said = "a few arrivals could not be sent"
    return Check(
        name="missed",
        verdict=verdict,
        value=missed,
        limit=most,
        unit="arrivals",
        rule="arrivals that could not be sent are at most the limit",
        n=measurement.all.requests,
        message=f"{said}; {missed} missed, limit {most}, n={measurement.all.requests}.",
    )


def _rate(measurement: Measurement, thresholds: Thresholds) -> Check:
    rate, least = measurement.rate, thresholds.rate_reached_percent_min
    seen = (
        f"reached {number(rate.reached_per_second)} of {number(rate.wanted_per_second)} requests/s,"
        f" {number(rate.reached_percent)} %, at least {number(least)} % wanted, n={measurement.all.requests}"
    )
    if rate.wanted_per_second <= 0:
        verdict, said = Verdict.INCONCLUSIVE, "no rate was wanted. Say what traffic is expected"
    elif rate.reached_percent >= least:
        verdict, said = Verdict.PASS, "the expected rate was held"
    elif not keeps_up(measurement, thresholds) or _in_time(measurement, thresholds):
        # The server answered, and in time: what is missing was never asked of it.
        verdict, said = Verdict.INVALID, "the generator did not reach the rate. Use more workers"
    else:
        verdict, said = Verdict.FAIL, "the rate was not reached. See which requests failed or hung"
    return Check(
        name="rate",
        verdict=verdict,
        value=rate.reached_percent,
        limit=least,
        unit="%",
        rule="requests sent per second reach the share of the expected rate",
        n=measurement.all.requests,
        message=f"{said}; {seen}.",
    )


def _in_time(measurement: Measurement, thresholds: Thresholds) -> bool:
    figures = measurement.all
    p95 = figures.quantile_milliseconds(0.95)
    few_errors = figures.failures * 100 < thresholds.error_rate_percent_max * figures.requests
    return p95 is not None and p95 < thresholds.p95_milliseconds_max and few_errors


def _requests(measurement: Measurement, thresholds: Thresholds) -> Check:
    n, least = measurement.all.requests, thresholds.requests_min
    if n == 0:
        verdict, said = Verdict.FAIL, "no request was sent in the measured time. Look at the log of the workers"
    elif n < least:
        verdict, said = Verdict.INCONCLUSIVE, "too few requests to judge. Run longer or at a higher rate"
    else:
        verdict, said = Verdict.PASS, "enough requests were sent"
    return Check(
        name="requests",
        verdict=verdict,
        value=n,
        limit=least,
        unit="requests",
        rule="at least so many requests are measured",
        n=n,
        message=f"{said}; {n} requests, at least {least} wanted.",
    )


def _names(measurement: Measurement, thresholds: Thresholds) -> Check:
    least = thresholds.requests_per_name_min
    few = {name: one.requests for name, one in measurement.names.items() if one.requests < least}
    none = [name for name, requests in few.items() if requests == 0]
    unknown = [name for name in thresholds.names if name not in measurement.names]
    fewest = min((one.requests for one in measurement.names.values()), default=0)
    if none or not measurement.names:
        verdict = Verdict.FAIL
        said = f"never asked: {', '.join(none) or 'anything'}. See why its visits never came so far"
    elif unknown:
        verdict = Verdict.FAIL
        said = f"limits are set for what is never asked: {', '.join(unknown)}. Correct the thresholds"
    elif few:
        listed = ", ".join(f"{name} ({requests})" for name, requests in few.items())
        verdict, said = Verdict.INCONCLUSIVE, f"asked too seldom: {listed}. Run longer or raise its weight"
    else:
        verdict, said = Verdict.PASS, "every name was asked often enough"
    return Check(
        name="names",
        verdict=verdict,
        value=fewest,
        limit=least,
        unit="requests",
        rule="every name of the mix is measured at least so often",
        n=measurement.all.requests,
        message=f"{said}; the fewest of a name {fewest}, at least {least} wanted.",
    )
