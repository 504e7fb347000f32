"""The client, and the probes for health, headers, routes, the API's shape and DNS, against real servers."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from probes import http
from probes.failures import Cause, Kind
from probes.http import Answer, ask, client
from probes.target import Endpoint
from tests.contract.probe_world import (
    HOST,
    Asked,
    Authorities,
    Reply,
    Serve,
    Zone,
    closed_port,
    dns_server,
    document,
    endpoint_at,
    http_server,
    leaf,
    raw_server,
    server_context,
)

pytest_plugins = ("tests.contract.probe_fixtures",)


@pytest.fixture(scope="module")
def context(loopback_ca: Authorities, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Presents a good certificate for the public host and a test host."""
    return server_context(leaf(loopback_ca.below, names=(HOST, "blue.shop.example")), tmp_path_factory.mktemp("key"))


@contextmanager
def asking(serve: Serve, loopback_ca: Authorities, context: ssl.SSLContext) -> Iterator[httpx.Client]:
    """A client of a TLS server that answers with `serve`."""
    with http_server(serve, context) as port, client(endpoint_at(port, loopback_ca.file)) as asker:
        yield asker


def echo(asked: Asked) -> Reply:
    """Tells what arrived."""
    return document({"path": asked.path, "host": asked.headers["host"], "cookie": asked.headers.get("cookie")})


def test_the_detour_keeps_name_and_certificate(loopback_ca: Authorities, context: ssl.SSLContext) -> None:
    """Dialled elsewhere, verified for the host."""
    with asking(echo, loopback_ca, context) as asker:
        answer = ask(asker, "/a?b=1")

    assert isinstance(answer, Answer)
    assert answer.mapping() == {"path": "/a?b=1", "host": HOST, "cookie": None}
    assert answer.url == f"https://{HOST}/a?b=1"
    assert 0 < answer.seconds < 2


def test_a_detour_does_not_excuse_a_wrong_certificate(loopback_ca: Authorities, context: ssl.SSLContext) -> None:
    """Another host at the same address is still another host, also after a good connection was opened."""
    with http_server(echo, context) as port, client(endpoint_at(port, loopback_ca.file)) as asker:
        good, wrong = ask(asker, "/"), ask(asker, "https://www.other.example/")

    assert isinstance(good, Answer)
    assert isinstance(wrong, Cause)
    assert wrong.kind is Kind.TLS
    assert "Hostname mismatch" in wrong.sentence


def test_names_at_one_address_do_not_share_connections(loopback_ca: Authorities, context: ssl.SSLContext) -> None:
    """Each name has its own handshake, so its own certificate check."""
    ports = set()

    def note(asked: Asked) -> Reply:
        ports.add(asked.client)
        return echo(asked)

    with http_server(note, context) as port, client(endpoint_at(port, loopback_ca.file)) as asker:
        for url in ("/", "https://blue.shop.example/", "/"):
            assert isinstance(ask(asker, url), Answer)

    assert len(ports) == 2


def test_a_nameserver_leads_the_client(loopback_ca: Authorities, context: ssl.SSLContext) -> None:
    """Without a detour the declared resolver is asked, and nobody else."""
    zone = Zone()
    zone.add(HOST, "A", "127.0.0.1")
    with http_server(echo, context) as port, dns_server(zone) as nameserver:
        endpoint = Endpoint(host=HOST, port=port, ca_file=loopback_ca.file, nameserver=nameserver)
        with client(endpoint) as asker:
            found, lost = ask(asker, "/"), ask(asker, f"https://nowhere.example:{port}/")

    assert isinstance(found, Answer)
    assert found.mapping()["host"] == f"{HOST}:{port}"
    assert isinstance(lost, Cause)
    assert lost.kind is Kind.NAME


