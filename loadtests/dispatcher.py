"""A locust user that is a whole process of customers: it starts their visits when they are intended, whatever the
server does.

Locust's own users each wait for an answer before they ask again. A server that stops for a second is then asked less
in that second, and the customers who would have suffered are never counted.
"""

from __future__ import annotations

import bisect
import gc
import itertools
import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.event import Event
from locust import User
from locust.user.task import LOCUST_STATE_RUNNING

from loadtests.arrivals import Share, intended_times
from loadtests.client import Client
from loadtests.crowd import Crowd, Task
from loadtests.messages import PARCEL
from loadtests.plan import Plan
from loadtests.recording import Recorder
from loadtests.visit import Surroundings

_PARCEL_SECONDS = 1.0
_AT_ONCE_MAX = 64  # arrivals in one go before the event loop runs again, however many are due
_NAP_SECONDS_MAX = 0.25  # so that an end is noticed also while nobody comes
_now = time.perf_counter
_log = logging.getLogger(__name__)


class CannotBegin(Exception):
    """What every visit needs is not to be had, such as a login; the text says what was tried and what came."""


class OpenUser(User):  # type: ignore[misc]  # locust's classes have no types of their own
    """To be subclassed with tasks `def visit(self, visit: Visit) -> None`, decorated with `@task` and `@makes(...)`.

    Weights are those of the traffic's mix, by the names of the tasks. `on_start` is called once before the first
    arrival, with `client` and `plan` ready; what it raises ends the run as failed.
    """

    abstract = True
    client: Client
    plan: Plan

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._ending = Event()
        self._came_seconds = 0.0  # from the start until nobody came any more

    def run(self) -> None:  # type: ignore[misc]  # final there, but there one task waits for the other
        """From login to the last parcel."""
        self._state = LOCUST_STATE_RUNNING
        recorder = None
        try:
            self.plan = Plan.from_text(self.environment.parsed_options.loadtests_plan)
            share = self.plan.share_of(self.environment.runner.client_id)
            recorder = self._recorder()
            self.client = self.plan.client()
            chosen = choices(self.plan.traffic.mix, type(self))
            self.on_start()
        except Exception as error:  # noqa: BLE001  # a locustfile's author may raise anything; all of it ends the run
            self._tell(error)
            if recorder is not None:
                self._hand_in(recorder, final=True)
            return
        try:
            self._dispatch(share, chosen, recorder)
        finally:
            self.client.close()

    def _recorder(self) -> Recorder:
        warm_up_seconds = self.plan.traffic.profile.warm_up_seconds
        return Recorder(warm_up_seconds=warm_up_seconds, limits_seconds=self.plan.limits_seconds, interval_seconds=1.0)

    def end(self) -> None:
        """Let nobody come any more; what is under way may end."""
        self._ending.set()

    def stop(self, force: bool = False) -> bool:
        """As locust ends a user; true when it was ended at once."""
        self.end()
        return bool(super().stop(force=force))

    def _tell(self, error: Exception) -> None:
        expected = isinstance(error, CannotBegin | ValueError)
        _log.error("%s", error, exc_info=None if expected else error)
        self.environment.events.user_error.fire(user_instance=self, exception=error, tb=error.__traceback__)

    def _dispatch(self, share: Share, chosen: Callable[[random.Random], tuple[str, Task]], recorder: Recorder) -> None:
        traffic = self.plan.traffic
        calm_collector()
        around = Surroundings(
            client=self.client, records=recorder, fire=self.environment.events.request.fire, began=_now()
        )
        size_max = max(1, traffic.in_flight_max // share.workers)
        crowd = Crowd(self, around, size_max=size_max, broken=self._tell)
        reporting = gevent.spawn(self._report, recorder, crowd)
        try:
            self._send_all(share, chosen, crowd=crowd, around=around)
            self._came_seconds = min(_now() - around.began, traffic.profile.seconds)
            crowd.finish(traffic.timeout_seconds)
        finally:
            # Whatever was not answered by now is unfinished; the final parcel says so by what it lacks.
            crowd.finish(0.0)
            reporting.kill()
            self._hand_in(recorder, final=True, came_seconds=self._came_seconds)

    def _send_all(
        self, share: Share, chosen: Callable[[random.Random], tuple[str, Task]], *, crowd: Crowd, around: Surroundings
    ) -> None:
        dice = random.Random(f"mix {self.plan.seed} {share.rank}")
        at_once = 0
        for at in intended_times(self.plan.traffic, share, seed=self.plan.seed):
            wanted = around.began + at
            while (delay := wanted - _now()) > 0 or at_once >= _AT_ONCE_MAX:
                at_once = 0
                gevent.sleep(min(max(delay, 0.0), _NAP_SECONDS_MAX))
                if self._ending.is_set():
                    return
            at_once += 1
            name, task = chosen(dice)
            if not crowd.send(task, wanted):
                around.records.missed(name, at)
        self._await_the_end(around.began + self.plan.traffic.profile.seconds)

    def _await_the_end(self, end: float) -> None:
        """A profile may end with a time in which nobody comes."""
        self._ending.wait(max(end - _now(), 0.0))

    def _report(self, recorder: Recorder, crowd: Crowd) -> None:
        busy_before, at_before = time.process_time(), _now()
        while True:
            gevent.sleep(_PARCEL_SECONDS)
            busy, at = time.process_time(), _now()
            cpu_percent = 100.0 * (busy - busy_before) / (at - at_before)
            busy_before, at_before = busy, at
            self._hand_in(recorder, final=False, cpu_percent=cpu_percent, in_flight=crowd.busy)

    def _hand_in(self, recorder: Recorder, *, final: bool, **seen: float) -> None:
        message = {"parcel": recorder.parcel(final=final), **seen}
        self.environment.runner.send_message(PARCEL, message)


def choices(mix: Mapping[str, float], user_class: type[User]) -> Callable[[random.Random], tuple[str, Task]]:
    """A function that draws a task by the weights of the mix: (name of its first request, task).

    Raises ValueError where mix and tasks do not fit, so that no visit is left out by a slip: see `wanted_tasks`.
    """
    weighted = list(wanted_tasks(mix, user_class))
    bounds = list(itertools.accumulate(weight for _, weight in weighted))
    ready = [(task.requests[0], task) for task, _ in weighted]
    last = len(ready) - 1

    def draw(dice: random.Random) -> tuple[str, Task]:
        return ready[min(bisect.bisect_right(bounds, dice.random() * bounds[-1]), last)]

    return draw


def wanted_tasks(mix: Mapping[str, float], user_class: type[User]) -> list[tuple[Any, float]]:
    """(task, share of the arrivals) of the tasks that locust's tags have left and that have a weight.

    Raises ValueError for a task without weight, a weight without task, a task that declares no request, none left.
    """
    declared = {name for name in dir(user_class) if hasattr(getattr(user_class, name), "locust_task_weight")}
    if declared != set(mix):
        odd = ", ".join(sorted(declared ^ set(mix)))
        raise ValueError(f"mix and visits do not fit: {odd} is in one of them only; weight 0 leaves a visit out")
    left = {task.__name__: task for task in user_class.tasks}
    undeclared = sorted(name for name, task in left.items() if not getattr(task, "requests", ()))
    if undeclared:
        raise ValueError(f"{', '.join(undeclared)}: declare the requests of the visit with @makes")
    whole = sum(mix[name] for name in left)
    if not whole:
        raise ValueError("no visit is left: every weight is 0, or the tags leave nothing")
    return [(task, mix[name] / whole) for name, task in left.items() if mix[name] > 0]


def calm_collector() -> None:
    """Nothing of what is there now will be garbage; without this each full collection stops the dispatcher for long."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
