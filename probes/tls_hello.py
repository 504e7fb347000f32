"""The first two messages of a TLS handshake, made and read by hand.

The local OpenSSL no longer contains what must be shown to be refused (SSL 3.0, RC4, export and NULL suites), so an
honest offer of it cannot come from there. A ClientHello needs no cryptography: whatever the server answers to it
(ServerHello, alert, silence) is its decision. Layouts: RFC 5246 section 7.4.1, RFC 8446 section 4.1.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

_HANDSHAKE, _ALERT = 22, 21
_CLIENT_HELLO, _SERVER_HELLO = 1, 2
_LARGEST_RECORD_BYTES = 16384 + 2048


class Version(IntEnum):
    """Protocol versions as they stand on the wire."""

    SSL_3_0 = 0x0300
    TLS_1_0 = 0x0301
    TLS_1_1 = 0x0302
    TLS_1_2 = 0x0303
    TLS_1_3 = 0x0304

    @property
    def label(self) -> str:
        """As people write it: "TLS 1.2"."""
        family, major, minor = self.name.split("_")
        return f"{family} {major}.{minor}"


# IANA TLS cipher suite numbers. Weak: no encryption, no authentication, export or other keys under 112 bits, RC4, 3DES
# (RFC 9325 section 4.1), and static RSA, which gives up every past conversation with one key (RFC 9325: SHOULD NOT).
# CBC with SHA-2 and ECDHE is not among them: the load balancer policies that AWS recommends still carry it.
WEAK_SUITES: dict[str, tuple[int, ...]] = {
    "NULL": (0x0001, 0x0002, 0x003B, 0xC006, 0xC010, 0xC001, 0xC00B, 0xC015),
    "anonymous": (0x0018, 0x001B, 0x0034, 0x003A, 0x006C, 0x006D, 0x00A6, 0x00A7, 0xC016, 0xC017, 0xC018, 0xC019),
    "export": (0x0003, 0x0006, 0x0008, 0x000B, 0x000E, 0x0011, 0x0014, 0x0017, 0x0019),
    "RC4": (0x0004, 0x0005, 0xC002, 0xC007, 0xC00C, 0xC011),
    "DES or 3DES": (0x0009, 0x000A, 0x0012, 0x0013, 0x0015, 0x0016, 0x001A, 0xC003, 0xC008, 0xC00D, 0xC012),
    "static RSA": (0x002F, 0x0035, 0x003C, 0x003D, 0x009C, 0x009D, 0x0041, 0x0084, 0x0096, 0x0007, 0xC09C, 0xC09D),
}
OLD_SUITES = (0xC009, 0xC00A, 0xC013, 0xC014, 0x0033, 0x0039, 0x002F, 0x0035, 0x000A, 0xC008, 0xC012, 0x0005, 0x0004)
STRONG_SUITES = (
    *(0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9, 0xCCAA, 0x009E, 0x009F),
    *(0xC023, 0xC024, 0xC027, 0xC028),
)
TLS_1_3_SUITES = (0x1301, 0x1302, 0x1303)


def suites_for(version: Version) -> tuple[int, ...]:
    """Everything a server that speaks this version could want."""
    if version is Version.TLS_1_3:
        return TLS_1_3_SUITES
    return (*STRONG_SUITES, *OLD_SUITES) if version is Version.TLS_1_2 else OLD_SUITES


def weakness_of(suite: int) -> str | None:
    """The name of the weak group a suite belongs to."""
    return next((name for name, suites in WEAK_SUITES.items() if suite in suites), None)


@dataclass(frozen=True)
class Accepted:
    """The server chose this version and suite."""

    version: int
    suite: int


@dataclass(frozen=True)
class Declined:
    """The server said no, or hung up; `how` says which."""

    how: str


class UnreadableError(ValueError):
    """The bytes are no TLS answer."""


def client_hello(host: str, version: Version, *, suites: Sequence[int]) -> bytes:
    """One record that offers exactly this version and these suites to a host name."""
    extensions = _extensions(host, version)
    body = b"".join(
        (
            struct.pack(">H", min(version, Version.TLS_1_2)),
            os.urandom(32),
            _sized(os.urandom(32) if version is Version.TLS_1_3 else b"", ">B"),
            _sized(b"".join(struct.pack(">H", suite) for suite in suites), ">H"),
            b"\x01\x00",  # no compression
            _sized(extensions, ">H") if version > Version.SSL_3_0 else b"",
        )
    )
    message = struct.pack(">B", _CLIENT_HELLO) + len(body).to_bytes(3, "big") + body
    record_version = min(version, Version.TLS_1_0)
    return struct.pack(">BH", _HANDSHAKE, record_version) + _sized(message, ">H")


def _sized(content: bytes, size_format: str) -> bytes:
    return struct.pack(size_format, len(content)) + content


def _extensions(host: str, version: Version) -> bytes:
    groups = struct.pack(">4H", 0x001D, 0x0017, 0x0018, 0x0019)
    signatures = struct.pack(
        ">12H", 0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0807, 0x0203, 0x0201
    )
    content = {
        0: _sized(b"\x00" + _sized(host.encode("idna"), ">H"), ">H"),  # server name
        10: _sized(groups, ">H"),
        11: b"\x01\x00",  # uncompressed points
        13: _sized(signatures, ">H"),
        23: b"",  # extended master secret
        0xFF01: b"\x00",  # renegotiation info
    }
    if version is Version.TLS_1_3:
        content[43] = _sized(struct.pack(">H", Version.TLS_1_3), ">B")
        # No key share: a server that accepts answers with a HelloRetryRequest, which names version and suite.
        content[51] = _sized(b"", ">H")
        content[45] = b"\x01\x01"
    return b"".join(struct.pack(">H", number) + _sized(value, ">H") for number, value in content.items())


def read_answer(received: bytes) -> Accepted | Declined | None:
    """What the server's first bytes say; None while more bytes are needed. Raises UnreadableError for no TLS."""
    if len(received) < 5:
        return None
    content_type, _, length = struct.unpack(">BHH", received[:5])
    if content_type not in (_HANDSHAKE, _ALERT) or not 0 < length <= _LARGEST_RECORD_BYTES:
        raise UnreadableError(f"the answer starts with {received[:5].hex()}, which is no TLS record")
    fragment = received[5 : 5 + length]
    if content_type == _ALERT:
        return _read_alert(fragment) if len(fragment) >= 2 else None
    return _read_server_hello(fragment, complete=len(fragment) == length)


