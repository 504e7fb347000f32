"""A small real world for the probes, all on loopback: certificates, TLS and plain HTTP servers, a DNS responder."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from probes.target import Endpoint

HOST = "api.shop.example"
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


# ---------------------------------------------------------------------------------------------- certificates


@dataclass(frozen=True)
class Identity:
    """A certificate, its key, and the certificates sent after it."""

    certificate: x509.Certificate
    key: PrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _builder(subject: str, key: PrivateKey, issuer: Identity | None, days: tuple[float, float]) -> Any:
    now = datetime.now(UTC)
    signer = issuer.key if issuer else key
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer.certificate.subject if issuer else _name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def authority(subject: str, issuer: Identity | None = None, *, days: tuple[float, float] = (-1, 400)) -> Identity:
    """A root, or an intermediate."""
    key = ec.generate_private_key(ec.SECP256R1())
    usage = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "encipher_only", "decipher_only"),
        ),
        False,
    )
    certificate = (
        _builder(subject, key, issuer, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .sign(issuer.key if issuer else key, hashes.SHA256())
    )
    return Identity(certificate, key)


def leaf(
    issuer: Identity | None,
    *,
    names: Sequence[str] = (HOST,),
    days: tuple[float, float] = (-1, 90),
    key: PrivateKey | None = None,
) -> Identity:
    """A server certificate; self-signed without issuer. The chain holds the issuer."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = _builder(names[0] if names else "nobody", key, issuer, days).add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Identity(certificate, key, (issuer.certificate,) if issuer else ())


@dataclass(frozen=True)
class Authorities:
    """A root (its PEM in `file`) with an intermediate below it."""

    root: Identity
    below: Identity
    file: str


def authorities(directory: Path) -> Authorities:
    """Fresh ones."""
    root = authority("Test root")
    file = directory / "ca.pem"
    file.write_bytes(root.pem)
    return Authorities(root, authority("Test intermediate", root), str(file))


def server_context(identity: Identity, directory: Path) -> ssl.SSLContext:
    """A context that presents the identity with its chain."""
    file = directory / f"{identity.certificate.serial_number}.pem"
    sent = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (identity.certificate, *identity.chain))
    file.write_bytes(
        sent
        + identity.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(file)
    return context


# ---------------------------------------------------------------------------------------------- HTTP


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    client: tuple[str, int]


@dataclass(frozen=True)
class Reply:
    """What the server answers; `raw` replaces the whole answer, and b"" hangs up."""

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    raw: bytes | None = None


def document(content: object, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    """A JSON reply."""
    return Reply(status, (("content-type", "application/json"), *headers), json.dumps(content).encode())


Serve = Callable[[Asked], Reply]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one segment: otherwise Nagle and delayed ACK cost 44 ms per request.
    disable_nagle_algorithm = True
    wbufsize = -1
    serve: Serve

    def _any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        asked = Asked(
            self.command,
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
            self.client_address,
        )
        reply = type(self).serve(asked)
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests read answers, not logs."""


for _method in ("GET", "POST", "PUT", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler._any)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.context is not None:  # the handshake belongs to the connection's own thread
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Probes that hang up, and handshakes that fail, are what these servers are for."""


@contextlib.contextmanager
def http_server(serve: Serve, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on 127.0.0.1 that answers with `serve`; yields its port."""
    handler = type("Handler", (_Handler,), {"serve": staticmethod(serve)})
    with _Server(("127.0.0.1", 0), handler) as server:
        server.context = context
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def endpoint_at(port: int, ca_file: str | None = None, *, host: str = HOST, plain_port: int | None = None) -> Endpoint:
    """The public name, led to loopback ports."""
    detours = [f":443:127.0.0.1:{port}"]
    if plain_port is not None:
        detours.append(f":80:127.0.0.1:{plain_port}")
    return Endpoint(host=host, connect_to=tuple(detours), ca_file=ca_file)


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


@contextlib.contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server that hands each connection to `talk`; yields its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                talk(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


# ---------------------------------------------------------------------------------------------- DNS


@dataclass
class Zone:
    """What the responder knows: (name, type) -> (ttl, values); a name in `broken` is answered with SERVFAIL."""

    records: dict[tuple[str, str], tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    silent: bool = False

    def add(self, name: str, kind: str, *values: str, ttl: int = 60) -> None:
        self.records[name, kind] = (ttl, values)

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA | dns.flags.AA
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), question.rdtype.name
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response
        while (name, "CNAME") in self.records and kind != "CNAME":
            ttl, values = self.records[name, "CNAME"]
            response.answer.append(dns.rrset.from_text(f"{name}.", ttl, "IN", "CNAME", f"{values[0]}."))
            name = values[0]
        if (name, kind) in self.records:
            ttl, values = self.records[name, kind]
            response.answer.append(dns.rrset.from_text(f"{name}.", ttl, "IN", kind, *values))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


@contextlib.contextmanager
def dns_server(zone: Zone) -> Iterator[str]:
    """A responder on UDP; yields "127.0.0.1:port"."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sock = self.request
            if not zone.silent:
                sock.sendto(zone.answer(dns.message.from_wire(data)).to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
