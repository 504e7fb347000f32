"""What is known of a run while it goes on, for the line of progress and the panel. Cheap: no series is copied.

Requests in flight are counted apart and not against the run; the verdict comes at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from loadtests.checks import Check
from loadtests.figures import P95, P99, figures_of
from loadtests.latency_checks import latency_checks
from loadtests.measurement import Generator, Measurement, Rate, Window, Workers
from loadtests.recording import Merged
from loadtests.tally import Tally, total
from loadtests.thresholds import Thresholds


@dataclass(frozen=True, kw_only=True)
class Live:
    """A moment of a run. Seconds since its start; latencies in milliseconds of all answers of the measured time.

    `sent` counts all requests, the warm-up's too, so that a rate can be told from two moments.
    """

    elapsed_seconds: float
    warming_up: bool
    sent: int
    wanted_per_second: float
    answered: int
    failures: int
    missed: int
    in_flight: int
    p50: float | None
    p95: float | None
    p99: float | None


def live_of(
    merged: Merged, thresholds: Thresholds, *, elapsed_seconds: float, wanted_per_second: float, warm_up_seconds: float
) -> Live:
    """The present moment; `wanted_per_second` are requests wanted now."""
    measured, warm_up = total(list(merged.so_far().values())), merged.warm_up_so_far()
    warming_up = elapsed_seconds < warm_up_seconds
    shown = warm_up if warming_up else measured
    figures = figures_of(answered(shown), (), limit_milliseconds=thresholds.p95_milliseconds_max, common=True)
    return Live(
        elapsed_seconds=elapsed_seconds,
        warming_up=warming_up,
        sent=measured.started + warm_up.started,
        wanted_per_second=wanted_per_second,
        answered=shown.ended,
        failures=shown.failures,
        missed=shown.missed,
        in_flight=measured.unfinished + warm_up.unfinished,
        p50=figures.quantile_milliseconds(0.5),
        p95=figures.quantile_milliseconds(P95),
        p99=figures.quantile_milliseconds(P99),
    )


def checks_so_far(tallies: Mapping[str, Tally], thresholds: Thresholds) -> Sequence[Check]:
    """The checks of latency and errors as they stand; those of the whole run, and of growth, are not asked yet."""
    names = {name: answered(tally) for name, tally in tallies.items()}
    measurement = Measurement(
        names={
            name: figures_of(tally, (), limit_milliseconds=thresholds.limits(name).p95_milliseconds_max)
            for name, tally in sorted(names.items())
        },
        all=figures_of(
            total(list(names.values())), (), limit_milliseconds=thresholds.p95_milliseconds_max, common=True
        ),
        workers=Workers(wanted=0, joined=0, ended=0),
        generator=Generator(arrivals=0, lateness_p50=None, lateness_p99=None, lateness_maximum=None),
        window=Window(measured_seconds=0.0, planned_seconds=0.0),
        rate=Rate(wanted_per_second=0.0, reached_per_second=0.0, steady=False),
    )
    return [check for check in latency_checks(measurement, thresholds) if not check.name.startswith("growth")]


def answered(tally: Tally) -> Tally:
    """The tally without what is in flight."""
    return replace(tally, started=tally.ended)
