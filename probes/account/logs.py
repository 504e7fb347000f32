"""CloudWatch Logs: every log group of the region."""

from __future__ import annotations

from probes.account.asking import Asker, ClientMaker
from probes.account.declared import Declared
from probes.account.population import Resource, Seen, View, check, listed, view_of


def view(account: ClientMaker, declared: Declared) -> View:
    """Log groups as AWS describes them."""
    rows = Asker(account).all("logs", "describe_log_groups", "logGroups")
    return view_of(
        declared, listed("log group", "logs DescribeLogGroups", rows, name=lambda row: str(row["logGroupName"]))
    )


@check(
    "log group", rule="keeps its lines long enough and not for ever", limit=lambda d: [d.log_days_min, d.log_days_max]
)
def retention(one: Resource, declared: Declared) -> Seen:
    """MON-01, VAL-10. AWS leaves retentionInDays out where lines are kept for ever."""
    name, days = one["logGroupName"], one.get("retentionInDays")
    if days is None:
        return Seen([name, None], "keeps its lines for ever: no retention is set")
    good = declared.log_days_min <= int(days) <= declared.log_days_max
    return Seen(int(days), "" if good else f"keeps its lines for {days} days")


@check("log group", rule="is encrypted with a key of ours")
def encrypted(one: Resource, _: Declared) -> Seen:
    """MON-01. AWS leaves kmsKeyId out where the service's own key is used."""
    name, key = one["logGroupName"], one.get("kmsKeyId")
    return Seen([name, key], "" if key else "is encrypted with the service's own key")
