"""The declared DNS record, by Route 53 and a resolver. Satisfies `ports.Dns`.

A change is in effect when Route 53 says INSYNC and, after the record's TTL, resolvers answer the new value. Source:
Route 53 API reference, ChangeResourceRecordSets and GetChange.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from rollout.adapters.clients import Clients, asking
from rollout.errors import BadInput
from rollout.model import DnsChange
from rollout.seen import DnsReading
from rollout.target import Target

if TYPE_CHECKING:
    from mypy_boto3_route53.literals import RRTypeType
    from mypy_boto3_route53.type_defs import ChangeBatchTypeDef

RESOLVER_SECONDS = 2.0
_DNS_PORT = 53

RecordSet = Mapping[str, Any]


class Route53Dns:
    """Records of `target.hosted_zone_id`; resolved by `target.dns_server` ("address:port"), or by the system's."""

    def __init__(self, clients: Clients, target: Target, *, resolver_seconds: float = RESOLVER_SECONDS) -> None:
        self._clients, self._target, self._resolver_seconds = clients, target, resolver_seconds
        self._changes: dict[tuple[str, str], str] = {}  # (name, type) -> id of our last change, while it is PENDING

    def read(self, change: DnsChange) -> DnsReading:
        """The record in the zone and as resolved; `error` says why a resolver gave no value.

        The id of a change lives in this process only; after a restart a change counts as in sync when the resolver
        agrees with the zone. Raises SourceError if the zone cannot be read."""
        present = self._record(change)
        value = _value(present)
        resolved, error = self._resolve(change)
        in_sync = self._in_sync(change)
        if in_sync is None:
            in_sync = value is not None and resolved == value
        return DnsReading(value=value, in_sync=in_sync, resolved_value=resolved, error=error)

    def upsert(self, change: DnsChange, slot: str) -> None:
        """The record names `slot`, if it does not already. Raises BadInput, SourceError."""
        self.change(change, slot)

    def change(self, change: DnsChange, slot: str) -> Mapping[str, Any]:
        """As `upsert`; answers the change batch that undoes it (no changes if there was nothing to do).

        Raises BadInput for a slot without a value, and for an alias record, which has no TTL to wait for."""
        if slot not in change.values:
            raise BadInput(f"the record {change.name} has no value for {slot}", hint="Add it to the plan's dns.values.")
        present = self._record(change)
        if present is not None and "AliasTarget" in present:
            hint = "Both sides are behind one load balancer: leave dns out of the plan."
            raise BadInput(f"{change.name} is an alias record", target=self._target.hosted_zone_id, hint=hint)
        wanted = _record_set(change, change.values[slot])
        if present is not None and _value(present) == _plain(change.values[slot]) and present["TTL"] == wanted["TTL"]:
            return {"Comment": "nothing was changed", "Changes": []}
        batch = {
            "Comment": f"release-gates {self._clients.rollout_id}".strip(),
            "Changes": [{"Action": "UPSERT", "ResourceRecordSet": wanted}],
        }
        with asking("route53", self._target.hosted_zone_id):
            answer = self._clients.route53.change_resource_record_sets(
                HostedZoneId=self._target.hosted_zone_id, ChangeBatch=cast("ChangeBatchTypeDef", batch)
            )
        self._changes[_identity(change)] = answer["ChangeInfo"]["Id"]
        undo = {"Action": "DELETE", "ResourceRecordSet": wanted}
        if present is not None:
            undo = {"Action": "UPSERT", "ResourceRecordSet": dict(present)}
        return {"Comment": f"undo of {batch['Comment']}", "Changes": [undo]}

    # ------------------------------------------------------------------------------------------- calls

    def _record(self, change: DnsChange) -> RecordSet | None:
        """The record set of that name and type: the listing begins there, so one row tells."""
        with asking("route53", self._target.hosted_zone_id):
            rows = self._clients.route53.list_resource_record_sets(
                HostedZoneId=self._target.hosted_zone_id,
                StartRecordName=change.name,
                StartRecordType=cast("RRTypeType", change.record_type),
                MaxItems="1",
            )["ResourceRecordSets"]
        found: RecordSet | None = next((cast("RecordSet", row) for row in rows), None)
        if found is None or (_plain(found["Name"]), found["Type"]) != _identity(change):
            return None
        return found

    def _in_sync(self, change: DnsChange) -> bool | None:
        """None where this process made no change."""
        identity = _identity(change)
        if identity not in self._changes:
            return None
        with asking("route53", self._changes[identity]):
            return self._clients.route53.get_change(Id=self._changes[identity])["ChangeInfo"]["Status"] == "INSYNC"

    def _resolve(self, change: DnsChange) -> tuple[str | None, str | None]:
        import dns.exception
        import dns.resolver

        try:
            resolver = dns.resolver.Resolver(configure=self._target.dns_server is None)
            if self._target.dns_server is not None:
                host, _, port = self._target.dns_server.rpartition(":")
                resolver.nameservers, resolver.port = [host], int(port or _DNS_PORT)
            answer = resolver.resolve(
                f"{_plain(change.name)}.", change.record_type, lifetime=self._resolver_seconds, search=False
            )
        except dns.exception.DNSException as error:
            return None, f"{change.name} could not be resolved: {type(error).__name__} {error}"
        return ",".join(sorted(_plain(row.to_text()) for row in answer)), None


def _identity(change: DnsChange) -> tuple[str, str]:
    return _plain(change.name), change.record_type


def _plain(name: str) -> str:
    """Names without the dot at the end, in small letters, as they are compared."""
    return name.rstrip(".").lower()


def _value(found: RecordSet | None) -> str | None:
    if found is None:
        return None
    if "AliasTarget" in found:
        return _plain(found["AliasTarget"]["DNSName"])
    return ",".join(sorted(_plain(row["Value"]) for row in found.get("ResourceRecords", [])))


def _record_set(change: DnsChange, value: str) -> dict[str, Any]:
    return {
        "Name": change.name,
        "Type": change.record_type,
        "TTL": change.ttl_seconds,
        "ResourceRecords": [{"Value": value}],
    }
