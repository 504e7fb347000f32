"""CloudTrail: who did what in the account is written down, everywhere, and cannot be changed unseen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.population import Resource, Seen, Unknown, View, check, equals, known, population, view_of

_DELIVERY_HOURS_MAX = 24.0


def view(account: ClientMaker, declared: Declared) -> View:
    """Every trail that records this region, with its present state."""
    asker = Asker(account)
    rows = asker.field("cloudtrail", "describe_trails", "trailList")
    members = population(
        "trail", "cloudtrail DescribeTrails", lambda: tuple(_trail(asker, row) for row in known(rows) or ())
    )
    return view_of(declared, members, sandbox=asker.sandbox)


def _trail(asker: Asker, row: Mapping[str, Any]) -> Resource:
    arn = row["TrailARN"]
    status = asker.one("cloudtrail", "get_trail_status", Name=arn)
    facts: dict[str, Any] = {**row, "IsLogging": status, "delivered": status}
    if status is not None and not isinstance(status, Unread):
        facts |= {"IsLogging": status["IsLogging"], "delivered": _delivery(status)}
    facts["selectors"] = asker.one("cloudtrail", "get_event_selectors", TrailName=arn)
    return Resource(name=row["Name"], facts=facts)


def _delivery(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Hours since files were last delivered (None: never), and the last error."""
    last = status.get("LatestDeliveryTime")
    hours = (time.time() - last.timestamp()) / 3600 if isinstance(last, datetime) else None
    return {"hours": hours, "error": status.get("LatestDeliveryError") or ""}


@check("trail", rule="is recording")
def recording(one: Resource, _: Declared) -> Seen:
    """ARCH-07."""
    return equals(one, "IsLogging", True)


@check("trail", rule="records every region and the global services")
def everywhere(one: Resource, _: Declared) -> Seen:
    """ARCH-07: who works in a region that nobody watches works unseen."""
    regions, services = one["IsMultiRegionTrail"], one["IncludeGlobalServiceEvents"]
    return Seen([regions, services], "" if regions and services else "does not record every region and global services")


@check("trail", rule="its files can be verified")
def validated(one: Resource, _: Declared) -> Seen:
    """ARCH-07: digest files show a file that was changed or removed."""
    return equals(one, "LogFileValidationEnabled", True)


@check("trail", rule="is encrypted with a key of ours")
def encrypted(one: Resource, _: Declared) -> Seen:
    """HIPAA 164.312(a)(2)(iv)."""
    name, key = one["Name"], one.get("KmsKeyId")
    return Seen([name, key], "" if key else "is encrypted with S3's own key")


@check("trail", rule="records what is read and what is changed")
def management_events(one: Resource, _: Declared) -> Seen:
    """ARCH-07. An advanced selector of the category Management without readOnly records both."""
    selectors: Mapping[str, Any] = one["selectors"]
    plain = [s for s in selectors.get("EventSelectors") or () if s.get("IncludeManagementEvents")]
    kinds = [str(s.get("ReadWriteType", "All")) for s in plain]
    for selector in selectors.get("AdvancedEventSelectors") or ():
        fields = {row["Field"]: row.get("Equals", ()) for row in selector["FieldSelectors"]}
        if "Management" in fields.get("eventCategory", ()):
            kinds.append("All" if "readOnly" not in fields else f"readOnly={fields['readOnly'][0]}")
    return Seen(kinds, "" if "All" in kinds else "does not record all management events")


@check(
    "trail", rule="delivered its files within a day, without error", limit=lambda _: _DELIVERY_HOURS_MAX, imitated=True
)
def delivers(one: Resource, _: Declared) -> Seen:
    """ARCH-07: switched on is not delivered. What moto delivers is imitated."""
    delivered = one["delivered"]
    if delivered["error"]:
        return Seen(delivered["hours"], f"its last delivery failed: {delivered['error']}")
    if delivered["hours"] is None:
        raise Unknown("AWS did not say when it last delivered")
    hours = round(float(delivered["hours"]), 1)
    return Seen(hours, "" if hours < _DELIVERY_HOURS_MAX else f"delivered nothing for {hours:g} hours")
