"""ARCH-01: a task that serves a stranger, by TLS or in plain text, is found; one that refuses or is silent is not."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from probes.account.asking import Unread
from probes.account.targets import healthy_targets
from probes.direct import serves_no_stranger
from rollout.model import Observation, Verdict
from tests.contract.probe_world import Asked, Authorities, Reply, closed_port, http_server, leaf, server_context

pytest_plugins = ("tests.contract.probe_fixtures",)

_HERE = "127.0.0.1"


def asked(port: int) -> Observation:
    return serves_no_stranger([(_HERE, port)], source="test")


def healthy(_: Asked) -> Reply:
    return Reply(body=b"{}")


@pytest.fixture
def context(loopback_ca: Authorities, tmp_path: Path) -> ssl.SSLContext:
    return server_context(leaf(loopback_ca.below), tmp_path)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_task_that_wants_a_certificate_serves_no_stranger(
    context: ssl.SSLContext, loopback_ca: Authorities, version: ssl.TLSVersion
) -> None:
    """TLS 1.3 lets the handshake end well and refuses afterwards: only the answer decides."""
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(loopback_ca.file)
    with http_server(healthy, context) as port:
        seen = asked(port)

    assert (seen.verdict, seen.n) == (Verdict.PASS, 1), seen.message


def test_a_task_that_takes_everybody_is_reached(context: ssl.SSLContext) -> None:
    with http_server(healthy, context) as port:
        seen = asked(port)

    assert seen.verdict is Verdict.FAIL
    assert f"{_HERE}:{port} answered HTTP/1.1 200" in seen.message


def test_a_task_without_tls_is_reached() -> None:
    with http_server(healthy) as port:
        seen = asked(port)

    assert seen.verdict is Verdict.FAIL
    assert f"{_HERE}:{port} answered HTTP/1." in seen.message


def test_a_closed_port_is_no_way_in() -> None:
    assert asked(closed_port()).verdict is Verdict.PASS


@pytest.fixture
def mute() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server((_HERE, 0)) as server:
        yield server.getsockname()[1]


def test_silence_is_no_way_in(mute: int) -> None:
    seen = asked(mute)

    assert (seen.verdict, seen.value) == (Verdict.PASS, {f"{_HERE}:{mute}": "timeout"})


def test_one_of_two_is_enough_to_fail(context: ssl.SSLContext) -> None:
    with http_server(healthy, context) as port:
        seen = serves_no_stranger([(_HERE, closed_port()), (_HERE, port)], source="test")

    assert (seen.verdict, seen.n) == (Verdict.FAIL, 2)


def test_nothing_that_serves_is_no_evidence() -> None:
    """A task that is down refuses everybody."""
    assert serves_no_stranger([], source="test").verdict is Verdict.NO_DATA
    assert serves_no_stranger(Unread("denied"), source="test").verdict is Verdict.SOURCE_ERROR


class Groups:
    """An account with two groups, in the shape of DescribeTargetHealth's answer."""

    endpoint_url = None
    health: ClassVar = {
        "blue": [("127.0.0.2", "healthy"), ("127.0.0.3", "draining")],
        "green": [("127.0.0.2", "healthy"), ("127.0.0.4", "initial")],
    }

    def client(self, service: str) -> Groups:
        assert service == "elbv2"
        return self

    def describe_target_health(self, TargetGroupArn: str) -> dict[str, object]:  # noqa: N803 - boto3's own name
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": address, "Port": 8443}, "TargetHealth": {"State": state}}
                for address, state in self.health[TargetGroupArn]
            ]
        }


def test_only_healthy_targets_are_asked_and_each_once() -> None:
    assert healthy_targets(Groups(), ["blue", "green"]) == (("127.0.0.2", 8443),)
