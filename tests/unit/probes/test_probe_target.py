"""Where a probe asks, what failures are called, and who answered."""

from __future__ import annotations

import errno
import socket
import ssl

import dns.exception
import dns.resolver
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.failures import Cause, Kind, cause_of
from probes.http import Answer
from probes.identity import Identity, identity_of, named_in_body, same_digest
from probes.question import Question, worst
from probes.target import Detour, Endpoint, parse_detour, parse_nameserver, resolver_at
from probes.waiting import Tries
from rollout.model import Verdict


@pytest.mark.parametrize(
    ("entry", "detour"),
    [
        ("a.example:443:127.0.0.2:8443", Detour(host="a.example", port=443, address="127.0.0.2", address_port=8443)),
        (":443:127.0.0.2:8443", Detour(host="", port=443, address="127.0.0.2", address_port=8443)),
        ("a.example::127.0.0.2:", Detour(host="a.example", port=0, address="127.0.0.2", address_port=0)),
        ("a.example:443:[::1]:8443", Detour(host="a.example", port=443, address="::1", address_port=8443)),
    ],
)
def test_detours_are_read_as_curl_reads_them(entry: str, detour: Detour) -> None:
    """Empty fields match, or keep, anything."""
    assert parse_detour(entry) == detour


@pytest.mark.parametrize(
    "entry", ["", "a:b", "a:443:b", "a:0:b:1", "a:x:b:1", "a:443:b:65536", "a:443:b:1:2", "a:٤:b:1"]
)
def test_a_malformed_detour_is_wrong_use(entry: str) -> None:
    """It raises at once, naming the entry."""
    with pytest.raises(ValueError, match="connect_to entry"):
        Endpoint(host="a", connect_to=(entry,))


@given(st.text())
def test_no_text_breaks_the_detour_parser(entry: str) -> None:
    """Either a detour or ValueError."""
    try:
        assert isinstance(parse_detour(entry), Detour)
    except ValueError as error:
        assert "connect_to entry" in str(error)  # noqa: PT017  # either outcome is right here


def test_the_first_matching_detour_is_dialled() -> None:
    """By host and port, without regard to case."""
    endpoint = Endpoint(host="a.example", connect_to=("b.example:443:127.0.0.2:1", "A.example:443:127.0.0.3:2"))

    assert endpoint.address_of("a.example", 443) == ("127.0.0.3", 2)
    assert endpoint.address_of("a.example", 80) == ("a.example", 80)
    assert endpoint.named("b.example").address_of("b.example", 443) == ("127.0.0.2", 1)


def test_addresses_are_not_resolved() -> None:
    """A nameserver is for names only."""
    endpoint = Endpoint(host="127.0.0.9", nameserver="127.0.0.1:9")

    assert endpoint.address_of("127.0.0.9", 443) == ("127.0.0.9", 443)
    assert endpoint.address_of("::1", 443) == ("::1", 443)


def test_urls_hide_the_port_that_goes_without_saying() -> None:
    """As a customer would type them."""
    assert Endpoint(host="a.example").url("/health") == "https://a.example/health"
    assert Endpoint(host="a.example").url("/health", scheme="http") == "http://a.example/health"
    assert Endpoint(host="a.example", port=8443).url() == "https://a.example:8443/"


@pytest.mark.parametrize("host", ["", "https://a.example", "a.example/health"])
def test_a_host_is_a_bare_name(host: str) -> None:
    """Anything else is wrong use."""
    with pytest.raises(ValueError, match="bare host name"):
        Endpoint(host=host)


@pytest.mark.parametrize(
    ("text", "pair"),
    [("10.0.0.2", ("10.0.0.2", 53)), ("127.0.0.1:5353", ("127.0.0.1", 5353)), ("[::1]:54", ("::1", 54))],
)
def test_nameservers(text: str, pair: tuple[str, int]) -> None:
    """Port 53 unless said otherwise."""
    assert parse_nameserver(text) == pair


def test_a_malformed_nameserver_is_wrong_use() -> None:
    """It raises when the endpoint is made, not when it is asked."""
    with pytest.raises(ValueError, match="nameserver"):
        Endpoint(host="a.example", nameserver="1:2:3")


def test_the_system_resolver_is_the_default() -> None:
    """With a lifetime all the same."""
    try:
        resolver = resolver_at(None, lifetime_seconds=1.5)
    except dns.resolver.NoResolverConfiguration:
        pytest.skip("this machine has no resolver configured: there is nothing to read")

    assert resolver.lifetime == 1.5


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(), Kind.REFUSED),
        (ConnectionResetError(), Kind.RESET),
        (TimeoutError(), Kind.TIMEOUT),
        (httpx.ReadTimeout(""), Kind.TIMEOUT),
        (ssl.SSLError(1, "wrong version number"), Kind.TLS),
        (ssl.SSLEOFError(8, "EOF"), Kind.RESET),
        (socket.gaierror(-2, "Name or service not known"), Kind.NAME),
        (dns.resolver.NXDOMAIN(), Kind.NAME),
        (dns.resolver.LifetimeTimeout(timeout=1, errors=[]), Kind.TIMEOUT),
        (dns.exception.DNSException("bad"), Kind.NAME),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), Kind.RESET),
        (httpx.RemoteProtocolError("illegal status line"), Kind.PROTOCOL),
        (httpx.ReadError(""), Kind.RESET),
        (httpx.InvalidURL("no"), Kind.PROTOCOL),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), Kind.OTHER),
        (httpx.CloseError("odd"), Kind.OTHER),
    ],
    ids=lambda value: value.__class__.__name__ if isinstance(value, Exception) else value,
)
def test_causes(error: Exception, kind: Kind) -> None:
    """Every failure has a kind and a sentence that names the target."""
    cause = cause_of(error, "GET https://a.example/")

    assert cause.kind == kind
    assert "https://a.example/" in cause.sentence


