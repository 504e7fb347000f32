"""The load generator's client against servers that keep no rule: one deadline, and a name for each failure."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import gevent
import pytest

from loadtests.answer import Answer
from loadtests.client import Client, Request
from loadtests.connection import NoAnswer
from loadtests.target import BadTarget, parse_target
from sandbox.service.tests.support import Authority

TIMEOUT_SECONDS = 0.5
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Behaviour = Callable[[socket.socket, "Server"], None]


@dataclass
class Server:
    """Accepts on loopback, one thread for each connection, until the test ends."""

    behaviour: Behaviour
    context: ssl.SSLContext | None = None
    connections: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    sockets: list[socket.socket] = field(default_factory=list)

    def start(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.sockets.append(self.listener)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.ended.is_set():
            with contextlib.suppress(OSError):  # the listener was closed, which ends the loop, or a client left
                accepted, _ = self.listener.accept()
                self.connections += 1
                self.sockets.append(accepted)
                threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the client may leave at any time; what it saw is what is asserted
            if self.context is not None:
                accepted = self.context.wrap_socket(accepted, server_side=True)
                self.sockets.append(accepted)
            self.behaviour(accepted, self)

    def stop(self) -> None:
        self.ended.set()
        for one in self.sockets:
            with contextlib.suppress(OSError):  # closed already
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def requests_of(connection: socket.socket) -> Iterator[bytes]:
    buffer = b""
    while data := connection.recv(65536):
        buffer += data
        while b"\r\n\r\n" in buffer:
            request, buffer = buffer.split(b"\r\n\r\n", 1)
            yield request


def right(connection: socket.socket, _: Server) -> None:
    for _ in requests_of(connection):
        connection.sendall(OK)


def closes_after_each(connection: socket.socket, _: Server) -> None:
    for _ in requests_of(connection):
        connection.sendall(OK)
        connection.close()
        return


def hangs(connection: socket.socket, server: Server) -> None:
    connection.recv(10)
    server.ended.wait(20)


def drips(connection: socket.socket, server: Server) -> None:
    """A byte now and then: no single wait is long, and the answer never comes."""
    connection.recv(65536)
    for byte in OK * 100:
        connection.sendall(bytes([byte]))
        if server.ended.wait(0.05):
            return


def never_reads(_: socket.socket, server: Server) -> None:
    server.ended.wait(20)


def says_nonsense(connection: socket.socket, _: Server) -> None:
    connection.recv(65536)
    connection.sendall(b"220 mail.example ready\r\n\r\n")


def leaves_halfway(connection: socket.socket, _: Server) -> None:
    connection.recv(65536)
    connection.sendall(OK[:-1])
    connection.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def started(behaviour: Behaviour, context: ssl.SSLContext | None = None) -> Server:
        server = Server(behaviour, context)
        server.start()
        servers.append(server)
        return server

    yield started
    for server in servers:
        server.stop()


def client_of(server: Server, **settings: str) -> Client:
    return Client(parse_target(f"http://127.0.0.1:{server.port}"), timeout_seconds=TIMEOUT_SECONDS, **settings)  # type: ignore[arg-type]


def send(client: Client, request: Request) -> Answer:
    return client.send(request, wanted=time.perf_counter())


def failure(client: Client, request: Request) -> tuple[str, float]:
    started = time.perf_counter()
    with pytest.raises(NoAnswer) as failed:
        client.send(request, wanted=started)
    return str(failed.value), time.perf_counter() - started


def test_a_connection_is_kept_and_used_again(serve: Callable[..., Server]) -> None:
    server = serve(right)
    client = client_of(server)
    answers = [send(client, client.request("GET", "/")) for _ in range(20)]
    client.close()

    assert {(answer.status, answer.body) for answer in answers} == {(200, b"ok")}
    assert server.connections == 1


def test_a_connection_that_the_server_closed_is_not_used_again(serve: Callable[..., Server]) -> None:
    server = serve(closes_after_each)
    client = client_of(server)
    request = client.request("GET", "/")
    for _ in range(5):
        assert send(client, request).body == b"ok"
        with gevent.Timeout(5):
            while any(connection.usable for connection in client._idle):
                gevent.sleep(0.001)

    assert server.connections == 5


@pytest.mark.parametrize("behaviour", [hangs, drips], ids=["hangs", "drips"])
def test_the_deadline_is_for_the_whole_answer(serve: Callable[..., Server], behaviour: Behaviour) -> None:
    client = client_of(serve(behaviour))
    said, seconds = failure(client, client.request("GET", "/"))

    assert said == "timed out"
    assert TIMEOUT_SECONDS <= seconds < TIMEOUT_SECONDS + 0.3


def test_the_deadline_holds_while_sending(serve: Callable[..., Server]) -> None:
    client = client_of(serve(never_reads))
    said, seconds = failure(client, client.request("POST", "/", body=b"x" * 30_000_000))

    assert said == "timed out sending"
    assert TIMEOUT_SECONDS <= seconds < TIMEOUT_SECONDS + 0.5


def test_the_deadline_holds_in_the_handshake(serve: Callable[..., Server]) -> None:
    server = serve(hangs)
    client = Client(parse_target(f"https://127.0.0.1:{server.port}"), timeout_seconds=TIMEOUT_SECONDS)
    said, seconds = failure(client, client.request("GET", "/"))

    assert said == "timed out in the TLS handshake"
    assert TIMEOUT_SECONDS <= seconds < TIMEOUT_SECONDS + 0.3


def test_the_deadline_counts_from_when_the_request_was_wanted(serve: Callable[..., Server]) -> None:
    """A request that the generator sends late does not get more time."""
    client = client_of(serve(hangs))
    started = time.perf_counter()
    with pytest.raises(NoAnswer):
        client.send(client.request("GET", "/"), wanted=started - TIMEOUT_SECONDS + 0.1)

    assert time.perf_counter() - started < 0.3


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [(says_nonsense, "no HTTP/1.1 answer"), (leaves_halfway, "connection closed by the server")],
    ids=["nonsense", "halfway"],
)
def test_what_is_no_answer_has_a_name(serve: Callable[..., Server], behaviour: Behaviour, said: str) -> None:
    client = client_of(serve(behaviour))

    assert failure(client, client.request("GET", "/"))[0] == said


def test_nobody_there_has_a_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = Client(parse_target(f"http://127.0.0.1:{port}"), timeout_seconds=TIMEOUT_SECONDS)

    assert failure(client, client.request("GET", "/"))[0] == "connection refused"


def test_a_name_that_nobody_knows_has_a_name() -> None:
    client = Client(parse_target("http://nobody.invalid"), timeout_seconds=5.0)

    assert failure(client, client.request("GET", "/"))[0] == "host name not found"


def test_hanging_requests_do_not_starve_the_others(serve: Callable[..., Server]) -> None:
    """Connections are not rationed: those that hang cost those that do not nothing."""

    def hangs_for_some(connection: socket.socket, server: Server) -> None:
        for request in requests_of(connection):
            if b"/hang" in request:
                server.ended.wait(20)
            connection.sendall(OK)

    client = client_of(serve(hangs_for_some))
    hanging, fine = client.request("GET", "/hang"), client.request("GET", "/fine")

    def timed() -> float:
        started = time.perf_counter()
        send(client, fine)
        return time.perf_counter() - started

    def hung() -> str:
        return failure(client, hanging)[0]

    greenlets = [gevent.spawn(hung) for _ in range(30)]
    gevent.sleep(0.1)
    seconds = [timed() for _ in range(50)]
    gevent.joinall(greenlets, timeout=5)

    assert [greenlet.value for greenlet in greenlets] == ["timed out"] * 30
    assert max(seconds) < TIMEOUT_SECONDS / 2


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "root")


def context_of(authority: Authority, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(name, "127.0.0.2"))
    return context


def over_tls(server: Server, *, ca_pem: str | None) -> Client:
    target = parse_target(
        "https://shop.example", connect_to=(f"shop.example:443:127.0.0.1:{server.port}",), ca_pem=ca_pem
    )
    return Client(target, timeout_seconds=5.0)


def test_tls_by_a_private_root_at_another_address(serve: Callable[..., Server], authority: Authority) -> None:
    """Name and certificate are those of the URL, whatever address is dialled; bodies beyond one record arrive whole."""
    body = bytes(range(256)) * 1000

    def tells(connection: socket.socket, _: Server) -> None:
        for request in requests_of(connection):
            assert b"Host: shop.example\r\n" in request + b"\r\n"
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    server = serve(tells, context_of(authority, "shop.example"))
    client = over_tls(server, ca_pem=authority.file.read_text())
    answers = [send(client, client.request("GET", "/")) for _ in range(3)]
    client.close()

    assert [answer.body for answer in answers] == [body] * 3
    assert server.connections == 1


def test_a_certificate_for_another_name_is_refused(serve: Callable[..., Server], authority: Authority) -> None:
    server = serve(right, context_of(authority, "other.example"))
    client = over_tls(server, ca_pem=authority.file.read_text())

    assert failure(client, client.request("GET", "/"))[0].startswith("certificate refused: Hostname mismatch")


def test_a_root_that_is_not_trusted_is_refused(serve: Callable[..., Server], authority: Authority) -> None:
    client = over_tls(serve(right, context_of(authority, "shop.example")), ca_pem=None)

    assert failure(client, client.request("GET", "/"))[0].startswith("certificate refused")


@pytest.mark.parametrize(
    ("url", "connect_to", "said"),
    [
        ("", (), "--host is missing"),
        ("shop.example", (), "must be http://HOST"),
        ("ftp://shop.example", (), "must be http://HOST"),
        ("https://shop.example/api", (), "paths belong to the requests"),
        ("https://user:word@shop.example", (), "only scheme, host and port"),
        ("https://shop.example:70000", (), "--host"),
        ("https://shop.example", ("a:b",), "HOST:PORT:ADDRESS:PORT"),
        ("https://shop.example", ("::[::1]:x",), "x is not a port"),
    ],
)
def test_a_target_that_is_none_is_refused(url: str, connect_to: tuple[str, ...], said: str) -> None:
    with pytest.raises(BadTarget, match=said):
        parse_target(url, connect_to=connect_to)


def test_a_ca_file_without_certificates_is_refused() -> None:
    target = parse_target("https://shop.example", ca_pem="nothing")

    with pytest.raises(BadTarget, match="--ca-file"):
        target.trust()


@pytest.mark.parametrize(
    ("host", "entry", "dialled"),
    [
        ("https://shop.example", "shop.example:443:127.0.0.9:8443", ("127.0.0.9", 8443)),
        ("https://SHOP.example", "shop.EXAMPLE:443:127.0.0.9:8443", ("127.0.0.9", 8443)),
        ("https://shop.example", "::127.0.0.9:", ("127.0.0.9", 443)),
        ("https://shop.example", "::[::1]:8443", ("::1", 8443)),
        ("https://shop.example", "other.example:443:127.0.0.9:8443", ("shop.example", 443)),
        ("https://shop.example:444", "shop.example:443:127.0.0.9:8443", ("shop.example", 444)),
    ],
)
def test_detours_mean_what_they_mean_to_curl(host: str, entry: str, dialled: tuple[str, int]) -> None:
    target = parse_target(host, connect_to=(entry,))

    assert (target.address, target.address_port) == dialled


def test_a_header_cannot_smuggle_a_request(serve: Callable[..., Server]) -> None:
    client = client_of(serve(right))

    with pytest.raises(ValueError, match="line break"):
        client.request("GET", "/", headers={"X-A": "1\r\nX-B: 2"})
    with pytest.raises(ValueError, match="no path"):
        client.request("GET", "/ HTTP/1.1\r\nX: y")
