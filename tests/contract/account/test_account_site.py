"""Network, load balancer, web ACL, services and registry on the emulated account: good, and each break."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollout.model import Verdict
from tests.contract.account import site_account as site
from tests.contract.account.account_world import (
    ACCOUNT_ID,
    AccountWorld,
    Change,
    demand_green,
    demand_red,
)
from tests.contract.account.data_account import make_database

pytest_plugins = ("tests.contract.account.account_fixtures",)

NETWORK = ("network", "security_groups", "balancer")
SERVICES = ("containers", "task_definitions", "scaling", "discovery", "registry")


@pytest.fixture
def network(world: AccountWorld) -> AccountWorld:
    """A good network with its load balancer."""
    site.make_network(world)
    site.make_balancer(world)
    return world


@pytest.fixture
def shop(world: AccountWorld) -> AccountWorld:
    """The whole site."""
    site.make_site(world)
    return world


def test_a_good_site(shop: AccountWorld) -> None:
    site.make_firewall(shop, shop.declared.load_balancer_arn)

    for name in (*NETWORK, *SERVICES, "firewall"):
        demand_green(shop.judge(name))


# ------------------------------------------------------------------------------------------------ network


def _to_the_internet(world: AccountWorld) -> None:
    ec2, table = world.client("ec2"), world.made["tables"][0]
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=world.made["igw"])


def _default_acl(world: AccountWorld) -> None:
    ec2 = world.client("ec2")
    acls = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [world.made["vpc"]]}])["NetworkAcls"]
    default = next(one for one in acls if one["IsDefault"])
    ours = next(one for one in acls if not one["IsDefault"])
    association = ours["Associations"][0]["NetworkAclAssociationId"]
    entry = {"RuleNumber": 100, "Egress": False}
    ec2.delete_network_acl_entry(NetworkAclId=default["NetworkAclId"], **entry)
    ec2.delete_network_acl_entry(NetworkAclId=default["NetworkAclId"], **{**entry, "Egress": True})
    ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=default["NetworkAclId"])


def _allow_all(world: AccountWorld) -> None:
    world.client("ec2").create_network_acl_entry(
        NetworkAclId=world.made["acl"],
        RuleNumber=50,
        Protocol="-1",
        RuleAction="allow",
        Egress=False,
        CidrBlock="0.0.0.0/0",
    )


def _no_endpoint(world: AccountWorld) -> None:
    ec2 = world.client("ec2")
    rows = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [world.made["vpc"]]}])["VpcEndpoints"]
    ec2.delete_vpc_endpoints(
        VpcEndpointIds=[one["VpcEndpointId"] for one in rows if one["ServiceName"].endswith("kms")]
    )


def _no_flow_log(world: AccountWorld) -> None:
    rows = world.client("ec2").describe_flow_logs()["FlowLogs"]
    world.client("ec2").delete_flow_logs(FlowLogIds=[one["FlowLogId"] for one in rows])


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        (_to_the_internet, "private_routes", "routes to the internet gateway igw-"),
        (_default_acl, "acl_explicit", "its network ACL is the default one"),
        (_allow_all, "acl_limits", "allows everything by ingress rule 50"),
        (_no_endpoint, "endpoints", "no endpoint for kms"),
        (_no_flow_log, "flow_logs", "no active flow log"),
        (
            lambda w: w.client("ec2").delete_nat_gateway(NatGatewayId=w.made["nats"][1]),
            "nat_per_zone",
            "no NAT gateway in us-east-1b",
        ),
    ],
    ids=["internet-route", "default-acl", "allow-all", "no-endpoint", "no-flow-log", "one-nat"],
)
def test_a_bad_network(network: AccountWorld, change: Change, name: str, word: str) -> None:
    change(network)
    seen = network.judge("network")
    if name == "nat_per_zone":  # the subnet of a NAT gateway that is gone is public still, by its load balancer
        assert seen["private_routes"].verdict is Verdict.PASS

    demand_red(seen, name, word)


def test_one_nat_gateway_is_enough_outside_of_production(network: AccountWorld) -> None:
    network.client("ec2").delete_nat_gateway(NatGatewayId=network.made["nats"][1])
    network.declared = replace(network.declared, nat_per_zone=False)

    demand_green(network.judge("network"))


def test_subnets_all_in_one_zone(world: AccountWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "ZONES", (site.ZONES[0],))
    site.make_network(world)
    site.make_balancer(world)

    demand_red(world.judge("network"), "zones", "private subnets in 1 zone(s)")


def test_the_network_of_a_load_balancer_that_is_gone(world: AccountWorld) -> None:
    gone = f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT_ID}:loadbalancer/app/gone/1"
    world.declared = replace(world.declared, load_balancer_arn=gone)

    assert {found.verdict for found in world.judge("network").values()} == {Verdict.SOURCE_ERROR}
    assert "LoadBalancerNotFound" in world.judge("network")["zones"].message


@pytest.mark.parametrize(
    ("group", "port", "source", "name", "word"),
    [
        ("database", 5432, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, "world_ingress", "tcp 5432 is open to the world"),
        ("service", 443, {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}, "world_ingress", "tcp 443 is open to the world"),
        ("balancer", 8080, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, "world_ingress", "tcp 8080"),
        (
            "database",
            5432,
            {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
            "ingress_names_groups",
            "tcp 5432 from 10.0.0.0/8",
        ),
        ("database", (0, 65535), {"group": "service"}, "no_all_ports", "allows tcp 0-65535"),
    ],
    ids=["world-to-5432", "world-by-ipv6", "another-port", "addresses", "all-ports-between-groups"],
)
def test_a_bad_security_group(
    network: AccountWorld, group: str, port: Any, source: dict[str, Any], name: str, word: str
) -> None:
    given = site.from_group(network, source["group"]) if "group" in source else source
    site.allow(network, group, port, given)

    demand_red(network.judge("security_groups"), name, "3 of 4 security groups", group, word)


def test_a_group_that_lets_everything_out(network: AccountWorld) -> None:
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    network.client("ec2").authorize_security_group_egress(
        GroupId=network.made["groups"]["service"], IpPermissions=[everything]
    )

    demand_red(network.judge("security_groups"), "egress_limited", "lets everything out")


def _http_forwards(world: AccountWorld) -> None:
    actions = site.forward(dict(world.declared.target_group_arns), green=1)
    world.client("elbv2").modify_listener(ListenerArn=world.made["http"], DefaultActions=actions)


def _http_rule_forwards(world: AccountWorld) -> None:
    world.client("elbv2").create_rule(
        ListenerArn=world.made["http"],
        Priority=5,
        Conditions=[{"Field": "path-pattern", "Values": ["/old/*"]}],
        Actions=site.forward(dict(world.declared.target_group_arns), green=1),
    )


def _one_group(world: AccountWorld) -> None:
    actions = site.forward(dict(world.declared.target_group_arns), green=100)
    world.client("elbv2").modify_rule(RuleArn=world.declared.rule_arn, Actions=actions)


def _off(key: str) -> Change:
    return lambda world: site.set_attributes(world, world.declared.load_balancer_arn, **{key: "false"})


def _policy(name: str) -> Change:
    return lambda world: world.client("elbv2").modify_listener(ListenerArn=world.declared.listener_arn, SslPolicy=name)


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        (_http_forwards, "http_redirects", "forward over plain HTTP"),
        (_http_rule_forwards, "http_redirects", "forward over plain HTTP"),
        (_one_group, "both_groups", "does not forward to blue"),
        (_policy("ELBSecurityPolicy-2016-08"), "tls_policy", "TLSv1"),
        (_policy("ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06"), "tls_policy", "AES128-GCM-SHA256"),
        (_off("routing.http.drop_invalid_header_fields.enabled"), "drops_invalid_headers", "invalid headers"),
        (_off("access_logs.s3.enabled"), "access_logs", "writes no access log"),
        (_off("deletion_protection.enabled"), "deletion_protection", "deleted by one call"),
    ],
    ids=[
        "http-forwards",
        "http-rule",
        "group-detached",
        "old-tls",
        "no-forward-secrecy",
        "headers",
        "logs",
        "deletable",
    ],
)
def test_a_bad_load_balancer(network: AccountWorld, change: Change, name: str, word: str) -> None:
    change(network)

    demand_red(network.judge("balancer"), name, word)


def test_a_public_load_balancer_behind_a_gateway(network: AccountWorld) -> None:
    """ARCH-01: the topology decides; the open ports are wrong too then."""
    network.declared = replace(network.declared, topology="gateway")

    demand_red(network.judge("balancer"), "exposure", "is internet-facing in the gateway topology")
    demand_red(network.judge("security_groups"), "world_ingress", "balancer", "tcp 443 is open to the world")


def _own_key_of_s3(world: AccountWorld, bucket: str) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    world.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


def test_the_bucket_of_the_access_logs_has_the_only_key_that_load_balancers_write_under(network: AccountWorld) -> None:
    """Any other bucket under S3's own key is wrong."""
    _own_key_of_s3(network, "access-logs")
    assert network.judge("storage")["encrypted"].verdict is Verdict.PASS

    network.client("s3").create_bucket(Bucket="records")
    _own_key_of_s3(network, "records")
    found = network.judge("storage")["encrypted"]
    assert found.verdict is Verdict.FAIL
    assert "1 of 2 buckets" in found.message
    assert "records: is encrypted with AES256" in found.message