def _read_alert(fragment: bytes) -> Declined:
    return Declined(f"alert {_ALERTS.get(fragment[1], str(fragment[1]))}")


def _read_server_hello(fragment: bytes, *, complete: bool) -> Accepted | None:
    size = int.from_bytes(fragment[1:4], "big") if len(fragment) >= 4 else -1
    if size < 0 or len(fragment) < 4 + size:
        if complete:
            raise UnreadableError("the ServerHello is spread over several records or cut short")
        return None
    body = fragment[4 : 4 + size]
    if fragment[0] != _SERVER_HELLO or len(body) < 38 or len(body) < 38 + body[34]:
        raise UnreadableError("the first handshake message is no ServerHello")
    after_session = 35 + body[34]
    (version,) = struct.unpack(">H", body[:2])
    (suite,) = struct.unpack(">H", body[after_session : after_session + 2])
    return Accepted(_selected_version(body[after_session + 3 :]) or version, suite)


def _selected_version(extensions: bytes) -> int | None:
    """The supported_versions extension of TLS 1.3, which outranks the version field."""
    rest = extensions[2:]
    while len(rest) >= 4:
        number, length = struct.unpack(">HH", rest[:4])
        if number == 43 and length == 2 and len(rest) >= 6:
            return int.from_bytes(rest[4:6], "big")
        rest = rest[4 + length :]
    return None


_ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    40: "handshake_failure",
    47: "illegal_parameter",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    109: "missing_extension",
    112: "unrecognized_name",
}
