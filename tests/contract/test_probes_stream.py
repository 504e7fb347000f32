"""MET-04: the request stream as a program, against real servers that misbehave in each way it must tell apart."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from probes import stream
from probes.stream_dispatch import Dispatcher, Traffic
from probes.stream_record import Outcome, Record, Recorder
from probes.stream_report import nobody_noticed, read_records, request_id
from probes.target import Endpoint
from rollout.model import Verdict
from tests.contract.probe_world import (
    HOST,
    Asked,
    Authorities,
    Reply,
    Serve,
    closed_port,
    http_server,
    leaf,
    raw_server,
    server_context,
)

pytest_plugins = ("tests.contract.probe_fixtures",)

GREEN = (("x-slot", "green"), ("x-version", "1.0.0"))


@pytest.fixture(scope="module")
def context(loopback_ca: Authorities, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Presents a good certificate."""
    return server_context(leaf(loopback_ca.below), tmp_path_factory.mktemp("key"))


def arguments(port: int, loopback_ca: Authorities, directory: Path, *more: str) -> list[str]:
    """A short stream."""
    return [
        *("--url", f"https://{HOST}/api/v1/status", "--connect-to", f"{HOST}:443:127.0.0.1:{port}"),
        *("--ca-file", loopback_ca.file, "--output", str(directory), "--rate", "100", "--run", "run", *more),
    ]


def streamed(
    port: int, loopback_ca: Authorities, directory: Path, *more: str
) -> tuple[dict[str, Any], tuple[Record, ...]]:
    """Run it in this process; summary and records."""
    assert stream.main(arguments(port, loopback_ca, directory, "--max-seconds", "0.6", *more)) == 0
    return json.loads((directory / "summary.json").read_text()), read_records(directory / "requests.csv")


def test_a_steady_stream_is_written_down(loopback_ca: Authorities, context: ssl.SSLContext, tmp_path: Path) -> None:
    """Every request once, on schedule, by its own id, with who answered; the mixture is among them."""
    asked: list[Asked] = []
    token = tmp_path / "token"
    token.write_text("secret\n")

    def serve(request: Asked) -> Reply:
        asked.append(request)
        if request.path.startswith("/slow"):
            threading.Event().wait(0.3)
        return Reply(200, GREEN, b"{}")

    more = ("--slow-path", "/slow?seconds=0.3", "--slow-every", "20", "--post-path", "/items", "--post-every", "10")
    with http_server(serve, context) as port:
        more = (*more, "--token-file", str(token), "--post-body", '{"a": 1}')
        summary, records = streamed(port, loopback_ca, tmp_path, *more)

    assert summary["complete"]
    assert summary["ended_by"] == "time limit"
    assert summary["sent"] == summary["ok"] == len(records) == len(asked)
    assert 55 <= len(records) <= 62
    assert summary["failed_total"] == summary["not_sent_in_time"] == 0
    assert summary["by_slot"] == {"green": {"ok": len(records)}}
    assert sum(second[1] for second in summary["by_second"]) == len(records)
    assert {request.headers["x-request-id"] for request in asked} == {request_id("run", each) for each in records}
    assert {request.headers["authorization"] for request in asked} == {"Bearer secret"}
    assert {(each.slot, each.version, each.status) for each in records} == {("green", "1.0.0", 200)}
    assert summary["by_kind"].keys() == {"get", "new", "post", "slow"}
    assert {request.body for request in asked if request.method == "POST"} == {b'{"a": 1}'}
    gaps = [after.monotonic - before.monotonic for before, after in itertools.pairwise(records)]
    assert all(abs(gap - 0.01) < 1e-5 for gap in gaps)
    assert min(each.latency for each in records if each.kind == "slow") >= 300
    assert nobody_noticed(records, "run").verdict is Verdict.PASS
    connections = {request.client for request in asked if request.method == "GET" and "slow" not in request.path}
    assert len(connections) < len(asked) / 2, "keep-alive connections are used again"


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(500, GREEN), Outcome.TARGET_ERROR),
        (Reply(503), Outcome.LB_ERROR),
        (Reply(raw=b""), Outcome.RESET),
        (Reply(raw=b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), Outcome.RESET),
        (Reply(raw=b"nonsense\r\n\r\n"), Outcome.LB_ERROR),
    ],
    ids=["target error", "load balancer error", "hang up", "cut short", "no HTTP"],
)
def test_failures_are_told_apart(
    reply: Reply, outcome: Outcome, loopback_ca: Authorities, context: ssl.SSLContext, tmp_path: Path
) -> None:
    """One bad answer among many is one failure of its class, and the stream goes on."""
    count = itertools.count()
    serve: Serve = lambda _: reply if next(count) == 20 else Reply(200, GREEN)  # noqa: E731  # one line says it
    with http_server(serve, context) as port:
        summary, records = streamed(port, loopback_ca, tmp_path)

    assert summary["failed"] == {outcome: 1}
    assert summary["ok"] == len(records) - 1
    assert nobody_noticed(records, "run").verdict is Verdict.FAIL


