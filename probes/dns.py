"""Whether names lead to the load balancer that is about to be shifted: as declared, and as resolved (PRE-04)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dns.rdatatype
import dns.resolver

from probes.certificates import covers
from probes.failures import WORLD_ERRORS, Cause, cause_of
from probes.question import Question
from rollout.model import Observation

TTL_SECONDS_MAX = 300
_MOST_NAMES = 200
_VALIDATION = ".acm-validations.aws"


@dataclass(frozen=True, kw_only=True)
class DeclaredRecord:
    """One record set of a hosted zone; an alias has a target and no TTL. Names without the final dot, lower case."""

    name: str
    type: str
    values: tuple[str, ...] = ()
    ttl_seconds: int | None = None
    alias_target: str | None = None
    weight: int | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """Where it leads: the alias target, or the values."""
        return self.values if self.alias_target is None else (self.alias_target,)


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """What names must lead to; without `addresses` they are resolved from `dns_name`."""

    dns_name: str
    addresses: tuple[str, ...] = ()


def bare(name: str) -> str:
    """A name for comparing: lower case, no final dot, without the "dualstack." that Route 53 puts before aliases."""
    return name.rstrip(".").lower().removeprefix("dualstack.").replace("\\052", "*")


def from_route53(record_sets: Sequence[Mapping[str, Any]]) -> tuple[DeclaredRecord, ...]:
    """Record sets as ListResourceRecordSets answers them."""
    return tuple(
        DeclaredRecord(
            name=bare(record["Name"]),
            type=record["Type"],
            values=tuple(entry["Value"] for entry in record.get("ResourceRecords", ())),
            ttl_seconds=record.get("TTL"),
            alias_target=bare(record["AliasTarget"]["DNSName"]) if "AliasTarget" in record else None,
            weight=record.get("Weight"),
        )
        for record in record_sets
    )


def declared(records: Sequence[DeclaredRecord], host: str, *, balancer: LoadBalancer) -> tuple[Observation, ...]:
    """`dns.declared`, `dns.ttl`: every record that serves the host leads to the load balancer: alias, or TTL <= 300 s.

    Records of weight 0 serve nobody and are left out.
    """
    leads = Question(
        name="dns.declared",
        rule="the hosted zone leads the host to the load balancer",
        limit=balancer.dns_name,
        source=f"hosted zone, {host}",
    )
    mine = [r for r in records if r.name == bare(host) and r.type in ("A", "AAAA", "CNAME") and r.weight != 0]
    if not mine:
        return (leads.failed(None, f"the zone holds no address record for {host}"),)
    goal = {bare(balancer.dns_name), *balancer.addresses}
    targets = sorted({bare(target) for record in mine for target in record.targets})
    strangers = [target for target in targets if target not in goal]
    if strangers:
        first = leads.failed(targets, f"leads to {', '.join(strangers)}, not to {balancer.dns_name}")
    else:
        first = leads.passed(targets, f"leads to {', '.join(targets)}")
    return first, _judge_declared_ttl(mine, host)


def _judge_declared_ttl(records: Sequence[DeclaredRecord], host: str) -> Observation:
    question = _ttl_question("dns.ttl", f"hosted zone, {host}")
    times = [record.ttl_seconds for record in records if record.alias_target is None and record.ttl_seconds is not None]
    if not times:
        return question.passed("alias", "an alias to the load balancer")
    longest = max(times)
    message = f"TTL is {longest} s, at most {TTL_SECONDS_MAX} s are allowed"
    return (question.failed if longest > TTL_SECONDS_MAX else question.passed)(longest, message)


def _ttl_question(name: str, source: str) -> Question:
    return Question(
        name=name,
        rule="customers follow a change within minutes: alias, or TTL at most",
        limit=TTL_SECONDS_MAX,
        unit="s",
        source=source,
    )


@dataclass(frozen=True)
class _Found:
    values: tuple[str, ...]
    canonical: str
    ttl_seconds: int
    records: tuple[Any, ...]


def _look_up(resolver: dns.resolver.Resolver, name: str, *, record_type: str) -> _Found | Cause | None:
    """The answer; None when the name or the type does not exist; a Cause when the resolver does not know."""
    try:
        answer = resolver.resolve(name, record_type, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    except WORLD_ERRORS as error:
        return cause_of(error, f"the resolver, asked for {record_type} of {name},")
    # Every link of a chain may be kept for its own time: the longest decides when customers follow a change.
    ttl = max([rrset.ttl for rrset in answer.response.answer] or [0])
    records = tuple(answer)
    return _Found(tuple(record.to_text() for record in records), bare(str(answer.canonical_name)), ttl, records)


def _exists(resolver: dns.resolver.Resolver, name: str) -> bool | Cause:
    """Whether the name exists at all, with whatever records."""
    try:
        resolver.resolve(name, "A", search=False, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return False
    except WORLD_ERRORS as error:
        return cause_of(error, f"the resolver, asked for {name},")
    return True


def resolved(resolver: dns.resolver.Resolver, host: str, *, balancer: LoadBalancer) -> tuple[Observation, ...]:
    """`dns.resolved`, `dns.resolved_ttl`: what the resolver answers leads to the load balancer, for at most 300 s."""
    question = Question(
        name="dns.resolved",
        rule="a resolver leads the host to the load balancer",
        limit=balancer.dns_name,
        source=f"resolver, {host}",
    )
    found = _look_up(resolver, host, record_type="A")
    if isinstance(found, Cause):
        return (question.source_error(found.sentence),)
    if found is None:
        return (question.failed(None, f"{host} does not resolve to any address"),)
    goal = balancer.addresses or _addresses(resolver, balancer.dns_name)
    if isinstance(goal, Cause):
        return (question.source_error(goal.sentence),)
    strangers = sorted(set(found.values) - set(goal))
    if found.canonical != bare(balancer.dns_name) and strangers:
        message = f"resolves to {', '.join(strangers)}, which is not the load balancer ({', '.join(goal) or 'nowhere'})"
        first = question.failed(list(found.values), message)
    else:
        first = question.passed(list(found.values), f"resolves to {', '.join(found.values)}, the load balancer")
    ttl = _ttl_question("dns.resolved_ttl", f"resolver, {host}")
    seconds = found.ttl_seconds
    judge = ttl.failed if seconds > TTL_SECONDS_MAX else ttl.passed
    return first, judge(seconds, f"answers may be kept for {seconds} s, at most {TTL_SECONDS_MAX} s are allowed")


def _addresses(resolver: dns.resolver.Resolver, name: str) -> tuple[str, ...] | Cause:
    found = _look_up(resolver, name, record_type="A")
    if isinstance(found, Cause):
        return found
    return found.values if found else ()


def dangling(resolver: dns.resolver.Resolver, records: Sequence[DeclaredRecord]) -> tuple[Observation, ...]:
    """`dns.dangling`: no CNAME or alias of the zone points at a name that does not exist, which others could claim.

    Records that prove to Amazon's authority whose the domain is are left out and counted: nobody calls those names, and
    nobody but Amazon can claim one below that domain, whether it exists or not (ACM user guide, "DNS validation").
    """
    question = Question(
        name="dns.dangling", rule="no record points at a name that does not exist", limit=[], source="hosted zone"
    )
    pointers = [
        (record.name, bare(target))
        for record in records
        for target in record.targets
        if record.type == "CNAME" or record.alias_target is not None
    ]
    pointing = [(name, target) for name, target in pointers if not target.endswith(_VALIDATION)]
    if len(pointing) > _MOST_NAMES:
        return (question.no_data(f"the zone has {len(pointing)} pointers, at most {_MOST_NAMES} are looked up"),)
    lost = []
    for name, target in pointing:
        exists = _exists(resolver, target)
        if isinstance(exists, Cause):
            return (question.source_error(exists.sentence),)
        if not exists:
            lost.append(f"{name} -> {target}")
    if lost:
        return (question.failed(lost, f"dangling: {', '.join(lost)}", n=len(pointing)),)
    proofs = len(pointers) - len(pointing)
    more = f"; {proofs} prove whose the domain is" if proofs else ""
    return (question.passed([], f"all {len(pointing)} pointers lead somewhere{more}", n=len(pointing)),)


def covered(certificate_names: Sequence[str], hosts: Sequence[str]) -> tuple[Observation, ...]:
    """`dns.covered`: the certificate's names cover every host that has a record. Raises ValueError without hosts."""
    if not hosts:
        raise ValueError("covered needs at least one host")
    question = Question(
        name="dns.covered",
        rule="the certificate covers the records",
        limit=list(certificate_names),
        source="certificate and hosted zone",
    )
    bad = [host for host in hosts if not covers(certificate_names, host)]
    if bad:
        return (question.failed(bad, f"not covered by the certificate: {', '.join(bad)}", n=len(hosts)),)
    return (question.passed([], f"the certificate covers {', '.join(hosts)}", n=len(hosts)),)


