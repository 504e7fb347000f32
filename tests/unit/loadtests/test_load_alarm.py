"""The alarm of the dispatcher: never early, others run meanwhile, usable again after it was interrupted."""

from __future__ import annotations

import time
from contextlib import closing

import gevent

from loadtests.alarm import Alarm


def test_it_never_rings_early() -> None:
    """An arrival sent before its time would be a latency that is too short."""
    with closing(Alarm()) as alarm:
        for number in range(50):
            moment = time.perf_counter() + 0.0001 * number
            alarm.wait_until(moment)

            assert time.perf_counter() >= moment


def test_others_run_meanwhile_and_also_when_the_moment_is_over() -> None:
    seen: list[str] = []
    with closing(Alarm()) as alarm:
        gevent.spawn(seen.append, "while it waited")
        alarm.wait_until(time.perf_counter() + 0.01)
        gevent.spawn(seen.append, "though it was late")
        alarm.wait_until(0.0)

    assert seen == ["while it waited", "though it was late"]


def test_an_interrupted_wait_rings_for_nobody_else() -> None:
    """A greenlet that was killed while it waited must not be woken, nor the next one by its moment."""
    with closing(Alarm()) as alarm:
        killed = gevent.spawn(alarm.wait_until, time.perf_counter() + 0.01)
        gevent.sleep(0)
        killed.kill()
        moment = time.perf_counter() + 0.03
        alarm.wait_until(moment)

        assert time.perf_counter() >= moment
        assert killed.dead


def test_it_closes_twice() -> None:
    alarm = Alarm()
    alarm.close()
    alarm.close()

    alarm.wait_until(time.perf_counter())
    assert alarm._descriptor is None
