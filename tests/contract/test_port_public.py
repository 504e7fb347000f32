"""PublicHealth: the fake and the HTTPS client count answers alike; then what only a real connection shows."""

from __future__ import annotations

import dataclasses
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol

import pytest
from cloud_world import make_certificate

from rollout.adapters.endpoint import Address, PublicEndpoint, address_of
from rollout.errors import BadInput, SourceError
from rollout.ports import PublicHealth
from rollout.target import Target
from tests.fakes.public import FakePublicHealth

HOST, LOOPBACK = "api.shop.example", "127.31.7.4"
TARGET = Target(
    environment="contract",
    region="us-east-1",
    account_id="1",
    load_balancer_arn="",
    listener_arn="",
    rule_arn="",
    target_group_arns={},
    cluster_name="",
    service_names={},
    task_definition_family="",
    container_name="",
    image_repository="",
    state_table="",
    alert_topic_arn="",
    hosted_zone_id="",
    public_host=HOST,
)


class Server:
    """HTTPS on loopback with a certificate for HOST. `status`, `headers`, `body` are what it answers next."""

    def __init__(self, directory: Path) -> None:
        certificate, key = make_certificate(HOST)
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(certificate)
        both = directory / "both.pem"
        both.write_bytes(certificate + key)
        self.status, self.body = 200, b"{}"
        self.headers: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []  # path, Host
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        self._server = ThreadingHTTPServer((LOOPBACK, 0), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append((self.path, str(self.headers["Host"])))
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, format: str, *args: object) -> None:
                """Requests are in `seen`."""

        return Handler


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("tls"))
    yield one
    one.stop()


class Front(Protocol):
    @property
    def public(self) -> PublicHealth: ...

    def answer(self, slot: str, version: str) -> None: ...

    def fail(self) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.public = FakePublicHealth()

    def answer(self, slot: str, version: str) -> None:
        self.public.answer = (slot, version)

    def fail(self) -> None:
        self.public.answer = "status 503"


class OverHttps:
    def __init__(self, server: Server) -> None:
        self.server = server
        server.status, server.headers = 200, {}
        self.target = dataclasses.replace(
            TARGET, connect_to=(f"{HOST}:443:{LOOPBACK}:{server.port}",), ca_file=str(server.ca_file)
        )
        self.public = PublicEndpoint(self.target)

    def answer(self, slot: str, version: str) -> None:
        self.server.status = 200
        self.server.body = json.dumps({"status": "ok", "slot": slot, "version": version}).encode()

    def fail(self) -> None:
        self.server.status = 503


@pytest.fixture(params=["fake", "https"])
def front(request: pytest.FixtureRequest) -> Iterator[Front]:
    if request.param == "fake":
        yield InMemory()
        return
    over = OverHttps(request.getfixturevalue("server"))
    yield over
    over.public.close()


@pytest.fixture
def over_https(server: Server) -> Iterator[OverHttps]:
    over = OverHttps(server)
    yield over
    over.public.close()


def test_the_present_answer_is_told(front: Front) -> None:
    front.answer("green", "1.0.0")

    assert front.public.current() == ("green", "1.0.0")


def test_no_answer_is_an_error(front: Front) -> None:
    front.fail()

    with pytest.raises(SourceError, match="503"):
        front.public.current()


def test_answers_are_counted_over_calls(front: Front) -> None:
    front.answer("green", "1.0.0")

    seen = [front.public.in_a_row(slot="green", version="1.0.0", wanted=3).in_a_row for _ in range(3)]

    assert seen == [1, 2, 3]


@pytest.mark.parametrize(("slot", "version"), [("blue", "1.0.0"), ("green", "1.1.0")], ids=["slot", "version"])
def test_any_other_answer_starts_the_count_anew(front: Front, slot: str, version: str) -> None:
    """The slot alone is not enough: the same colour may carry another version."""
    front.answer("green", "1.0.0")
    front.public.in_a_row(slot="green", version="1.0.0", wanted=3)
    front.answer(slot, version)
    other = front.public.in_a_row(slot="green", version="1.0.0", wanted=3)
    front.answer("green", "1.0.0")

    again = front.public.in_a_row(slot="green", version="1.0.0", wanted=3)

    assert (other.in_a_row, again.in_a_row) == (0, 1)
    assert f"{slot} {version}" in other.detail


