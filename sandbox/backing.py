"""The parts behind the load balancer: database, cache, external dependency, and the service's tasks."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from sandbox.cache import Cache
from sandbox.contracts import TaskSpec
from sandbox.errors import SandboxError
from sandbox.foundation import Foundation
from sandbox.ledger import Ledger
from sandbox.postgres import Postgres
from sandbox.processes import Child, Command
from sandbox.state import CACHE, REPOSITORY
from sandbox.tasks import ServiceTasks

_EXTERNAL = REPOSITORY / "sandbox" / "external.py"
STABLE_VERSION = "1.0.0"


class Backing:
    """Constructed quickly; `start` returns futures so that other parts start meanwhile."""

    def __init__(self, foundation: Foundation, ledger: Ledger) -> None:
        state, addresses = foundation.state, foundation.addresses
        self._foundation = foundation
        self._ledger = ledger
        self.postgres = Postgres(
            foundation.spawner,
            directory=state.root / "postgres",
            cache=CACHE,
            address=addresses.internal,
            log_file=state.log("postgres"),
        )
        self.cache = Cache(
            foundation.spawner,
            directory=state.root / "redis",
            address=addresses.internal,
            log_file=state.log("redis"),
        )
        self.tasks = ServiceTasks(
            foundation.spawner, address=addresses.internal, log_file=state.log("zygote"), settings_of=self._settings
        )
        self._external: Child | None = None
        self._external_url = ""

    def start(self, pool: ThreadPoolExecutor) -> list[Future[None]]:
        """Begin to start everything; each future raises SandboxError for its part."""
        return [pool.submit(part) for part in (self._start_database, self._start_cache, self._start_external)]

    def children(self) -> Mapping[str, Child]:
        """Processes that run or should, by name; those stopped by a fault are absent."""
        found = {
            "postgres": self.postgres.child,
            "redis": self.cache.child,
            "zygote": self.tasks.child,
            "external": self._external,
        }
        return {name: child for name, child in found.items() if child is not None}

    def stop(self) -> None:
        """End everything."""
        self.tasks.close()
        self.cache.stop()
        self.postgres.stop()
        if self._external is not None:
            self._external.stop()

    def _start_database(self) -> None:
        with self._ledger.part("PostgreSQL"):
            self.postgres.prepare()
            self.postgres.start()
        with self._ledger.part("service preloaded"):
            self.tasks.wait_ready()
        with self._ledger.part(f"migrations of {STABLE_VERSION}"):
            self.tasks.migrate(self.postgres.url, STABLE_VERSION)

    def _start_cache(self) -> None:
        with self._ledger.part("Redis"):
            self.cache.start()

    def _start_external(self) -> None:
        with self._ledger.part("external dependency"):
            read, write = os.pipe()
            state = self._foundation.state
            address = self._foundation.addresses.internal
            command = Command(
                name="external",
                arguments=[
                    sys.executable,
                    "-I",
                    "-S",
                    str(_EXTERNAL),
                    address,
                    str(state.fault_file("external")),
                    str(write),
                ],
                log_file=state.log("external"),
                pass_fds=(write,),
            )
            try:
                self._external = self._foundation.spawner.start(command)
            finally:
                os.close(write)
            with os.fdopen(read) as pipe:
                port = pipe.readline().strip()
            if not port:
                raise SandboxError(f"the external dependency did not start: {self._external.log_tail()}")
            self._external_url = f"http://{address}:{port}/"

    def _settings(self, spec: TaskSpec) -> Mapping[str, object]:
        return self._foundation.task_settings(
            spec,
            database_url=self.postgres.url,
            redis_url=self.cache.url,
            external_url=self._external_url,
        )
