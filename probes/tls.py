"""What an endpoint's TLS is worth: its certificate, the versions and the cipher suites it accepts (PRE-03, VAL-07)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography import x509

from probes import certificates
from probes.certificates import Presented
from probes.failures import WORLD_ERRORS, Cause, Kind, cause_of
from probes.question import Question
from probes.target import Endpoint
from probes.tls_hello import (
    STRONG_SUITES,
    TLS_1_3_SUITES,
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
from rollout.model import Observation

TIMEOUT_SECONDS = 5.0
DAYS_MIN = 30.0
_MOST_ANSWER_BYTES = 65536
_MOST_ROUNDS = 12
_FORBIDDEN = (Version.SSL_3_0, Version.TLS_1_0, Version.TLS_1_1)
_WANTED = (Version.TLS_1_2, Version.TLS_1_3)


def certificate(
    endpoint: Endpoint, *, days_min: float = DAYS_MIN, at: datetime | None = None, declared_pem: bytes | None = None
) -> tuple[Observation, ...]:
    """Chain, host name, days left, key, and a whole verified handshake; `tls.declared` when a PEM is given.

    `at` is the instant validity is judged at (now by default); the verified handshake always means now.
    Raises ValueError if `declared_pem` is no certificate.
    """
    instant = at or certificates.now()
    question = Question(name="tls.chain", rule="the endpoint presents a certificate", source=_source(endpoint))
    try:
        roots = certificates.trusted_roots(endpoint.ca_file)
    except (OSError, ValueError) as error:
        return (question.source_error(f"the trusted roots cannot be read: {error}"),)
    presented = present(endpoint)
    if isinstance(presented, Cause):
        return (question.failed(presented.kind, f"no certificate was presented: {presented.sentence}"),)
    observations = (
        certificates.judge_chain(presented, roots, at=instant),
        certificates.judge_host(presented, endpoint.host),
        certificates.judge_validity(presented, roots, at=instant, days_min=days_min),
        certificates.judge_key(presented),
        verified_handshake(endpoint),
    )
    if declared_pem is None:
        return observations
    return (*observations, certificates.judge_declared(presented, declared_pem))


def _source(endpoint: Endpoint) -> str:
    return f"{endpoint.host}:{endpoint.port}"


def present(endpoint: Endpoint) -> Presented | Cause:
    """The chain the endpoint sends to whoever asks for the host name; nothing is verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")  # a weak key must be seen to be named, so it must not end the handshake
    try:
        with (
            endpoint.dial(timeout_seconds=TIMEOUT_SECONDS) as raw,
            context.wrap_socket(raw, server_hostname=endpoint.host) as secured,
        ):
            chain = _chain_of(secured)
    except WORLD_ERRORS as error:
        return cause_of(error, _source(endpoint))
    except ValueError as error:
        return Cause(Kind.TLS, f"{_source(endpoint)} sent a certificate that cannot be read: {error}")
    return Presented(chain=chain, source=_source(endpoint))


def _chain_of(secured: ssl.SSLSocket) -> tuple[x509.Certificate, ...]:
    # SSLSocket.get_unverified_chain is public from Python 3.13 on; until then only the object inside has it, and
    # without it an incomplete chain cannot be told from an unknown root.
    inside: Any = getattr(secured, "_sslobj", None)
    sent = inside.get_unverified_chain() if hasattr(inside, "get_unverified_chain") else None
    if not sent:
        return (x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b""),)
    return tuple(x509.load_pem_x509_certificate(each.public_bytes().encode()) for each in sent)


def verified_handshake(endpoint: Endpoint) -> Observation:
    """Whether a customer's TLS library accepts the endpoint now: chain, host name, time, purposes, all of it."""
    question = Question(
        name="tls.verified", rule="a handshake that verifies everything succeeds", source=_source(endpoint)
    )
    try:
        context = endpoint.trust()
    except OSError as error:
        return question.source_error(f"the trusted roots cannot be read: {error}")
    try:
        with (
            endpoint.dial(timeout_seconds=TIMEOUT_SECONDS) as raw,
            context.wrap_socket(raw, server_hostname=endpoint.host) as secured,
        ):
            version, cipher = secured.version() or "", secured.cipher()
    except WORLD_ERRORS as error:
        cause = cause_of(error, _source(endpoint))
        return question.failed(cause.kind, cause.sentence)
    return question.passed(version, f"verified with {version} and {cipher[0] if cipher else 'no cipher'}")


