"""The adopted account as a whole, and the log of what was asked of it."""

from __future__ import annotations

from cloud_world import CLUSTER, DIGESTS, CloudWorld, error_code, make_certificate

from infrastructure.declaration import FROM_OUTPUTS

pytest_plugins = ("cloud_fixtures",)


def test_the_operation_log(shared_shop: CloudWorld) -> None:
    """Order, parameters of mutating calls, status, and who called."""
    before = shared_shop.plane.operations()[-1]["sequence"]
    shared_shop.set_weights(5, 95)
    error_code(lambda: shared_shop.set_weights(1000, 0))
    shared_shop.client("elbv2").describe_rules(RuleArns=[shared_shop.value("rule_arn")])
    entries = shared_shop.plane.operations(before)
    shared_shop.set_weights(0, 100)

    assert [(one["operation"], one["status"]) for one in entries] == [
        ("ModifyRule", 200),
        ("ModifyRule", 400),
        ("DescribeRules", 200),
    ]
    groups = entries[0]["parameters"]["Actions"][0]["ForwardConfig"]["TargetGroups"]
    assert [group["Weight"] for group in groups] == [5, 95]
    assert entries[2]["parameters"] == {}
    assert {one["client"] for one in entries} == {"contract-test"}
    assert entries[0]["time_virtual"] == shared_shop.clock.now()


def test_secrets_stay_out_of_the_log(shared_shop: CloudWorld) -> None:
    """ImportCertificate carries a private key."""
    certificate, key = make_certificate("other.shop.example")
    shared_shop.client("acm").import_certificate(Certificate=certificate, PrivateKey=key)
    imported = next(one for one in shared_shop.plane.operations() if one["operation"] == "ImportCertificate")

    assert imported["parameters"]["PrivateKey"] == "[redacted]"


def test_the_sandboxs_own_calls_can_be_told_apart(shared_shop: CloudWorld) -> None:
    """What adopts the account is no controller and nobody of the account."""
    assert {one["client"] for one in shared_shop.plane.operations() if one["operation"] == "Subscribe"} == {
        "sandbox-seed"
    }


def test_the_outputs_are_complete(shared_shop: CloudWorld) -> None:
    """Every key that rollout and probes read, in the shape of `terraform output -json`."""
    assert set(shared_shop.outputs) - FROM_OUTPUTS == {
        "load_balancer_dns_name",
        "role_arns",
        "task_definition_family",
        "container_name",
        "image_repository",
        "images",
        "state_table",
        "alert_topic_arn",
        "hosted_zone_id",
        "public_host",
        "test_hosts",
        "test_header_name",
        "test_header_value",
        "certificate_arn",
        "heartbeat_namespace",
    }
    assert all(set(one) == {"value"} for one in shared_shop.outputs.values())
    assert shared_shop.value("images") == DIGESTS


def test_the_adopted_world(shared_shop: CloudWorld) -> None:
    """What the account holds: three zones, live weights, DNS, scaling, a heartbeat alarm, a table."""
    balancer = shared_shop.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    assert sorted(zone["ZoneName"] for zone in balancer["AvailabilityZones"]) == [f"us-east-1{zone}" for zone in "abc"]
    rule = shared_shop.client("elbv2").describe_rules(RuleArns=[shared_shop.value("rule_arn")])["Rules"][0]
    groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
    arns = shared_shop.value("target_group_arns")
    assert {one["TargetGroupArn"]: one["Weight"] for one in groups} == {arns["blue"]: 0, arns["green"]: 100}
    hosts = {one["Name"] for one in shared_shop.plane.dns_records() if "AliasTarget" in one}
    assert hosts == {"api.shop.example.", "blue.shop.example.", "green.shop.example."}
    scaling = shared_shop.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert [(one["MinCapacity"], one["MaxCapacity"]) for one in targets] == [(2, 20)] * 2
    assert len(scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]) == 6
    alarm = shared_shop.client("cloudwatch").describe_alarms(AlarmNames=["release-heartbeat"])["MetricAlarms"][0]
    assert alarm["TreatMissingData"] == "breaching"
    table = shared_shop.client("dynamodb").describe_table(TableName="rollouts")["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    assert shared_shop.client("ecs").describe_clusters(clusters=[CLUSTER])["clusters"][0]["activeServicesCount"] == 3
