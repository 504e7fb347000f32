"""DNS answers from Route 53 records."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import dns.asyncquery
import dns.message
import dns.rcode
import pytest

from sandbox.edge.resolver import DnsServer, Resolver

ADDRESS = "127.9.9.8"
SOA = "ns.example. hostmaster.example. 1 7200 900 1209600 86400"


def plain(name: str, kind: str, *values: str, ttl: int = 60) -> dict[str, Any]:
    """A record set."""
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}


RECORDS = [
    plain("shop.example.", "SOA", SOA, ttl=900),
    plain("shop.example.", "CAA", '0 issue "amazon.com"'),
    {"Name": "api.shop.example.", "Type": "A", "AliasTarget": {"DNSName": "lb.example."}},
    {"Name": "green.shop.example.", "Type": "A", "AliasTarget": {"DNSName": "lb.example."}},
    plain("current.shop.example.", "CNAME", "green.shop.example."),
]


def ask(name: str, kind: str, faults: Mapping[str, object] | None = None) -> tuple[str, list[str]]:
    """(rcode, answer lines)."""
    resolver = Resolver(load_balancer_address=ADDRESS, faults=faults or {})
    response = resolver.answer(dns.message.make_query(name, kind), RECORDS)
    lines = [line for answer in response.answer for line in str(answer).splitlines()]
    return dns.rcode.to_text(response.rcode()), lines


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("api.shop.example", "A", ("NOERROR", [f"api.shop.example. 60 IN A {ADDRESS}"])),
        ("API.shop.example", "A", ("NOERROR", [f"API.shop.example. 60 IN A {ADDRESS}"])),
        ("current.shop.example", "CNAME", ("NOERROR", ["current.shop.example. 60 IN CNAME green.shop.example."])),
        ("api.shop.example", "AAAA", ("NOERROR", [])),
        ("shop.example", "CAA", ("NOERROR", ['shop.example. 60 IN CAA 0 issue "amazon.com"'])),
        ("nobody.shop.example", "A", ("NXDOMAIN", [])),
        ("other.example", "A", ("REFUSED", [])),
    ],
)
def test_answers(name: str, kind: str, expected: tuple[str, list[str]]) -> None:
    """Alias, CNAME, CAA; no data, no name, not our zone."""
    assert ask(name, kind) == expected


def test_alias_behind_a_cname_is_followed() -> None:
    """Both records are in the answer."""
    code, lines = ask("current.shop.example", "A")

    assert code == "NOERROR"
    assert lines == ["current.shop.example. 60 IN CNAME green.shop.example.", f"green.shop.example. 60 IN A {ADDRESS}"]


@pytest.mark.parametrize(
    ("fault", "name", "kind", "expected"),
    [
        ("wrong_target", "api.shop.example", "A", "127.255.255.254"),
        ("wrong_target", "current.shop.example", "CNAME", "CNAME blue.shop.example."),
        ("long_ttl", "api.shop.example", "A", " 86400 IN A"),
        ("dangling_cname", "current.shop.example", "CNAME", "gone.load-balancer.invalid."),
        ("caa_forbids", "shop.example", "CAA", 'issue "other-authority.example"'),
    ],
)
def test_faults_change_the_answer(fault: str, name: str, kind: str, expected: str) -> None:
    """Each fault is visible to whoever asks, and is not there without the fault."""
    assert expected in " ".join(ask(name, kind, {fault: True})[1])
    assert expected not in " ".join(ask(name, kind)[1])


def test_udp_and_tcp_on_one_port() -> None:
    """Both give the same answer; nonsense is not answered and does no harm."""

    async def talk() -> None:
        server = DnsServer(Resolver(load_balancer_address=ADDRESS, faults={}), lambda: RECORDS)
        await server.start("127.0.0.1")
        query = dns.message.make_query("api.shop.example", "A")
        assert server.respond(b"nonsense") is None
        by_udp = await dns.asyncquery.udp(query, "127.0.0.1", port=server.port, timeout=5)
        by_tcp = await dns.asyncquery.tcp(query, "127.0.0.1", port=server.port, timeout=5)
        assert by_udp.answer == by_tcp.answer
        assert by_udp.answer

    asyncio.run(talk())
