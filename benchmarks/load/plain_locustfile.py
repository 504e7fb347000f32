"""locust as its documentation begins it: users in a closed loop.

Environment: THROUGHPUT, runs per second and user (none: no wait); REQUEST_PATH.
"""

from __future__ import annotations

import os

from locust import constant, constant_throughput, task
from locust.contrib.fasthttp import FastHttpUser

_THROUGHPUT = float(os.environ.get("THROUGHPUT", "0"))


class Customer(FastHttpUser):
    """One request after the other."""

    wait_time = constant_throughput(_THROUGHPUT) if _THROUGHPUT else constant(0)

    @task
    def status(self) -> None:
        self.client.get(os.environ.get("REQUEST_PATH", "/api/v1/status"))
