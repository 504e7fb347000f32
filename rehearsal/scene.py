"""One sandbox with all that a rehearsal needs: target, record store, endpoint, stream, the operator's command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from probes.auth import Authority, fetch_token
from probes.failures import Cause
from probes.forgery import sign_with
from probes.http import client
from probes.target import Endpoint
from probes.waiting import Tries
from rollout.codec import encode_record
from rollout.compose import Connection, connect
from rollout.model import Observation
from rollout.outputs_file import read_outputs
from rollout.record import Record
from rollout.seen import OperatorRequest
from sandbox.client import Sandbox

ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")
_POLL_SECONDS = 0.2
_THIN_EVERY = 5
_ITEM = json.dumps({"name": "release stream", "quantity": 1, "price_cents": 100})


class RehearsalError(Exception):
    """The rehearsal itself could not be carried out; says nothing about the release."""


def await_condition(question: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """Ask until the answer is something, `seconds` at most. Raises RehearsalError naming `what` was awaited."""
    for _ in Tries(deadline_seconds=seconds, interval_seconds=_POLL_SECONDS):
        answer = question()
        if answer:
            return answer
    raise RehearsalError(f"waited {seconds:g} s in vain for {what}")


@dataclass
class Notes:
    """What was probed and noted so far, by topic."""

    observations: dict[str, list[Observation]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    clock: dict[str, float] = field(default_factory=dict)

    def see(self, topic: str, *observations: Observation) -> None:
        self.observations.setdefault(topic, []).extend(observations)


@dataclass
class Scene:
    """A rehearsal under way. `directory` receives everything; the sandbox belongs to the caller."""

    sandbox: Sandbox
    directory: Path
    factor: float
    notes: Notes = field(default_factory=Notes)
    release_file: Path = ROOT / "release.toml"

    def __post_init__(self) -> None:
        self.target = read_outputs(self.sandbox.outputs_path, environment="sandbox").target
        self.connection: Connection = connect(self.target, patient=True)
        self.outputs: Mapping[str, Any] = self.sandbox.outputs
        self.began_operations = max((int(o["sequence"]) for o in self.sandbox.operations()), default=0)
        self.began_mail = len(self.sandbox.mail())
        self.started_monotonic = time.monotonic()
        self._sides: dict[str, httpx.Client] = {}

    @property
    def endpoint(self) -> Endpoint:
        """The public address as a customer knows it."""
        return Endpoint(host=self.target.public_host, connect_to=self.target.connect_to, ca_file=self.target.ca_file)

    def side(self, slot: str) -> httpx.Client:
        """A client for one side's own address, with the header that opens it."""
        if slot not in self._sides:
            headers = {self.target.test_header_name: self.target.test_header_value}
            self._sides[slot] = client(self.endpoint.named(self.target.test_hosts[slot]), headers=headers)
        return self._sides[slot]

    def authority(self, client_id: str = "release-checks") -> Authority:
        """Where a synthetic tenant signs in."""
        return authority_of(self.sandbox, client_id)

    def record(self) -> Record | None:
        return self.connection.store.load(self.target.key)

    def live_and_next(self) -> tuple[str, str]:
        return self.connection.router.roles()

    def clock_line(self) -> dict[str, float]:
        """One instant on both clocks, to be taken while virtual time runs at the rehearsal's factor: taken later, every
        instant of the rehearsal would be off by the time in between."""
        return {"monotonic": time.monotonic(), "virtual": self.connection.clock.wall(), "factor": self.factor}

    def change_plan(self, changes: Mapping[str, object]) -> None:
        """Release by the plan in force but for `changes`: keys of [plan], values as TOML writes them."""
        if not changes:
            return
        text = self.release_file.read_text(encoding="utf-8")
        for name, value in changes.items():
            text = re.sub(rf"(?m)^{name} *= *(\[\n(?:.*\n)*?\]\n|.*\n)", "", text)
            text = text.replace("[plan]\n", f"[plan]\n{name} = {value}\n", 1)
        self.release_file = self.directory / "release.toml"
        self.release_file.write_text(text, encoding="utf-8")

    # ------------------------------------------------------------------------------------------- processes

    @contextmanager
    def stream(self, rate: float, *, mixed: bool = False) -> Iterator[Callable[[], None]]:
        """Customers' requests at `rate` per real second until the block ends; `mixed` adds long requests and posts.
        What it yields thins the stream to a fifth."""
        stop, output = self.directory / "stop-stream", self.directory / "stream"
        command = [sys.executable, "-m", "probes.stream", "--url", self.endpoint.url("/api/v1/status")]
        command += ["--rate", str(rate), "--max-seconds", "600", "--output", str(output), "--stop-file", str(stop)]
        command += [word for entry in self.target.connect_to for word in ("--connect-to", entry)]
        command += ["--ca-file", str(self.target.ca_file), "--thin-every", str(_THIN_EVERY)]
        if mixed:
            command += self._mixture()
        process = _spawn(command, self.directory / "stream.log", stdout=subprocess.PIPE)
        try:
            self._await_stream(process)
            yield lambda: process.send_signal(signal.SIGUSR1)
            await_drained = 10.0
            stop.touch()
            process.wait(await_drained)
        finally:
            _end(process)

    def _await_stream(self, process: subprocess.Popen[bytes]) -> None:
        line = process.stdout.readline() if process.stdout is not None else b""
        if not line:
            log = (self.directory / "stream.log").read_text(encoding="utf-8", errors="replace")
            raise RehearsalError(f"the stream of requests did not start: {log[-500:]}")
        self.notes.facts["stream_run"] = json.loads(line)["run"]

    def _mixture(self) -> list[str]:
        """Long requests and posts in flight. The posts carry the synthetic tenant's token, in a file."""
        asker = client(self.endpoint)
        token = fetch_token(asker, self.authority("load-test"))
        if isinstance(token, Cause):
            raise RehearsalError(f"the stream's client could not sign in: {token.sentence}")
        path = self.directory / "token"
        path.touch(mode=0o600)
        path.write_text(token, encoding="ascii")
        slow = ["--slow-path", "/api/v1/slow?seconds=2", "--slow-every", "500"]
        return [
            *slow,
            "--post-path",
            "/api/v1/items",
            "--post-body",
            _ITEM,
            "--post-every",
            "500",
            "--token-file",
            str(path),
        ]

    def start_rollout(self, *options: str) -> subprocess.Popen[bytes]:
        """The operator's command, as a person or a pipeline types it."""
        _, candidate = self.live_and_next()
        # The expanding migrations go before the candidate; the live version goes on with either schema.
        self.sandbox.migrate(self.next_version())
        command = [sys.executable, "-m", "rollout", "run", "--environment", "sandbox"]
        command += ["--outputs", str(self.sandbox.outputs_path), "--release-file", str(self.release_file)]
        command += ["--version", self.next_version(), "--log-format", "json", *options]
        self.notes.facts["candidate"] = candidate
        return _spawn(command, self.directory / "rollout.log", stdout=subprocess.DEVNULL)

    def ask(self, kind: str, *, reason: str) -> None:
        """Ask the engine as an operator does with `rollout confirm`, `rollout rollback` and the like."""
        request = OperatorRequest(kind=kind, by="rehearsal", reason=reason, at=self.connection.clock.wall())
        self.connection.store.request(self.target.key, request)

    def confirm(self) -> None:
        """Say that the prepared candidate may meet customers."""
        self.ask("confirm", reason="probed on its own address")

    def next_version(self) -> str:
        """The version that is not live: the newer one first, then back."""
        stable, _ = self.live_and_next()
        live = self.connection.ports.sources.services.read(stable).image
        others = [name for name, digest in sorted(self.outputs["images"].items()) if digest not in live]
        if not others:
            raise RehearsalError("every known image is live already; the sandbox offers nothing to release")
        return str(others[-1])

    def await_state(self, *states: str, seconds: float, process: subprocess.Popen[bytes]) -> Record:
        """The record once it is in one of `states`. Raises RehearsalError when the command ended before."""

        def look() -> Record | None:
            ended = process.poll() is not None
            record = self.record()
            if record is not None and record.state in states:
                return record
            if ended:
                state = record.state if record else "nothing on record"
                raise RehearsalError(f"`rollout run` ended with {process.returncode} in {state}: {self.last_words()}")
            return None

        return await_condition(look, seconds=seconds, what=f"the rollout to be {' or '.join(states)}")

    def last_words(self) -> str:
        log = self.directory / "rollout.log"
        return log.read_text(encoding="utf-8", errors="replace")[-600:] if log.exists() else ""

    # ------------------------------------------------------------------------------------------- the result

    def result(self, *, exit_code: int | None) -> dict[str, Any]:
        """The document of result.json."""
        record = self.record()
        store = self.connection.store
        status = self.sandbox.status()
        return {
            "seconds": time.monotonic() - self.started_monotonic,
            "exit_code": exit_code,
            "record": json.loads(encode_record(record)) if record else None,
            "plan": dict(store.plan(record.rollout_id)) if record else None,
            "journal": list(store.journal(record.rollout_id)) if record else [],
            "operations": self.sandbox.operations(self.began_operations),
            "alerts": self.sandbox.mail()[self.began_mail :],
            "clock": self.notes.clock or self.clock_line(),
            "status": status,
            "stream_run": self.notes.facts.get("stream_run", ""),
            "service_errors": service_errors(self.sandbox.directory / "logs"),
            "facts": self.notes.facts,
            "observations": {topic: [asdict(seen) for seen in rows] for topic, rows in self.notes.observations.items()},
        }


def authority_of(sandbox: Sandbox, client_id: str) -> Authority:
    """A synthetic tenant of the sandbox; it may ask for tokens that end at once or are for another audience."""
    return Authority(
        client_id=client_id,
        client_secret=str(sandbox.description["client_secrets"][client_id]),
        scope="items:read items:write offline_access",
        sign=sign_with((sandbox.directory / "private" / "signing.key").read_bytes()),
        short_lived={"lifetime_seconds": "1"},
        elsewhere={"audience": "https://reports.shop.example"},
    )


def service_errors(logs: Path) -> list[dict[str, Any]]:
    """Every 5xx that a task of the service says it answered, from its own log."""
    paths = sorted(logs.glob("service-*.log"))
    lines = (line for path in paths for line in path.read_text(encoding="utf-8").splitlines())
    return [json.loads(line) for line in lines if line.startswith("{")]


def _spawn(command: list[str], log: Path, *, stdout: int) -> subprocess.Popen[bytes]:
    with log.open("wb") as errors:
        return subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stdout, stderr=errors, env={**os.environ, "CI": ""}
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process by its id if it still runs: ask, then insist."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


end_process = _end