def test_the_innermost_cause_is_named() -> None:
    """HTTP clients wrap; people want to know what happened."""
    try:
        try:
            raise ConnectionRefusedError
        except OSError as inner:
            raise httpx.ConnectError("All connection attempts failed") from inner
    except httpx.ConnectError as error:
        assert cause_of(error, "x") == Cause(Kind.REFUSED, "x refuses connections")  # noqa: PT017  # a made-up chain


def answer(body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer that only carries an identity."""
    return Answer(url="u", status=200, headers=headers, body=body, seconds=0.0)


def test_the_body_names_who_answered_before_the_headers_do() -> None:
    """Headers fill what the body leaves out."""
    seen = answer(b'{"slot": "green", "release": "abcdef012345"}', (("x-slot", "blue"), ("x-version", "1.0.0")))

    assert identity_of(seen) == Identity(slot="green", version="1.0.0", digest="abcdef012345")
    assert named_in_body(seen) == Identity(slot="green", digest="abcdef012345")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"slot": 5}'])
def test_a_body_that_names_nobody(body: bytes) -> None:
    """No body breaks the reader."""
    assert named_in_body(answer(body)) == Identity()
    assert answer(body).header("x") is None


def test_only_what_is_expected_is_compared() -> None:
    """And everything that differs is said."""
    told = Identity(slot="blue", version="1.1.0", digest="abcdef012345")

    assert told.differs_from(Identity(slot="blue")) == ""
    assert told.differs_from(Identity(slot="blue", digest="sha256:abcdef0123456789")) == ""
    problem = told.differs_from(Identity(slot="green", version="1.0.0", digest="sha256:0000"))
    assert (
        problem
        == "slot blue instead of green, version 1.1.0 instead of 1.0.0, digest abcdef012345 instead of sha256:0000"
    )
    assert Identity().differs_from(Identity(version="1")) == "version not named instead of 1"


@pytest.mark.parametrize(
    ("told", "same"),
    [
        ("sha256:ABCDEF0123", True),
        ("abcdef01", True),
        ("abcdef0", False),
        ("", False),
        (None, False),
        ("bbcdef01", False),
    ],
)
def test_digests_may_be_shortened(told: str | None, same: bool) -> None:
    """To eight characters, not fewer."""
    assert same_digest(told, "sha256:abcdef0123") is same


def test_the_worst_verdict_stands_for_all() -> None:
    """And nothing at all is no data."""
    question = Question(name="n", rule="r", source="s")
    good, bad = question.passed(1, "fine"), question.failed(2, "not fine")

    assert worst([good, bad, question.no_data("?"), question.source_error("!")]) is Verdict.FAIL
    assert worst([good, question.source_error("!"), question.no_data("?")]) is Verdict.SOURCE_ERROR
    assert worst([good]) is Verdict.PASS
    assert worst([]) is Verdict.NO_DATA
    assert bad.message == "not fine [s]"


class Clock:
    """Time that passes only when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now, self.pauses = 100.0, list[float]()

    def pause(self, seconds: float) -> None:
        self.pauses.append(round(seconds, 6))
        self.now += seconds


def test_tries_start_on_schedule_until_the_deadline() -> None:
    """A slow try shortens the pause after it."""
    clock = Clock()
    tries = Tries(deadline_seconds=7, interval_seconds=2, pause=clock.pause, monotonic=lambda: clock.now)
    seen = []
    for number in tries:
        seen.append(number)
        clock.now += 0.5

    assert (seen, clock.pauses) == ([0, 1, 2, 3], [1.5, 1.5, 1.5])
    assert tries.elapsed_seconds == 6.5


def test_there_is_always_one_try() -> None:
    """Even without time."""
    clock = Clock()

    assert list(Tries(deadline_seconds=0, interval_seconds=2, pause=clock.pause, monotonic=lambda: clock.now)) == [0]


def test_tries_that_take_longer_than_the_interval_do_not_pause() -> None:
    """They follow at once, and the deadline still holds."""
    clock = Clock()
    seen = []
    for number in Tries(deadline_seconds=5, interval_seconds=1, pause=clock.pause, monotonic=lambda: clock.now):
        seen.append(number)
        clock.now += 2

    assert (seen, clock.pauses) == ([0, 1, 2], [])
