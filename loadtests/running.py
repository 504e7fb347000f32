"""Runs locust as processes of their own: a master with its workers, or one alone; and ends every one of them.

locust patches the standard library of its process, and a crash of it must still become a sentence and an exit code.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from loadtests.conductor import GATHER_SECONDS_MAX, GRACE_SECONDS, LOGIN_SECONDS_MAX

ROOT = Path(__file__).resolve().parents[1]
LOCUSTFILE = Path(__file__).with_name("locustfile.py")
EXIT_PASS, EXIT_FAIL, EXIT_INCONCLUSIVE, EXIT_INVALID = 0, 3, 4, 5
# Beyond the profile and everything that has a bound of its own: start of the interpreters, writing of the report.
_AROUND_SECONDS = 60.0
_END_SECONDS = 10.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to run. `arguments`: for locust beyond what is said here; `seconds`: of the profile; `workers`: 0 for one
    process that does everything; `timeout_seconds`: the declared one of a request."""

    host: str
    profile: str
    seconds: float
    timeout_seconds: float
    workers: int = 0
    tags: Sequence[str] = ()
    locustfile: Path = LOCUSTFILE
    arguments: Sequence[str] = field(default_factory=tuple)

    @property
    def seconds_max(self) -> float:
        """After so long the run has failed to end by itself."""
        ending = self.timeout_seconds + GRACE_SECONDS
        return self.seconds + 2 * ending + GATHER_SECONDS_MAX + LOGIN_SECONDS_MAX + _AROUND_SECONDS


def run(order: Order) -> tuple[int, str]:
    """Run to the end: exit code, and what to say where locust itself could not; every child has ended.

    The first SIGINT or SIGTERM lets the run end early and write its report; a second ends it hard.
    """
    with ExitStack() as stack:
        crew = _Crew(order)
        stack.callback(crew.end)
        for sign in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, sign, signal.signal(sign, crew.interrupted))
        crew.start()
        return _said(crew.wait(), order)


class _Crew:
    """The processes of one run, all children of this one, none of them heeding the terminal by itself."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._leader: subprocess.Popen[bytes] | None = None
        self._workers: list[subprocess.Popen[bytes]] = []
        self._signals = 0
        self._woken = threading.Event()

    def start(self) -> None:
        order = self._order
        common = [*_locust(order.locustfile), "--headless", "--only-summary", "--skip-log-setup", "--host", order.host]
        common += ["--profile", order.profile, *order.arguments]
        common += ["--tags", *order.tags] if order.tags else []
        if not order.workers:
            self._leader = _started(common)
            return
        port = _free_port()
        led = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
        # The conductor has a shorter bound and a better sentence.
        led += ["--expect-workers", str(order.workers), "--expect-workers-max-wait", f"{GATHER_SECONDS_MAX:.0f}"]
        self._leader = _started([*common, *led])
        worker = [*_locust(order.locustfile), "--worker", "--master-host", "127.0.0.1", "--master-port", str(port)]
        self._workers = [_started(worker) for _ in range(order.workers)]

    def interrupted(self, *_: object) -> None:
        """A signal: the first is passed on as an early end, the second ends the leader at once."""
        self._signals += 1
        if self._leader is not None and self._leader.poll() is None:
            self._leader.send_signal(signal.SIGINT if self._signals == 1 else signal.SIGTERM)

    def wait(self) -> int | None:
        """The leader's exit code; None when it did not end in time."""
        assert self._leader is not None
        deadline = time.monotonic() + self._order.seconds_max
        while time.monotonic() < deadline:
            try:
                return self._leader.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        return None

    def end(self) -> None:
        """Nothing of the run is left: first asked, then killed."""
        processes = [one for one in (self._leader, *self._workers) if one is not None]
        for sign, seconds in ((signal.SIGTERM, _END_SECONDS), (signal.SIGKILL, _END_SECONDS)):
            for process in processes:
                if process.poll() is None:
                    process.send_signal(sign)
            deadline = time.monotonic() + seconds
            for process in processes:
                try:
                    process.wait(max(deadline - time.monotonic(), 0.0))
                except subprocess.TimeoutExpired:
                    continue


def _locust(locustfile: Path) -> list[str]:
    return [sys.executable, "-m", "locust", "-f", str(locustfile)]


def _started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """A child in a session of its own, so that Ctrl-C reaches it only through us."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _said(code: int | None, order: Order) -> tuple[int, str]:
    if code is None:
        return EXIT_INVALID, f"INVALID: locust did not end within {order.seconds_max:.0f} s and was ended"
    if code in (EXIT_PASS, EXIT_FAIL, EXIT_INCONCLUSIVE, EXIT_INVALID):
        return code, ""
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return EXIT_INVALID, f"INVALID: locust ended with {how} and left no verdict; what it said stands above"
