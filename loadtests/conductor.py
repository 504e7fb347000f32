"""Leads a run, at locust's master or in its only process: who takes part, how long it goes on, why it ended.

Whatever goes wrong has its sentence and ends the run; nothing here waits without a bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import gevent

from loadtests.measurement import LostWorker
from loadtests.messages import END, REFUSED
from loadtests.plan import Plan
from loadtests.recording import Merged

GATHER_SECONDS_MAX = 30.0  # for workers that locust already counts, to say which version they are
LOGIN_SECONDS_MAX = 60.0  # from the order to start to a worker's first parcel
SILENCE_SECONDS_MAX = 8.0  # a worker speaks every second; locust itself misses it after four
GRACE_SECONDS = 5.0  # beyond the declared time-out, for the last parcel to arrive
_POLL_SECONDS = 0.1
_now = time.perf_counter

# Makes the plan, without ranks; raises ValueError or OSError.
Planner = Callable[[], Plan]
# Says of a run, at the look of this number from 1, why it cannot pass any more; None while it can.
Crossed = Callable[["Run", int], str | None]


@dataclass(kw_only=True)
class Run:
    """One run so far. `cut`, `aborted`, `broken`: why it ended early, a sentence each; `wanted`: workers."""

    started: datetime
    began: float  # perf_counter of the order to start
    wanted: int
    plan: Plan | None = None
    merged: Merged = field(default_factory=Merged)
    lost: list[LostWorker] = field(default_factory=list)
    cpu_percents: list[float] = field(default_factory=list)
    came_seconds: list[float] = field(default_factory=list)  # of each worker that ended: how long arrivals came
    cut: str | None = None
    aborted: str | None = None
    broken: str | None = None
    finished: datetime | None = None

    @property
    def elapsed_seconds(self) -> float:
        """Since the order to start."""
        return _now() - self.began


class Conductor:
    """`plan_of` is asked at each start, `crossed` every second, `finished` is told of each run that is over, once."""

    def __init__(
        self, environment: Any, *, plan_of: Planner, crossed: Crossed, finished: Callable[[Run], None]
    ) -> None:
        self._environment = environment
        self._plan_of = plan_of
        self._crossed = crossed
        self._looks = 0
        self._finished = finished
        self._accepted: set[str] = set()
        self._heard: dict[str, float] = {}
        self._final: set[str] = set()
        self._ending_since: float | None = None
        self.run: Run | None = None

    # What workers say.

    def on_hello(self, worker: str, digest: str, own_digest: str) -> None:
        """A worker says which version of the load tests it has; another than the master's is refused."""
        if digest == own_digest:
            self._accepted.add(worker)
            return
        said = f"worker {worker} has another version of the load tests ({digest[:12]}, here {own_digest[:12]})"
        runner = self._environment.runner
        runner.send_message(REFUSED, {"sentence": f"{said}; install the same"}, worker)
        # Forgotten before it says that it quits: locust's master ends itself when the last worker that it knows quits.
        runner.clients.pop(worker, None)

    def on_parcel(self, worker: str, message: dict[str, Any]) -> None:
        """A worker hands in what happened since its last parcel."""
        if self.run is None:
            return
        self._heard[worker] = _now()
        self.run.merged.add(worker, message["parcel"])
        if "cpu_percent" in message:
            self.run.cpu_percents.append(float(message["cpu_percent"]))
        if "came_seconds" in message:
            self.run.came_seconds.append(float(message["came_seconds"]))
        if message["parcel"].get("final"):
            self._final.add(worker)

    def on_broken(self, worker: str, sentence: str) -> None:
        """A worker cannot go on: its login failed, or the code of a visit has a mistake."""
        if self.run is not None and self.run.broken is None:
            self.run.broken = sentence
        self._final.add(worker)
        self.end()

    # The course of a run.

    def begin(self) -> int:
        """Start a run with the workers that are there; how many, 0 when it cannot start (the run says why)."""
        self._heard, self._final, self._ending_since, self._looks = {}, set(), None, 0
        self.run = Run(started=datetime.now(UTC), began=_now(), wanted=self._wanted())
        try:
            self.run.plan = self._plan_of()
            workers = self._gathered()
        except (ValueError, OSError) as error:
            self.run.broken = str(error)
            return 0
        self.run.plan = replace(self.run.plan, ranks={worker: rank for rank, worker in enumerate(workers)})
        self._environment.parsed_options.loadtests_plan = self.run.plan.text()
        # locust kills what has not ended after its own time-out: ours must be the shorter one.
        self._environment.stop_timeout = self.run.plan.traffic.timeout_seconds + GRACE_SECONDS
        for worker in workers:
            self.run.merged.joined(worker)
        self.run.began = _now()
        return len(workers)

    def _wanted(self) -> int:
        clients = getattr(self._environment.runner, "clients", None)
        if clients is None:
            return 1
        options = self._environment.parsed_options
        return options.expect_workers if options.headless or options.autostart else max(len(clients.ready), 1)

    def _gathered(self) -> list[str]:
        """The ids of all workers, every one of the master's version. Raises ValueError."""
        assert self.run is not None
        runner = self._environment.runner
        if not hasattr(runner, "clients"):
            return [runner.client_id]
        deadline = _now() + GATHER_SECONDS_MAX
        while _now() < deadline:
            ready = {client.id for client in runner.clients.ready}
            # A refused worker goes by itself; until then locust would give it a share.
            if ready and ready <= self._accepted and len(ready) >= self.run.wanted:
                return sorted(ready, key=runner.get_worker_index)
            gevent.sleep(_POLL_SECONDS)
        raise ValueError(f"{len(ready & self._accepted)} of {self.run.wanted} workers of this version joined")

    def go_on(self) -> bool:
        """One look, about every second; False when the run is over."""
        run = self.run
        if run is None or run.plan is None:
            return False
        if self._ending_since is None:
            self._look_for_lost(run, run.plan)
            self._look_for_certainty(run)
        workers = set(run.plan.ranks)
        missing = workers - self._final - {lost.id for lost in run.lost}
        if not missing:
            return False
        if self._ending_since is None:
            return True
        seconds = run.plan.traffic.timeout_seconds + GRACE_SECONDS
        if _now() - self._ending_since < seconds:
            return True
        for worker in sorted(missing):
            self._lose(worker, f"worker {worker} did not hand in what it has measured within {seconds:g} s")
        return False

    def _look_for_lost(self, run: Run, plan: Plan) -> None:
        clients = getattr(self._environment.runner, "clients", None)
        late_seconds = plan.traffic.profile.seconds + plan.traffic.timeout_seconds + LOGIN_SECONDS_MAX + GRACE_SECONDS
        for worker in set(plan.ranks) - self._final:
            silent_seconds = _now() - self._heard.get(worker, run.began)
            limit_seconds = SILENCE_SECONDS_MAX if worker in self._heard else LOGIN_SECONDS_MAX
            gone = clients is not None and (worker not in clients or clients[worker].state == "missing")
            if gone or silent_seconds > limit_seconds:
                who = f"worker {plan.ranks[worker] + 1} of {len(plan.ranks)} ({worker})"
                self._lose(worker, f"{who} was lost {run.elapsed_seconds:.0f} s after the start, mid-run")
            elif run.elapsed_seconds > late_seconds:
                self._lose(worker, f"worker {worker} did not end with the profile")

    def _look_for_certainty(self, run: Run) -> None:
        self._looks += 1
        sentence = self._crossed(run, self._looks)
        if sentence:
            self.abort(sentence)

    def _lose(self, worker: str, sentence: str) -> None:
        assert self.run is not None
        self.run.lost.append(LostWorker(id=worker, elapsed_seconds=self.run.elapsed_seconds, sentence=sentence))
        self.end()

    def cut(self, sentence: str) -> None:
        """End early because somebody wants it so."""
        if self.run is not None and self.run.finished is None and self._ending_since is None:
            self.run.cut = sentence
            self.end()

    def abort(self, sentence: str) -> None:
        """End early because the verdict is certain."""
        if self.run is not None and self.run.finished is None and self._ending_since is None:
            self.run.aborted = sentence
            self.end()

    def end(self) -> None:
        """Nobody comes any more; what is under way may end. `go_on` says when that is over."""
        if self._ending_since is None:
            self._ending_since = _now()
            self._environment.runner.send_message(END, {})

    def finish(self) -> None:
        """The run is over, however it came to that."""
        run = self.run
        if run is None or run.finished is not None:
            return
        over = run.plan is not None and set(run.plan.ranks) <= self._final
        if not over and not (run.cut or run.aborted or run.broken or run.lost):
            run.cut = f"stopped {run.elapsed_seconds:.0f} s after the start"
        run.finished = datetime.now(UTC)
        self._finished(run)
