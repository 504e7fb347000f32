"""What a person does to an account by hand, through its API, and how it is taken back."""

from __future__ import annotations

from typing import Any

from probes.account.session import account_of
from sandbox.client import Sandbox
from tests.defects.model import Undo


def _client(sandbox: Sandbox, service: str) -> Any:
    return account_of(sandbox.outputs).client(service)


def _groups(sandbox: Sandbox) -> dict[str, str]:
    return dict(sandbox.outputs["target_group_arns"])


def leave_dangling_record(sandbox: Sandbox) -> Undo:
    """The zone keeps a CNAME to a name that is gone."""
    zone, client = str(sandbox.outputs["hosted_zone_id"]), _client(sandbox, "route53")
    record = {
        "Name": "old.shop.example",
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": "gone.shop.example"}],
    }

    def change(action: str) -> None:
        changes = [{"Action": action, "ResourceRecordSet": record}]
        client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    change("CREATE")
    return lambda: change("DELETE")


def _change_checks(sandbox: Sandbox, *slots: str, **check: object) -> Undo:
    """Only for sandboxes of one rehearsal, which end with it: nothing is taken back."""
    client = _client(sandbox, "elbv2")
    for slot in slots:
        client.modify_target_group(TargetGroupArn=_groups(sandbox)[slot], **check)
    return lambda: None


def check_an_accepting_path(sandbox: Sandbox) -> Undo:
    """Both groups check a page that always answers 200."""
    return _change_checks(sandbox, "blue", "green", HealthCheckPath="/openapi.json")


def check_a_deep_path(sandbox: Sandbox) -> Undo:
    """Both groups check a page that fails with one dependency."""
    return _change_checks(sandbox, "blue", "green", HealthCheckPath="/health/database")


def accept_any_answer(sandbox: Sandbox) -> Undo:
    """Both groups take redirects and refusals for health."""
    return _change_checks(sandbox, "blue", "green", Matcher={"HttpCode": "200-499"})


def check_sides_differently(sandbox: Sandbox) -> Undo:
    """One group checks less often than the other."""
    return _change_checks(sandbox, "blue", HealthCheckIntervalSeconds=15)


def _test_rule(sandbox: Sandbox, slot: str) -> dict[str, Any]:
    """The rule of a side's own address."""
    rules = _client(sandbox, "elbv2").describe_rules(ListenerArn=str(sandbox.outputs["listener_arn"]))["Rules"]
    host = sandbox.outputs["test_hosts"][slot]
    return next(
        rule
        for rule in rules
        for condition in rule["Conditions"]
        if host in condition.get("HostHeaderConfig", {}).get("Values", [])
    )


def lead_test_route_to_stable(sandbox: Sandbox) -> Undo:
    """The candidate's own address leads to the live side (green in a sandbox under release)."""
    actions = [{"Type": "forward", "TargetGroupArn": _groups(sandbox)["green"]}]
    _client(sandbox, "elbv2").modify_rule(RuleArn=_test_rule(sandbox, "blue")["RuleArn"], Actions=actions)
    return lambda: None


def open_test_route(sandbox: Sandbox) -> Undo:
    """The candidate's own address asks for no header any more."""
    rule = _test_rule(sandbox, "blue")
    kept = [
        {"Field": c["Field"], "HostHeaderConfig": c["HostHeaderConfig"]}
        for c in rule["Conditions"]
        if c["Field"] == "host-header"
    ]
    _client(sandbox, "elbv2").modify_rule(RuleArn=rule["RuleArn"], Conditions=kept)
    return lambda: None
