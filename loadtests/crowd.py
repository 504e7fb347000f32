"""Greenlets that take one visit after the other: none is made for an arrival while one is free."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from gevent.hub import get_hub
from greenlet import greenlet

from loadtests.visit import Failed, Surroundings, Visit

_now = time.perf_counter
Task = Callable[[Any, Visit], None]


class Crowd:
    """At most `size_max` visits at once. `broken` is told of an error in the code of a visit."""

    def __init__(self, user: Any, around: Surroundings, *, size_max: int, broken: Callable[[Exception], None]) -> None:
        self._user = user
        self._around = around
        self._size_max = size_max
        self._broken = broken
        self._hub = get_hub()
        self._all: list[gevent.Greenlet[Any, Any]] = []
        self._free: list[greenlet] = []
        self._nobody_busy = Event()
        self._nobody_busy.set()

    @property
    def busy(self) -> int:
        """Visits under way."""
        return len(self._all) - len(self._free)

    def send(self, task: Task, wanted: float) -> bool:
        """Let one start a visit in this turn of the event loop; False when all are busy."""
        if self._free:
            member = self._free.pop()
            self._hub.loop.run_callback(member.switch, (task, wanted))
        elif len(self._all) < self._size_max:
            self._all.append(gevent.spawn(self._live, (task, wanted)))
        else:
            return False
        self._nobody_busy.clear()
        return True

    def _live(self, job: tuple[Task, float]) -> None:
        me, visit = gevent.getcurrent(), Visit(self._around)
        late, began = self._around.records.late, self._around.began
        while True:
            task, wanted = job
            late(wanted - began, _now() - wanted)
            visit.begin(wanted)
            try:
                task(self._user, visit)
            except Failed:
                # Recorded where it failed; the customer leaves.
                visit.begin(0.0)
            except Exception as error:  # noqa: BLE001  # whatever a locustfile's author may have overlooked
                self._broken(error.with_traceback(sys.exc_info()[2]))
            self._free.append(me)
            if len(self._free) == len(self._all):
                self._nobody_busy.set()
            job = self._hub.switch()

    def finish(self, seconds: float) -> int:
        """Wait until every visit has ended, at most so long; then end the rest. How many were ended."""
        self._nobody_busy.wait(seconds)
        unfinished = self.busy
        gevent.killall(self._all, block=True, timeout=5.0)
        self._all, self._free = [], []
        return unfinished
