"""Between a run and its judgement, at the master: what was wanted, what came of it, and the end of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from loadtests.abort import surely_crossed
from loadtests.arrivals import arrivals_between, rate_at
from loadtests.baseline import keep_if_good, with_baseline
from loadtests.checks import EXIT_CODES, Verdict
from loadtests.conductor import Run
from loadtests.dispatcher import OpenUser, wanted_tasks
from loadtests.exports import write_exports
from loadtests.gate import judge
from loadtests.judge_command import text_of
from loadtests.measurement import Circumstances, Window, measurement_of
from loadtests.options import EXIT_BAD_INPUT, check_subject, plan_of
from loadtests.plan import Plan
from loadtests.recording import Recording
from loadtests.report import RunFacts, Subject, report_of, write_report
from loadtests.thresholds import Thresholds, read_thresholds_file
from loadtests.traffic import Traffic

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
        check_subject(options)
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
        """Judge the run, write its report, say what it came to, and let locust's process end with the exit code."""
        if run.plan is None:
            sys.stderr.write(f"the run could not begin: {run.broken}\n")
            self._environment.process_exit_code = EXIT_BAD_INPUT
            return
        recording = run.merged.result()
        visits = self._visits(run.plan.traffic)
        circumstances = circumstances_of(run, run.plan.traffic, visits)
        measurement = measurement_of(recording, circumstances, self.thresholds)
        judgement = judge(measurement, self.thresholds)
        sys.stdout.write(text_of(judgement))
        self._environment.process_exit_code = judgement.exit_code
        report = report_of(
            facts_of(run, run.plan, visits=visits, options=self._environment.parsed_options),
            recording,
            measurement=measurement,
            judgement=judgement,
            thresholds=self.thresholds,
        )
        try:
            self._write(report, recording)
        except OSError as error:
            # A verdict without its evidence is none.
            sys.stdout.write(f"{Verdict.INVALID}: the report could not be written: {error}\n")
            self._environment.process_exit_code = EXIT_CODES[Verdict.INVALID]

    def _write(self, report: Mapping[str, Any], recording: Recording) -> None:
        options = self._environment.parsed_options
        directory = Path(options.report)
        whole = with_baseline(report, options.baseline, directory=directory)
        path = write_report(directory, whole)
        write_exports(directory, whole, recording.series)
        keep_if_good(directory, whole)
        if whole["baseline"] is not None:
            sys.stdout.write(f"{whole['baseline']['sentence']}\n")
        sys.stdout.write(f"report: {path}\n")


def facts_of(run: Run, plan: Plan, *, visits: Visits, options: Any) -> RunFacts:
    """What the report says beside figures and judgement."""
    traffic, each = plan.traffic, requests_per_arrival(visits)
    finished = run.finished or run.started
    return RunFacts(
        run_id=f"{run.started:%Y%m%dT%H%M%SZ}-{plan.seed % 16**6:06x}",
        started=_instant(run.started),
        finished=_instant(finished),
        host=plan.host,
        subject=Subject(
            service=options.subject_service,
            version=options.subject_version,
            commit=options.subject_commit,
            image_digest=options.subject_image,
            environment=options.subject_environment,
        ),
        traffic={
            "name": traffic.name,
            "profile": traffic.profile.name,
            "arrivals": traffic.arrivals,
            "arrivals_per_second": traffic.arrivals_per_second,
            "requests_per_second": traffic.arrivals_per_second * each,
            "mix": dict(traffic.mix),
            "sha256": traffic.sha256,
            "warm_up_seconds": traffic.profile.warm_up_seconds,
            "planned_seconds": traffic.profile.seconds,
        },
        wanted_per_second=lambda elapsed: rate_at(traffic, elapsed) * each,
    )


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def requests_per_arrival(visits: Visits) -> float:
    """The mean, as far as visits go well."""
    return sum(share * len(names) for names, share in visits)


def circumstances_of(run: Run, traffic: Traffic, visits: Visits) -> Circumstances:
    """All about a run that its requests do not tell."""
    warm_up_seconds, planned = traffic.profile.warm_up_seconds, traffic.profile.seconds
    # What one worker did not see to its end was not the whole traffic any more.
    came_seconds = min(run.came_seconds, default=0.0)
    measured_seconds = max(came_seconds - warm_up_seconds, 0.0)
    workers = len(run.plan.ranks) if run.plan else 0
    # The share of a lost worker is not held against the rate: its loss is a finding of its own.
    share = max(workers - len(run.lost), 0) / workers if workers else 0.0
    arrivals = share * arrivals_between(traffic, warm_up_seconds, max(came_seconds, warm_up_seconds))
    cpu_percent_p95 = _p95(run.cpu_percents)
    full = cpu_percent_p95 is not None and cpu_percent_p95 >= CPU_PERCENT_FULL
    return Circumstances(
        names=list(dict.fromkeys(name for names, _ in visits for name in names)),
        workers_wanted=run.wanted,
        workers_joined=workers,
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
