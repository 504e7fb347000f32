"""PRE-03 and VAL-07 against real TLS servers: each way to be wrong turns its observation red, by name."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from probes import tls
from probes.certificates import now
from probes.target import Endpoint
from probes.tls_hello import Accepted, Version
from rollout.model import Observation, Verdict
from tests.contract.probe_world import (
    HOST,
    Authorities,
    Identity,
    Reply,
    closed_port,
    endpoint_at,
    http_server,
    leaf,
    raw_server,
    server_context,
)

pytest_plugins = ("tests.contract.probe_fixtures",)


@contextmanager
def serving(
    loopback_ca: Authorities, identity: Identity, directory: Path, *, oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
) -> Iterator[tuple[Endpoint, ssl.SSLContext]]:
    """An endpoint that presents the identity."""
    context = server_context(identity, directory)
    context.minimum_version = oldest
    with http_server(lambda _: Reply(), context) as port:
        yield endpoint_at(port, loopback_ca.file), context


def verdicts(observations: tuple[Observation, ...]) -> dict[str, Verdict]:
    """By name."""
    return {observation.name: observation.verdict for observation in observations}


def one(observations: tuple[Observation, ...], name: str) -> Observation:
    """The observation of that name."""
    (found,) = (observation for observation in observations if observation.name == name)
    return found


def test_a_good_endpoint_passes_everything(loopback_ca: Authorities, tmp_path: Path) -> None:
    """Chain, name, days, key, handshake, protocols, ciphers, declared certificate."""
    identity = leaf(loopback_ca.below)
    with serving(loopback_ca, identity, tmp_path) as (endpoint, _):
        seen = tls.everything(endpoint, declared_pem=identity.pem)

    assert set(verdicts(seen).values()) == {Verdict.PASS}, [each.message for each in seen]
    assert list(verdicts(seen)) == [
        *("tls.chain", "tls.host_name", "tls.validity", "tls.key", "tls.verified", "tls.declared"),
        *("tls.protocols", "tls.ciphers"),
    ]


@pytest.mark.parametrize(
    ("kind", "red", "says"),
    [
        ("expires in 29 days", ["tls.validity"], "expires in 29.0 days"),
        ("expired", ["tls.validity", "tls.verified"], "expired"),
        ("wrong host", ["tls.host_name", "tls.verified"], "wrong host name"),
        ("self-signed", ["tls.chain", "tls.verified"], "self-signed"),
        ("incomplete", ["tls.chain", "tls.verified"], "incomplete chain"),
        ("weak key", ["tls.key", "tls.verified"], "weak key: RSA 1024"),
        ("another", ["tls.declared"], "another certificate than declared"),
    ],
)
def test_each_defect_is_named(kind: str, red: list[str], says: str, loopback_ca: Authorities, tmp_path: Path) -> None:
    """Only the observations that it concerns turn red, and the first of them says what it is."""
    declared = leaf(loopback_ca.below)
    presented = {
        "expires in 29 days": lambda: leaf(loopback_ca.below, days=(-1, 29.001)),
        "expired": lambda: leaf(loopback_ca.below, days=(-10, -1)),
        "wrong host": lambda: leaf(loopback_ca.below, names=("www.other.example",)),
        "self-signed": lambda: leaf(None),
        "incomplete": lambda: replace(leaf(loopback_ca.below), chain=()),
        "weak key": lambda: leaf(loopback_ca.below, key=rsa.generate_private_key(65537, 1024)),
        "another": lambda: leaf(loopback_ca.below),
    }[kind]()
    pem = declared.pem if kind == "another" else presented.pem
    with serving(loopback_ca, presented, tmp_path) as (endpoint, _):
        seen = tls.certificate(endpoint, declared_pem=pem)

    assert sorted(name for name, verdict in verdicts(seen).items() if verdict is not Verdict.PASS) == sorted(red)
    assert says in one(seen, red[0]).message


def test_validity_is_judged_at_a_chosen_instant(loopback_ca: Authorities, tmp_path: Path) -> None:
    """Nobody has to wait for a certificate to grow old."""
    with serving(loopback_ca, leaf(loopback_ca.below, days=(-1, 90)), tmp_path) as (endpoint, _):
        later = tls.certificate(endpoint, at=datetime.now(UTC) + timedelta(days=61))

    assert [each.name for each in later if each.verdict is Verdict.FAIL] == ["tls.validity"]
    assert now() <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("oldest", "accepted"), [(ssl.TLSVersion.TLSv1, "TLS 1.0, TLS 1.1"), (ssl.TLSVersion.TLSv1_1, "TLS 1.1")]
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_old_versions_are_found(
    oldest: ssl.TLSVersion, accepted: str, loopback_ca: Authorities, tmp_path: Path
) -> None:
    """Each floor is really tried."""
    with serving(loopback_ca, leaf(loopback_ca.below), tmp_path, oldest=oldest) as (endpoint, _):
        (seen,) = tls.protocols(endpoint)

    assert (seen.verdict, seen.message.startswith(f"{accepted} is accepted")) == (Verdict.FAIL, True), seen.message
    assert isinstance(seen.value, dict)
    assert seen.value["SSL 3.0"].startswith("refused")


def test_tls_1_3_alone_is_enough(loopback_ca: Authorities, tmp_path: Path) -> None:
    """Stricter than asked is fine, for ciphers too."""
    with serving(loopback_ca, leaf(loopback_ca.below), tmp_path, oldest=ssl.TLSVersion.TLSv1_3) as (endpoint, _):
        protocols, ciphers = (*tls.protocols(endpoint), *tls.ciphers(endpoint))

    assert (protocols.verdict, ciphers.verdict) == (Verdict.PASS, Verdict.PASS)
    assert "accepted: TLS 1.3;" in protocols.message


@pytest.mark.parametrize(
    ("suite", "group"),
    [("AES128-GCM-SHA256", "static RSA"), ("AECDH-AES128-SHA", "anonymous"), ("ECDHE-RSA-NULL-SHA", "NULL")],
)
def test_weak_ciphers_are_found(suite: str, group: str, loopback_ca: Authorities, tmp_path: Path) -> None:
    """Named by what is weak about them, though strong ones are accepted as well."""
    identity = leaf(loopback_ca.below, key=rsa.generate_private_key(65537, 2048))
    with serving(loopback_ca, identity, tmp_path) as (endpoint, context):
        context.set_ciphers(f"ECDHE-RSA-AES128-GCM-SHA256:{suite}:@SECLEVEL=0")
        (seen,) = tls.ciphers(endpoint)

    assert (seen.verdict, seen.value) == (Verdict.FAIL, [group])


def test_a_port_that_nobody_listens_on(loopback_ca: Authorities) -> None:
    """No certificate is a failure; protocols and ciphers were not seen."""
    seen = tls.everything(endpoint_at(closed_port(), loopback_ca.file))

    assert verdicts(seen) == {
        "tls.chain": Verdict.FAIL,
        "tls.protocols": Verdict.NO_DATA,
        "tls.ciphers": Verdict.NO_DATA,
    }
    assert all("refuses connections" in each.message or "not accepted" in each.message for each in seen)


def test_a_server_that_hangs_up_refuses_everything(loopback_ca: Authorities) -> None:
    """It must not pass for refusing weak ciphers."""
    with raw_server(lambda connection: connection.recv(10)) as port:
        seen = tls.everything(endpoint_at(port, loopback_ca.file))

    assert [each.verdict for each in seen] == [Verdict.FAIL, Verdict.FAIL, Verdict.NO_DATA]
    assert "neither TLS 1.2 nor TLS 1.3" in seen[1].message


def test_a_server_without_tls(loopback_ca: Authorities) -> None:
    """Plain HTTP is no decision about TLS."""
    with raw_server(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        seen = tls.everything(endpoint_at(port, loopback_ca.file))

    assert [each.verdict for each in seen] == [Verdict.FAIL, Verdict.NO_DATA, Verdict.NO_DATA]


def test_a_server_that_never_decides(loopback_ca: Authorities, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence ends by the time-out."""
    monkeypatch.setattr(tls, "TIMEOUT_SECONDS", 0.2)

    def silent(connection: socket.socket) -> None:
        while connection.recv(1000):
            pass

    with raw_server(silent) as port:
        seen = tls.everything(endpoint_at(port, loopback_ca.file))

    assert [each.verdict for each in seen] == [Verdict.FAIL, Verdict.NO_DATA, Verdict.NO_DATA]
    assert "did not answer in time" in seen[0].message


def test_an_answer_without_end_is_not_read_forever(loopback_ca: Authorities) -> None:
    """A record that never completes is no decision."""
    hello = b"\x16\x03\x03\x40\x00\x02\x00\x3f\x00" + bytes(100)

    def drip(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(hello)

    with raw_server(drip) as port:
        answer = tls.offer(endpoint_at(port, loopback_ca.file), Version.TLS_1_2, suites=(0xC02B,))

    assert not isinstance(answer, Accepted)


def test_roots_that_cannot_be_read_are_an_error_of_ours(tmp_path: Path) -> None:
    """The endpoint is not to blame."""
    endpoint = Endpoint(host=HOST, ca_file=str(tmp_path / "missing.pem"))

    assert [each.verdict for each in tls.certificate(endpoint)] == [Verdict.SOURCE_ERROR]
    assert tls.verified_handshake(endpoint).verdict is Verdict.SOURCE_ERROR
