"""PRE-04 against a real responder: each way to lead elsewhere is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dns.resolver
import pytest

from probes import dns as probe
from probes.dns import DeclaredRecord, LoadBalancer
from probes.target import resolver_at
from rollout.model import Observation, Verdict
from tests.contract.probe_world import HOST, Zone, dns_server

BALANCER = LoadBalancer(dns_name="shop-api-1.us-east-1.elb.amazonaws.com", addresses=("127.9.9.9",))
ALIAS: dict[str, Any] = {
    "Name": f"{HOST}.",
    "Type": "A",
    "AliasTarget": {"DNSName": "dualstack.Shop-Api-1.us-east-1.elb.amazonaws.com.", "HostedZoneId": "Z"},
}


@pytest.fixture
def zone() -> Zone:
    """The public name leads to the load balancer."""
    made = Zone()
    made.add(HOST, "A", "127.9.9.9")
    made.add(BALANCER.dns_name, "A", "127.9.9.9")
    return made


@pytest.fixture
def resolver(zone: Zone) -> Iterator[dns.resolver.Resolver]:
    """Asks the responder, and nobody else."""
    with dns_server(zone) as nameserver:
        yield resolver_at(nameserver, lifetime_seconds=0.5)


def only(observations: tuple[Observation, ...]) -> Observation:
    """The one observation."""
    (found,) = observations
    return found


def record(**changes: Any) -> DeclaredRecord:
    """An address record of the public name."""
    return DeclaredRecord(**{"name": HOST, "type": "A", "values": ("127.9.9.9",), "ttl_seconds": 60, **changes})


def test_route_53_records_are_read() -> None:
    """Names are compared without dots, case and escapes."""
    wildcard = {"Name": "\\052.shop.example.", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "a.b."}]}

    assert probe.from_route53([ALIAS, wildcard]) == (
        DeclaredRecord(name=HOST, type="A", alias_target=BALANCER.dns_name),
        DeclaredRecord(name="*.shop.example", type="CNAME", values=("a.b.",), ttl_seconds=60),
    )


@pytest.mark.parametrize(
    ("records", "leads", "ttl", "says"),
    [
        (probe.from_route53([ALIAS]), Verdict.PASS, Verdict.PASS, "leads to shop-api-1"),
        ([record()], Verdict.PASS, Verdict.PASS, "leads to 127.9.9.9"),
        ([record(type="CNAME", values=(f"{BALANCER.dns_name}.",))], Verdict.PASS, Verdict.PASS, "leads to"),
        ([record(ttl_seconds=300)], Verdict.PASS, Verdict.PASS, "leads to"),
        ([record(ttl_seconds=301)], Verdict.PASS, Verdict.FAIL, "leads to"),
        ([record(ttl_seconds=86400)], Verdict.PASS, Verdict.FAIL, "leads to"),
        ([record(values=("127.6.6.6",))], Verdict.FAIL, Verdict.PASS, "leads to 127.6.6.6, not to"),
        ([record(alias_target="other.elb.amazonaws.com")], Verdict.FAIL, Verdict.PASS, "other.elb"),
        ([record(weight=100), record(values=("127.6.6.6",), weight=0)], Verdict.PASS, Verdict.PASS, "leads to"),
        ([record(weight=99), record(values=("127.6.6.6",), weight=1)], Verdict.FAIL, Verdict.PASS, "127.6.6.6"),
    ],
)
def test_declared_records(records: list[DeclaredRecord], leads: Verdict, ttl: Verdict, says: str) -> None:
    """Where to, and for how long."""
    first, second = probe.declared(records, HOST, balancer=BALANCER)

    assert (first.verdict, second.verdict, says in first.message) == (leads, ttl, True), first.message


def test_a_name_without_record() -> None:
    """Is a failure, not an empty success."""
    assert only(probe.declared([record(type="TXT")], HOST, balancer=BALANCER)).verdict is Verdict.FAIL


def test_what_resolves_leads_to_the_load_balancer(resolver: dns.resolver.Resolver) -> None:
    """By declared addresses, or by what its own name resolves to."""
    for balancer in (BALANCER, LoadBalancer(dns_name=BALANCER.dns_name)):
        assert {each.verdict for each in probe.resolved(resolver, HOST, balancer=balancer)} == {Verdict.PASS}


def test_a_cname_to_the_load_balancer_is_followed(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    """Whatever addresses it has today."""
    zone.records.pop((HOST, "A"))
    zone.add(HOST, "CNAME", BALANCER.dns_name)
    zone.add(BALANCER.dns_name, "A", "127.9.9.10")

    assert probe.resolved(resolver, HOST, balancer=BALANCER)[0].verdict is Verdict.PASS


def test_resolved_elsewhere(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    """The stranger is named; a load balancer without addresses is nowhere."""
    zone.add(HOST, "A", "127.9.9.9", "127.6.6.6")
    first, _ = probe.resolved(resolver, HOST, balancer=BALANCER)
    lost, _ = probe.resolved(resolver, HOST, balancer=LoadBalancer(dns_name="gone.example"))

    assert (first.verdict, "127.6.6.6, which is not the load balancer" in first.message) == (Verdict.FAIL, True)
    assert (lost.verdict, "nowhere" in lost.message) == (Verdict.FAIL, True)


def test_answers_that_may_be_kept_for_a_day(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    """Customers would not follow a change, be it of an address or of a pointer to fresh addresses."""
    zone.add(HOST, "A", "127.9.9.9", ttl=86400)
    address = probe.resolved(resolver, HOST, balancer=BALANCER)
    zone.records.pop((HOST, "A"))
    zone.add(HOST, "CNAME", BALANCER.dns_name, ttl=86400)
    pointer = probe.resolved(resolver, HOST, balancer=BALANCER)

    assert [each.verdict for each in (*address, *pointer)] == [Verdict.PASS, Verdict.FAIL] * 2


def test_a_name_that_does_not_resolve(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    """Neither a missing name nor one without address."""
    zone.records.clear()
    missing = only(probe.resolved(resolver, HOST, balancer=BALANCER))
    zone.add(HOST, "TXT", '"x"')
    empty = only(probe.resolved(resolver, HOST, balancer=BALANCER))

    assert (missing.verdict, empty.verdict) == (Verdict.FAIL, Verdict.FAIL)


def test_a_resolver_that_fails_knows_nothing(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    """Never evidence, whichever name it fails on."""
    zone.broken = {BALANCER.dns_name, "lost.example"}
    by_name = LoadBalancer(dns_name=BALANCER.dns_name)
    seen = [
        only(probe.resolved(resolver, HOST, balancer=by_name)),
        only(probe.dangling(resolver, [record(type="CNAME", values=("lost.example.",))])),
    ]
    zone.silent = True
    seen += [
        only(probe.resolved(resolver, HOST, balancer=BALANCER)),
        only(probe.caa(resolver, HOST, issuers=["amazon.com"])),
    ]

    assert {each.verdict for each in seen} == {Verdict.SOURCE_ERROR}
    assert "did not answer in time" in seen[-1].message


def test_dangling_pointers(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    """A name that exists without addresses is not dangling; one that others could claim is."""
    zone.add("text.example", "TXT", '"x"')
    records = [record(), record(type="CNAME", values=("text.example.",)), *probe.from_route53([ALIAS])]
    gone = record(name="old.shop.example", type="CNAME", values=("old.cloud.example.",))

    fine, found = (only(probe.dangling(resolver, each)) for each in (records, [*records, gone]))

    assert (fine.verdict, fine.n) == (Verdict.PASS, 2)
    assert (found.verdict, found.value) == (Verdict.FAIL, ["old.shop.example -> old.cloud.example"])


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        ("_1f2e.xyz.acm-validations.aws.", Verdict.PASS),
        ("acm-validations.aws.", Verdict.FAIL),  # the domain itself is nobody's proof
        ("_1f2e.acm-validations.aws.example.", Verdict.FAIL),
    ],
)
def test_a_proof_of_ownership_is_no_pointer(target: str, verdict: Verdict, resolver: dns.resolver.Resolver) -> None:
    """It is left out and counted; whatever only looks like it is looked up."""
    seen = only(probe.dangling(resolver, [record(name="_a.shop.example", type="CNAME", values=(target,))]))

    assert seen.verdict is verdict
    assert ("1 prove whose the domain is" in seen.message) is (verdict is Verdict.PASS)


def test_too_many_pointers_are_not_looked_up(resolver: dns.resolver.Resolver) -> None:
    """The probe is bounded, and says so."""
    records = [record(type="CNAME", values=(f"{number}.example",)) for number in range(201)]

    assert only(probe.dangling(resolver, records)).verdict is Verdict.NO_DATA


def test_the_certificate_covers_the_records() -> None:
    """All of them, and there must be some."""
    hosts = [HOST, "blue.shop.example"]

    assert only(probe.covered(["*.shop.example"], hosts)).verdict is Verdict.PASS
    seen = only(probe.covered([HOST], hosts))
    assert (seen.verdict, seen.value) == (Verdict.FAIL, ["blue.shop.example"])
    with pytest.raises(ValueError, match="at least one host"):
        probe.covered([HOST], [])


@pytest.mark.parametrize(
    ("at", "records", "host", "verdict"),
    [
        (HOST, ['0 issue "amazon.com"'], HOST, Verdict.PASS),
        ("shop.example", ['0 issue "amazon.com; account=1"'], HOST, Verdict.PASS),
        ("shop.example", ['0 issue "letsencrypt.org"'], HOST, Verdict.FAIL),
        ("shop.example", ['0 issue "letsencrypt.org"', '0 issue "Amazon.com"'], HOST, Verdict.PASS),
        ("shop.example", ['0 issue ";"'], HOST, Verdict.FAIL),
        ("shop.example", ['0 iodef "mailto:a@b.example"'], HOST, Verdict.PASS),
        ("shop.example", ['0 issue "x.org"', '0 issuewild "amazon.com"'], "*.shop.example", Verdict.PASS),
        ("shop.example", ['0 issue "amazon.com"', '0 issuewild ";"'], "*.shop.example", Verdict.FAIL),
        ("shop.example", ['0 issue "amazon.com"', '128 future "x"'], HOST, Verdict.FAIL),
        ("unrelated.example", ['0 issue "x.org"'], HOST, Verdict.PASS),
    ],
)
def test_caa(
    at: str, records: list[str], host: str, verdict: Verdict, zone: Zone, resolver: dns.resolver.Resolver
) -> None:
    """The nearest set above the name decides."""
    zone.add(at, "CAA", *records)

    assert only(probe.caa(resolver, host, issuers=["amazon.com"])).verdict is verdict


def test_caa_is_not_looked_for_above_the_zone(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    """Where a resolver may not be able to answer."""
    zone.broken = {"shop.example"}

    assert only(probe.caa(resolver, HOST, issuers=["amazon.com"], zone=f"{HOST}.")).verdict is Verdict.PASS
    assert only(probe.caa(resolver, HOST, issuers=["amazon.com"], zone="shop.example.")).verdict is Verdict.SOURCE_ERROR
    assert only(probe.caa(resolver, "localhost", issuers=["amazon.com"])).verdict is Verdict.PASS
