"""Runs rehearsals in forks of a process that has everything imported already.

Importing the emulated account, boto3 and the engine costs three processor seconds; eight drills would pay it twice
each. The parent has no thread and no connection when it forks, so a fork inherits nothing but pages.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

from sandbox.launch import await_exit, die_with_parent, end_with

_END_SECONDS = 30.0


@cache
def preload() -> None:
    """Import what every rehearsal needs, before anything that a fork must not inherit exists."""
    import rehearsal.run  # noqa: F401 - imported for its pages
    import rollout.compose  # noqa: F401 - likewise
    import sandbox.opening
    import sandbox.supervisor

    sandbox.opening.preload()
    gc.collect()
    gc.freeze()  # what is imported never becomes garbage; a collection would copy its pages into every fork


class Fork:
    """A running fork; looks like the few things of a Popen that the schedule needs."""

    def __init__(self, work: Callable[[], int], log: Path) -> None:
        """Start `work`; its result is the exit code, its output goes to `log`."""
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        self._code: int | None = None
        if self.pid == 0:
            end_with(lambda: _be_child(work, log, parent=parent))

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def end(self) -> None:
        """Ask it to end, then insist."""
        if self.poll() is not None:
            return
        os.kill(self.pid, signal.SIGTERM)
        if not await_exit(self.pid, _END_SECONDS):
            os.kill(self.pid, signal.SIGKILL)
        self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _be_child(work: Callable[[], int], log: Path, *, parent: int) -> int:
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(parent, signal.SIGTERM)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for number in (1, 2):
        os.dup2(descriptor, number)
    return work()


def _leave(*_: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)
