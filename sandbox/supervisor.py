"""Starts every part of a sandbox, in parallel where they allow it, and ends them all."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from io import TextIOWrapper

from sandbox.backing import Backing
from sandbox.edge.envoy import Envoy, EnvoyPlaces
from sandbox.edge.routes import RouteTable
from sandbox.foundation import Foundation, Options, lay_foundation
from sandbox.ledger import Ledger

__all__ = ["Options", "Supervisor", "serve_until_stopped"]

_START_THREADS = 6


class Supervisor:
    """One sandbox. `start` returns when a customer's request is answered; `stop` leaves no process behind."""

    def __init__(self, options: Options, progress: Callable[[str], None]) -> None:
        self._options = options
        self._ledger = Ledger(progress)
        self._closers = ExitStack()
        self._lock: TextIOWrapper | None = None
        self.stopped = threading.Event()

    def start(self) -> None:
        """Start everything. Raises SandboxError, with everything ended again."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything, the newest first; harmless when called twice."""
        self._closers.close()

    def seconds(self) -> float:
        """Since the start began."""
        return self._ledger.seconds()

    def _start(self) -> None:
        with self._ledger.part("directory, addresses, keys"):
            foundation = lay_foundation(self._options)
            # Never closed by us: the directory is free when this process is gone, and `down` waits for that.
            self._lock = foundation.lock
            self._closers.callback(foundation.addresses.release)
            self._closers.callback(foundation.state.remove_data)
            self._closers.callback(foundation.spawner.close)
        with ThreadPoolExecutor(_START_THREADS, thread_name_prefix="start") as pool:
            backing = Backing(foundation, self._ledger)
            self._closers.callback(backing.stop)
            waiting = backing.start(pool)
            envoy = self._make_envoy(foundation)
            waiting.append(pool.submit(self._start_envoy, envoy))
            with self._ledger.part("moto imported"):
                # Imported only now: it takes a second, in which the processes above start.
                from sandbox.opening import Opening, Started
            started = Started(
                options=self._options,
                foundation=foundation,
                ledger=self._ledger,
                backing=backing,
                envoy=envoy,
                stopped=self.stopped,
                closers=self._closers,
            )
            opening = Opening(started)
            for future in waiting:
                future.result()
        opening.open()

    def _make_envoy(self, foundation: Foundation) -> Envoy:
        state, addresses = foundation.state, foundation.addresses
        places = EnvoyPlaces(
            directory=state.root / "envoy",
            access_log=state.access_log,
            log_file=state.log("envoy"),
            public_address=addresses.public,
            internal_address=addresses.internal,
        )
        envoy = Envoy(
            foundation.spawner, places, client=foundation.client, service_authority=foundation.internal_authority
        )
        envoy.write_certificate(foundation.server)
        envoy.write_listeners()
        envoy.write_clusters([])
        for listener in ("https", "http"):
            envoy.write_routes(listener, RouteTable(routes=()))
        self._closers.callback(envoy.stop)
        return envoy

    def _start_envoy(self, envoy: Envoy) -> None:
        with self._ledger.part("Envoy"):
            envoy.start()


def serve_until_stopped(options: Options, progress: Callable[[str], None]) -> None:
    """Be a sandbox until SIGTERM, SIGINT, SIGHUP, `down` or the end of the lifeline. Says READY when it is up."""
    supervisor = Supervisor(options, progress)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.stopped.set())
    if options.lifeline >= 0:
        threading.Thread(target=_watch, args=(options.lifeline, supervisor.stopped), daemon=True).start()
    supervisor.start()
    progress(f"READY in {supervisor.seconds():.2f} s: {options.root}")
    _log_to(options)
    supervisor.stopped.wait()
    supervisor.stop()


def _watch(lifeline: int, stopped: threading.Event) -> None:
    """The other end is held by whoever wants this sandbox; when it is closed, so are we."""
    while os.read(lifeline, 64):
        continue
    stopped.set()


def _log_to(options: Options) -> None:
    path = options.root / "logs" / "supervisor.log"
    logging.basicConfig(filename=path, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if not os.isatty(1):
        # Whoever read READY from a pipe reads no more; a full pipe must not stop us.
        with path.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
