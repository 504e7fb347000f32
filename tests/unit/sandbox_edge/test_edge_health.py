"""Target health: the state machine, the matcher, and real checks against a real TLS server."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from edge_examples import BLUE, group

from sandbox.contracts import TargetGroupView, TargetHealth, TargetView
from sandbox.edge.certificates import InternalAuthority
from sandbox.edge.health import HEALTHY, INITIAL, HealthChecker, Watch, matches

FAILURE = TargetHealth(state="unhealthy", reason="Target.Timeout", description="Request timed out")
TARGET = ("127.0.0.2", 1)


@pytest.mark.parametrize(
    ("matcher", "code", "expected"),
    [("200", 200, True), ("200", 204, False), ("200,204", 204, True), ("200-299", 250, True), ("200-299", 300, False)],
)
def test_matcher(matcher: str, code: int, expected: bool) -> None:
    """Single codes, lists and ranges, as ELBv2 writes them."""
    assert matches(matcher, code) is expected


def states(watch: Watch, checks: str) -> list[str]:
    """States after good (+), bad (-) and not counting bad (~) checks."""
    return [watch.observe(None if check == "+" else FAILURE, counts=check != "~").state for check in checks]


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        pytest.param("++", ["initial", "healthy"], id="two good checks"),
        pytest.param("+-++", ["initial", "initial", "initial", "healthy"], id="good ones in a row"),
        pytest.param("--", ["initial", "unhealthy"], id="two bad checks"),
        pytest.param("~~~++", ["initial"] * 4 + ["healthy"], id="slow start"),
        pytest.param("++-+--", ["initial", *["healthy"] * 4, "unhealthy"], id="one bad is none"),
        pytest.param("++--++", ["initial", "healthy", "healthy", "unhealthy", "unhealthy", "healthy"], id="recovers"),
    ],
)
def test_thresholds_count_checks_in_a_row(checks: str, expected: list[str]) -> None:
    """Two in a row either way; a first start is forgiven for a while."""
    assert states(Watch(group(), TARGET), checks) == expected


class FakePlane:
    """One target group; collects what the checker reports."""

    def __init__(self, view: TargetGroupView) -> None:
        self.view = view
        self.health: list[TargetHealth] = []

    def target_groups(self) -> Sequence[TargetGroupView]:
        return [self.view]

    def set_target_health(self, group_arn: str, ip: str, port: int, health: TargetHealth) -> None:
        assert group_arn == BLUE
        self.health.append(health)


class FastClock:
    """An hour a second."""

    def now(self) -> float:
        return 0.0

    def factor(self) -> float:
        return 3600.0

    def virtual_at(self, monotonic_seconds: float) -> float:
        return 0.0


def contexts(directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(server, client) of mutual TLS."""
    authority = InternalAuthority()
    found = []
    for name, identity, kind in (
        ("server", authority.service(), ssl.PROTOCOL_TLS_SERVER),
        ("client", authority.load_balancer(), ssl.PROTOCOL_TLS_CLIENT),
    ):
        (directory / f"{name}.pem").write_bytes(identity.full_chain)
        (directory / f"{name}.key").write_bytes(identity.key)
        context = ssl.SSLContext(kind)
        context.load_cert_chain(directory / f"{name}.pem", directory / f"{name}.key")
        context.load_verify_locations(cadata=authority.root_pem.decode())
        context.verify_mode = ssl.CERT_REQUIRED
        found.append(context)
    return found[0], found[1]


async def watch_states(tmp_path: Path, answer: bytes | None, expected: str) -> list[TargetHealth]:
    """Run a checker against a server with a fixed answer (None: nobody listens) until a state is reported."""
    server_context, client_context = contexts(tmp_path)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer or b"")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context)
    port = server.sockets[0].getsockname()[1]
    if answer is None:
        server.close()
        await server.wait_closed()
    plane = FakePlane(group([TargetView(ip="127.0.0.1", port=port, draining=False)]))
    told: list[Any] = []
    checker = HealthChecker(
        plane,  # type: ignore[arg-type]  # only what the checker asks for
        FastClock(),
        context=client_context,
        on_healthy=lambda name, targets: told.append((name, targets)),
    )
    running = asyncio.create_task(checker.run())
    async with asyncio.timeout(10):
        while not plane.health or plane.health[-1].state != expected:
            await asyncio.sleep(0.01)
    running.cancel()
    server.close()
    assert told[-1] == ("shop-api-blue", frozenset({("127.0.0.1", port)} if expected == "healthy" else set()))
    return plane.health


def test_target_that_answers_becomes_healthy(tmp_path: Path) -> None:
    """First initial, then healthy; and may have traffic."""
    reported = asyncio.run(watch_states(tmp_path, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "healthy"))

    assert reported == [INITIAL, HEALTHY]


def test_wrong_code_is_named(tmp_path: Path) -> None:
    """The description carries the code, as AWS's does."""
    reported = asyncio.run(watch_states(tmp_path, b"HTTP/1.1 503 Unavailable\r\n\r\n", "unhealthy"))

    assert reported[-1].reason == "Target.ResponseCodeMismatch"
    assert reported[-1].description == "Health checks failed with these codes: [503]"


def test_refused_connection_fails_the_check(tmp_path: Path) -> None:
    """Nobody listens."""
    reported = asyncio.run(watch_states(tmp_path, None, "unhealthy"))

    assert reported[-1].reason == "Target.FailedHealthChecks"


def test_the_check_brings_a_client_certificate(tmp_path: Path) -> None:
    """Without one the server side of mutual TLS refuses; the checks above went through."""
    server_context, _ = contexts(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        bare = ssl.create_default_context()
        bare.check_hostname = False
        bare.verify_mode = ssl.CERT_NONE
        client = socket.create_connection(listening.getsockname())
        accepted, _ = listening.accept()
        client.settimeout(5)

        async def handshake() -> None:
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(None, lambda: bare.wrap_socket(client))
            with pytest.raises(ssl.SSLError):
                await loop.run_in_executor(None, lambda: server_context.wrap_socket(accepted, server_side=True))
            (await future).close()

        asyncio.run(handshake())
