"""What a presented certificate chain is worth: pure rules, each with its observation and a chosen instant."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from probes.question import Question
from rollout.model import Observation

RSA_BITS_MIN = 2048
EC_BITS_MIN = 256
_LONGEST_PATH = 8


@dataclass(frozen=True, kw_only=True)
class Presented:
    """The chain as the server sent it (leaf first), seen at `source`."""

    chain: tuple[x509.Certificate, ...]
    source: str

    @property
    def leaf(self) -> x509.Certificate:
        """The server's own certificate."""
        return self.chain[0]


def trusted_roots(ca_file: str | None) -> tuple[x509.Certificate, ...]:
    """The roots of a PEM file, or of the system. Raises OSError or ValueError when there are none to read."""
    if ca_file is not None:
        with open(ca_file, "rb") as file:
            return tuple(x509.load_pem_x509_certificates(file.read()))
    context = ssl.create_default_context()
    return tuple(_loadable(context.get_ca_certs(binary_form=True)))


def _loadable(ders: Iterable[bytes]) -> Iterator[x509.Certificate]:
    """System stores hold a few ancient roots that stricter parsers refuse; they vouch for nothing then."""
    for der in ders:
        with contextlib.suppress(ValueError):
            yield x509.load_der_x509_certificate(der)


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names a certificate is for; the common name no longer counts (RFC 9525 section 2)."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):  # unreadable names name nothing
        return ()
    return tuple(extension.value.get_values_for_type(x509.DNSName))


def covers(names: Sequence[str], host: str) -> bool:
    """Whether one of a certificate's names is the host's; a wildcard stands for exactly the first label."""
    wanted = host.rstrip(".").lower()
    return any(_covers(name.rstrip(".").lower(), wanted) for name in names)


def _covers(name: str, host: str) -> bool:
    if name.startswith("*."):
        first, _, rest = host.partition(".")
        return first != "" and "." in rest and rest == name[2:]
    return name == host


def describe(name: x509.Name) -> str:
    """A subject or issuer for a sentence: its common name where it has one."""
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string() or "(no name)"


def judge_chain(presented: Presented, roots: Sequence[x509.Certificate], *, at: datetime) -> Observation:
    """Whether the chain leads to a trusted root by signatures that count, and meets the Web PKI profile.

    Expiry and host name are other questions: the profile is checked at the instant of the leaf's validity nearest
    to `at`, for a name of its own.
    """
    question = Question(
        name="tls.chain", rule="the presented chain verifies against the trusted roots", source=presented.source
    )
    path, problem = build_path(presented.chain, roots)
    problem = problem or _profile_problem(presented, roots, at=at)
    names = " <- ".join(describe(certificate.subject) for certificate in path)
    if problem:
        return question.failed(names, problem, n=len(presented.chain))
    return question.passed(names, f"the chain verifies: {names}", n=len(presented.chain))


