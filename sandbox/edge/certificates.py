"""Keys and certificates of a sandbox, made at run time and never kept beyond it.

Two authorities that do not trust each other: the *public* one (root, intermediate, server certificates: what customers
see) and the *internal* one (mutual TLS between load balancer and service).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

INTERNAL_SERVICE_NAME = "shop-api.internal"
_VALID_DAYS = 90
_AUTHORITY_DAYS = 365

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A certificate with its key: `chain` is what the holder sends besides the certificate. All PEM."""

    certificate: bytes
    chain: bytes
    key: bytes

    @property
    def full_chain(self) -> bytes:
        """Certificate and chain in sending order."""
        return self.certificate + self.chain


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A signing certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a leaf certificate says: names, days until it expires (negative: has expired), purpose."""

    names: Sequence[str]
    valid_days: float = _VALID_DAYS
    client: bool = False


def make_authority(common_name: str, issuer: Authority | None = None) -> Authority:
    """A root, or an intermediate below `issuer`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(common_name)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(subject, issuer.certificate.subject if issuer else subject, _AUTHORITY_DAYS)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0 if issuer else 1), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signer = issuer.key if issuer else key
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    return Authority(certificate=builder.sign(signer, hashes.SHA256()), key=key)


def make_leaf(subject: Subject, issuer: Authority | None, *, key: PrivateKey | None = None) -> Identity:
    """An end-entity certificate; without issuer it is self-signed. The chain holds the issuer only."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = _name(subject.names[0])
    purpose = ExtendedKeyUsageOID.CLIENT_AUTH if subject.client else ExtendedKeyUsageOID.SERVER_AUTH
    signer = issuer.key if issuer else key
    builder = (
        _builder(name, issuer.certificate.subject if issuer else name, subject.valid_days)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in subject.names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    return Identity(
        certificate=builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        chain=issuer.pem if issuer else b"",
        key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


class PublicAuthority:
    """Root and intermediate of the public side, the good server certificate and the faulty ones."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = tuple(hosts)
        self._root = make_authority("Release sandbox root")
        self._intermediate = make_authority("Release sandbox intermediate", self._root)

    @property
    def root_pem(self) -> bytes:
        """What clients trust."""
        return self._root.pem

    def server(self) -> Identity:
        """A good certificate for all hosts, valid for 90 days, with the intermediate in its chain."""
        return make_leaf(Subject(names=self._hosts), self._intermediate)

    def faulty(self, kind: str) -> Identity:
        """The certificate for a value of the edge fault `certificate`. Raises KeyError for an unknown kind."""
        hosts = self._hosts
        below = self._intermediate
        makers = {
            "expires_29_days": lambda: make_leaf(Subject(names=hosts, valid_days=29), below),
            "expired": lambda: make_leaf(Subject(names=hosts, valid_days=-1), below),
            "wrong_host": lambda: make_leaf(Subject(names=("www.other.example",)), below),
            "self_signed": lambda: make_leaf(Subject(names=hosts), None),
            "incomplete_chain": lambda: self._without_chain(),
            "weak_key": lambda: make_leaf(Subject(names=hosts), below, key=_weak_key()),
            "other": lambda: make_leaf(Subject(names=hosts), below),
        }
        return makers[kind]()

    def _without_chain(self) -> Identity:
        good = self.server()
        return Identity(certificate=good.certificate, chain=b"", key=good.key)


class InternalAuthority:
    """Mutual TLS behind the load balancer."""

    def __init__(self) -> None:
        self._root = make_authority("Release sandbox internal root")

    @property
    def root_pem(self) -> bytes:
        """What load balancer and service trust in each other."""
        return self._root.pem

    def load_balancer(self) -> Identity:
        """The client certificate of Envoy and of the health checker."""
        return make_leaf(Subject(names=("load-balancer.internal",), client=True), self._root)

    def service(self) -> Identity:
        """The server certificate of the service's tasks."""
        return make_leaf(Subject(names=(INTERNAL_SERVICE_NAME,)), self._root)


def _weak_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, valid_days: float) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - (day if valid_days > 0 else 30 * day))
        .not_valid_after(now + valid_days * day)
    )
