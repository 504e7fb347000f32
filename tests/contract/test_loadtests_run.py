"""`python -m loadtests run` from the start to the exit code: what is good passes, whatever goes wrong has its sentence.

Every case is a run of real processes against a server in this one; nothing of it is left afterwards.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
STATUS = {"status": "ok", "slot": "blue", "version": "1.1.0", "digest": "sha256:0", "time": "2026-01-01T00:00:00Z"}
VISITS = ("health", "status", "obtain_token", "use_token", "refresh_token", "write_and_read", "rate_limited")
THRESHOLDS = """
requests_min = 200
measured_seconds_min = 1
lateness_p99_milliseconds_max = 1000
error_rate_percent_max = 2
p95_growth_percent_max = 1000
"""


class Shop:
    """Answers the status after 20 ms; `hang_every` th request never; everything else is not found."""

    def __init__(self) -> None:
        self.hang_every = 0
        self.answered = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _serve(self) -> None:
        self._ended = asyncio.Event()

        async def serve() -> None:
            server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=512)
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._ended.wait()
            server.close()
            talks = asyncio.all_tasks() - {asyncio.current_task()}
            for talk in talks:
                talk.cancel()
            await asyncio.gather(*talks, return_exceptions=True)

        self._loop.run_until_complete(serve())
        self._loop.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = json.dumps(STATUS).encode()
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.answered += 1
                if self.hang_every and self.answered % self.hang_every == 0:
                    await self._ended.wait()
                await asyncio.sleep(0.02)
                known = b"/api/v1/status" in head
                line = b"200 OK" if known else b"404 Not Found"
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (line, len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(10)


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.stop()


@dataclass(frozen=True)
class Outcome:
    code: int
    said: str


@dataclass(frozen=True)
class Bench:
    """Files of a run in a directory, and the command."""

    directory: Path
    shop: Shop

    def command(self, *arguments: str, mix: str = "status", per_second: int = 200, seconds: float = 10) -> list[str]:
        weights = "\n".join(f"{visit} = {int(visit == mix)}" for visit in VISITS)
        (self.directory / "traffic.toml").write_text(
            f'schema = 1\n[traffic]\nname = "test"\narrivals = "constant"\narrivals_per_second = {per_second}\n'
            f"in_flight_max = 500\ntimeout_seconds = 1\n[mix]\n{weights}\n[profiles.steady]\nwarm_up_seconds = 0.5\n"
            f"stages = [{{ seconds = {seconds}, arrivals_percent = 100 }}]\n"
        )
        shipped = (ROOT / "loadtests" / "thresholds.toml").read_text()
        changed = {line.split(" = ")[0]: line for line in THRESHOLDS.strip().splitlines()}
        lines = (changed.get(line.split(" = ")[0], line) for line in shipped.splitlines())
        (self.directory / "thresholds.toml").write_text("\n".join(lines) + "\n")
        return [
            *(sys.executable, "-m", "loadtests", "run", "--host", f"http://127.0.0.1:{self.shop.port}"),
            *("--traffic", str(self.directory / "traffic.toml")),
            *("--thresholds", str(self.directory / "thresholds.toml"), "--report", str(self.directory / "report")),
            *arguments,
        ]

    def run(self, command: list[str], *, meanwhile: Callable[[subprocess.Popen[str]], None] | None = None) -> Outcome:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        family: set[psutil.Process] = set()
        try:
            if meanwhile is not None:
                meanwhile(process)
            family = set(psutil.Process(process.pid).children(recursive=True))
            said, _ = process.communicate(timeout=120)
        finally:
            process.kill()
            process.wait()
        assert not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        return Outcome(process.returncode, said)

    def await_answers(self, count: int, process: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + 60
        wait = threading.Event()
        while self.shop.answered < count:
            ended = process.poll() is not None
            assert not ended, f"ended after {self.shop.answered} requests: {process.communicate()[0]}"
            assert time.monotonic() < deadline, f"only {self.shop.answered} requests came"
            wait.wait(0.05)


@pytest.fixture
def bench(tmp_path: Path, shop: Shop) -> Bench:
    return Bench(tmp_path, shop)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_good_service_passes(bench: Bench, workers: int) -> None:
    outcome = bench.run(bench.command("--workers", str(workers)))

    assert outcome.code == 0, outcome.said
    assert f"{max(workers, 1)} of {max(workers, 1)} workers were there to the end" in outcome.said
    assert bench.shop.answered == 2000  # constant arrivals: exactly those of the profile, whoever sent them


def test_a_worker_that_is_killed_fails_the_run(bench: Bench) -> None:
    def kill_one(process: subprocess.Popen[str]) -> None:
        bench.await_answers(100, process)
        workers = [one for one in psutil.Process(process.pid).children(recursive=True) if "--worker" in one.cmdline()]
        workers[0].send_signal(signal.SIGKILL)

    outcome = bench.run(bench.command("--workers", "2", seconds=30), meanwhile=kill_one)

    assert outcome.code == 3, outcome.said
    assert "of 2 (" in outcome.said
    assert "was lost" in outcome.said


def test_an_interrupted_run_says_so_and_decides_nothing(bench: Bench) -> None:
    def interrupt(process: subprocess.Popen[str]) -> None:
        bench.await_answers(400, process)
        process.send_signal(signal.SIGINT)

    outcome = bench.run(bench.command("--workers", "2", seconds=30), meanwhile=interrupt)

    assert outcome.code == 4, outcome.said
    assert "interrupted" in outcome.said


def test_requests_that_hang_fail_the_run(bench: Bench) -> None:
    bench.shop.hang_every = 10
    outcome = bench.run(bench.command("--no-abort"))

    assert outcome.code == 3, outcome.said
    assert "FAIL            p95: " in outcome.said


def test_hanging_requests_end_the_run_early_when_nothing_can_save_it(bench: Bench) -> None:
    bench.shop.hang_every = 2
    started = time.monotonic()
    outcome = bench.run(bench.command(seconds=60))

    assert outcome.code == 3, outcome.said
    assert "aborted" in outcome.said
    assert time.monotonic() - started < 50


def test_a_login_that_fails_is_the_cause(bench: Bench) -> None:
    credentials = bench.directory / "credentials.json"
    credentials.write_text('{"client_id": "load-test", "client_secret": "only for this test"}')
    outcome = bench.run(bench.command("--credentials", str(credentials), mix="use_token"))

    assert outcome.code == 3, outcome.said
    assert "login failed: POST /oauth2/token: status 404 instead of 200" in outcome.said
    assert "only for this test" not in outcome.said


def test_nobody_there_fails_the_run(bench: Bench) -> None:
    bench.shop.stop()
    outcome = bench.run(bench.command("--no-abort"))

    assert outcome.code == 3, outcome.said
    assert "FAIL            errors: " in outcome.said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rate", "0"), "--rate"),
        (("--seconds", "0.1"), "leaves nothing"),
        (("--profile", "unknown"), "there is no 'unknown'"),
        (("--connect-to", "x"), "--connect-to x"),
        (("--workers", "1000000"), "--workers 1000000"),
        (("--ca-file", os.devnull), "--host"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(bench: Bench, arguments: tuple[str, ...], said: str) -> None:
    command = bench.command(*arguments)
    if said == "--host":
        command[command.index("--host") + 1] = "shop.example"
    outcome = bench.run(command)

    assert outcome.code == 2, outcome.said
    assert said in outcome.said
    assert bench.shop.answered == 0
