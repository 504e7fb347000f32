"""The ClientHello made by hand, and what is read from the answer."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.tls_hello import (
    STRONG_SUITES,
    WEAK_SUITES,
    Accepted,
    Declined,
    UnreadableError,
    Version,
    client_hello,
    read_answer,
    suites_for,
    weakness_of,
)


def server_hello(version: int = 0x0303, suite: int = 0xC02B, *, session: bytes = b"", extensions: bytes = b"") -> bytes:
    """A record with a ServerHello."""
    body = version.to_bytes(2, "big") + bytes(32) + bytes([len(session)]) + session + suite.to_bytes(2, "big") + b"\0"
    if extensions:
        body += len(extensions).to_bytes(2, "big") + extensions
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message


def test_an_acceptance_names_version_and_suite() -> None:
    """From the fixed fields, whatever the session id's length."""
    assert read_answer(server_hello(0x0301, 0xC013, session=b"s" * 32)) == Accepted(0x0301, 0xC013)


def test_tls_1_3_is_told_by_an_extension() -> None:
    """supported_versions outranks the version field."""
    extensions = b"\x00\x33\x00\x02\x00\x1d" + b"\x00\x2b\x00\x02\x03\x04"

    assert read_answer(server_hello(suite=0x1301, extensions=extensions)) == Accepted(0x0304, 0x1301)


@pytest.mark.parametrize(("number", "name"), [(70, "protocol_version"), (40, "handshake_failure"), (99, "99")])
def test_an_alert_is_a_refusal(number: int, name: str) -> None:
    """And says which."""
    assert read_answer(b"\x15\x03\x01\x00\x02\x02" + bytes([number])) == Declined(f"alert {name}")


@pytest.mark.parametrize(
    "received",
    [
        b"HTTP/1.1 400 Bad Request",
        b"\x16\x03\x03\x00\x00",
        b"\x16\x03\x03\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x03\x00\x05\x0b\x00\x00\x01\x00",
        b"\x16\x03\x03\x00\x02\x02\x00",
    ],
    ids=["HTTP", "empty record", "empty hello", "another message", "cut short"],
)
def test_anything_else_is_no_tls(received: bytes) -> None:
    """Never mistaken for a decision."""
    with pytest.raises(UnreadableError):
        read_answer(received)


@given(st.integers(min_value=0, max_value=60))
def test_more_bytes_are_awaited(length: int) -> None:
    """A ServerHello that has not arrived whole is neither yes nor no."""
    whole = server_hello(session=b"s" * 32)

    answer = read_answer(whole[:length])

    assert answer == (Accepted(0x0303, 0xC02B) if length >= len(whole) else None)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(received: bytes) -> None:
    """Whatever comes, it is a decision, a wait, or no TLS."""
    try:
        assert isinstance(read_answer(received), Accepted | Declined | None)
    except UnreadableError as error:
        assert str(error)  # noqa: PT017  # either outcome is right here


@pytest.mark.parametrize("version", list(Version))
def test_the_hello_has_the_lengths_it_says(version: Version) -> None:
    """Record, message and version fields agree."""
    hello = client_hello("api.shop.example", version, suites=suites_for(version))

    assert hello[0] == 22
    assert int.from_bytes(hello[3:5], "big") == len(hello) - 5
    assert int.from_bytes(hello[6:9], "big") == len(hello) - 9
    assert int.from_bytes(hello[9:11], "big") == min(version, Version.TLS_1_2)


def test_openssl_understands_the_hello() -> None:
    """A real TLS library reads it as an offer of TLS 1.2: without a certificate it can only find no shared cipher."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(client_hello("api.shop.example", Version.TLS_1_2, suites=STRONG_SUITES))

    with pytest.raises(ssl.SSLError, match="NO_SHARED_CIPHER"):
        context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()

    assert read_answer(outgoing.read()) == Declined("alert handshake_failure")


def test_weak_and_strong_do_not_overlap() -> None:
    """Each weak suite has its group, no strong one has."""
    assert [weakness_of(suite) for suite in STRONG_SUITES] == [None] * len(STRONG_SUITES)
    assert weakness_of(WEAK_SUITES["RC4"][0]) == "RC4"


def test_labels() -> None:
    """As people write them."""
    assert [version.label for version in Version] == ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]
