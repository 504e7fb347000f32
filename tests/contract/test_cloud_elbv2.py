"""The load balancer's API behaves as AWS's where a rollout depends on it."""

from __future__ import annotations

import threading
import time

import pytest
from cloud_world import ADDRESS, CloudWorld, error_code

from sandbox.contracts import TargetHealth

pytest_plugins = ("cloud_fixtures",)


def _weights(shared_shop: CloudWorld) -> list[int]:
    rule = shared_shop.client("elbv2").describe_rules(RuleArns=[shared_shop.value("rule_arn")])["Rules"][0]
    return [group["Weight"] for group in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]]


@pytest.mark.parametrize(("blue", "green"), [(0, 999), (0, 0), (5, 95)], ids=["limit", "all-zero", "canary"])
def test_weights_are_stored_as_given(shared_shop: CloudWorld, blue: int, green: int) -> None:
    """0 to 999, all-zero included: ELBv2 allows it and answers 503."""
    shared_shop.set_weights(blue, green)

    assert _weights(shared_shop) == [blue, green]


def test_weights_out_of_range_are_refused(shared_shop: CloudWorld) -> None:
    """moto takes 1000 and -1."""
    shared_shop.set_weights(0, 100)
    assert error_code(lambda: shared_shop.set_weights(1000, 0)) == "ValidationError"
    assert error_code(lambda: shared_shop.set_weights(-1, 0)) == "ValidationError"
    assert _weights(shared_shop) == [0, 100]


def test_unknown_and_too_many_groups_are_refused(shared_shop: CloudWorld) -> None:
    """moto checks neither in ModifyListener."""
    elbv2, listener = shared_shop.client("elbv2"), shared_shop.value("listener_arn")
    known = shared_shop.value("target_group_arns")["blue"]
    unknown = [{"Type": "forward", "TargetGroupArn": known[:-4] + "0000"}]
    six = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": known, "Weight": 1}] * 6}}]

    refused = error_code(lambda: elbv2.modify_listener(ListenerArn=listener, DefaultActions=unknown))
    assert refused == "TargetGroupNotFound"
    rule = shared_shop.value("rule_arn")
    assert error_code(lambda: elbv2.modify_rule(RuleArn=rule, Actions=six)) == "TooManyTargetGroups"


def test_the_edge_knows_before_the_caller_does(shared_shop: CloudWorld) -> None:
    """`on_change` runs between the change and the reply, and sees the new weights."""
    seen: list[list[int]] = []

    def follow(kind: str) -> None:
        rules = {rule.arn: rule for listener in shared_shop.plane.listeners() for rule in listener.rules}
        groups = rules[shared_shop.value("rule_arn")].actions[0]["ForwardConfig"]["TargetGroups"]
        seen.append([group["Weight"] for group in groups] if kind == "listener" else [])

    shared_shop.plane.on_change(follow)
    shared_shop.set_weights(25, 75)

    assert seen == [[25, 75]]


def test_a_refused_change_notifies_nobody(shared_shop: CloudWorld) -> None:
    """Only changes that happened are followed."""
    before = list(shared_shop.changes)
    error_code(lambda: shared_shop.set_weights(1000, 0))

    assert shared_shop.changes == before


def test_one_group_is_shown_in_both_spellings(shared_shop: CloudWorld) -> None:
    """As DescribeRules answers: TargetGroupArn and ForwardConfig; the host in Values and HostHeaderConfig."""
    rule = shared_shop.client("elbv2").describe_rules(ListenerArn=shared_shop.value("listener_arn"))["Rules"][0]
    blue = shared_shop.value("target_group_arns")["blue"]

    assert rule["Actions"][0]["TargetGroupArn"] == blue
    assert rule["Actions"][0]["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": blue, "Weight": 1}]
    assert rule["Conditions"][0]["Values"] == rule["Conditions"][0]["HostHeaderConfig"]["Values"]


def test_targets_on_one_address_are_told_apart_by_port(shared_shop: CloudWorld) -> None:
    """initial until the first report; a draining target stays for the deregistration delay (virtual)."""
    elbv2, group = shared_shop.client("elbv2"), shared_shop.value("target_group_arns")["blue"]

    def states() -> dict[int, str]:
        rows = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {row["Target"]["Port"]: row["TargetHealth"]["State"] for row in rows}

    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": ADDRESS, "Port": port} for port in (7001, 7002)])
    assert states() == {7001: "initial", 7002: "initial"}

    shared_shop.plane.set_target_health(group, ADDRESS, 7001, TargetHealth(state="healthy"))
    failing = TargetHealth(state="unhealthy", reason="Target.ResponseCodeMismatch", description="codes: [503]")
    shared_shop.plane.set_target_health(group, ADDRESS, 7002, failing)
    assert states() == {7001: "healthy", 7002: "unhealthy"}

    elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": ADDRESS, "Port": 7002}])
    shared_shop.clock.advance(59)
    assert states() == {7001: "healthy", 7002: "draining"}
    shared_shop.clock.advance(1)
    assert states() == {7001: "healthy"}


