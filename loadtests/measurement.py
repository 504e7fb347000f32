"""A finished run as the gate judges it: figures and circumstances, no matter whether from memory or from a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtests.figures import Figures, figures_of
from loadtests.histogram import rank_of, value_at_rank
from loadtests.tally import Recording, Tally, total
from loadtests.thresholds import Thresholds


@dataclass(frozen=True, kw_only=True)
class LostWorker:
    """A worker that was not there to the end; seconds since the start of the test."""

    id: str
    elapsed_seconds: float
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Workers:
    """How many were wanted, joined, handed in their last parcel; `problems` are sentences about their parcels."""

    wanted: int
    joined: int
    ended: int
    lost: Sequence[LostWorker] = ()
    problems: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Generator:
    """The generator's own doing. Lateness in milliseconds, of `arrivals` dispatched; None without any.

    `bottleneck`: a sentence when the generator itself set the pace, for what only it can know (its CPU).
    """

    arrivals: int
    lateness_p50: float | None
    lateness_p99: float | None
    lateness_maximum: float | None
    cpu_percent_p95: float | None = None
    bottleneck: str | None = None


@dataclass(frozen=True, kw_only=True)
class Window:
    """The measured time, warm-up excluded: how long it was and how long it was to be.

    `cut`: a sentence when somebody or something ended the run early; `aborted`: when a limit was surely crossed;
    `broken`: sentences of what went wrong outside of requests, such as a login in `on_start`.
    """

    measured_seconds: float
    planned_seconds: float
    cut: str | None = None
    aborted: str | None = None
    broken: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Requests per second, the mean over the measured time; `steady`: the same rate was wanted all the time."""

    wanted_per_second: float
    reached_per_second: float
    steady: bool

    @property
    def reached_percent(self) -> float:
        return 100 * self.reached_per_second / self.wanted_per_second if self.wanted_per_second > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """All that is judged. `names` has every name of the mix, also one without a request."""

    names: Mapping[str, Figures]
    all: Figures
    workers: Workers
    generator: Generator
    window: Window
    rate: Rate


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What the requests themselves do not tell about a run.

    `wanted_per_second`: requests, the mean over the measured time as far as the run came. `joined`: workers that the
    run was started with.
    """

    names: Sequence[str]
    workers_wanted: int
    workers_joined: int
    workers_lost: Sequence[LostWorker] = ()
    window: Window
    wanted_per_second: float
    steady: bool
    cpu_percent_p95: float | None = None
    bottleneck: str | None = None


def measurement_of(recording: Recording, circumstances: Circumstances, thresholds: Thresholds) -> Measurement:
    """The measurement of a record that is complete (or says in its problems that it is not)."""
    tallies = {name: recording.names.get(name, Tally()) for name in {*circumstances.names, *recording.names}}
    everything = total(list(tallies.values()))
    seconds = circumstances.window.measured_seconds
    return Measurement(
        names={
            name: figures_of(
                tallies[name],
                recording.series_by_name.get(name, ()),
                limit_milliseconds=thresholds.limits(name).p95_milliseconds_max,
            )
            for name in sorted(tallies)
        },
        all=figures_of(everything, recording.series, limit_milliseconds=thresholds.p95_milliseconds_max, common=True),
        workers=Workers(
            wanted=circumstances.workers_wanted,
            joined=circumstances.workers_joined,
            ended=len(recording.ended),
            lost=tuple(circumstances.workers_lost),
            problems=tuple(recording.problems),
        ),
        generator=_generator(recording, circumstances),
        window=circumstances.window,
        rate=Rate(
            wanted_per_second=circumstances.wanted_per_second,
            reached_per_second=everything.started / seconds if seconds > 0 else 0.0,
            steady=circumstances.steady,
        ),
    )


def _generator(recording: Recording, circumstances: Circumstances) -> Generator:
    arrivals = sum(recording.lateness.values())

    def quantile(share: float) -> float | None:
        value = value_at_rank(recording.lateness, rank_of(share, arrivals)) if arrivals else None
        return None if value is None else min(value / 1000, recording.lateness_max_seconds * 1000)

    return Generator(
        arrivals=arrivals,
        lateness_p50=quantile(0.5),
        lateness_p99=quantile(0.99),
        lateness_maximum=recording.lateness_max_seconds * 1000 if arrivals else None,
        cpu_percent_p95=circumstances.cpu_percent_p95,
        bottleneck=circumstances.bottleneck,
    )
