"""One connection to the target, its socket watched for as long as it lives.

Plain sockets of gevent register with the kernel anew for every wait and start a timer of their own for every call;
here the watcher stays, the answer is read in the event loop itself, and only a whole answer wakes the greenlet that
waits for it. An idle connection that the server closes is noticed at once, not by the next request.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import time
from typing import Any

import gevent
from gevent import monkey
from gevent.hub import get_hub
from gevent.socket import wait as wait_for

from loadtests.answer import Answer, AnswerReader, BadAnswer

# The class that blocks or refuses, not gevent's: waiting is done here.
_PLAIN_SOCKET: type[socket.socket] = monkey.get_original("socket", "socket")
_READ, _WRITE = 1, 2  # events of libev
_RECEIVE_BYTES = 65536
_now = time.perf_counter


class NoAnswer(Exception):
    """The request has no answer; the text is short and without variable parts, so that it can be counted."""


class Connection:
    """Opened once, then one request after the other. Whatever goes wrong closes it."""

    def __init__(self) -> None:
        self._hub = get_hub()
        self._socket: socket.socket | None = None
        self._watcher: Any = None  # of libev; gevent's own types say no more
        self._layer: _Tls | None = None
        self._reader = AnswerReader()
        self._waiting: Any = None  # the greenlet of the request under way
        self.idle_since = 0.0

    @property
    def usable(self) -> bool:
        """Open, as far as the peer has said."""
        return self._socket is not None

    def open(self, family: int, address: Any, *, deadline: float, trust: tuple[ssl.SSLContext, str] | None) -> None:
        """Connect, and make TLS with `trust` (context, name to be shown). `deadline` is a perf_counter.

        Raises NoAnswer.
        """
        try:
            self._socket = _PLAIN_SOCKET(family, socket.SOCK_STREAM)
            self._connect(address, deadline)
            if trust is not None:
                self._layer = _Tls(*trust)
                self._shake_hands(self._layer, deadline)
        except OSError as error:
            self.close()
            raise NoAnswer(said_of(error)) from error
        except BaseException:
            self.close()
            raise
        self._watcher = self._hub.loop.io(self._socket.fileno(), _READ)
        self._watcher.start(self._readable)

    def _connect(self, address: Any, deadline: float) -> None:
        assert self._socket is not None
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        result = self._socket.connect_ex(address)
        if result in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._await(_WRITE, deadline, "timed out connecting")
            result = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result:
            raise OSError(result, os.strerror(result))

    def _shake_hands(self, layer: _Tls, deadline: float) -> None:
        assert self._socket is not None
        while True:
            done = layer.shake_hands()
            self._send(layer.outgoing(), deadline)
            if done:
                return
            self._await(_READ, deadline, "timed out in the TLS handshake")
            data = self._socket.recv(_RECEIVE_BYTES)
            if not data:
                raise NoAnswer("connection closed in the TLS handshake")
            layer.incoming(data)

    def _await(self, events: int, deadline: float, said: str) -> None:
        assert self._socket is not None
        watcher = self._hub.loop.io(self._socket.fileno(), events)
        try:
            wait_for(watcher, timeout=max(deadline - _now(), 0.0), timeout_exc=NoAnswer(said))
        finally:
            watcher.close()

    def exchange(self, content: bytes, deadline: float) -> Answer:
        """Send one request and wait for the whole answer, at most until `deadline` (a perf_counter).

        Raises NoAnswer; the connection is closed then.
        """
        self._reader = AnswerReader()
        timer = None
        try:
            self._send(content if self._layer is None else self._layer.sealed(content), deadline)
            self._waiting = gevent.getcurrent()
            timer = self._hub.loop.timer(max(deadline - _now(), 0.0))
            timer.start(self._expired)
            answer: Answer = self._hub.switch()
        except OSError as error:
            self.close()
            raise NoAnswer(said_of(error)) from error
        except BaseException:
            self.close()
            raise
        finally:
            self._waiting = None
            if timer is not None:
                timer.stop()
                timer.close()
        if not answer.keep_alive:
            self.close()
        return answer

    def _send(self, content: bytes, deadline: float) -> None:
        if self._socket is None:
            raise NoAnswer("connection closed by the server")
        while content:
            try:
                sent = self._socket.send(content)
            except BlockingIOError:
                sent = 0
            if sent == len(content):
                return
            content = content[sent:]
            self._await(_WRITE, deadline, "timed out sending")
            if self._socket is None:
                raise NoAnswer("connection closed by the server")

    def _expired(self) -> None:
        self._wake_with(NoAnswer("timed out"))

    def _readable(self) -> None:
        """In the event loop: something arrived, or the peer has closed."""
        assert self._socket is not None
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
            ended = not data
            if self._layer is not None and data:
                data, ended = self._layer.opened(data)
                self._send_unasked(self._layer.outgoing())
            answer = self._reader.feed(data) if data and self._waiting is not None else None
        except BlockingIOError:
            return
        except (OSError, BadAnswer) as error:
            self._wake_with(NoAnswer(said_of(error)))
            return
        if answer is None and ended:
            answer = self._reader.end()
        if answer is not None:
            waiting, self._waiting = self._waiting, None
            waiting.switch(answer)
        elif ended:
            self._wake_with(NoAnswer("connection closed by the server"))
        elif data and self._waiting is None:
            self.close()  # bytes that nobody asked for

    def _send_unasked(self, content: bytes) -> None:
        """What TLS itself has to say (a key update): it fits into an empty send buffer, or the connection is stuck."""
        if content and self._socket is not None and self._socket.send(content) != len(content):
            raise BadAnswer("connection does not take what TLS has to send")

    def _wake_with(self, error: NoAnswer) -> None:
        waiting, self._waiting = self._waiting, None
        self.close()
        if waiting is not None:
            waiting.throw(error)

    def close(self) -> None:
        """Close; a second time does nothing."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Tls:
    """TLS between bytes and bytes: the socket stays the connection's."""

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self._from_peer, self._to_peer = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._from_peer, self._to_peer, server_hostname=name)

    def shake_hands(self) -> bool:
        """Whether the handshake is done. Raises OSError (ssl.SSLError)."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def incoming(self, data: bytes) -> None:
        """What the peer sent."""
        self._from_peer.write(data)

    def outgoing(self) -> bytes:
        """What is to be sent to the peer."""
        return self._to_peer.read()

    def sealed(self, content: bytes) -> bytes:
        """`content` as it goes over the wire."""
        self._object.write(content)
        return self._to_peer.read()

    def opened(self, data: bytes) -> tuple[bytes, bool]:
        """What the peer's bytes say, and whether it has ended the stream. Raises OSError (ssl.SSLError)."""
        self._from_peer.write(data)
        parts = []
        try:
            while part := self._object.read(_RECEIVE_BYTES):
                parts.append(part)
        except ssl.SSLWantReadError:
            return b"".join(parts), False
        except ssl.SSLZeroReturnError:
            return b"".join(parts), True
        return b"".join(parts), True


def said_of(error: Exception) -> str:
    """The same few words for the same failure, whatever address or number stands in the error."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or type(error).__name__}"
    if isinstance(error, socket.gaierror):
        return "host name not found"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error)
