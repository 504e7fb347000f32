"""One HTTP client for all probes: timeouts always set, redirects not followed, `connect_to` honoured."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy

import httpx

from probes.failures import WORLD_ERRORS, Cause, Kind, cause_of
from probes.target import Endpoint

LARGEST_BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer; `headers` in order with duplicates, names in lower case; `seconds` from send to last byte."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order."""
        return tuple(value for key, value in self.headers if key == name.lower())

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next(iter(self.values(name)), None)

    def json(self) -> object:
        """The body as JSON, or None if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def mapping(self) -> Mapping[str, object]:
        """The body as a JSON object; empty if it is anything else."""
        document = self.json()
        return document if isinstance(document, dict) else {}


class Rerouted(httpx.BaseTransport):
    """Dials the endpoint's other address while Host header, SNI and certificate checks keep the name.

    One pool per origin: a shared pool would reuse the connection of one name for another that leads to the
    same address, and so skip the second name's certificate check.
    """

    def __init__(self, endpoint: Endpoint, *, context: ssl.SSLContext, local_address: str | None = None) -> None:
        self._endpoint, self._context, self._local_address = endpoint, context, local_address
        self._pools: dict[tuple[str, str, int], httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to where its host leads. Raises httpx.HTTPError, OSError or DNSException."""
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        address, address_port = self._endpoint.address_of(url.host, port)
        dialled = httpx.Request(
            request.method,
            url.copy_with(host=address, port=address_port),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": url.host},
        )
        return self._pool((url.scheme, url.host, port)).handle_request(dialled)

    def _pool(self, origin: tuple[str, str, int]) -> httpx.HTTPTransport:
        if origin not in self._pools:
            self._pools[origin] = httpx.HTTPTransport(
                verify=self._context, local_address=self._local_address, trust_env=False
            )
        return self._pools[origin]

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()


def client(
    endpoint: Endpoint,
    *,
    timeout_seconds: float = 5.0,
    headers: Mapping[str, str] | None = None,
    local_address: str | None = None,
) -> httpx.Client:
    """A client for one endpoint: connect at most 2 s, each read at most `timeout_seconds`, no redirects, no proxies.

    `local_address` is the address to ask from (another client, seen from the other side).
    A CA file that cannot be read surfaces as OSError here: the environment is wrong, not the world.
    """
    asker = httpx.Client(
        base_url=endpoint.url(""),
        transport=Rerouted(endpoint, context=endpoint.trust(), local_address=local_address),
        timeout=httpx.Timeout(timeout_seconds, connect=min(2.0, timeout_seconds)),
        headers=headers,
        follow_redirects=False,
        trust_env=False,
    )
    # A cookie is sent only by a probe that means to: one that crept in would sign a stranger in.
    asker.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return asker


def ask(asker: httpx.Client, path: str, *, method: str = "GET", **options: object) -> Answer | Cause:
    """Ask once. `path` is a path or a whole URL; `options` are those of `httpx.Client.build_request`.

    Each read is bounded by the client's read timeout, the whole body by read plus connect timeout and by
    `LARGEST_BODY_BYTES`. A bad world comes back as a `Cause`.
    """
    target = str(asker.base_url.join(path)) if "://" not in path else path
    budget = sum(limit for limit in (asker.timeout.connect, asker.timeout.read) if limit is not None)
    started = time.monotonic()
    try:
        request = asker.build_request(method, path, **options)  # type: ignore[arg-type]  # passed through unchanged
        response = asker.send(request, stream=True)
        try:
            body = _read(response, started + budget)
        finally:
            response.close()
    except WORLD_ERRORS as error:
        return cause_of(error, f"{method} {target}")
    if isinstance(body, Cause):
        return Cause(body.kind, f"{method} {target} {body.sentence}")
    return Answer(
        url=target,
        status=response.status_code,
        headers=tuple((name.lower(), value) for name, value in response.headers.multi_items()),
        body=body,
        seconds=time.monotonic() - started,
    )


def _read(response: httpx.Response, deadline: float) -> bytes | Cause:
    parts, size = [], 0
    for part in response.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > LARGEST_BODY_BYTES:
            return Cause(Kind.PROTOCOL, f"answered more than {LARGEST_BODY_BYTES} bytes")
        if time.monotonic() > deadline:
            return Cause(Kind.TIMEOUT, "was still sending its answer when the time was up")
    return b"".join(parts)
