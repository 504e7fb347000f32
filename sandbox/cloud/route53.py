"""Route 53 changes take time: PENDING first, INSYNC after 30 virtual seconds, and only then answered by DNS.

Corrects moto 5.2.5, where every change has the same id and is INSYNC at once. The deletion of a zone is a change too.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.route53.models import RecordSet, route53_backends
from moto.route53.responses import Route53

from sandbox.cloud.errors import AwsError
from sandbox.cloud.world import ACCOUNT_ID, World

SYNC_SECONDS = 30.0  # virtual; Route 53 promises 60 s
_CHANGES_MAX = 1_000
_PARTITION = "aws"

Records = Sequence[Mapping[str, Any]]


@dataclass
class Change:
    """A submitted change batch and the zone as it looks once the change is in sync."""

    id: str
    zone_id: str
    submitted: float  # virtual epoch seconds
    records: Records
    insync: bool = False

    def info(self) -> Mapping[str, Any]:
        """ChangeInfo as the API answers it."""
        return {
            "Id": self.id,
            "Status": "INSYNC" if self.insync else "PENDING",
            "SubmittedAt": datetime.fromtimestamp(self.submitted, UTC),
        }


class Dns:
    """The hosted zones' changes. Reading needs no lock; `submit` runs under the world's lock."""

    def __init__(self, world: World, changes: list[Change] | None = None) -> None:
        """`changes` are the account's so far; those to come are added to that list."""
        self._world = world
        self._changes: list[Change] = [] if changes is None else changes
        self._ids = itertools.count(len(self._changes) + 1)

    def submit(self, zone_id: str, *, deleted: bool = False) -> Change:
        """Note that a zone was changed; its present records (none of a deleted one) become visible once in sync."""
        number = next(self._ids)
        change = Change(
            id=f"/change/C{number:013d}",
            zone_id=zone_id.rsplit("/", 1)[-1],
            submitted=self._world.clock.now(),
            records=() if deleted else _records_of(zone_id),
        )
        self._changes.append(change)
        del self._changes[:-_CHANGES_MAX]
        return change

    def advance(self) -> bool:
        """Bring changes into sync that are due. True if there were any; the caller then notifies."""
        if self._world.faults.get("dns", "never_insync"):
            return False
        now = self._world.clock.now()
        due = [change for change in list(self._changes) if not change.insync and now >= change.submitted + SYNC_SECONDS]
        for change in due:
            change.insync = True
        return bool(due)

    def settle(self) -> None:
        """Call every pending change INSYNC: the account is older than this sandbox."""
        for change in list(self._changes):
            change.insync = True

    def find(self, change_id: str) -> Change:
        """A change by id, with or without /change/. Raises NoSuchChange as the API does."""
        self.advance()
        wanted = change_id.rsplit("/", 1)[-1]
        for change in self._changes:
            if change.id.rsplit("/", 1)[-1] == wanted:
                return change
        raise AwsError("NoSuchChange", f"Could not find resource with ID: {wanted}")

    def records(self) -> Records:
        """Every zone's records as of its last change in sync; a deleted zone has none."""
        self.advance()
        zones: dict[str, Records] = {}
        for change in list(self._changes):
            if change.insync:
                zones[change.zone_id] = change.records
        known = set(route53_backends[ACCOUNT_ID][_PARTITION].zones)
        return [record for zone_id, records in zones.items() if zone_id in known for record in records]


class Route53Api(Route53):
    """The API handler; one instance per call."""

    def __init__(self, dns: Dns, world: World) -> None:
        super().__init__()
        self._dns = dns
        self._world = world

    def create_hosted_zone(self) -> ActionResult:
        result: Any = super().create_hosted_zone().result
        zone = result["HostedZone"]
        for record in zone.rrsets:  # moto wraps the SOA's value twice
            record.records = [one["Value"] if isinstance(one, Mapping) else one for one in record.records]
        return self._changed(result, zone.resource_id)

    def delete_hosted_zone(self) -> ActionResult:
        result: Any = super().delete_hosted_zone().result
        return self._changed(result, self._get_param("Id"), deleted=True)

    def change_resource_record_sets(self) -> ActionResult:
        result: Any = super().change_resource_record_sets().result
        return self._changed(result, self._get_param("HostedZoneId"))

    def get_change(self) -> ActionResult:
        return ActionResult({"ChangeInfo": self._dns.find(self._get_param("Id")).info()})

    def _changed(self, result: Mapping[str, Any], zone_id: str, *, deleted: bool = False) -> ActionResult:
        change = self._dns.submit(zone_id, deleted=deleted)
        self._world.notify("dns")
        return ActionResult({**result, "ChangeInfo": change.info()})


def _records_of(zone_id: str) -> Records:
    zone = route53_backends[ACCOUNT_ID][_PARTITION].get_hosted_zone(zone_id)
    return tuple(_record(record) for record in zone.rrsets)


def _record(record: RecordSet) -> Mapping[str, Any]:
    """As ListResourceRecordSets answers it, without the members that are not set."""
    shown = {
        "Name": record.name,
        "Type": record.type,
        "SetIdentifier": record.set_identifier,
        "Weight": record.weight,
        "TTL": int(record.ttl) if record.ttl is not None else None,
        "ResourceRecords": record.resource_records,
        "AliasTarget": dict(record.alias_target) if record.alias_target else None,
        "HealthCheckId": record.health_check_id,
    }
    return {name: value for name, value in shown.items() if value is not None}
