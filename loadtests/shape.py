"""locust's view of a profile: one dispatching user on every worker, until the conductor says that it is over.

The rate itself is not made of users but of arrivals (loadtests.arrivals); a worker follows it by its own clock.
"""

from __future__ import annotations

from typing import Any

from locust import LoadTestShape


class ProfileShape(LoadTestShape):  # type: ignore[misc]  # locust's classes have no types of their own
    """Every second: (users, users started per second), or None at the end. Needs `environment.loadtests_conductor`."""

    def __init__(self) -> None:
        super().__init__()
        self._workers: int | None = None

    def tick(self) -> tuple[int, float] | None:
        """Begin a run at the first tick of it, then look after it."""
        conductor: Any = self.runner.environment.loadtests_conductor
        if self._workers is None:
            self._workers = conductor.begin()
        if self._workers and conductor.go_on():
            return self._workers, float(self._workers)
        self._workers = None
        return None