def test_redirects_and_cookies_are_left_to_the_probes(loopback_ca: Authorities, context: ssl.SSLContext) -> None:
    """Nothing is followed, nothing is kept."""

    def redirect(asked: Asked) -> Reply:
        if asked.path == "/there":
            return echo(asked)
        return Reply(302, (("Location", "/there"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")))

    with asking(redirect, loopback_ca, context) as asker:
        first, second = ask(asker, "/"), ask(asker, "/there")

    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert (first.status, first.values("Set-Cookie"), first.header("location")) == (302, ("a=1", "b=2"), "/there")
    assert second.mapping()["cookie"] is None


def test_the_environments_proxies_are_ignored(
    loopback_ca: Authorities, context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe asks the target, not a proxy."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")

    with asking(echo, loopback_ca, context) as asker:
        assert isinstance(ask(asker, "/"), Answer)


def test_another_client_address(loopback_ca: Authorities, context: ssl.SSLContext) -> None:
    """Seen from the server, it is somebody else."""
    with http_server(lambda asked: document({"from": asked.client[0]}), context) as port:
        endpoint = endpoint_at(port, loopback_ca.file)
        with client(endpoint, local_address="127.0.0.77") as asker:
            answer = ask(asker, "/")

    assert isinstance(answer, Answer)
    assert answer.mapping() == {"from": "127.0.0.77"}


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", Kind.RESET),
        (b"SSH-2.0-nonsense\r\n\r\n", Kind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf", Kind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nhalf", Kind.PROTOCOL),
    ],
    ids=["hangs up", "no HTTP", "cut short", "no gzip"],
)
def test_broken_answers_are_causes(raw: bytes, kind: Kind, loopback_ca: Authorities, context: ssl.SSLContext) -> None:
    """With the target in the sentence."""
    with asking(lambda _: Reply(raw=raw), loopback_ca, context) as asker:
        cause = ask(asker, "/")

    assert isinstance(cause, Cause)
    assert cause.kind is kind
    assert f"GET https://{HOST}/" in cause.sentence


def test_a_refused_connection(loopback_ca: Authorities) -> None:
    """Named as such."""
    with client(endpoint_at(closed_port(), loopback_ca.file)) as asker:
        cause = ask(asker, "/")

    assert cause == Cause(Kind.REFUSED, f"GET https://{HOST}/ refuses connections")


def test_an_untrusted_certificate(context: ssl.SSLContext) -> None:
    """The system's store does not know the test's root."""
    with http_server(echo, context) as port, client(endpoint_at(port)) as asker:
        cause = ask(asker, "/")

    assert isinstance(cause, Cause)
    assert (cause.kind, "does not verify" in cause.sentence) == (Kind.TLS, True)


def test_waiting_ends(loopback_ca: Authorities, context: ssl.SSLContext) -> None:
    """By the client's timeout, and by the budget for a body that drips."""
    done = threading.Event()

    def hang(_: Asked) -> Reply:
        done.wait(5)
        return Reply()

    with ExitStack() as stack:
        port = stack.enter_context(http_server(hang, context))
        asker = stack.enter_context(client(endpoint_at(port, loopback_ca.file), timeout_seconds=0.2))
        started = time.monotonic()
        cause = ask(asker, "/")
        done.set()

    assert isinstance(cause, Cause)
    assert cause.kind is Kind.TIMEOUT
    assert time.monotonic() - started < 2


def drip(context: ssl.SSLContext, piece: bytes, pause_seconds: float) -> Iterator[int]:
    """A server that sends its body piece by piece, without end."""

    def talk(connection: object) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:  # type: ignore[call-overload]
            secured.recv(4096)
            secured.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n")
            waiting = threading.Event()
            while True:
                secured.sendall(piece)
                waiting.wait(pause_seconds)

    with raw_server(talk) as port:
        yield port


@pytest.mark.parametrize(
    ("piece", "pause_seconds", "says"),
    [(b"x", 0.05, "still sending"), (b"x" * 500_000, 0.0, "more than 1000000 bytes")],
)
def test_a_body_without_end_is_not_read_forever(
    piece: bytes,
    pause_seconds: float,
    says: str,
    loopback_ca: Authorities,
    context: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither a slow one nor a large one."""
    monkeypatch.setattr(http, "LARGEST_BODY_BYTES", 1_000_000)
    with ExitStack() as stack:
        port = stack.enter_context(contextmanager(drip)(context, piece, pause_seconds))
        cause = ask(stack.enter_context(client(endpoint_at(port, loopback_ca.file), timeout_seconds=0.2)), "/")

    assert isinstance(cause, Cause)
    assert says in cause.sentence


def test_a_ca_file_that_cannot_be_read_is_wrong_use(tmp_path: Path) -> None:
    """It raises when the client is made."""
    with pytest.raises(OSError, match="No such file"):
        client(Endpoint(host=HOST, ca_file=str(tmp_path / "missing.pem")))