def test_a_thinned_stream_leaves_out_steady_requests_alone(
    loopback_ca: Authorities, context: ssl.SSLContext, tmp_path: Path
) -> None:
    """From the signal on each fifth of the steady requests is planned, every one of the other kinds still is."""
    asked = itertools.count()

    def serve(request: Asked) -> Reply:
        if next(asked) == 30:
            os.kill(os.getpid(), signal.SIGUSR1)
        return Reply(200, GREEN, b"{}")

    more = ("--post-path", "/items", "--post-every", "10", "--thin-every", "5", "--max-seconds", "1.2")
    with http_server(serve, context) as port:
        summary, records = streamed(port, loopback_ca, tmp_path, *more)

    later = [record for record in records if record.sequence >= 60]
    steady = [record for record in later if record.kind == "get"]
    assert summary["complete"]
    assert summary["failed_total"] == summary["not_sent_in_time"] == 0
    assert {record.sequence % 5 for record in steady} == {0}
    posts = [record.sequence for record in later if record.kind == "post"]
    assert posts == [number for number in range(60, 120) if number % 10 == 6][: len(posts)]
    assert len(posts) >= 4
    assert nobody_noticed(records, "run").verdict is Verdict.PASS


def test_nobody_listens(loopback_ca: Authorities, tmp_path: Path) -> None:
    """Every request is refused, and the schedule holds."""
    summary, records = streamed(closed_port(), loopback_ca, tmp_path)

    assert summary["failed"] == {"refused": len(records)}
    assert len(records) >= 55
    assert summary["latency_ms"]["p50"] is None


def test_a_certificate_for_somebody_else(loopback_ca: Authorities, tmp_path: Path) -> None:
    """Is a failure of TLS; a listener that hangs up inside the handshake is a reset."""
    with http_server(
        lambda _: Reply(), server_context(leaf(loopback_ca.below, names=("x.example",)), tmp_path)
    ) as port:
        wrong, _ = streamed(port, loopback_ca, tmp_path)
    with raw_server(lambda connection: connection.recv(10)) as port:
        gone, _ = streamed(port, loopback_ca, tmp_path)

    assert list(wrong["failed"]) == ["tls"]
    assert list(gone["failed"]) == ["reset"]


def test_a_target_that_hangs(loopback_ca: Authorities, context: ssl.SSLContext, tmp_path: Path) -> None:
    """Requests time out; what found no connection in time is counted as not sent, and is not the target's failure."""
    done = threading.Event()

    def hang(_: Asked) -> Reply:
        done.wait(3)
        return Reply()

    more = ("--timeout-seconds", "0.5", "--late-seconds", "0.1", "--connections", "5")
    with http_server(hang, context) as port:
        summary, records = streamed(port, loopback_ca, tmp_path, *more)
        done.set()

    assert list(summary["failed"]) == ["timeout"]
    assert summary["sent"] + summary["not_sent_in_time"] == len(records)
    assert summary["sent"] < 20
    assert summary["not_sent_in_time"] > 35
    assert min(each.latency for each in records if each.outcome == "timeout") >= 500


def test_a_handshake_that_hangs(loopback_ca: Authorities, tmp_path: Path) -> None:
    """Is a time-out too."""

    def silent(connection: Any) -> None:
        while connection.recv(4096):
            pass

    with raw_server(silent) as port:
        summary, _ = streamed(port, loopback_ca, tmp_path, "--timeout-seconds", "0.2")

    assert list(summary["failed"]) == ["timeout"]


def test_waiting_requests_leave_when_a_connection_is_free(
    loopback_ca: Authorities, context: ssl.SSLContext, tmp_path: Path
) -> None:
    """Their latency counts from when they should have left; requests on new connections get theirs too."""
    release = threading.Event()
    count = itertools.count()

    def slow_start(_: Asked) -> Reply:
        if next(count) < 2:
            release.wait(0.3)
        return Reply(200, GREEN)

    more = ("--connections", "2", "--new-connection-every", "10")
    with http_server(slow_start, context) as port:
        summary, records = streamed(port, loopback_ca, tmp_path, *more)

    assert summary["failed_total"] == summary["not_sent_in_time"] == 0
    assert summary["by_kind"]["new"] >= 5
    assert max(each.latency for each in records) >= 200


