"""What the tests of the service share: a certificate authority, database, cache, dependency, and tasks to talk to."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.addresses import claim_addresses
from sandbox.cache import Cache
from sandbox.postgres import Postgres
from sandbox.processes import Spawner, wait_until
from sandbox.service import image

ROOT = Path(__file__).resolve().parents[3]


@cache
def digest(version: str) -> str:
    """The digest of a version, computed once."""
    return image.digest(version)


def make_key() -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """A P-256 key and its PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    plain = serialization.NoEncryption()
    return key, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


class Authority:
    """A certificate authority that lives in a directory."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._key, _ = make_key()
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = self._builder(self._name, self._key).add_extension(constraints, critical=True)
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, address: str) -> tuple[Path, Path]:
        """Files (certificate, key) for `name` at `address`."""
        key, pem = make_key()
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address))]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key).add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        files = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(pem)
        return files

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )


class Dependency:
    """The external dependency: answers 200, or hangs, or answers 500."""

    def __init__(self, address: str) -> None:
        self.mode = "ok"
        self._released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if outer.mode == "hang":
                    outer._released.wait(5)
                self.send_response(500 if outer.mode == "down" else 200)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self.url = f"http://{address}:{self._server.server_port}/status"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()


@dataclass(frozen=True, kw_only=True)
class RunningTask:
    """A real task process and how to talk to it."""

    pid: int
    port: int | None
    fork_seconds: float
    fault_file: Path
    log_file: Path
    base_url: str
    context: ssl.SSLContext

    def client(self, **options: Any) -> httpx.Client:
        """A client that trusts the authority and shows its certificate, as the load balancer does."""
        return httpx.Client(base_url=self.base_url, verify=self.context, timeout=5.0, **options)

    def turn(self, **dials: object) -> None:
        """Write the slot's fault file, at once or not at all."""
        unfinished = self.fault_file.with_suffix(".new")
        unfinished.write_text(json.dumps(dials))
        unfinished.rename(self.fault_file)

    def failures(self) -> list[dict[str, Any]]:
        """The lines of the error log."""
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]

    def wait_for_rest(self) -> None:
        """Wait until no dial fails, delays or refuses answers any more."""

        def rested() -> bool:
            with self.client() as client:
                answers = [client.get("/api/v1/status") for _ in range(3)]
            return all(answer.status_code == 200 and answer.elapsed.total_seconds() < 0.05 for answer in answers)

        eventually(rested, "the dials coming to rest")

    def exit_status(self) -> int:
        """Wait status of the ended process, which stays a zombie until the tests' zygote ends (proc(5), field 52)."""
        return int(Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[49])

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        os.kill(self.pid, signal.SIGTERM)

    def ended(self) -> bool:
        """True once the process is gone or a zombie."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True


class World:
    """Everything that tasks need, on a loopback address of its own. Closed by the context manager `world`."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        addresses = claim_addresses()
        stack.callback(addresses.release)
        self.directory = directory
        self.address = addresses.internal
        self.spawner = Spawner()
        stack.callback(self.spawner.close)
        self.database = Postgres(
            self.spawner,
            directory=directory / "postgres",
            cache=ROOT / "build" / "cache",
            address=self.address,
            log_file=directory / "postgres.log",
        )
        self.cache = Cache(
            self.spawner, directory=directory / "redis", address=self.address, log_file=directory / "redis.log"
        )
        self.dependency = Dependency(self.address)
        stack.callback(self.dependency.close)
        self._authority = Authority(directory, "authority")
        self.server_files = self._authority.issue("task", self.address)
        self.client_files = self._authority.issue("load-balancer", self.address)
        line = [sys.executable, "-m", "sandbox.service.tests.zygote"]
        pipe = subprocess.PIPE
        self._zygote = subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        (directory / "signing.pem").write_bytes(make_key()[1])
        stack.callback(self._close)

    def start(self) -> None:
        """Start database and cache."""
        self.database.prepare()
        self.database.start()
        self.cache.start()

    def settings(self, slot: str, *, version: str = "1.0.0", task_id: str = "task-1", **more: object) -> dict[str, Any]:
        """Settings of a task, as the supervisor gives them."""
        certificate, key = map(str, self.server_files)
        return {
            "slot": slot,
            "version": version,
            "digest": digest(version),
            "task_id": f"{slot}-{task_id}",
            "address": self.address,
            "tls": {"certificate": certificate, "key": key, "client_ca": str(self._authority.file)},
            "database_url": self.database.url,
            "redis_url": self.cache.url,
            "external_url": self.dependency.url,
            "fault_file": str(self.directory / f"{slot}.json"),
            "clock_file": str(self.directory / "clock"),
            "signing_key_file": str(self.directory / "signing.pem"),
            "log_file": str(self.directory / f"{slot}.log"),
            "memory_limit_mib": 192,
            "cpu_share": 0.25,
            **more,
        }

    def context(self, *, with_certificate: bool = True) -> ssl.SSLContext:
        """TLS of a client."""
        context = ssl.create_default_context(cafile=str(self._authority.file))
        if with_certificate:
            context.load_cert_chain(*map(str, self.client_files))
        return context

    def strangers_context(self) -> ssl.SSLContext:
        """TLS of a client whose certificate another authority signed."""
        context = ssl.create_default_context(cafile=str(self._authority.file))
        files = Authority(self.directory, "strangers").issue("stranger", self.address)
        context.load_cert_chain(*map(str, files))
        return context

    def task(self, slot: str, **settings: Any) -> RunningTask:
        """Fork a task; returns when its port is known (None when it ended instead)."""
        values = self.settings(slot, **settings)
        answer = self._ask(values)
        return RunningTask(
            **answer,
            fault_file=Path(values["fault_file"]),
            log_file=Path(values["log_file"]),
            base_url=f"https://{self.address}:{answer['port']}",
            context=self.context(),
        )

    def _ask(self, settings: Mapping[str, object]) -> dict[str, Any]:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps(settings) + "\n")
        self._zygote.stdin.flush()
        answer: dict[str, Any] = json.loads(self._zygote.stdout.readline())
        return answer

    def _close(self) -> None:
        assert self._zygote.stdin is not None
        self._zygote.stdin.close()
        self._zygote.wait(5)
        self.cache.stop()
        self.database.stop()


@contextmanager
def world(directory: Path) -> Iterator[World]:
    """A world with database and cache running."""
    with ExitStack() as stack:
        made = World(directory, stack)
        made.start()
        yield made


def eventually(condition: Any, what: str, *, seconds: float = 5.0) -> Any:
    """Wait for a condition; an HTTP error counts as "not yet"."""

    def safe() -> Any:
        try:
            return condition()
        except httpx.HTTPError as error:
            raise OSError(str(error)) from error

    return wait_until(safe, seconds, what)


def raw(address: str, port: int | None, *, context: ssl.SSLContext, request: bytes) -> bytes:
    """Everything that comes back for these bytes (a line end and an empty line are added) until the connection ends."""
    plain = socket.create_connection((address, port or 0), timeout=5)
    with context.wrap_socket(plain, server_hostname=address) as connection:
        connection.sendall(request + b"\r\n\r\n")
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer
