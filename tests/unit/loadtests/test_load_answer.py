"""Answers are read alike however the network cuts them, and what is none is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.answer import BODY_BYTES_MAX, Answer, AnswerReader, BadAnswer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Odd:  a b \r\n"


def read(*parts: bytes) -> Answer | None:
    reader, answer = AnswerReader(), None
    for part in parts:
        assert answer is None, "fed beyond the end"
        answer = reader.feed(part)
    return answer


def cut(raw: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted({place % len(raw) for place in places}), len(raw)]
    return [part for part in (raw[a:b] for a, b in zip(bounds, bounds[1:], strict=False)) if part]


def chunked(body: bytes, sizes: list[int], trailer: bytes) -> bytes:
    raw = b""
    for size in sizes:
        part, body = body[:size], body[size:]
        raw += b"%x;note=1\r\n%s\r\n" % (len(part), part) if part else b""
    raw += b"%X\r\n%s\r\n" % (len(body), body) if body else b""
    return raw + b"0\r\n" + trailer + b"\r\n"


@given(st.binary(max_size=300), st.lists(st.integers(0, 10_000), max_size=8))
def test_a_body_of_known_length_however_it_is_cut(body: bytes, places: list[int]) -> None:
    raw = HEAD + b"content-LENGTH: %d\r\n\r\n" % len(body) + body

    answer = read(*cut(raw, places))

    assert answer is not None
    assert (answer.status, answer.body, answer.keep_alive) == (200, body, True)
    assert answer.header("x-odd") == "a b"
    assert answer.header("missing") is None


@given(
    st.binary(max_size=300),
    st.lists(st.integers(1, 100), max_size=4),
    st.sampled_from([b"", b"X-Sum: 1\r\n"]),
    st.lists(st.integers(0, 10_000), max_size=8),
)
def test_a_chunked_body_however_it_is_cut(body: bytes, sizes: list[int], trailer: bytes, places: list[int]) -> None:
    raw = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, sizes, trailer)

    answer = read(*cut(raw, places))

    assert answer is not None
    assert (answer.body, answer.keep_alive) == (body, True)


@given(st.binary(max_size=100), st.lists(st.integers(0, 10_000), max_size=8))
def test_a_body_that_ends_with_the_connection(body: bytes, places: list[int]) -> None:
    reader = AnswerReader()
    for part in cut(HEAD + b"\r\n" + body, places):
        assert reader.feed(part) is None
    answer = reader.end()

    assert answer is not None
    assert (answer.body, answer.keep_alive) == (body, False)


@given(st.binary(max_size=400))
def test_whatever_arrives_is_an_answer_or_refused(raw: bytes) -> None:
    reader = AnswerReader()
    try:
        answer = reader.feed(raw) or reader.end()
    except BadAnswer as refused:
        assert str(refused)
    else:
        assert answer is None or 200 <= answer.status <= 999


@pytest.mark.parametrize(
    ("raw", "keep_alive"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", False),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", True),
    ],
    ids=["plain", "close", "old", "old but kept", "no content", "not modified", "interim", "too much", "no phrase"],
)
def test_whether_the_connection_may_be_used_again(raw: bytes, keep_alive: bool) -> None:
    answer = read(raw)

    assert answer is not None
    assert answer.keep_alive is keep_alive
    assert answer.body in (b"", b"a")


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1),
        b"HTTP/1.1 200 OK\r\n" + b"a" * 70_000,
    ],
)
def test_what_is_no_answer_is_refused(raw: bytes) -> None:
    with pytest.raises(BadAnswer):
        read(raw)


def test_an_answer_that_is_cut_short_is_none() -> None:
    reader = AnswerReader()

    assert reader.feed(HEAD + b"Content-Length: 3\r\n\r\nab") is None
    assert reader.end() is None