def offer(endpoint: Endpoint, version: Version, *, suites: Sequence[int]) -> Accepted | Declined | Cause:
    """Offer one protocol version and some suites; the server's decision, or why there is none."""
    try:
        with endpoint.dial(timeout_seconds=TIMEOUT_SECONDS) as raw:
            try:
                raw.sendall(client_hello(endpoint.host, version, suites=suites))
                return _answer(raw)
            except ConnectionError:
                return Declined("connection reset")
    except UnreadableError as error:
        return Cause(Kind.PROTOCOL, f"{_source(endpoint)}: {error}")
    except WORLD_ERRORS as error:
        return cause_of(error, _source(endpoint))


def _answer(raw: socket.socket) -> Accepted | Declined:
    received = b""
    while len(received) < _MOST_ANSWER_BYTES:
        part = raw.recv(8192)
        if not part:
            return Declined("connection closed")
        received += part
        answer = read_answer(received)
        if answer is not None:
            return answer
    raise UnreadableError(f"no decision within {_MOST_ANSWER_BYTES} bytes")


def protocols(endpoint: Endpoint) -> tuple[Observation, ...]:
    """`tls.protocols`: SSL 3.0, TLS 1.0 and 1.1 refused, TLS 1.2 or 1.3 accepted; each is really offered."""
    question = Question(
        name="tls.protocols",
        rule="only TLS 1.2 and 1.3 are accepted",
        limit=[version.label for version in _WANTED],
        source=_source(endpoint),
    )
    answers = {version: offer(endpoint, version, suites=suites_for(version)) for version in (*_FORBIDDEN, *_WANTED)}
    value = {version.label: _said(answer) for version, answer in answers.items()}
    old = [version.label for version in _FORBIDDEN if isinstance(answers[version], Accepted)]
    new = [
        version.label
        for version in _WANTED
        if isinstance(answer := answers[version], Accepted) and answer.version == version
    ]
    unknown = [answer.sentence for answer in answers.values() if isinstance(answer, Cause)]
    if old:
        return (question.failed(value, f"{', '.join(old)} is accepted", n=len(answers)),)
    if unknown:
        return (question.no_data(f"not every version could be tried: {unknown[0]}", value=value),)
    if not new:
        return (question.failed(value, "neither TLS 1.2 nor TLS 1.3 is accepted", n=len(answers)),)
    return (question.passed(value, f"accepted: {', '.join(new)}; everything older is refused", n=len(answers)),)


def _said(answer: Accepted | Declined | Cause) -> str:
    if isinstance(answer, Accepted):
        return "accepted"
    return f"refused ({answer.how})" if isinstance(answer, Declined) else f"unknown ({answer.kind})"


def ciphers(endpoint: Endpoint) -> tuple[Observation, ...]:
    """`tls.ciphers`: only weak suites are offered, again and again without those already taken, until all are refused.

    NO_DATA unless strong suites are accepted in the same way: a server that refuses everything proves nothing.
    """
    question = Question(name="tls.ciphers", rule="no weak cipher suite is accepted", limit=[], source=_source(endpoint))
    control = [
        offer(endpoint, Version.TLS_1_2, suites=STRONG_SUITES),
        offer(endpoint, Version.TLS_1_3, suites=TLS_1_3_SUITES),
    ]
    if not any(isinstance(answer, Accepted) for answer in control):
        return (question.no_data(f"strong suites are not accepted either: {_said(control[0])}"),)
    offered = [suite for suites in WEAK_SUITES.values() for suite in suites]
    taken: list[int] = []
    for _ in range(_MOST_ROUNDS):
        answer = offer(endpoint, Version.TLS_1_2, suites=[suite for suite in offered if suite not in taken])
        if isinstance(answer, Cause):
            return (question.no_data(f"the weak suites could not be tried: {answer.sentence}"),)
        if isinstance(answer, Declined) or answer.suite in taken:
            break
        taken.append(answer.suite)
    groups = sorted({weakness_of(suite) or f"not offered: 0x{suite:04X}" for suite in taken})
    if taken:
        return (question.failed(groups, f"weak cipher suites are accepted: {', '.join(groups)}", n=len(offered)),)
    return (question.passed([], f"all {len(offered)} weak suites are refused", n=len(offered)),)


def everything(
    endpoint: Endpoint, *, days_min: float = DAYS_MIN, at: datetime | None = None, declared_pem: bytes | None = None
) -> tuple[Observation, ...]:
    """Certificate, protocols and ciphers: the whole of PRE-03."""
    seen = certificate(endpoint, days_min=days_min, at=at, declared_pem=declared_pem)
    return (*seen, *protocols(endpoint), *ciphers(endpoint))