# ------------------------------------------------------------------------------------------------ web ACL


def test_no_web_acl_on_the_entrance(network: AccountWorld) -> None:
    seen = network.judge("firewall")

    assert {found.verdict for found in seen.values()} == {Verdict.FAIL}
    assert "has no web ACL" in seen["attached"].message


@pytest.mark.parametrize(
    ("rules", "name", "word"),
    [
        (site.managed_rules(Sql={"OverrideAction": {"Count": {}}}), "blocking", "SQLiRuleSet counts only"),
        (site.managed_rules()[:2], "managed_groups", "lacks AWSManagedRulesSQLiRuleSet"),
        (
            site.managed_rules(
                Common={
                    "Statement": {
                        "ManagedRuleGroupStatement": {
                            "VendorName": "AWS",
                            "Name": "AWSManagedRulesCommonRuleSet",
                            "RuleActionOverrides": [{"Name": "NoUserAgent_HEADER", "ActionToUse": {"Count": {}}}],
                        }
                    }
                }
            ),
            "blocking",
            "CommonRuleSet does not block by NoUserAgent_HEADER",
        ),
    ],
    ids=["count-mode", "group-missing", "one-rule-counts"],
)
def test_a_bad_web_acl(network: AccountWorld, rules: list[dict[str, Any]], name: str, word: str) -> None:
    site.make_firewall(network, network.declared.load_balancer_arn, rules)

    demand_red(network.judge("firewall"), name, word)


