"""Why something did not answer: every exception of a bad world becomes a cause with a sentence."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import dns.exception
import dns.resolver
import httpx


class Kind(StrEnum):
    """What went wrong between us and the other side."""

    REFUSED = "refused"
    RESET = "reset"
    TIMEOUT = "timeout"
    TLS = "tls"
    NAME = "name"
    PROTOCOL = "protocol"
    OTHER = "other"


@dataclass(frozen=True)
class Cause:
    """A kind of failure and the sentence that names it; `target` is in the sentence."""

    kind: Kind
    sentence: str


# What may be caught around one question to the world; anything else is a bug of ours and must surface.
WORLD_ERRORS = (OSError, httpx.HTTPError, httpx.InvalidURL, dns.exception.DNSException, UnicodeError)


def cause_of(error: BaseException, target: str) -> Cause:
    """The cause behind an exception of `WORLD_ERRORS`, looking through the wrappers of the HTTP client.

    `target` is what was asked, as a reader would name it ("https://api.shop.example/health").
    """
    for link in _links(error):
        cause = _recognise(link, target)
        if cause is not None:
            return cause
    return Cause(Kind.OTHER, f"{target} could not be asked: {type(error).__name__}: {error}")


def _links(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, innermost first: the innermost knows the cause."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return reversed(chain)


def _recognise(error: BaseException, target: str) -> Cause | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Cause(Kind.TLS, f"{target}: the certificate does not verify: {getattr(error, 'verify_message', error)}")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Cause(Kind.RESET, f"{target}: the connection was closed inside TLS")
    if isinstance(error, ssl.SSLError):
        return Cause(Kind.TLS, f"{target}: TLS failed: {getattr(error, 'reason', None) or error}")
    if isinstance(error, TimeoutError | httpx.TimeoutException | dns.exception.Timeout):
        return Cause(Kind.TIMEOUT, f"{target} did not answer in time")
    if isinstance(error, ConnectionRefusedError):
        return Cause(Kind.REFUSED, f"{target} refuses connections")
    return _recognise_connection(error, target)


def _recognise_connection(error: BaseException, target: str) -> Cause | None:
    if isinstance(error, ConnectionError | httpx.ReadError | httpx.WriteError):
        return Cause(Kind.RESET, f"{target}: the connection was reset")
    if isinstance(error, httpx.RemoteProtocolError):
        if "disconnected" in str(error):
            return Cause(Kind.RESET, f"{target}: the connection was reset before an answer came")
        return Cause(Kind.PROTOCOL, f"{target}: broken HTTP: {error}")
    if isinstance(error, dns.resolver.NXDOMAIN):
        return Cause(Kind.NAME, f"{target}: the name does not exist")
    if isinstance(error, dns.exception.DNSException | UnicodeError):
        return Cause(Kind.NAME, f"{target}: the name cannot be resolved: {error}")
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.DecodingError):
        return Cause(Kind.PROTOCOL, f"{target}: {error}")
    return _recognise_system(error, target)


def _recognise_system(error: BaseException, target: str) -> Cause | None:
    if isinstance(error, socket.gaierror):
        return Cause(Kind.NAME, f"{target}: the name cannot be resolved: {error.strerror}")
    if isinstance(error, OSError) and error.errno is not None:
        return Cause(Kind.OTHER, f"{target} cannot be reached: {error.strerror}")
    return None
