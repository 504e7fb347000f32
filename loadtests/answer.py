"""Reads HTTP/1.1 answers from bytes as they arrive (RFC 9112): what a load generator needs of it, and strictly.

A general parser calls Python for every header line; at thousands of answers per second that alone fills a core. Here
the head is searched for the three fields that say where the body ends, and a check that wants another one searches
again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 16 * 1024 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: |\r\n|$)")
_WITHOUT_BODY = frozenset({204, 304})
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}$")


class BadAnswer(Exception):
    """What arrived is no answer of HTTP/1.1; the text is short and always the same for the same cause."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `head`: status line and fields; `keep_alive`: another request may follow on the connection."""

    status: int
    head: bytes
    body: bytes
    keep_alive: bool

    def header(self, name: str) -> str | None:
        """The value of a field, of the first where it is given more than once; None without it."""
        values = _values(self.head, name.lower().encode("ascii"))
        return values[0].decode("latin-1") if values else None


def _values(head: bytes, name: bytes) -> list[bytes]:
    """All values of the field with this lower-case name, without the space around them."""
    mark = b"\r\n" + name + b":"
    lowered = head.lower()
    found, place = [], lowered.find(mark)
    while place >= 0:
        start = place + len(mark)
        end = head.find(b"\r\n", start)
        found.append(head[start : end if end >= 0 else len(head)].strip())
        place = lowered.find(mark, start)
    return found


class AnswerReader:
    """One answer of a connection: feed it until it answers; a new one is needed for the next answer."""

    __slots__ = ("_body_starts", "_buffer", "_chunks", "_head", "_keep_alive", "_length", "_status")

    def __init__(self) -> None:
        self._buffer = b""
        self._head = b""
        self._status = 0
        self._body_starts = 0
        self._length: int | None = None  # of the body; None: chunked, or until the connection ends
        self._chunks: list[bytes] | None = None
        self._keep_alive = True

    @property
    def untouched(self) -> bool:
        """No byte of the answer has arrived."""
        return not self._buffer and not self._head

    def feed(self, data: bytes) -> Answer | None:
        """The answer when it is whole, else None. Raises BadAnswer."""
        self._buffer = self._buffer + data if self._buffer else data
        while not self._head:
            if not self._read_head():
                return None
        if self._chunks is not None:
            return self._read_chunks()
        if self._length is None:
            self._bounded()
            return None
        missing = self._body_starts + self._length - len(self._buffer)
        if missing > 0:
            return None
        # What follows the answer was not asked for; nothing on this connection can be believed any more.
        body = self._buffer[self._body_starts :] if missing == 0 else self._buffer[self._body_starts : missing]
        return Answer(self._status, self._head, body, self._keep_alive and missing == 0)

    def end(self) -> Answer | None:
        """The peer has closed: the answer if it was one that ends so, else None."""
        if self._head and self._chunks is None and self._length is None:
            return Answer(self._status, self._head, self._buffer[self._body_starts :], keep_alive=False)
        return None

    def _read_head(self) -> bool:
        """Whether a head was there. An interim answer (RFC 9110, 15.2) is dropped and leaves `_head` empty."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise BadAnswer("head of the answer too long")
            return False
        head = self._buffer[:end]
        line = _STATUS_LINE.match(head)
        if line is None:
            raise BadAnswer("no HTTP/1.1 answer")
        self._status = int(line[1])
        if self._status < 200:
            if self._status == 101:
                raise BadAnswer("protocol switched unasked")
            self._buffer = self._buffer[end + 4 :]
            return bool(self._buffer)
        self._body_starts = end + 4
        self._measure(head)
        self._head = head
        return True

    def _measure(self, head: bytes) -> None:
        """Where the body ends: RFC 9112, 6.3."""
        connection = b",".join(_values(head, b"connection")).lower()
        old = head.startswith(b"HTTP/1.0")
        self._keep_alive = b"keep-alive" in connection if old else b"close" not in connection
        if self._status in _WITHOUT_BODY:
            self._length = 0
            return
        lengths, codings = _values(head, b"content-length"), _values(head, b"transfer-encoding")
        if codings:
            if lengths or [one.lower() for one in codings] != [b"chunked"]:
                raise BadAnswer("length of the answer ambiguous")
            self._chunks = []
        elif lengths:
            if len(set(lengths)) > 1 or not lengths[0].isdigit():
                raise BadAnswer("length of the answer ambiguous")
            self._length = int(lengths[0])
            if self._length > BODY_BYTES_MAX:
                raise BadAnswer("answer too long")
        else:
            self._keep_alive = False

    def _bounded(self) -> None:
        if len(self._buffer) - self._body_starts > BODY_BYTES_MAX:
            raise BadAnswer("answer too long")

    def _read_chunks(self) -> Answer | None:
        """RFC 9112, 7.1; `_body_starts` moves to the first chunk that is not whole yet."""
        assert self._chunks is not None
        while True:
            line_ends = self._buffer.find(b"\r\n", self._body_starts)
            if line_ends < 0:
                self._bounded()
                return None
            size = self._buffer[self._body_starts : line_ends].split(b";", 1)[0].strip()
            if not _CHUNK_SIZE.match(size):
                raise BadAnswer("chunk without a size")
            length = int(size, 16)
            if length == 0:
                return self._read_trailer(line_ends)
            ends = line_ends + 2 + length
            if len(self._buffer) < ends + 2:
                self._bounded()
                return None
            if self._buffer[ends : ends + 2] != b"\r\n":
                raise BadAnswer("chunk of another size than said")
            self._chunks.append(self._buffer[line_ends + 2 : ends])
            self._body_starts = ends + 2

    def _read_trailer(self, line_ends: int) -> Answer | None:
        """The trailer section ends with an empty line, which is the one after the last chunk if there is none."""
        assert self._chunks is not None
        ends = self._buffer.find(b"\r\n\r\n", line_ends)
        if ends < 0:
            self._bounded()
            return None
        alone = len(self._buffer) == ends + 4
        return Answer(self._status, self._head, b"".join(self._chunks), self._keep_alive and alone)