def test_an_entrance_that_nobody_declared(world: AccountWorld) -> None:
    assert {found.verdict for found in world.judge("firewall").values()} == {Verdict.SOURCE_ERROR}


# ------------------------------------------------------------------------------------------------ services


def _move(world: AccountWorld, **placement: Any) -> None:
    world.client("ecs").update_service(
        cluster=site.CLUSTER, service="shop-api-blue", networkConfiguration=site.placement(world, **placement)
    )


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        (lambda w: _move(w, subnets=w.made["public"]), "in_private_subnets", "in a subnet that is not private"),
        (lambda w: _move(w, public="ENABLED"), "no_public_address", "gives its tasks public addresses"),
        (_to_the_internet, "in_private_subnets", "in a subnet that is not private"),
    ],
    ids=["public-subnet", "public-address", "opened-subnet"],
)
def test_a_bad_service(shop: AccountWorld, change: Change, name: str, word: str) -> None:
    change(shop)

    demand_red(shop.judge("containers"), name, word)


def test_a_service_that_is_gone(shop: AccountWorld) -> None:
    shop.declared = replace(shop.declared, service_names={**shop.declared.service_names, "blue": "gone"})
    seen = shop.judge("containers")

    assert {found.verdict for found in seen.values()} == {Verdict.NO_DATA}
    assert "1 of 2 services" in seen["on_fargate"].message


