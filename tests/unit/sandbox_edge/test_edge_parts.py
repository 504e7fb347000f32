"""Faults, certificates, endpoints, addresses, state: the small parts."""

from __future__ import annotations

import datetime
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from edge_examples import group

from sandbox.addresses import claim_addresses, free_port
from sandbox.contracts import TargetView
from sandbox.edge import usage
from sandbox.edge.certificates import Identity, PublicAuthority
from sandbox.edge.endpoints import assignment
from sandbox.errors import SandboxError
from sandbox.faults import CATALOGUE, at_rest, read_assignments, read_fault
from sandbox.processes import Command, Spawner, is_running, run, wait_until
from sandbox.service.dials import CHOICES, Dials, dials_from
from sandbox.state import StateDirectory, read_description

HOSTS = ("api.shop.example", "blue.shop.example")


def test_service_faults_are_the_dials_the_service_knows() -> None:
    """Names and words of the catalogue are those of the service; one_zone belongs to the scheduler."""
    names = {name for name in CATALOGUE["blue"] if name != "one_zone"}

    assert names == set(Dials.__dataclass_fields__)
    for name, words in CHOICES.items():
        assert CATALOGUE["blue"][name].words == words  # type: ignore[union-attr]  # a Choice


def test_values_at_rest_are_no_fault() -> None:
    """Every slot's values at rest give the service's dials at rest."""
    assert dials_from({name: at_rest("blue", name) for name in CATALOGUE["blue"]}) == Dials()


@pytest.mark.parametrize(
    ("slot", "name", "value", "expected"),
    [
        ("blue", "error_rate", "0.1", 0.1),
        ("green", "unhealthy_tasks", "1", 1),
        ("database", "stopped", "on", True),
        ("edge", "tls_minimum", "1.0", "1.0"),
        ("cloud", "cloudwatch", "silent", "silent"),
    ],
)
def test_words_become_values(slot: str, name: str, value: str, expected: object) -> None:
    """What a person types is read once, here."""
    assert read_fault(slot, name, value) == expected
    assert read_assignments(slot, [f"{name}={value}"]) == {name: expected}


@pytest.mark.parametrize(
    ("slot", "name", "value", "hint"),
    [
        ("purple", "error_rate", "1", "Slots are blue, green"),
        ("blue", "errors", "1", "error_rate, latency_ms"),
        ("blue", "error_rate", "1.5", "from 0 to 1"),
        ("blue", "unhealthy_tasks", "1.5", "a whole number"),
        ("edge", "certificate", "bad", "expires_29_days | expired"),
        ("database", "stopped", "maybe", "true or false"),
    ],
)
def test_refusals_list_what_is_allowed(slot: str, name: str, value: str, hint: str) -> None:
    """Unknown slot, unknown name, value out of bounds."""
    with pytest.raises(SandboxError, match=r".") as caught:
        read_fault(slot, name, value)

    assert hint in caught.value.remedy


def leaf(identity: Identity) -> x509.Certificate:
    """The end-entity certificate."""
    return x509.load_pem_x509_certificate(identity.certificate)


def days_left(identity: Identity) -> float:
    """Until it expires."""
    return (leaf(identity).not_valid_after_utc - datetime.datetime.now(datetime.UTC)) / datetime.timedelta(days=1)


def test_good_certificate_is_signed_by_the_intermediate() -> None:
    """The chain holds the intermediate, which the root signed."""
    authority = PublicAuthority(HOSTS)
    good = authority.server()
    intermediate = x509.load_pem_x509_certificate(good.chain)
    leaf(good).verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.root_pem))

    names = leaf(good).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == list(HOSTS)
    assert 89 < days_left(good) <= 90


def test_faulty_certificates_have_their_fault() -> None:
    """One fault each, nothing else changed."""
    authority = PublicAuthority(HOSTS)
    kinds = {kind: authority.faulty(kind) for kind in CATALOGUE["edge"]["certificate"].words[1:]}  # type: ignore[union-attr]

    assert 28.9 < days_left(kinds["expires_29_days"]) <= 29
    assert days_left(kinds["expired"]) < 0
    assert leaf(kinds["wrong_host"]).subject != leaf(kinds["other"]).subject
    assert leaf(kinds["self_signed"]).issuer == leaf(kinds["self_signed"]).subject
    assert kinds["incomplete_chain"].chain == b""
    key = leaf(kinds["weak_key"]).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 1024


def test_draining_targets_have_left_and_sick_ones_are_marked() -> None:
    """A deregistered target leaves at once, an unhealthy one stays for the fail-open."""
    targets = [TargetView(ip="127.0.0.2", port=port, draining=port == 3) for port in (1, 2, 3)]
    (locality,) = assignment(group(targets), [("127.0.0.2", 1)])["endpoints"]
    found = [
        (one["endpoint"]["address"]["socket_address"]["port_value"], one["health_status"])
        for one in locality["lb_endpoints"]
    ]

    assert found == [(1, "HEALTHY"), (2, "UNHEALTHY")]


