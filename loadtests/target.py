"""Where the load goes: the URL, the address that is dialled for it, and whom to trust."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LARGEST_PORT = 65535


class BadTarget(ValueError):
    """The host, a detour or a certificate file cannot be used; the text says which and why."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One origin. `address` and `address_port` are dialled; Host header, SNI and certificate checks keep `host`."""

    scheme: str
    host: str
    port: int
    address: str
    address_port: int
    ca_pem: str | None = None

    @property
    def authority(self) -> str:
        """The value of the Host header; the port is written only when it is not the scheme's own."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _DEFAULT_PORTS[self.scheme] else f"{name}:{self.port}"

    def trust(self) -> ssl.SSLContext | None:
        """A context that verifies chain and host name against `ca_pem`, or the system's store; None for http.

        Raises BadTarget when that is no certificate.
        """
        if self.scheme == "http":
            return None
        try:
            context = ssl.create_default_context(cadata=self.ca_pem)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise BadTarget(f"--ca-file: no certificates in PEM: {error}") from error
        context.set_alpn_protocols(["http/1.1"])
        return context


def parse_target(url: str | None, *, connect_to: Sequence[str] = (), ca_pem: str | None = None) -> Target:
    """The target behind a URL of scheme http or https without path, query or user. Raises BadTarget."""
    if not url:
        raise BadTarget("--host is missing: the URL of what is to be tested, such as https://staging.shop.example")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadTarget(f"--host {url}: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise BadTarget(f"--host {url}: it must be http://HOST[:PORT] or https://HOST[:PORT]")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise BadTarget(f"--host {url}: only scheme, host and port; paths belong to the requests")
    port = _DEFAULT_PORTS[parts.scheme] if port is None else port
    address, address_port = _dialled(parts.hostname, port, connect_to)
    return Target(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port,
        address=address,
        address_port=address_port,
        ca_pem=ca_pem,
    )


def _dialled(host: str, port: int, connect_to: Sequence[str]) -> tuple[str, int]:
    """Address and port after the first detour that matches, with the meaning of curl's --connect-to."""
    for from_host, from_port, to_host, to_port in [_detour(entry) for entry in connect_to]:
        if from_host.lower() in ("", host.lower()) and from_port in (0, port):
            return to_host or host, to_port or port
    return host, port


def _detour(entry: str) -> tuple[str, int, str, int]:
    fields = _split_outside_brackets(entry)
    if len(fields) != 4:
        raise BadTarget(f"--connect-to {entry}: it must be HOST:PORT:ADDRESS:PORT (IPv6 in brackets)")
    from_host, from_port, to_host, to_port = fields
    return from_host, _port(from_port, entry), to_host, _port(to_port, entry)


def _split_outside_brackets(text: str) -> list[str]:
    fields, inside = [""], False
    for character in text:
        if character in "[]":
            inside = character == "["
        elif character == ":" and not inside:
            fields.append("")
        else:
            fields[-1] += character
    return fields


def _port(text: str, entry: str) -> int:
    """0 where none is given."""
    if text == "":
        return 0
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _LARGEST_PORT):
        raise BadTarget(f"--connect-to {entry}: {text} is not a port")
    return int(text)