PASSWORD = {"environment": [{"name": "DATABASE_PASSWORD", "value": "swordfish"}]}
ADDRESS = {"environment": [{"name": "DATABASE", "value": "postgres://app:swordfish@db/shop"}]}


@pytest.mark.parametrize(
    ("different", "name", "word"),
    [
        ({"container": {"privileged": True}}, "not_privileged", "privileged: shop-api"),
        ({"container": {"user": "0:0"}}, "not_root", "shop-api"),
        ({"container": {"readonlyRootFilesystem": False}}, "read_only_root", "shop-api"),
        ({"container": {"memory": 0, "memoryReservation": 64}}, "limits", "shop-api has no memory limit"),
        ({"container": {"image": f"{site.REPOSITORY}:latest"}}, "image_by_digest", "by tag"),
        ({"container": {"healthCheck": {"command": []}}}, "health_check", "shop-api"),
        ({"container": PASSWORD}, "no_secret_in_environment", "DATABASE_PASSWORD"),
        ({"container": ADDRESS}, "no_secret_in_environment", "looks like a secret: DATABASE"),
        ({"executionRoleArn": site.ROLE}, "roles_apart", "one role for both"),
    ],
    ids=[
        "privileged",
        "root",
        "writable",
        "no-memory-limit",
        "by-tag",
        "no-health-check",
        "password",
        "address",
        "one-role",
    ],
)
def test_a_bad_task_definition(shop: AccountWorld, different: dict[str, Any], name: str, word: str) -> None:
    ecs = shop.client("ecs")
    made = ecs.register_task_definition(**site.definition(**different))["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=site.CLUSTER, service="shop-api-blue", taskDefinition=made)

    seen = shop.judge("task_definitions")
    demand_red(seen, name, "1 of 2 task definitions", word)
    assert "swordfish" not in repr(seen)


@pytest.mark.parametrize(
    ("different", "name", "word"),
    [
        ({"low": 1}, "bounds", "scales from 1 to 20 tasks"),
        ({"high": 40}, "bounds", "scales from 2 to 40 tasks"),
    ],
    ids=["minimum-1", "maximum-40"],
)
def test_bad_bounds(shop: AccountWorld, different: dict[str, int], name: str, word: str) -> None:
    site.make_scaling(shop, **different)

    demand_red(shop.judge("scaling"), name, "shop-api-green", word)


def test_no_memory_policy(shop: AccountWorld) -> None:
    shop.client("application-autoscaling").delete_scaling_policy(
        PolicyName="green-ECSServiceAverageMemoryUtilization",
        ServiceNamespace="ecs",
        ResourceId=f"service/{site.CLUSTER}/shop-api-green",
        ScalableDimension="ecs:service:DesiredCount",
    )

    demand_red(shop.judge("scaling"), "signals", "no policy on memory")


def test_scaling_out_is_held(shop: AccountWorld) -> None:
    shop.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{site.CLUSTER}/shop-api-green",
        ScalableDimension="ecs:service:DesiredCount",
        SuspendedState={"DynamicScalingOutSuspended": True},
    )

    demand_red(shop.judge("scaling"), "awake", "scaling out is suspended")


def test_a_slot_with_weight_has_to_scale(shop: AccountWorld) -> None:
    """The retired slot is left out until it carries customers; then it is as red as the live one would be."""
    actions = site.forward(dict(shop.declared.target_group_arns), blue=5, green=95)
    shop.client("elbv2").modify_rule(RuleArn=shop.declared.rule_arn, Actions=actions)

    found = shop.judge("scaling")["bounds"]
    assert found.verdict is Verdict.FAIL
    assert "1 of 2 scaled services" in found.message
    assert "shop-api-blue: does not scale" in found.message