def build_path(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> tuple[tuple[x509.Certificate, ...], str]:
    """The certificates from the leaf on as far as they lead, and what is missing ("" when a root is reached)."""
    path = [chain[0]]
    while path[-1] not in roots:
        current = path[-1]
        algorithm = current.signature_hash_algorithm
        if isinstance(algorithm, hashes.SHA1 | hashes.MD5):
            return tuple(path), f"{describe(current.subject)!r} is signed with {algorithm.name}, which can be forged"
        issuer = _issuer_of(current, (*roots, *chain))
        if issuer is None:
            return tuple(path), _missing(current, leaf=len(path) == 1)
        if issuer == current:
            return tuple(path), (
                f"self-signed certificate: {describe(current.subject)!r} vouches for itself and is not trusted"
            )
        if len(path) == _LONGEST_PATH:
            return tuple(path), f"no root within {_LONGEST_PATH} certificates"
        path.append(issuer)
    return tuple(path), ""


def _issuer_of(certificate: x509.Certificate, candidates: Sequence[x509.Certificate]) -> x509.Certificate | None:
    for candidate in candidates:
        try:
            certificate.verify_directly_issued_by(candidate)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return candidate
    return None


def _missing(certificate: x509.Certificate, *, leaf: bool) -> str:
    issuer = describe(certificate.issuer)
    if leaf:
        return f"incomplete chain: {issuer!r}, which issued the certificate, was not sent and is not a trusted root"
    return f"incomplete chain: it ends at {describe(certificate.subject)!r}; {issuer!r} is not a trusted root"


def _profile_problem(presented: Presented, roots: Sequence[x509.Certificate], *, at: datetime) -> str:
    leaf = presented.leaf
    names = names_of(leaf)
    if not names:
        return "the certificate is for no DNS name at all"
    instant = min(max(at, leaf.not_valid_before_utc), leaf.not_valid_after_utc)
    subject = x509.DNSName(names[0].replace("*", "wildcard", 1))
    verifier = PolicyBuilder().store(Store(list(roots))).time(instant).build_server_verifier(subject)
    try:
        verifier.verify(leaf, list(presented.chain[1:]))
    except (VerificationError, ValueError) as error:
        return f"the chain does not meet the Web PKI profile: {error}"
    return ""


def judge_host(presented: Presented, host: str) -> Observation:
    """Whether the certificate is for the host."""
    names = names_of(presented.leaf)
    question = Question(
        name="tls.host_name", rule="the certificate is for the host name", limit=host, source=presented.source
    )
    shown = ", ".join(names) or "no name"
    if covers(names, host):
        return question.passed(shown, f"the certificate is for {shown}")
    return question.failed(shown, f"wrong host name: the certificate is for {shown}, not for {host}")


def judge_validity(
    presented: Presented, roots: Sequence[x509.Certificate], *, at: datetime, days_min: float
) -> Observation:
    """Whether leaf and intermediates are valid for at least `days_min` more days at `at`; the first to end decides.

    Certificates that live shorter than the limit are held to it all the same: whoever wants them sets the limit.
    """
    question = Question(
        name="tls.validity",
        rule="the certificate is valid now and for at least so many more days",
        limit=days_min,
        unit="days",
        source=presented.source,
    )
    path, _ = build_path(presented.chain, roots)
    judged = [certificate for certificate in path if certificate not in roots] or [presented.leaf]
    first = min(judged, key=lambda certificate: certificate.not_valid_after_utc)
    left = (first.not_valid_after_utc - at) / timedelta(days=1)
    subject, end = describe(first.subject), first.not_valid_after_utc.date()
    young = next((certificate for certificate in judged if certificate.not_valid_before_utc > at), None)
    if left < 0:
        return question.failed(left, f"expired: {subject!r} ended on {end}, {-left:.1f} days ago")
    if young is not None:
        start = young.not_valid_before_utc
        return question.failed(left, f"not yet valid: {describe(young.subject)!r} starts on {start:%Y-%m-%d %H:%M} UTC")
    if left < days_min:
        return question.failed(left, f"{subject!r} expires in {left:.1f} days, on {end}; {days_min:g} are required")
    return question.passed(left, f"{subject!r} expires in {left:.1f} days, on {end}")


def judge_key(presented: Presented) -> Observation:
    """Whether the leaf's key is at least RSA 2048 or P-256; Ed25519 and Ed448 are as strong."""
    question = Question(
        name="tls.key",
        rule="the key is at least RSA 2048 or P-256",
        limit=f"RSA {RSA_BITS_MIN} or EC {EC_BITS_MIN}",
        unit="bits",
        source=presented.source,
    )
    label, strong = _strength(presented.leaf)
    if strong:
        return question.passed(label, f"the key is {label}")
    return question.failed(label, f"weak key: {label}; at least RSA {RSA_BITS_MIN} or P-{EC_BITS_MIN} is required")


def _strength(certificate: x509.Certificate) -> tuple[str, bool]:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError) as error:
        return f"of an unknown kind ({error})", False
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}", key.key_size >= RSA_BITS_MIN
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}", key.key_size >= EC_BITS_MIN
    return type(key).__name__.removesuffix("PublicKey"), isinstance(
        key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
    )


def judge_declared(presented: Presented, declared_pem: bytes) -> Observation:
    """Whether the presented leaf is the declared one, byte for byte. Raises ValueError if that is no certificate."""
    declared = x509.load_pem_x509_certificate(declared_pem)
    wanted, seen = (certificate.fingerprint(hashes.SHA256()).hex() for certificate in (declared, presented.leaf))
    question = Question(
        name="tls.declared",
        rule="the certificate in the listener is the one presented",
        limit=wanted,
        unit="SHA-256",
        source=presented.source,
    )
    if wanted == seen:
        return question.passed(seen, "the declared certificate is presented")
    return question.failed(
        seen, f"another certificate than declared: presented {seen[:16]}..., declared {wanted[:16]}..."
    )


def now() -> datetime:
    """The real instant: certificates never live on a sandbox's virtual clock."""
    return datetime.now(UTC)
