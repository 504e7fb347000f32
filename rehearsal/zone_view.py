"""The hosted zone and a resolver, asked once for a scenario: what leads where, how long, under which certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probes import dns, tls
from probes.account.zone import records
from probes.certificates import names_of
from probes.failures import Cause
from probes.question import Question
from probes.target import parse_detour, resolver_at
from rollout.model import Observation

if TYPE_CHECKING:
    from rehearsal.plugin import World

# The domains under which Amazon's certificate authority may be named in a CAA record (ACM user guide, "CAA records").
_ISSUERS = ("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com")


@dataclass(frozen=True, kw_only=True)
class ZoneView:
    """Observations of the zone by what they are about: where names lead, for how long, to whom, for which issuer."""

    leading: tuple[Observation, ...]
    lifetimes: tuple[Observation, ...]
    dangling: tuple[Observation, ...]
    certificate: tuple[Observation, ...]


def look_at_zone(place: World) -> ZoneView:
    """Ask the zone through the account and a resolver through DNS."""
    host = place.target.public_host
    declared = dns.from_route53(records(place.account, place.target.hosted_zone_id))
    # Where the environment says what to dial for the public name, its resolver need not know the balancer's own.
    detours = map(parse_detour, place.target.connect_to)
    dialled = {detour.address for detour in detours if detour.matches(host, 443)}
    name = str(place.outputs["load_balancer_dns_name"])
    balancer = dns.LoadBalancer(dns_name=name, addresses=tuple(sorted(dialled)))
    resolver = resolver_at(place.target.dns_server)
    asked = (*dns.declared(declared, host, balancer=balancer), *dns.resolved(resolver, host, balancer=balancer))
    lifetimes = tuple(seen for seen in asked if "ttl" in seen.name)
    hosts = [host, *place.target.test_hosts.values()]
    return ZoneView(
        leading=tuple(seen for seen in asked if seen not in lifetimes),
        lifetimes=lifetimes,
        dangling=dns.dangling(resolver, declared),
        certificate=(*_covered(place, hosts), *dns.caa(resolver, host, issuers=_ISSUERS)),
    )


def _covered(place: World, hosts: list[str]) -> tuple[Observation, ...]:
    presented = tls.present(place.endpoint)
    if isinstance(presented, Cause):
        question = Question(name="dns.covered", rule="the certificate covers the records", source=place.endpoint.host)
        return (question.no_data(f"no certificate was presented: {presented.sentence}"),)
    return dns.covered(names_of(presented.leaf), hosts)
