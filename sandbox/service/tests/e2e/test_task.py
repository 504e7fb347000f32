"""Real task processes, forked as in the sandbox, over mutual TLS."""

from __future__ import annotations

import os
import ssl
import threading
import time
from pathlib import Path

import httpx
import pytest

from sandbox.service import image
from sandbox.service.clients import secret_of
from sandbox.service.headers import SECURITY
from sandbox.service.plain import document
from sandbox.service.tests.declared import undeclared
from sandbox.service.tests.inside import CLIENT
from sandbox.service.tests.support import RunningTask, World, eventually, raw

STATUS = "/api/v1/status"


def test_only_a_client_with_the_right_certificate_is_served(shop: World, task: RunningTask) -> None:
    """Without a certificate, with one of a stranger, and in plain HTTP there is no answer."""
    stranger = shop.strangers_context()
    for context in (shop.context(with_certificate=False), stranger):
        with pytest.raises(httpx.TransportError), httpx.Client(verify=context) as client:
            client.get(f"{task.base_url}{STATUS}")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://{shop.address}:{task.port}{STATUS}")


def test_the_status_names_slot_version_and_digest(shop: World, tasks: dict[str, RunningTask]) -> None:
    """On the fast path and on the ordinary one, in the same declared shape."""
    for slot, version in (("green", "1.0.0"), ("blue", "1.1.0")):
        with tasks[slot].client() as client:
            fast, ordinary = client.get(STATUS), client.get(f"{STATUS}?x=1")
        for answer in (fast, ordinary):
            assert undeclared(document(version), STATUS, answer=answer) == ""
            assert (slot, version, image.digest(version)) == tuple(
                answer.json()[name] for name in ("slot", "version", "digest")
            )
        assert set(fast.headers) == set(ordinary.headers)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /api/v1/status HTTP/1.1", 200),
        (b"HEAD /api/v1/status HTTP/1.1", 200),
        (b"GET /api/v1/status HTTP/1.0", 200),
        (b"GET /nowhere HTTP/1.1", 404),
        (b"GET /%ff%00 HTTP/1.1", 404),
        (b"POST /api/v1/status HTTP/1.1", 405),
        (b"GET /api/v1/auth/verify HTTP/1.1", 401),
        (b"NONSENSE", 400),
        (b"CONNECT a:1 HTTP/1.1", 400),
        (b"OPTIONS * HTTP/1.1", 404),
    ],
)
def test_every_answer_carries_the_headers(shop: World, task: RunningTask, request_line: bytes, status: int) -> None:
    """Identity and security, each once, and no server version, whatever was asked."""
    request = request_line + b"\r\nhost: x\r\nx-request-id: r-1\r\nconnection: close"
    answer = raw(shop.address, task.port, context=task.context, request=request)
    head = answer.split(b"\r\n\r\n")[0].split(b"\r\n")
    names = [line.split(b":")[0].lower() for line in head[1:]]

    assert int(head[0].split()[1]) == status
    for name, value in (*SECURITY, (b"x-slot", b"blue"), (b"x-version", b"1.1.0")):
        assert names.count(name) == 1
        assert name + b": " + value in head
    assert b"server" not in names
    assert status == 400 or b"x-request-id: r-1" in head


def test_pipelined_and_split_requests_are_answered_in_order(shop: World, task: RunningTask) -> None:
    """The fast path does not overtake an answer that is still under way."""
    slow = b"GET /api/v1/slow?seconds=0.1 HTTP/1.1\r\nhost: x\r\n\r\n"
    fast = b"GET /api/v1/status HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc"
    last = b"GET /api/v1/status HTTP/1.1\r\nhost: x\r\nconnection: close"
    answer = raw(shop.address, task.port, context=task.context, request=fast + slow + fast + last)

    assert answer.count(b"HTTP/1.1 200 OK") == 4
    assert answer.index(b"slept_seconds") > answer.index(b'"time"')
    assert answer.index(b"slept_seconds") < answer.rindex(b'"time"')


def test_a_customer_and_a_token_go_on_on_the_other_slot(shop: World, tasks: dict[str, RunningTask]) -> None:
    """Real processes, real versions, both ways."""
    auth = CLIENT, secret_of((shop.directory / "signing.pem").read_bytes(), CLIENT)
    for here, there in (("green", "blue"), ("blue", "green")):
        with tasks[here].client() as first, tasks[there].client() as second:
            form = {"grant_type": "client_credentials"}
            token = first.post("/oauth2/token", data=form, auth=auth).json()["access_token"]
            first.post("/api/v1/session", json={"customer": "Ann"})
            cookie = {"cookie": f"__Host-session={first.cookies['__Host-session']}"}
            verified = second.get("/api/v1/auth/verify", headers={"authorization": f"Bearer {token}"})
            session = second.get("/api/v1/session", headers=cookie)

        assert (200, 200, here) == (verified.status_code, session.status_code, session.json()["signed_in_slot"])


