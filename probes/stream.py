"""A steady stream of requests that shows whether customers noticed anything (MET-04, DUR-07).

    python -m probes.stream --url https://api.shop.example/api/v1/status --rate 1000 --output DIRECTORY \\
        --connect-to api.shop.example:443:127.1.2.3:8443 --ca-file ca.pem --stop-file PATH --max-seconds 600

Writes DIRECTORY/requests.csv (one line per request, `probes.stream_record`) and, when it ends by SIGTERM, SIGINT,
the stop file or the time limit, DIRECTORY/summary.json. The first line on standard output says that it has
started: {"run": ..., "pid": ..., "monotonic": ..., "epoch": ...}. Exit code 0 whatever the answers were; 2 for bad
input. A token, if any, comes from a file (`--token-file`), never from the command line, which others can read.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from probes.failures import WORLD_ERRORS
from probes.stream_dispatch import Dispatcher, Traffic
from probes.stream_record import REQUESTS_FILE, SUMMARY_FILE, Recorder
from probes.target import Endpoint

_STOP_POLL_SECONDS = 0.1
_POST_BODY = '{"name": "request stream", "quantity": 1, "price_cents": 100}'
_NICENESS = -5


def main(arguments: Sequence[str] | None = None) -> int:
    """The program. Returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        traffic = traffic_from(options)
        directory = Path(options.output)
        directory.mkdir(parents=True, exist_ok=True)
        summary = uvloop.run(stream(traffic, directory, stop_file=options.stop_file, max_seconds=options.max_seconds))
    except (ValueError, *WORLD_ERRORS) as error:
        parser.error(f"the stream could not start: {error}")
    write_summary(directory / SUMMARY_FILE, summary)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m probes.stream", description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="https URL of the steady GET")
    parser.add_argument("--rate", type=float, required=True, help="requests per second")
    parser.add_argument("--output", required=True, help="directory for requests.csv and summary.json")
    parser.add_argument("--max-seconds", type=float, required=True, help="the stream ends by itself after this time")
    parser.add_argument("--stop-file", default="", help="the stream ends when this file exists")
    parser.add_argument("--thin-every", type=int, default=1, help="on SIGUSR1, leave each n-th steady request only")
    parser.add_argument("--connect-to", action="append", default=[], metavar="HOST:PORT:ADDRESS:PORT")
    parser.add_argument("--ca-file", default=None, help="PEM file of the trusted roots")
    parser.add_argument("--run", default="", help="prefix of every x-request-id; random by default")
    parser.add_argument("--token-file", default="", help="file with a bearer token for every request")
    parser.add_argument("--new-connection-every", type=int, default=50, help="each n-th request on its own connection")
    parser.add_argument("--slow-path", default="", help="path of the long request, e.g. /api/v1/slow?seconds=2")
    parser.add_argument("--slow-every", type=int, default=500, help="each n-th request is a long one")
    parser.add_argument("--slow-seconds", type=float, default=2.0, help="how long a long one takes when all is well")
    parser.add_argument("--post-path", default="", help="path that accepts a small JSON body")
    parser.add_argument("--post-body", default=_POST_BODY, help="the JSON body of the POSTs")
    parser.add_argument("--post-every", type=int, default=50, help="each n-th request is a POST")
    parser.add_argument("--timeout-seconds", type=float, default=5.0)
    parser.add_argument("--late-seconds", type=float, default=3.0, help="later than this is `not sent in time`")
    parser.add_argument("--connections", type=int, default=256, help="most connections at a time")
    parser.add_argument("--slot-header", default="x-slot")
    parser.add_argument("--version-header", default="x-version")
    return parser


def traffic_from(options: argparse.Namespace) -> Traffic:
    """The traffic that the options describe. Raises ValueError for bad ones, OSError for an unreadable token."""
    url = urlsplit(options.url)
    if url.scheme != "https" or not url.hostname:
        raise ValueError(f"--url {options.url!r} must be https://host/path: customers are served over TLS only")
    if not (options.rate > 0 and options.max_seconds > 0 and options.connections > 0 and options.thin_every > 0):
        raise ValueError("--rate, --max-seconds, --connections and --thin-every must be positive")
    endpoint = Endpoint(
        host=url.hostname, port=url.port or 443, connect_to=tuple(options.connect_to), ca_file=options.ca_file
    )
    return Traffic(
        endpoint=endpoint,
        path=(url.path or "/") + (f"?{url.query}" if url.query else ""),
        rate=options.rate,
        run=options.run or secrets.token_hex(4),
        thin_every=options.thin_every,
        new_connection_every=options.new_connection_every,
        slow_path=options.slow_path,
        slow_every=options.slow_every if options.slow_path else 0,
        slow_seconds=options.slow_seconds,
        post_path=options.post_path,
        post_body=options.post_body,
        post_every=options.post_every if options.post_path else 0,
        token=Path(options.token_file).read_text().strip() if options.token_file else "",
        timeout_seconds=options.timeout_seconds,
        late_seconds=options.late_seconds,
        connections=options.connections,
        slot_header=options.slot_header,
        version_header=options.version_header,
    )


async def stream(traffic: Traffic, directory: Path, *, stop_file: str, max_seconds: float) -> dict[str, object]:
    """Run until something ends it and all answers are in; returns the summary. Raises OSError, DNSException."""
    stopped: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _end, stopped, signal.Signals(number).name)
    context = traffic.endpoint.trust()
    gc.freeze()  # nothing made so far becomes garbage: keeps collections short
    with (directory / REQUESTS_FILE).open("w", encoding="ascii") as file:
        recorder = Recorder(file)
        dispatcher = Dispatcher(traffic, recorder, context=context)
        started, processor_started = time.monotonic(), time.process_time()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, dispatcher.thin, traffic.thin_every)
        dispatcher.start()
        _say({"run": traffic.run, "pid": os.getpid(), "monotonic": started, "epoch": time.time()})
        ended_by = await _until_stopped(stopped, stop_file, deadline=started + max_seconds)
        dispatcher.stop()
        planned_seconds = time.monotonic() - started
        processor_seconds = time.process_time() - processor_started
        await dispatcher.drained()
    return {
        "schema": 1,
        "complete": True,
        "run": traffic.run,
        "url": traffic.endpoint.url(traffic.path),
        "rate": traffic.rate,
        "ended_by": ended_by,
        "started_monotonic": started,
        "seconds": round(planned_seconds, 3),
        "largest_lag_ms": round(dispatcher.largest_lag_seconds * 1000, 3),
        "processor_percent": round(100 * processor_seconds / planned_seconds, 1),
        **recorder.tally.summary(),
    }


def _go_first() -> None:
    """A measuring instrument must not wait behind what it measures; without the right to it, it does its best."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)


def _end(stopped: asyncio.Future[str], reason: str) -> None:
    if not stopped.done():
        stopped.set_result(reason)


async def _until_stopped(stopped: asyncio.Future[str], stop_file: str, *, deadline: float) -> str:
    while not stopped.done():
        await asyncio.wait([stopped], timeout=max(0.0, min(_STOP_POLL_SECONDS, deadline - time.monotonic())))
        if stop_file and os.path.exists(stop_file):
            _end(stopped, "stop file")
        if time.monotonic() >= deadline:
            _end(stopped, "time limit")
    return stopped.result()


def _say(line: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def write_summary(path: Path, summary: Mapping[str, object]) -> None:
    """Write the summary so that a reader sees all of it or nothing."""
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    os.replace(unfinished, path)


if __name__ == "__main__":
    _go_first()
    sys.exit(main())
