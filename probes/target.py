"""Where a probe asks: a host name and, if the environment says so, the other address that is dialled for it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, replace

import dns.nameserver
import dns.resolver

_LARGEST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Detour:
    """One `connect_to` entry, with curl's meaning; empty host or port (0) matches or keeps anything."""

    host: str
    port: int
    address: str
    address_port: int

    def matches(self, host: str, port: int) -> bool:
        """Whether connections to this host and port take the detour."""
        return self.host.lower() in ("", host.lower()) and self.port in (0, port)


def parse_detour(entry: str) -> Detour:
    """Read "host:port:address:port" (as curl's --connect-to; IPv6 in brackets).

    Raises ValueError, naming the entry, for anything else.
    """
    fields = _split_outside_brackets(entry)
    if len(fields) != 4:
        raise ValueError(f"connect_to entry {entry!r} must be HOST:PORT:ADDRESS:PORT (IPv6 in brackets)")
    host, port, address, address_port = fields
    return Detour(host=host, port=_port(port, entry), address=address, address_port=_port(address_port, entry))


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
    if text == "":
        return 0
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _LARGEST_PORT):
        raise ValueError(f"connect_to entry {entry!r}: {text!r} is not a port")
    return int(text)


def parse_nameserver(text: str) -> tuple[str, int]:
    """Read "ip", "ip:port" or "[ipv6]:port". Raises ValueError for anything else."""
    fields = _split_outside_brackets(text)
    if len(fields) > 2 or not fields[0]:
        raise ValueError(f"nameserver {text!r} must be IP or IP:PORT (IPv6 in brackets)")
    return fields[0], _port(fields[1], text) or 53 if len(fields) == 2 else 53


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A host to be asked by its name.

    `connect_to`: "host:port:address:port" entries; the address is dialled while SNI, Host header and certificate
    checks keep the name. `ca_file`: PEM file of trusted roots, the system's store when None. `nameserver`:
    "ip:port" that resolves names no entry covers, the system's resolver when None.
    Raises ValueError for a malformed entry.
    """

    host: str
    port: int = 443
    connect_to: tuple[str, ...] = ()
    ca_file: str | None = None
    nameserver: str | None = None

    def __post_init__(self) -> None:
        if not self.host or "/" in self.host:
            raise ValueError(f"host {self.host!r} must be a bare host name; paths belong to the question")
        for entry in self.connect_to:
            parse_detour(entry)
        if self.nameserver is not None:
            parse_nameserver(self.nameserver)

    def named(self, host: str) -> Endpoint:
        """The same environment, another host."""
        return replace(self, host=host)

    def url(self, path: str = "/", *, scheme: str = "https") -> str:
        """The URL of a path; the port is written only when it is not the scheme's own.

        For "http" the port is 80 (a detour may lead elsewhere), as a customer would type it.
        """
        port = self.port if scheme == "https" else 80
        return f"{scheme}://{self.host}{'' if (scheme, port) in _DEFAULT_PORTS else f':{port}'}{path}"

    def address_of(self, host: str, port: int) -> tuple[str, int]:
        """What to dial for a host and port: the first matching detour, else the resolver's answer, else the name.

        Raises DNSException when `nameserver` does not resolve the name.
        """
        for detour in map(parse_detour, self.connect_to):
            if detour.matches(host, port):
                return detour.address or host, detour.address_port or port
        if self.nameserver is None or _is_address(host):
            return host, port
        answer = resolver_at(self.nameserver).resolve(host, "A")
        return answer[0].to_text(), port

    def dial(self, *, port: int | None = None, timeout_seconds: float = 5.0) -> socket.socket:
        """A connected TCP socket with `timeout_seconds` set on it. Raises OSError or DNSException."""
        address = self.address_of(self.host, self.port if port is None else port)
        return socket.create_connection(address, timeout=timeout_seconds)

    def trust(self) -> ssl.SSLContext:
        """A context that verifies chain and host name against `ca_file`. Raises OSError if it cannot be read."""
        return ssl.create_default_context(cafile=self.ca_file)


_DEFAULT_PORTS = {("https", 443), ("http", 80)}


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False


def resolver_at(nameserver: str | None, *, lifetime_seconds: float = 3.0) -> dns.resolver.Resolver:
    """A resolver that asks one nameserver ("ip:port"), or the system's when None, for at most `lifetime_seconds`."""
    if nameserver is None:
        resolver = dns.resolver.Resolver()
    else:
        resolver = dns.resolver.Resolver(configure=False)
        address, port = parse_nameserver(nameserver)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port)]
    resolver.lifetime = lifetime_seconds
    resolver.cache = None
    return resolver
