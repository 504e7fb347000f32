"""ARCH-01: whether a stranger is served by a task itself, past the load balancer and what stands before it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextlib import closing

from probes.account.asking import Unread
from probes.account.targets import Address
from probes.failures import WORLD_ERRORS, Cause, Kind, cause_of
from probes.question import Question
from rollout.model import Observation

TIMEOUT_SECONDS = 2.0
_REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_STATUS_LINE_BYTES_MAX = 256


def serves_no_stranger(targets: Iterable[Address] | Unread, *, source: str) -> Observation:
    """`direct.refused`: no task answers a request that did not come through the load balancer.

    `targets` are tasks that the load balancer finds healthy: one that is down refuses everybody and proves nothing, so
    none at all is NO_DATA. A task is asked by TLS without a certificate of ours, and in plain text if it speaks no TLS.
    """
    question = Question(
        name="direct.refused", rule="no task serves whoever does not come through the load balancer", source=source
    )
    if isinstance(targets, Unread):
        return question.source_error(f"the tasks' addresses could not be read: {targets.cause}")
    told = {f"{host}:{port}": _asked(host, port) for host, port in targets}
    if not told:
        return question.no_data("no target is healthy, so nothing that serves was tried")
    served = [f"{target} answered {answer}" for target, answer in told.items() if isinstance(answer, str)]
    seen = {target: answer if isinstance(answer, str) else answer.kind.value for target, answer in told.items()}
    if served:
        return question.failed(seen, f"reached past the load balancer: {'; '.join(served)}", n=len(told))
    return question.passed(seen, f"{len(told)} healthy tasks, none serves a stranger", n=len(told))


def _asked(host: str, port: int) -> str | Cause:
    """The status line that a stranger gets, or why none came."""
    try:
        plain = socket.create_connection((host, port), timeout=TIMEOUT_SECONDS)
    except WORLD_ERRORS as error:
        return cause_of(error, f"{host}:{port}")
    try:
        with closing(plain), closing(_context().wrap_socket(plain)) as secured:
            return _answer(secured, f"{host}:{port}")
    except WORLD_ERRORS as error:
        cause = cause_of(error, f"{host}:{port}")
    # An alert is TLS; everything else may be a task that takes plain text and was confused by the greeting.
    is_alert = cause.kind is Kind.TLS and "WRONG_VERSION_NUMBER" not in cause.sentence.upper()
    return cause if is_alert else _asked_plainly(host, port)


def _asked_plainly(host: str, port: int) -> str | Cause:
    try:
        with closing(socket.create_connection((host, port), timeout=TIMEOUT_SECONDS)) as plain:
            return _answer(plain, f"{host}:{port}")
    except WORLD_ERRORS as error:
        return cause_of(error, f"{host}:{port}")


def _answer(connection: socket.socket, target: str) -> str | Cause:
    """What comes back once a connection stands; in TLS 1.3 a missing certificate is refused only here."""
    try:
        connection.sendall(_REQUEST)
        line = connection.recv(_STATUS_LINE_BYTES_MAX).split(b"\r\n", 1)[0]
    except WORLD_ERRORS as error:
        return cause_of(error, target)
    if line.startswith(b"HTTP/"):
        return line.decode("ascii", errors="replace")
    return Cause(Kind.PROTOCOL, f"{target} closed the connection without an HTTP answer")


def _context() -> ssl.SSLContext:
    """Nothing is verified: whoever looks for a way around takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
