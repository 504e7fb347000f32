"""PRE-03 and VAL-07, the pure part: what a presented chain is worth at a chosen instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from probes import certificates
from probes.certificates import Presented
from rollout.model import Verdict
from tests.contract.probe_world import HOST, Identity, authority, leaf

NOW = datetime.now(UTC)
ROOT = authority("Test root")
BELOW = authority("Test intermediate", ROOT)
ROOTS = (ROOT.certificate,)

# cryptography no longer makes these: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha1
SHA1_PEM = b"""\
-----BEGIN CERTIFICATE-----
MIIBoTCCAUegAwIBAgIUbalA8NuQMbhRvmzSHujIzoNZaCYwCQYHKoZIzj0EATAY
MRYwFAYDVQQDDA1vbGQgc2lnbmF0dXJlMB4XDTI2MTEyNDA2NDcxOFoXDTM2MTEy
MTA2NDcxOFowGDEWMBQGA1UEAwwNb2xkIHNpZ25hdHVyZTBZMBMGByqGSM49AgEG
CCqGSM49AwEHA0IABC8tMMiDJlmdyoCwQb0hFg8GQK7dbjU+fVzeHkC27iFJpqEz
arVVZvUmVAuiklD0xqtwaeBjmebBSdK0bnXLfV2jcDBuMB0GA1UdDgQWBBQTweld
SJI2/san7hDtrGAmXB3JODAfBgNVHSMEGDAWgBQTweldSJI2/san7hDtrGAmXB3J
ODAPBgNVHRMBAf8EBTADAQH/MBsGA1UdEQQUMBKCEGFwaS5zaG9wLmV4YW1wbGUw
CQYHKoZIzj0EAQNJADBGAiEAhfVESovxD/Rj2gtgSN4hlrf5PIu5lvdckJnfddgg
m4YCIQDmie6dg2PIuIn2mDAiG+a4HZLbkatZId/Ip0yaKNKKRg==
-----END CERTIFICATE-----
"""


def presented(identity: Identity, *others: x509.Certificate) -> Presented:
    """As a server would send it."""
    return Presented(chain=(identity.certificate, *(others or identity.chain)), source="a test")


def test_a_complete_chain_verifies() -> None:
    """Leaf and intermediate sent, root trusted."""
    seen = certificates.judge_chain(presented(leaf(BELOW)), ROOTS, at=NOW)

    assert seen.verdict is Verdict.PASS
    assert seen.value == f"{HOST} <- Test intermediate <- Test root"


@pytest.mark.parametrize(
    ("chain", "says"),
    [
        (Presented(chain=(leaf(BELOW).certificate,), source=""), "incomplete chain: 'Test intermediate'"),
        (presented(leaf(None)), "self-signed"),
        (presented(leaf(authority("Stranger"))), "self-signed certificate: 'Stranger'"),
        (presented(leaf(authority("Below stranger", authority("Stranger")))), "it ends at 'Below stranger'"),
        (presented(leaf(BELOW, names=())), "no DNS name"),
    ],
    ids=["incomplete", "self-signed", "unknown root sent", "unknown root not sent", "no names"],
)
def test_a_chain_that_does_not_lead_to_a_root_is_named(chain: Presented, says: str) -> None:
    """Each way to be wrong has its own sentence."""
    seen = certificates.judge_chain(chain, ROOTS, at=NOW)

    assert (seen.verdict, says in seen.message) == (Verdict.FAIL, True), seen.message


def test_an_endless_chain_ends() -> None:
    """Paths are bounded."""
    issuer = authority("Stranger")
    sent = []
    for number in range(10):
        issuer = authority(f"Number {number}", issuer)
        sent.insert(0, issuer.certificate)

    seen = certificates.judge_chain(presented(leaf(issuer), *sent), ROOTS, at=NOW)

    assert (seen.verdict, "within 8 certificates" in seen.message) == (Verdict.FAIL, True)


def test_a_ca_certificate_as_leaf_breaks_the_profile() -> None:
    """What signatures allow, the Web PKI may forbid."""
    seen = certificates.judge_chain(Presented(chain=(BELOW.certificate,), source=""), ROOTS, at=NOW)

    assert seen.verdict is Verdict.FAIL


def test_a_sha1_signature_counts_for_nothing() -> None:
    """A certificate that could have been forged is named as such, before anything else is said of it."""
    old = Presented(chain=(x509.load_pem_x509_certificate(SHA1_PEM),), source="a test")

    seen = certificates.judge_chain(old, ROOTS, at=NOW)

    assert (seen.verdict, "signed with sha1, which can be forged" in seen.message) == (Verdict.FAIL, True)


@pytest.mark.parametrize(
    ("days_left", "verdict", "says"),
    [
        (31, Verdict.PASS, "expires in 3"),
        (30.001, Verdict.PASS, "expires in 30.0 days"),
        (29.999, Verdict.FAIL, "30 are required"),
        (29, Verdict.FAIL, "expires in 29.0 days"),
        (0.5, Verdict.FAIL, "expires in 0.5 days"),
        (-1, Verdict.FAIL, "expired"),
    ],
)
def test_days_left(days_left: float, verdict: Verdict, says: str) -> None:
    """At least thirty more days; the boundary is exact on a chosen clock."""
    identity = leaf(BELOW, days=(-100, 90))
    at = identity.certificate.not_valid_after_utc - timedelta(days=days_left)

    seen = certificates.judge_validity(presented(identity), ROOTS, at=at, days_min=30)

    assert (seen.verdict, says in seen.message) == (verdict, True), seen.message


def test_a_certificate_that_lives_shorter_than_the_limit_is_judged_all_the_same() -> None:
    """Six days of life are not thirty more days."""
    seen = certificates.judge_validity(presented(leaf(BELOW, days=(0, 6))), ROOTS, at=NOW, days_min=30)

    assert seen.verdict is Verdict.FAIL


def test_a_certificate_from_the_future_is_named() -> None:
    """Not yet valid is another defect than expired."""
    seen = certificates.judge_validity(presented(leaf(BELOW, days=(2, 90))), ROOTS, at=NOW, days_min=30)

    assert (seen.verdict, "not yet valid" in seen.message) == (Verdict.FAIL, True)


def test_an_intermediate_that_ends_first_decides() -> None:
    """Customers fail with the first certificate of the path that ends."""
    short = authority("Short", ROOT, days=(-1, 10))

    seen = certificates.judge_validity(presented(leaf(short)), ROOTS, at=NOW, days_min=30)

    assert (seen.verdict, "'Short' expires in" in seen.message) == (Verdict.FAIL, True)


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [
        ((HOST,), HOST, True),
        ((HOST,), "API.Shop.Example.", True),
        (("*.shop.example",), HOST, True),
        (("*.shop.example",), "shop.example", False),
        (("*.shop.example",), "a.b.shop.example", False),
        (("*.example",), "shop.example", False),
        (("www.other.example",), HOST, False),
        ((), HOST, False),
        (("*.shop.example",), ".shop.example", False),
    ],
)
def test_names(names: tuple[str, ...], host: str, covered: bool) -> None:
    """A wildcard is one label, and not the last but one."""
    assert certificates.covers(names, host) is covered


def test_a_wrong_host_is_named() -> None:
    """The sentence holds both names."""
    seen = certificates.judge_host(presented(leaf(BELOW, names=("www.other.example",))), HOST)

    assert seen.verdict is Verdict.FAIL
    assert "www.other.example" in seen.message
    assert HOST in seen.message


@pytest.mark.parametrize(
    ("key", "verdict", "says"),
    [
        (ec.generate_private_key(ec.SECP256R1()), Verdict.PASS, "EC secp256r1"),
        (ec.generate_private_key(ec.SECP224R1()), Verdict.FAIL, "EC secp224r1"),
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), Verdict.PASS, "RSA 2048"),
        (rsa.generate_private_key(public_exponent=65537, key_size=1024), Verdict.FAIL, "RSA 1024"),
        (ed25519.Ed25519PrivateKey.generate(), Verdict.PASS, "Ed25519"),
        (dsa.generate_private_key(1024), Verdict.FAIL, "DSA"),
    ],
    ids=["P-256", "P-224", "RSA 2048", "RSA 1024", "Ed25519", "DSA"],
)
def test_keys(key: rsa.RSAPrivateKey, verdict: Verdict, says: str) -> None:
    """At least RSA 2048 or P-256."""
    seen = certificates.judge_key(presented(leaf(BELOW, key=key)))

    assert (seen.verdict, says in seen.message) == (verdict, True), seen.message


def test_the_declared_certificate_must_be_the_presented_one() -> None:
    """Another valid certificate for the same host is still another one."""
    declared, other = leaf(BELOW), leaf(BELOW)

    assert certificates.judge_declared(presented(declared), declared.pem).verdict is Verdict.PASS
    seen = certificates.judge_declared(presented(other), declared.pem)
    assert (seen.verdict, "another certificate than declared" in seen.message) == (Verdict.FAIL, True)


def test_a_declared_certificate_that_is_none_is_wrong_use() -> None:
    """The caller's mistake, so it raises."""
    with pytest.raises(ValueError, match="PEM"):
        certificates.judge_declared(presented(leaf(BELOW)), b"nonsense")


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # system stores hold ancient roots
def test_roots_come_from_the_file_or_the_system(tmp_path: Path) -> None:
    """A file is read as it is."""
    file = tmp_path / "ca.pem"
    file.write_bytes(ROOT.pem + BELOW.pem)

    assert certificates.trusted_roots(str(file)) == (ROOT.certificate, BELOW.certificate)
    assert all(isinstance(each, x509.Certificate) for each in certificates.trusted_roots(None))


def test_a_name_without_common_name_is_described() -> None:
    """Sentences need something to call it by."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Shop")])

    assert certificates.describe(name) == "O=Shop"
    assert certificates.describe(x509.Name([])) == "(no name)"