def test_a_failure_starts_the_count_anew(front: Front) -> None:
    front.answer("green", "1.0.0")
    front.public.in_a_row(slot="green", version="1.0.0", wanted=3)
    front.fail()

    seen = front.public.in_a_row(slot="green", version="1.0.0", wanted=3)

    assert (seen.in_a_row, seen.detail) == (0, "status 503")


def test_another_wish_starts_the_count_anew(front: Front) -> None:
    front.answer("green", "1.0.0")
    front.public.in_a_row(slot="green", version="1.0.0", wanted=3)

    assert front.public.in_a_row(slot="green", version="", wanted=3).in_a_row == 1


# ------------------------------------------------------------------------------------------------ the connection


def test_the_request_names_the_public_host(over_https: OverHttps) -> None:
    """Another address, the same SNI and Host; the certificate of that host is verified."""
    over_https.answer("green", "1.0.0")
    over_https.public.current()

    assert over_https.server.seen[-1] == ("/health", HOST)


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (301, b"", "status 301"),
        (200, b"<html>", "not JSON"),
        (200, b"[]", "names no slot"),
        (200, b'{"slot": "green"}', "names no slot or no version"),
        (200, b'{"slot": "green", "version": 7}', "names no slot or no version"),
        (200, b'{"slot": "", "version": "1"}', "empty"),
    ],
    ids=["redirect", "html", "list", "no-version", "number", "empty"],
)
def test_an_answer_that_does_not_tell_counts_for_nothing(
    over_https: OverHttps, status: int, body: bytes, told: str
) -> None:
    over_https.server.status, over_https.server.body = status, body
    over_https.server.headers = {"Location": f"https://{HOST}/health"}

    seen = over_https.public.in_a_row(slot="green", version="1.0.0", wanted=1)

    assert (seen.in_a_row, told in seen.detail) == (0, True)


def test_a_certificate_of_somebody_else_is_no_answer(over_https: OverHttps) -> None:
    wrong = dataclasses.replace(
        over_https.target, public_host="other.example", connect_to=(f":443:{LOOPBACK}:{over_https.server.port}",)
    )

    with pytest.raises(SourceError, match=r"certificate verify failed|CERTIFICATE_VERIFY_FAILED"):
        PublicEndpoint(wrong).current()


def test_an_unknown_authority_is_no_answer(over_https: OverHttps) -> None:
    seen = PublicEndpoint(dataclasses.replace(over_https.target, ca_file=None)).in_a_row(
        slot="green", version="1.0.0", wanted=1
    )

    assert (seen.in_a_row, "ConnectError" in seen.detail) == (0, True)


@pytest.mark.parametrize(
    ("connect_to", "address"),
    [
        ((), Address(HOST, 443)),
        ((f"{HOST}:443:127.0.0.9:8443",), Address("127.0.0.9", 8443)),
        ((f"{HOST}:80:127.0.0.9:8080", f"{HOST}:443:127.0.0.9:8443"), Address("127.0.0.9", 8443)),
        (("other.example:443:127.0.0.9:8443",), Address(HOST, 443)),
        (("::127.0.0.9:8443",), Address("127.0.0.9", 8443)),
        ((f"{HOST}:443::8443",), Address(HOST, 8443)),
    ],
    ids=["none", "host", "second", "other-host", "any", "port-only"],
)
def test_connect_to_is_read_as_curl_does(connect_to: tuple[str, ...], address: Address) -> None:
    assert address_of(HOST, connect_to) == address


def test_a_malformed_connect_to_is_refused() -> None:
    with pytest.raises(BadInput, match="malformed"):
        address_of(HOST, ("127.0.0.9",))
