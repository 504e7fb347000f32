"""Brings the parts together in a process of locust: options, messages, signals, the end of a run.

A locustfile calls `wire()` once; the one that is shipped is an example to copy.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import Any

import gevent
import locust.stats
from locust.exception import RPCError
from locust.runners import STATE_INIT, LocalRunner, MasterRunner, WorkerRunner

from loadtests.checks import EXIT_CODES, Verdict
from loadtests.conductor import Conductor
from loadtests.digest import tree_digest
from loadtests.dispatcher import OpenUser
from loadtests.messages import BROKEN, END, HELLO, PARCEL, REFUSED
from loadtests.options import add_options

_HELLO_SECONDS = 1.0


def wire() -> None:
    """Listen to locust's events; for the top of a locustfile."""
    # locust rounds to two digits, so that 204 ms and 195 ms would both be shown as 200.
    locust.stats.bucket_response_time = tenth_of_a_millisecond  # type: ignore[assignment]  # any number is a key
    events: Any = locust.events
    events.init_command_line_parser.add_listener(_options)
    events.init.add_listener(_init)


def tenth_of_a_millisecond(milliseconds: float) -> float:
    """For locust's own display; the gate counts microseconds."""
    return round(milliseconds, 1)


def _options(parser: Any, **_: object) -> None:
    add_options(parser, in_locust=True)


def _init(environment: Any, runner: Any, web_ui: Any = None, **_: object) -> None:
    digest = tree_digest(environment.parsed_locustfiles or ())
    if isinstance(runner, WorkerRunner):
        _init_worker(environment, runner, digest)
    elif isinstance(runner, LocalRunner):
        _lead(environment, web_ui, digest)
        runner.register_message(END, lambda environment, msg: _end_users(environment))
        _tell_of_broken_users(environment, runner)
    elif isinstance(runner, MasterRunner):
        _lead(environment, web_ui, digest)


def _init_worker(environment: Any, runner: Any, digest: str) -> None:
    def refused(environment: Any, msg: Any) -> None:
        sys.stderr.write(f"refused by the master: {msg.data['sentence']}\n")
        environment.process_exit_code = EXIT_CODES[Verdict.INVALID]
        gevent.spawn(runner.quit)

    runner.register_message(END, lambda environment, msg: _end_users(environment))
    runner.register_message(REFUSED, refused)
    _tell_of_broken_users(environment, runner)
    # A terminal sends Ctrl-C to the whole group; the master then tells the workers how to end.
    gevent.signal_handler(signal.SIGINT, lambda: None)
    gevent.spawn(_say_hello, runner, digest)


def _say_hello(runner: Any, digest: str) -> None:
    """Again and again while there is nothing to do: the master may not listen yet, or be another than a minute ago."""
    while True:
        if runner.worker_state == STATE_INIT:
            with contextlib.suppress(RPCError):  # locust mends the connection at its next heartbeat; then again
                runner.send_message(HELLO, {"digest": digest})
        gevent.sleep(_HELLO_SECONDS)


def _end_users(environment: Any) -> None:
    for greenlet in list(environment.runner.user_greenlets):
        user = greenlet.args[0] if greenlet.args else None
        if isinstance(user, OpenUser):
            user.end()


def _tell_of_broken_users(environment: Any, runner: Any) -> None:
    def tell(user_instance: Any, exception: Exception, tb: Any, **_: object) -> None:
        said = str(exception) or type(exception).__name__
        runner.send_message(BROKEN, {"sentence": f"{type(user_instance).__name__} cannot go on: {said}"})

    environment.events.user_error.add_listener(tell)


def _lead(environment: Any, web_ui: Any, digest: str) -> None:
    runner = environment.runner
    # Here, because workers on hosts of their own have nothing installed of what writes reports.
    from loadtests.closing import Closing
    from loadtests.panel import install

    closing = Closing(environment)
    conductor = Conductor(environment, plan_of=closing.plan, crossed=closing.crossed, finished=closing.finished)
    environment.loadtests_conductor = conductor
    if web_ui is not None:
        install(web_ui, closing.state)
    # Nothing measured is no success, however it comes about.
    environment.process_exit_code = EXIT_CODES[Verdict.INCONCLUSIVE]
    runner.register_message(HELLO, lambda environment, msg: conductor.on_hello(msg.node_id, msg.data["digest"], digest))
    local = isinstance(runner, LocalRunner)

    def sender(msg: Any) -> str:
        return str(runner.client_id if local else msg.node_id)

    runner.register_message(PARCEL, lambda environment, msg: conductor.on_parcel(sender(msg), msg.data))
    runner.register_message(BROKEN, lambda environment, msg: conductor.on_broken(sender(msg), msg.data["sentence"]))
    environment.events.test_stop.add_listener(lambda environment, **_: conductor.finish())
    environment.events.quitting.add_listener(lambda environment, **_: conductor.finish())
    gevent.signal_handler(signal.SIGINT, _Interrupt(conductor, runner))


class _Interrupt:
    """Ctrl-C: the first ends the run and still writes its report, the second waits for nothing."""

    def __init__(self, conductor: Conductor, runner: Any) -> None:
        self._conductor = conductor
        self._runner = runner
        self._again = False

    def __call__(self) -> None:
        run = self._conductor.run
        running = run is not None and run.plan is not None and run.finished is None
        if self._again or run is None or not running:
            self._runner.quit()
            return
        self._again = True
        self._conductor.cut(f"interrupted {run.elapsed_seconds:.0f} s after the start")