@contextmanager
def program(port: int, loopback_ca: Authorities, directory: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """The stream as a process of its own, after it said that it has started."""
    command = [
        sys.executable,
        "-m",
        "probes.stream",
        *arguments(port, loopback_ca, directory, "--max-seconds", "30", *more),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        assert started["run"] == "run"
        assert started["pid"] == process.pid
        assert abs(started["monotonic"] - time.monotonic()) < 5
        try:
            yield process
        finally:
            process.kill()


def by_signal(number: signal.Signals) -> Callable[[subprocess.Popen[str], Path], None]:
    """Ends the program as an operator would."""
    return lambda process, _: process.send_signal(number)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (by_signal(signal.SIGTERM), "SIGTERM"),
        (by_signal(signal.SIGINT), "SIGINT"),
        (lambda _, stop_file: stop_file.touch(), "stop file"),
    ],
    ids=["SIGTERM", "SIGINT", "stop file"],
)
def test_however_it_ends_the_summary_is_complete(
    end: Callable[[subprocess.Popen[str], Path], None],
    reason: str,
    loopback_ca: Authorities,
    context: ssl.SSLContext,
    tmp_path: Path,
) -> None:
    """Requests in flight are waited for."""
    served = threading.Semaphore(0)

    def serve(request: Asked) -> Reply:
        if request.path == "/slow":
            threading.Event().wait(0.3)
        served.release()
        return Reply(200, GREEN)

    more = ("--stop-file", str(tmp_path / "stop"), "--slow-path", "/slow", "--slow-every", "10")
    with http_server(serve, context) as port, program(port, loopback_ca, tmp_path, *more) as process:
        for _ in range(20):
            assert served.acquire(timeout=5)
        end(process, tmp_path / "stop")
        assert process.wait(timeout=5) == 0

    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["complete"], summary["ended_by"]) == (True, reason)
    assert summary["sent"] == summary["ok"] == len(read_records(tmp_path / "requests.csv")) >= 20


def test_a_stream_that_was_killed_left_its_requests(
    loopback_ca: Authorities, context: ssl.SSLContext, tmp_path: Path
) -> None:
    """No summary, but what had been written can be read."""
    served = threading.Semaphore(0)

    def serve(_: Asked) -> Reply:
        served.release()
        return Reply(200, GREEN)

    with http_server(serve, context) as port, program(port, loopback_ca, tmp_path) as process:
        for _ in range(50):
            assert served.acquire(timeout=5)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=5)

    assert not (tmp_path / "summary.json").exists()
    assert len(read_records(tmp_path / "requests.csv")) >= 20


def test_a_stalled_machine_is_not_blamed_on_the_target(
    loopback_ca: Authorities, context: ssl.SSLContext, tmp_path: Path
) -> None:
    """What should have left long ago is counted as not sent."""

    async def stalled(traffic: Traffic) -> Recorder:
        with (tmp_path / "requests.csv").open("w") as file:
            recorder = Recorder(file)
            dispatcher = Dispatcher(traffic, recorder, context=traffic.endpoint.trust())
            dispatcher.start()
            threading.Event().wait(0.5)  # blocks the loop, as a machine that is out of breath does
            await asyncio.sleep(0.05)
            dispatcher.stop()
            await dispatcher.drained()
            return recorder

    with http_server(lambda _: Reply(200, GREEN), context) as port:
        endpoint = Endpoint(host=HOST, connect_to=(f":443:127.0.0.1:{port}",), ca_file=loopback_ca.file)
        traffic = Traffic(endpoint=endpoint, path="/", rate=100, run="r", late_seconds=0.2)
        tally = asyncio.run(stalled(traffic)).tally

    assert 25 <= tally.outcomes["not_sent"] <= 31
    assert tally.outcomes["ok"] >= 20
    assert set(tally.outcomes) == {"ok", "not_sent"}


def test_idle_connections_are_closed_before_the_load_balancer_closes_them(
    loopback_ca: Authorities, context: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that reuse does not race with it; and one that was closed by the other side is not used again."""
    monkeypatch.setattr("probes.stream_dispatch._IDLE_SECONDS", 0.05)
    asked: list[Asked] = []

    def serve(request: Asked) -> Reply:
        asked.append(request)
        return Reply(200, GREEN)

    with http_server(serve, context) as port:
        summary, _ = streamed(port, loopback_ca, tmp_path, "--rate", "5", "--new-connection-every", "0")

    assert summary["failed_total"] == 0
    assert len({request.client for request in asked}) == len(asked) >= 3
