"""Between a run and its judgement, at the master: what was wanted, what came of it, and the end of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from loadtests.abort import surely_crossed
from loadtests.arrivals import arrivals_between
from loadtests.conductor import Run
from loadtests.dispatcher import OpenUser, wanted_tasks
from loadtests.gate import judge
from loadtests.measurement import Circumstances, Measurement, Window, measurement_of
from loadtests.options import plan_of
from loadtests.plan import Plan
from loadtests.thresholds import Thresholds, read_thresholds_file
from loadtests.traffic import Traffic

EXIT_BAD_INPUT = 2
# A process whose every second is as full as this has no time left to be on time.
CPU_PERCENT_FULL = 95.0

# (names of a visit's requests, share of the arrivals that make it)
Visits = Sequence[tuple[Sequence[str], float]]


class Closing:
    """What the conductor asks and tells, answered from the options of this process."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment

    @cached_property
    def thresholds(self) -> Thresholds:
        """Read once: a run is judged by what stood in the file when it began. Raises BadThresholds."""
        return read_thresholds_file(Path(self._environment.parsed_options.thresholds))

    def plan(self) -> Plan:
        """Of the next run. Raises ValueError, OSError."""
        self.__dict__.pop("thresholds", None)
        options, host = self._environment.parsed_options, self._environment.host
        plan = plan_of(options, host=host, limits_seconds=self.thresholds.limits_seconds())
        self._visits(plan.traffic)
        return plan

    def _visits(self, traffic: Traffic) -> Visits:
        users = [one for one in self._environment.user_classes if issubclass(one, OpenUser)]
        if len(users) != 1 or len(self._environment.user_classes) != 1:
            raise ValueError("the locustfile needs exactly one class of users, a subclass of OpenUser")
        return [(task.requests, share) for task, share in wanted_tasks(traffic.mix, users[0])]

    def crossed(self, run: Run, look: int) -> str | None:
        """Why the run cannot pass any more, if that is certain and the options do not say to go on all the same."""
        if run.plan is None or self._environment.parsed_options.no_abort or run.plan.traffic.profile.breaking_point:
            return None
        traffic = run.plan.traffic
        arrivals = arrivals_between(traffic, traffic.profile.warm_up_seconds, traffic.profile.seconds)
        # Twice the mean is more than chance brings; an expectation too high only makes the look more careful.
        expected = int(2 * arrivals * requests_per_arrival(self._visits(traffic))) + 1
        return surely_crossed(run.merged.all(), self.thresholds, requests_expected=expected, look=look)

    def finished(self, run: Run) -> None:
        """Judge the run, say so, and let locust's process end with the exit code."""
        if run.plan is None:
            sys.stderr.write(f"the run could not begin: {run.broken}\n")
            self._environment.process_exit_code = EXIT_BAD_INPUT
            return
        measurement = self._measurement(run, run.plan.traffic)
        judgement = judge(measurement, self.thresholds)
        for check in judgement.checks:
            sys.stderr.write(f"{check.verdict:14} {check.name}: {check.message}\n")
        sys.stderr.write(f"{judgement.sentence}\n")
        self._environment.process_exit_code = judgement.exit_code

    def _measurement(self, run: Run, traffic: Traffic) -> Measurement:
        circumstances = circumstances_of(run, traffic, self._visits(traffic))
        return measurement_of(run.merged.result(), circumstances, self.thresholds)


def requests_per_arrival(visits: Visits) -> float:
    """The mean, as far as visits go well."""
    return sum(share * len(names) for names, share in visits)


def circumstances_of(run: Run, traffic: Traffic, visits: Visits) -> Circumstances:
    """All about a run that its requests do not tell."""
    warm_up_seconds, planned = traffic.profile.warm_up_seconds, traffic.profile.seconds
    # What one worker did not see to its end was not the whole traffic any more.
    came_seconds = min(run.came_seconds, default=0.0)
    measured_seconds = max(came_seconds - warm_up_seconds, 0.0)
    arrivals = arrivals_between(traffic, warm_up_seconds, max(came_seconds, warm_up_seconds))
    cpu_percent_p95 = _p95(run.cpu_percents)
    full = cpu_percent_p95 is not None and cpu_percent_p95 >= CPU_PERCENT_FULL
    return Circumstances(
        names=list(dict.fromkeys(name for names, _ in visits for name in names)),
        workers_wanted=run.wanted,
        workers_joined=len(run.plan.ranks) if run.plan else 0,
        workers_lost=run.lost,
        window=Window(
            measured_seconds=measured_seconds,
            planned_seconds=planned - warm_up_seconds,
            cut=run.cut,
            aborted=run.aborted,
            broken=[run.broken] if run.broken else [],
        ),
        wanted_per_second=arrivals * requests_per_arrival(visits) / measured_seconds if measured_seconds else 0.0,
        steady=_steady(traffic),
        cpu_percent_p95=cpu_percent_p95,
        bottleneck=f"the generator's own core was full ({cpu_percent_p95:.0f} % of it)" if full else None,
    )


def _steady(traffic: Traffic) -> bool:
    """One rate for all of the measured time."""
    start, rates = 0.0, set()
    for stage in traffic.profile.stages:
        start += stage.seconds
        if start > traffic.profile.warm_up_seconds:
            rates |= {stage.from_percent, stage.percent}
    return len(rates) == 1


def _p95(values: Iterable[float]) -> float | None:
    """By nearest rank; None without values."""
    ordered = sorted(values)
    return ordered[-(-95 * len(ordered) // 100) - 1] if ordered else None