def test_planted_errors_are_found_by_request_id(task: RunningTask) -> None:
    """Each failed answer is one line of the log."""
    task.turn(error_rate=1)
    with task.client() as client:
        eventually(lambda: client.get(STATUS).status_code == 500, "the dial being read")
        client.get(STATUS, headers={"x-request-id": "failed-1"})
        health = client.get("/health").status_code
    lines = [line for line in task.failures() if line.get("request_id") == "failed-1"]

    assert [(line["status"], line["planted"], line["path"]) for line in lines] == [(500, True, STATUS)]
    assert health == 200


def test_planted_delays_delay(task: RunningTask) -> None:
    """A latency for every request; a stall that ends with its window."""
    task.turn(latency_ms=150)
    with task.client() as client:
        slowest = eventually(lambda: client.get(STATUS).elapsed.total_seconds() >= 0.15, "the latency")
        task.turn(stall_ms=100, stall_every_ms=200)
        stalled = eventually(lambda: client.get(STATUS).elapsed.total_seconds() >= 0.02, "a stall")

    assert slowest
    assert stalled


def test_refused_connections_come_back_on_the_same_port(task: RunningTask) -> None:
    """Open connections end too, because a load balancer would go on using them."""

    def refused() -> bool:
        try:
            with task.client() as client:
                client.get(STATUS)
        except httpx.ConnectError:
            return True
        return False

    with task.client() as kept:
        kept.get(STATUS)
        task.turn(refuse_connections=True)
        eventually(refused, "connections being refused")
        with pytest.raises(httpx.TransportError):
            kept.get(STATUS)
    task.turn()
    eventually(lambda: not refused(), "connections being accepted")


def test_a_dial_that_means_nothing_is_noted_and_changes_nothing(task: RunningTask) -> None:
    """The task lives on."""
    task.turn(health="splendid")
    eventually(lambda: any("splendid" in str(line) for line in task.failures()), "the note in the log")
    with task.client() as client:
        assert client.get(STATUS).status_code == 200


def test_a_task_that_crashes_on_start_never_gets_a_port(shop: World) -> None:
    """Exit code 1 at once."""
    (shop.directory / "crashing.json").write_text('{"crash_on_start": true}')
    crashed = shop.task("green", task_id="crash", fault_file=str(shop.directory / "crashing.json"))

    assert crashed.port is None
    eventually(crashed.ended, "its end")


def test_a_task_drains_before_it_ends(shop: World, tmp_path: Path) -> None:
    """The answer under way is completed, new requests are still answered but close, health says draining; code 0."""
    task = shop.task("green", task_id="drain", fault_file=str(tmp_path / "none.json"))
    answers: list[httpx.Response] = []

    def ask() -> None:
        with task.client() as client:
            answers.append(client.get("/api/v1/slow", params={"seconds": 0.6}))

    asking = threading.Thread(target=ask)
    with task.client() as client:
        client.get(STATUS)
        asking.start()
        started = time.monotonic()
        task.terminate()
        status = eventually(lambda: _draining(client), "draining")
        health = client.get("/health")
    asking.join(5)
    eventually(task.ended, "its end")

    assert (status.status_code, status.headers["connection"]) == (200, "close")
    assert (health.status_code, health.json()["status"]) == (503, "draining")
    assert [answer.status_code for answer in answers] == [200]
    assert time.monotonic() - started < 3.0
    assert os.waitstatus_to_exitcode(task.exit_status()) == 0


def _draining(client: httpx.Client) -> httpx.Response | None:
    answer = client.get(STATUS)
    return answer if answer.json()["status"] == "draining" else None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_nothing_older_than_tls_1_2_is_spoken(shop: World, task: RunningTask) -> None:
    """The task itself refuses TLS 1.1 to a client that would speak it, and speaks 1.2 to the same client."""
    context = shop.context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with httpx.Client(verify=context) as client:
        assert client.get(f"{task.base_url}{STATUS}").status_code == 200
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.TransportError), httpx.Client(verify=context) as client:
        client.get(f"{task.base_url}{STATUS}")