def test_two_claims_give_two_pairs() -> None:
    """A pair is public and internal, and nobody else's; both can be bound."""
    first, second = claim_addresses(), claim_addresses()
    addresses = {first.public, first.internal, second.public, second.internal}
    try:
        assert len(addresses) == 4
        assert all(address.startswith("127.") and address != "127.0.0.1" for address in addresses)
        assert free_port(first.internal) > 0
    finally:
        first.release()
        second.release()


def test_state_directory_has_one_holder(tmp_path: Path) -> None:
    """The second claim fails with a remedy; after the first holder's end it succeeds and finds it empty."""
    state = StateDirectory(tmp_path / "state")
    lock = state.claim()
    (state.root / "left-over").touch()
    with pytest.raises(SandboxError, match="a sandbox is up"):
        state.claim()
    lock.close()
    state.claim().close()

    assert not (state.root / "left-over").exists()


def test_secrets_are_for_the_owner_only(tmp_path: Path) -> None:
    """Keys and sandbox.json have mode 0600."""
    state = StateDirectory(tmp_path / "state")
    lock = state.claim()
    key = state.write_private("key", b"secret")
    state.write_json(state.description, {"token": "secret"}, mode=0o600)
    lock.close()

    assert [path.stat().st_mode & 0o777 for path in (key, state.description)] == [0o600, 0o600]
    assert read_description(state.root) == {"token": "secret"}


def test_missing_sandbox_says_how_to_start_one(tmp_path: Path) -> None:
    """The remedy is the command."""
    with pytest.raises(SandboxError, match="python -m sandbox up"):
        read_description(tmp_path)


def test_wait_until_names_what_did_not_happen() -> None:
    """With the deadline and the last error."""
    with pytest.raises(SandboxError, match=r"the flood did not happen within 0\.02 s \(last error: no water\)"):
        wait_until(lambda: (_ for _ in ()).throw(OSError("no water")), 0.02, "the flood")


def test_child_is_stopped_and_told_from_one_that_died(tmp_path: Path) -> None:
    """`died_unasked` is true only without `stop`; the error carries the log."""
    spawner = Spawner()
    sleeper = spawner.start(Command(name="sleeper", arguments=["/bin/sleep", "60"], log_file=tmp_path / "a.log"))
    broken = spawner.start(
        Command(name="broken", arguments=["/bin/sh", "-c", "echo no disk; exit 3"], log_file=tmp_path / "b.log")
    )
    wait_until(lambda: not broken.alive, 5, "the end of broken")

    assert sleeper.stop() == -signal.SIGTERM
    assert (sleeper.died_unasked, broken.died_unasked) == (False, True)
    with pytest.raises(SandboxError, match="exit code 3: no disk"):
        broken.require_alive()
    spawner.close()


def test_failed_run_shows_its_output(tmp_path: Path) -> None:
    """The exit code and the last words."""
    command = Command(name="tool", arguments=["/bin/sh", "-c", "echo bad input; exit 2"], log_file=tmp_path / "log")

    with pytest.raises(SandboxError, match="tool ended with exit code 2: bad input"):
        run(command)


def test_children_do_not_survive_their_parent(tmp_path: Path) -> None:
    """SIGKILL the parent: the kernel ends the child."""
    script = (
        "import sys, time; from pathlib import Path; from sandbox.processes import Command, Spawner;"
        "child = Spawner().start(Command(name='s', arguments=['/bin/sleep', '60'], log_file=Path(sys.argv[1])));"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()

    wait_until(lambda: not is_running(child), 5, "the end of the child")


def test_processor_time_and_memory_of_a_process() -> None:
    """Nanoseconds, not ticks of 10 ms; a gone process is a ProcessLookupError."""
    before = usage.cpu_seconds(os.getpid())
    end = time.process_time() + 0.02
    while time.process_time() < end:
        pass
    used = usage.cpu_seconds(os.getpid()) - before

    assert 0.015 < used < 0.5
    assert usage.pss_bytes(os.getpid()) > 2**20
    with pytest.raises(ProcessLookupError):
        usage.cpu_seconds(2**22)


def test_external_dependency_hangs_and_goes_away(tmp_path: Path) -> None:
    """Answers, hangs, refuses, answers again; on the same port."""
    program = Path(usage.__file__).parent.parent / "external.py"
    faults = tmp_path / "faults.json"
    read, write = os.pipe()
    process = subprocess.Popen([sys.executable, str(program), "127.0.0.1", str(faults), str(write)], pass_fds=(write,))
    os.close(write)
    with os.fdopen(read) as pipe:
        port = int(pipe.readline())

    def state() -> str:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.3) as connection:
                connection.settimeout(0.3)
                connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                return "answers" if connection.recv(100).startswith(b"HTTP/1.1 200") else "cut"
        except TimeoutError:
            return "hangs"
        except ConnectionError:
            return "refuses"

    try:
        steps = (({}, "answers"), ({"hang": True}, "hangs"), ({"down": True}, "refuses"), ({}, "answers"))
        for fault, expected in steps:
            temporary = faults.with_suffix(".new")
            temporary.write_text(json.dumps(fault))
            temporary.rename(faults)
            wait_until(lambda wanted=expected: state() == wanted, 5, f"the dependency {expected}")  # type: ignore[misc]
    finally:
        process.terminate()
        process.wait()