def test_reasons_travel_with_the_health(shared_shop: CloudWorld) -> None:
    """Reason codes and descriptions are what the edge reported."""
    elbv2, group = shared_shop.client("elbv2"), shared_shop.value("target_group_arns")["blue"]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": ADDRESS, "Port": 7003}])
    health = TargetHealth(state="unhealthy", reason="Target.Timeout", description="Request timed out")
    shared_shop.plane.set_target_health(group, ADDRESS, 7003, health)
    row = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][-1]

    assert row["TargetHealth"] == {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}
    assert row["HealthCheckPort"] == "7003"


def test_targets_of_a_group_without_rules_are_unused(shared_shop: CloudWorld) -> None:
    """Target.NotInUse, and Target.NotRegistered for a target nobody knows."""
    elbv2 = shared_shop.client("elbv2")
    vpc = elbv2.describe_load_balancers()["LoadBalancers"][0]["VpcId"]
    group = elbv2.create_target_group(Name="spare", Protocol="HTTPS", Port=443, VpcId=vpc, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": ADDRESS, "Port": 7001}])
    asked = [{"Id": ADDRESS, "Port": port} for port in (7001, 7009)]
    rows = elbv2.describe_target_health(TargetGroupArn=arn, Targets=asked)["TargetHealthDescriptions"]

    assert [row["TargetHealth"]["Reason"] for row in rows] == ["Target.NotInUse", "Target.NotRegistered"]


def test_a_changed_health_check_reaches_the_edge(shared_shop: CloudWorld) -> None:
    """ModifyTargetGroup shows in the view and fires `targets`."""
    elbv2, group = shared_shop.client("elbv2"), shared_shop.value("target_group_arns")["blue"]
    elbv2.modify_target_group(
        TargetGroupArn=group, HealthCheckPath="/ready", HealthCheckIntervalSeconds=15, Matcher={"HttpCode": "200-204"}
    )
    view = next(one for one in shared_shop.plane.target_groups() if one.arn == group)

    assert (view.health_check_path, view.health_check_interval_seconds) == ("/ready", 15.0)
    assert (view.health_check_matcher, view.referenced) == ("200-204", True)
    assert shared_shop.changes[-1] == "targets"


def test_tags_of_rules_and_groups(shared_shop: CloudWorld) -> None:
    """Tags given at creation are answered for both."""
    arns = [shared_shop.value("rule_arn"), shared_shop.value("target_group_arns")["blue"]]
    found = shared_shop.client("elbv2").describe_tags(ResourceArns=arns)["TagDescriptions"]

    tags = {"environment": "production", "managed-by": "terraform", "service": "shop-api"}
    assert [{tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in found] == [tags] * 2


def test_the_certificate_is_what_was_imported(shared_shop: CloudWorld) -> None:
    """No chain was imported, so there is none; moto appends Amazon's root to every chain."""
    https = next(one for one in shared_shop.plane.listeners() if one.port == 443)
    certificate, chain, key = shared_shop.plane.certificate(https.certificate_arn or "")

    assert certificate.startswith(b"-----BEGIN CERTIFICATE-----")
    assert chain == b""
    assert key.startswith(b"-----BEGIN PRIVATE KEY-----")


def test_views_can_be_read_while_a_change_is_followed(shared_shop: CloudWorld) -> None:
    """The API's lock is held during the callback; another thread of the edge must not wait for it."""
    read = threading.Event()

    def follow(_kind: str) -> None:
        def look() -> None:
            shared_shop.plane.listeners()
            shared_shop.plane.target_groups()
            shared_shop.plane.set_target_health("none", ADDRESS, 1, TargetHealth(state="healthy"))
            shared_shop.plane.dns_records()
            read.set()

        threading.Thread(target=look).start()
        assert read.wait(2)

    shared_shop.plane.on_change(follow)
    shared_shop.set_weights(1, 99)

    assert read.is_set()


def test_a_weight_change_is_quick(shared_shop: CloudWorld) -> None:
    """Round trip of ModifyRule: 10 ms in the middle is the aim; 50 ms here, for a busy machine."""
    seconds = []
    for share in range(20):
        start = time.perf_counter()
        shared_shop.set_weights(share, 100 - share)
        seconds.append(time.perf_counter() - start)

    assert sorted(seconds)[10] < 0.05