def caa(
    resolver: dns.resolver.Resolver, host: str, *, issuers: Sequence[str], zone: str | None = None
) -> tuple[Observation, ...]:
    """`dns.caa`: where CAA records are set, one of `issuers` (CA domains, "amazon.com") may issue for the host.

    Climbs from the host up to `zone` (to the last but one label when None), RFC 8659 section 3.
    """
    question = Question(
        name="dns.caa",
        rule="CAA allows the issuing CA, where one is set",
        limit=list(issuers),
        source=f"resolver, {host}",
    )
    for name in _climb(bare(host).removeprefix("*."), zone):
        found = _look_up(resolver, name, record_type="CAA")
        if isinstance(found, Cause):
            return (question.source_error(found.sentence),)
        if found is not None:
            allowed, problem = _issuers_in(found.records, wildcard=host.startswith("*."))
            mine = problem == "" and (allowed is None or any(issuer.lower() in allowed for issuer in issuers))
            shown = ", ".join(allowed or ()) or ("anybody" if allowed is None else "nobody")
            message = f"CAA at {name} allows {shown}{problem}"
            return ((question.passed if mine else question.failed)(shown, message),)
    return (question.passed("anybody", "no CAA record is set, so any CA may issue"),)


def _climb(host: str, zone: str | None) -> list[str]:
    labels = host.split(".")
    names = [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]
    apex = bare(zone) if zone else None
    return names[: names.index(apex) + 1] if apex in names else names


def _issuers_in(records: Sequence[Any], *, wildcard: bool) -> tuple[tuple[str, ...] | None, str]:
    """The CA domains that may issue (None: anybody), and what else forbids it ("" if nothing)."""
    tagged: dict[str, list[str]] = {}
    for record in records:
        tag = record.tag.decode().lower()
        tagged.setdefault(tag, []).append(record.value.decode().partition(";")[0].strip().lower())
        if record.flags & 128 and tag not in ("issue", "issuewild", "iodef"):
            return (), f"; its critical property {tag!r} forbids everything to a CA that does not know it"
    values = tagged.get("issuewild") if wildcard and "issuewild" in tagged else tagged.get("issue")
    return (None if values is None else tuple(sorted(filter(None, values)))), ""
