"""Wakes a greenlet at a moment, to some ten microseconds.

The event loop waits in whole milliseconds (epoll_wait(2)) and rounds up, so that a sleep of gevent ends half a
millisecond late in the middle and each arrival is sent that much after its time. A timerfd(2) is a descriptor that the
loop watches as it watches a socket, and it is as exact as the kernel's timers. Where there is none, gevent's sleep
serves.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import time
from typing import Any

import gevent
from gevent.hub import get_hub

_CLOCK_MONOTONIC = 1  # time.perf_counter reads the same on Linux
_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_READ = 1  # event of libev
_NANOSECONDS = 1_000_000_000
_now = time.perf_counter


class Alarm:
    """One timer, for one greenlet at a time; to be closed."""

    def __init__(self) -> None:
        self._hub = get_hub()
        self._waiting: Any = None
        self._watcher: Any = None
        self._descriptor: int | None = None
        if not sys.platform.startswith("linux"):
            return
        self._library = ctypes.CDLL(None, use_errno=True)
        descriptor = self._library.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._descriptor = descriptor
        self._watcher = self._hub.loop.io(descriptor, _READ)
        self._watcher.start(self._ring)

    def wait_until(self, moment: float) -> None:
        """Let the others run until this perf_counter; at least once where it is over."""
        if self._descriptor is None or moment <= _now():
            gevent.sleep(max(moment - _now(), 0.0))
            return
        nanoseconds = int(moment * _NANOSECONDS)
        timer = struct.pack("qqqq", 0, 0, nanoseconds // _NANOSECONDS, nanoseconds % _NANOSECONDS)
        if self._library.timerfd_settime(self._descriptor, _ABSOLUTE, timer, None) != 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")
        self._waiting = gevent.getcurrent()
        try:
            self._hub.switch()
        finally:
            self._waiting = None

    def _ring(self) -> None:
        """In the event loop: the moment has come."""
        assert self._descriptor is not None
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:
            return  # it was set anew between the two
        if self._waiting is not None:
            self._waiting.switch()

    def close(self) -> None:
        """Close; a second time does nothing."""
        if self._descriptor is not None:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._descriptor)
            self._descriptor = None