def test_a_task_that_is_not_registered(shop: AccountWorld) -> None:
    task = site.running(shop)[0]
    shop.client("servicediscovery").deregister_instance(ServiceId=shop.made["registry-green"], InstanceId=task)

    demand_red(shop.judge("discovery"), "instances_match", "1 of 2 slots", "green: 1 task(s) not registered")


def test_an_instance_without_a_task(shop: AccountWorld) -> None:
    site.register_instance(shop, "gone", "blue")

    demand_red(shop.judge("discovery"), "instances_match", "blue: 1 instance(s) without a task")


def test_the_candidate_under_the_name_that_callers_use(shop: AccountWorld) -> None:
    shop.declared = replace(shop.declared, public_service_name="shop-api-blue")

    demand_red(shop.judge("discovery"), "apart", "blue: is registered under shop-api-blue")


def test_the_live_slot_under_the_name_that_callers_use(shop: AccountWorld) -> None:
    shop.declared = replace(shop.declared, public_service_name="shop-api-green")

    demand_green(shop.judge("discovery"))


def test_a_service_without_a_registry(shop: AccountWorld) -> None:
    shop.client("ecs").update_service(cluster=site.CLUSTER, service="shop-api-blue", serviceRegistries=[])
    seen = shop.judge("discovery")

    assert seen["registered"].verdict is Verdict.FAIL
    assert "blue: its service is not registered" in seen["registered"].message


# ------------------------------------------------------------------------------------------------ registry


def _foreign(world: AccountWorld) -> None:
    site.put_repository_policy(
        world, puller="arn:aws:iam::999999999999:root", pusher=f"arn:aws:iam::{ACCOUNT_ID}:role/deploy"
    )


def _nobody(world: AccountWorld) -> None:
    deploy = f"arn:aws:iam::{ACCOUNT_ID}:role/deploy"
    site.put_repository_policy(world, puller=deploy, pusher=deploy)


def _mutable(world: AccountWorld) -> None:
    world.client("ecr").put_image_tag_mutability(repositoryName="shop-api", imageTagMutability="MUTABLE")


def _unscanned(world: AccountWorld) -> None:
    off = {"scanOnPush": False}
    world.client("ecr").put_image_scanning_configuration(repositoryName="shop-api", imageScanningConfiguration=off)


def _greedy(world: AccountWorld) -> None:
    """A rule that keeps the newest image; the one that runs is older."""
    site.push(world, "1.1.0")
    site.put_lifecycle(world, tagStatus="any", countType="imageCountMoreThan", countNumber=1)


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        (_mutable, "immutable", "imageTagMutability is 'MUTABLE'"),
        (_unscanned, "scanned", "does not scan"),
        (_foreign, "pulled_by", "may be pulled by arn:aws:iam::999999999999:root"),
        (_nobody, "pulled_by", "may be pulled by none of the declared roles"),
        (_greedy, "lifecycle_keeps", "which is in use"),
        (
            lambda w: w.client("ecr").delete_lifecycle_policy(repositoryName="shop-api"),
            "lifecycle_keeps",
            "no lifecycle",
        ),
    ],
    ids=["mutable-tags", "not-scanned", "foreign-account", "nobody", "expires-stable", "no-lifecycle"],
)
def test_a_bad_repository(shop: AccountWorld, change: Change, name: str, word: str) -> None:
    change(shop)

    demand_red(shop.judge("registry"), name, "shop-api", word)


def test_an_unused_database_group_stays_out_of_the_network(network: AccountWorld) -> None:
    """Checks of one service say nothing of another: a bad database leaves the network's verdicts alone."""
    make_database(network, MultiAZ=False)

    demand_green(network.judge("network"))
