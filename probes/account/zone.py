"""Route 53: the records of a hosted zone."""

from __future__ import annotations

from typing import Any

from probes.account.session import Account


def records(account: Account, zone_id: str) -> list[dict[str, Any]]:
    """Every record set of the zone, all pages."""
    pages = account.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
    return [dict(row) for page in pages for row in page["ResourceRecordSets"]]
