"""Dns: the fake and Route 53 with a resolver on loopback tell the same story of a change."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Iterator
from typing import Protocol

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from port_world import ADDRESS, Account, assert_translates_errors, clients_of

from rollout.adapters.route53 import Route53Dns
from rollout.errors import BadInput
from rollout.model import DnsChange
from rollout.ports import Dns
from tests.fakes.dns import FakeDns

pytest_plugins = ("port_fixtures",)
pytestmark = pytest.mark.xdist_group("ports")

_names = iter(range(1, 1000))


def change() -> DnsChange:
    """A record of its own for each test."""
    values = {"blue": "blue.shop.example", "green": "green.shop.example"}
    return DnsChange(name=f"live-{next(_names)}.shop.example", record_type="CNAME", ttl_seconds=60, values=values)


class Responder:
    """Answers CNAME questions from `records` over UDP on loopback; NXDOMAIN for the rest."""

    def __init__(self) -> None:
        self.records: dict[str, str] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ADDRESS, 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def stop(self) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(timeout=5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, client = self._socket.recvfrom(4096)
            if not data:
                return
            question = dns.message.from_wire(data)
            name = question.question[0].name
            answer = dns.message.make_response(question)
            value = self.records.get(name.to_text().rstrip("."))
            if value is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            else:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", value + "."))
            self._socket.sendto(answer.to_wire(), client)


class Zone(Protocol):
    @property
    def dns(self) -> Dns: ...

    def propagate(self) -> None:
        """The change is in sync, and the resolver answers what the zone says."""


class InMemory:
    def __init__(self) -> None:
        self.dns = FakeDns()

    def propagate(self) -> None:
        self.dns.propagate()


class OnPlane:
    def __init__(self, account: Account, responder: Responder) -> None:
        self.account, self.responder = account, responder
        self.target = dataclasses.replace(account.target, dns_server=responder.address)
        self.dns = Route53Dns(account.clients, self.target)

    def propagate(self) -> None:
        self.account.cloud.plane.settle()
        for row in self.account.cloud.plane.dns_records():
            if row["Type"] == "CNAME":
                self.responder.records[row["Name"].rstrip(".")] = row["ResourceRecords"][0]["Value"].rstrip(".")


@pytest.fixture(scope="module")
def responder() -> Iterator[Responder]:
    one = Responder()
    yield one
    one.stop()


@pytest.fixture(params=["fake", "plane"])
def zone(request: pytest.FixtureRequest) -> Zone:
    if request.param == "fake":
        return InMemory()
    return OnPlane(request.getfixturevalue("account"), request.getfixturevalue("responder"))


@pytest.fixture
def plane_zone(account: Account, responder: Responder) -> OnPlane:
    return OnPlane(account, responder)


def test_a_record_that_does_not_exist(zone: Zone) -> None:
    seen = zone.dns.read(change())

    assert (seen.value, seen.in_sync, seen.resolved_value) == (None, False, None)
    assert "could not be resolved" in str(seen.error)


def test_a_change_is_pending_then_in_sync_and_resolved(zone: Zone) -> None:
    wanted = change()

    zone.dns.upsert(wanted, "green")
    pending = zone.dns.read(wanted)
    zone.propagate()
    done = zone.dns.read(wanted)

    assert (pending.value, pending.in_sync, pending.resolved_value) == ("green.shop.example", False, None)
    assert (done.value, done.in_sync, done.resolved_value, done.error) == (
        "green.shop.example",
        True,
        "green.shop.example",
        None,
    )


def test_the_zone_is_ahead_of_the_resolver(zone: Zone) -> None:
    wanted = change()
    zone.dns.upsert(wanted, "green")
    zone.propagate()

    zone.dns.upsert(wanted, "blue")
    seen = zone.dns.read(wanted)

    assert (seen.value, seen.in_sync, seen.resolved_value) == ("blue.shop.example", False, "green.shop.example")


def test_the_same_value_again_is_no_change(zone: Zone) -> None:
    wanted = change()
    zone.dns.upsert(wanted, "green")
    zone.propagate()

    zone.dns.upsert(wanted, "green")

    assert zone.dns.read(wanted).in_sync


def test_a_slot_without_a_value_is_refused(zone: Zone) -> None:
    with pytest.raises(BadInput, match="purple"):
        zone.dns.upsert(change(), "purple")


# ------------------------------------------------------------------------------------------------ the wire


def test_a_change_comes_with_its_way_back(plane_zone: OnPlane) -> None:
    wanted = change()

    first = plane_zone.dns.change(wanted, "green")
    second = plane_zone.dns.change(wanted, "blue")
    none = plane_zone.dns.change(wanted, "blue")

    assert [first["Changes"][0]["Action"], second["Changes"][0]["Action"], none["Changes"]] == ["DELETE", "UPSERT", []]
    route53 = plane_zone.account.cloud.client("route53")
    for undo in (second, first):
        route53.change_resource_record_sets(
            HostedZoneId=plane_zone.target.hosted_zone_id, ChangeBatch={"Changes": undo["Changes"]}
        )
    assert plane_zone.dns.read(wanted).value is None


def test_after_a_restart_the_resolver_decides(plane_zone: OnPlane) -> None:
    """The change's id is gone with the process: agreement of zone and resolver is the evidence that is left."""
    wanted = change()
    plane_zone.dns.upsert(wanted, "green")
    again = Route53Dns(clients_of(plane_zone.account.cloud.url), plane_zone.target)

    before = again.read(wanted)
    plane_zone.propagate()
    after = again.read(wanted)

    assert (before.in_sync, after.in_sync) == (False, True)


def test_another_ttl_is_a_change(plane_zone: OnPlane) -> None:
    wanted = change()
    plane_zone.dns.upsert(wanted, "green")

    assert plane_zone.dns.change(dataclasses.replace(wanted, ttl_seconds=30), "green")["Changes"]


def test_an_alias_is_read_but_never_replaced(plane_zone: OnPlane) -> None:
    """An alias names the load balancer, which both sides are behind."""
    alias = DnsChange(name="api.shop.example", record_type="A", ttl_seconds=60, values={"blue": "192.0.2.1"})

    assert ".elb." in str(plane_zone.dns.read(alias).value)
    with pytest.raises(BadInput, match="alias"):
        plane_zone.dns.upsert(alias, "blue")


def test_a_silent_resolver_is_told(plane_zone: OnPlane) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind((ADDRESS, 0))
        target = dataclasses.replace(plane_zone.target, dns_server=f"{ADDRESS}:{mute.getsockname()[1]}")
        seen = Route53Dns(plane_zone.account.clients, target, resolver_seconds=0.1).read(change())

    assert "could not be resolved" in str(seen.error)


def test_errors_of_the_service_are_ours(plane_zone: OnPlane) -> None:
    wanted = change()

    assert_translates_errors(
        plane_zone.account, "route53", lambda: plane_zone.dns.read(wanted), "ListResourceRecordSets"
    )
