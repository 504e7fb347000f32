"""A good site: network, load balancer, web ACL, two services with scaling and names, and the registry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from probes.account.declared import ENDPOINTS_USED
from tests.contract.account.account_world import ACCOUNT_ID, REGION, AccountWorld
from tests.contract.account.data_account import key_of
from tests.contract.cloud_world import make_certificate, wait_until

ZONES = (f"{REGION}a", f"{REGION}b")
DIGEST = "sha256:" + "a" * 64
REPOSITORY = f"{ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/shop-api"
CLUSTER = "production-cluster"
ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/shop-api"


def make_site(world: AccountWorld) -> None:
    """Everything below, once."""
    make_network(world)
    make_balancer(world)
    make_registry(world)
    make_services(world)
    make_scaling(world)


# ------------------------------------------------------------------------------------------------ network


def make_network(world: AccountWorld) -> None:
    """Two zones; public subnets with a NAT gateway each, private ones that leave by their zone's."""
    ec2, made = world.client("ec2"), world.made
    made["vpc"] = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    made["igw"] = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=made["igw"], VpcId=made["vpc"])
    made["public"] = [_subnet(ec2, made["vpc"], zone=zone, number=10 + i) for i, zone in enumerate(ZONES)]
    made["private"] = [_subnet(ec2, made["vpc"], zone=zone, number=20 + i) for i, zone in enumerate(ZONES)]
    made["nats"] = [_nat(ec2, subnet) for subnet in made["public"]]
    made["public_tables"] = [_table(ec2, made["vpc"], one, GatewayId=made["igw"]) for one in made["public"]]
    made["tables"] = [
        _table(ec2, made["vpc"], one, NatGatewayId=nat) for one, nat in zip(made["private"], made["nats"], strict=True)
    ]
    made["acl"] = _acl(world, [*made["public"], *made["private"]])
    made["groups"] = {name: _group(ec2, made["vpc"], name) for name in ("balancer", "service", "database")}
    default = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [made["vpc"]]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"][0]["GroupId"]
    made["groups"]["default"] = default
    _emptied(ec2, default)
    for port in (443, 80):
        allow(world, "balancer", port, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]})
    allow(world, "service", 8443, from_group(world, "balancer"))
    allow(world, "database", 5432, from_group(world, "service"))
    _make_endpoints(world)
    _make_flow_log(world)


def _subnet(ec2: Any, vpc: str, *, zone: str, number: int) -> str:
    answer = ec2.create_subnet(VpcId=vpc, AvailabilityZone=zone, CidrBlock=f"10.30.{number}.0/24")
    return str(answer["Subnet"]["SubnetId"])


def _nat(ec2: Any, subnet: str) -> str:
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    return str(ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"])


def _table(ec2: Any, vpc: str, subnet: str, **way: str) -> str:
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **way)
    return str(table)


def _acl(world: AccountWorld, subnets: Sequence[str]) -> str:
    """A network ACL of our own, which lets TCP through, on every subnet."""
    ec2, vpc = world.client("ec2"), world.made["vpc"]
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for egress in (False, True):
        ec2.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=100,
            Protocol="6",
            RuleAction="allow",
            Egress=egress,
            CidrBlock="0.0.0.0/0",
            PortRange={"From": 1, "To": 65535},
        )
    default = ec2.describe_network_acls(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "default", "Values": ["true"]}]
    )
    for one in default["NetworkAcls"][0]["Associations"]:
        if one["SubnetId"] in subnets:
            ec2.replace_network_acl_association(AssociationId=one["NetworkAclAssociationId"], NetworkAclId=acl)
    return str(acl)


def _group(ec2: Any, vpc: str, name: str) -> str:
    group = str(ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"])
    _emptied(ec2, group)
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[https])
    return group


def _emptied(ec2: Any, group: str) -> None:
    """Take away what AWS gives every new group: everything out, and everything among the default one's members."""
    found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    if found["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=found["IpPermissionsEgress"])
    if found["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=found["IpPermissions"])


def allow(world: AccountWorld, group: str, port: int | tuple[int, int], source: dict[str, Any]) -> None:
    first, last = port if isinstance(port, tuple) else (port, port)
    permission = {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, **source}
    world.client("ec2").authorize_security_group_ingress(
        GroupId=world.made["groups"][group], IpPermissions=[permission]
    )


def from_group(world: AccountWorld, group: str) -> dict[str, Any]:
    return {"UserIdGroupPairs": [{"GroupId": world.made["groups"][group]}]}


def _make_endpoints(world: AccountWorld) -> None:
    ec2, vpc = world.client("ec2"), world.made["vpc"]
    for name in sorted(ENDPOINTS_USED):
        kind = "Gateway" if name in ("s3", "dynamodb") else "Interface"
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.{name}", VpcEndpointType=kind)


def _make_flow_log(world: AccountWorld) -> None:
    world.client("logs").create_log_group(logGroupName="/vpc", kmsKeyId=key_of(world))
    world.client("logs").put_retention_policy(logGroupName="/vpc", retentionInDays=365)
    world.client("ec2").create_flow_logs(
        ResourceIds=[world.made["vpc"]],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogGroupName="/vpc",
        DeliverLogsPermissionArn=ROLE,
    )


# ------------------------------------------------------------------------------------------------ balancer


def make_balancer(world: AccountWorld, scheme: str = "internet-facing") -> None:
    elb, made = world.client("elbv2"), world.made
    side = "public" if scheme == "internet-facing" else "private"
    balancer = elb.create_load_balancer(
        Name="shop-api", Subnets=made[side], SecurityGroups=[made["groups"]["balancer"]], Scheme=scheme
    )["LoadBalancers"][0]["LoadBalancerArn"]
    world.client("s3").create_bucket(Bucket="access-logs")
    values = {
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": "access-logs",
        "deletion_protection.enabled": "true",
    }
    set_attributes(world, balancer, **values)
    groups = {slot: _target_group(world, slot) for slot in ("blue", "green")}
    listener = make_listener(world, balancer)
    redirect = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    made["http"] = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[redirect])[
        "Listeners"
    ][0]["ListenerArn"]
    rule = elb.create_rule(
        ListenerArn=listener,
        Priority=100,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
        Actions=forward(groups, blue=0, green=100),
    )["Rules"][0]["RuleArn"]
    world.declared = replace(
        world.declared, load_balancer_arn=balancer, listener_arn=listener, rule_arn=rule, target_group_arns=groups
    )


def set_attributes(world: AccountWorld, balancer: str, **values: str) -> None:
    rows = [{"Key": key, "Value": value} for key, value in values.items()]
    world.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=rows)


def make_listener(world: AccountWorld, balancer: str, policy: str = "ELBSecurityPolicy-TLS13-1-2-2021-06") -> str:
    certificate, key = make_certificate("api.shop.example")
    arn = world.client("acm").import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"]
    not_found = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "not found"}
    return str(
        world.client("elbv2").create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTPS",
            Port=443,
            SslPolicy=policy,
            Certificates=[{"CertificateArn": arn}],
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": not_found}],
        )["Listeners"][0]["ListenerArn"]
    )


def _target_group(world: AccountWorld, slot: str) -> str:
    return str(
        world.client("elbv2").create_target_group(
            Name=f"shop-api-{slot}", Protocol="HTTPS", Port=8443, VpcId=world.made["vpc"], TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
    )


def forward(groups: dict[str, str], **weights: int) -> list[dict[str, Any]]:
    rows = [{"TargetGroupArn": groups[slot], "Weight": weight} for slot, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": rows}}]


def make_firewall(world: AccountWorld, entrance: str, rules: list[dict[str, Any]] | None = None) -> str:
    """ARN of a web ACL on the entrance, with the three managed groups unless told otherwise."""
    waf = world.client("wafv2")
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "acl"}
    acl = waf.create_web_acl(
        Name="shop-api",
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        Rules=managed_rules() if rules is None else rules,
        VisibilityConfig=seen,
    )["Summary"]["ARN"]
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=entrance)
    log = f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:aws-waf-logs-shop"
    waf.put_logging_configuration(LoggingConfiguration={"ResourceArn": acl, "LogDestinationConfigs": [log]})
    return str(acl)


def managed_rules(**changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Rules of the three managed groups; `changed` by the last word of a group's name replaces members of its rule."""
    names = {"Common": "CommonRuleSet", "Inputs": "KnownBadInputsRuleSet", "Sql": "SQLiRuleSet"}
    rules = []
    for number, (short, name) in enumerate(names.items()):
        group = {"VendorName": "AWS", "Name": f"AWSManagedRules{name}"}
        rule = {
            "Name": short,
            "Priority": number,
            "Statement": {"ManagedRuleGroupStatement": group},
            "OverrideAction": {"None": {}},
            "VisibilityConfig": {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": short},
        }
        rules.append({**rule, **changed.get(short, {})})
    return rules


# ------------------------------------------------------------------------------------------------ services


def definition(digest: str = DIGEST, **different: Any) -> dict[str, Any]:
    """A good task definition; `different` replaces members of the task, or of its container by `container`."""
    log = {"awslogs-group": "/ecs/shop-api", "awslogs-region": REGION, "awslogs-stream-prefix": "shop-api"}
    container = {
        "name": "shop-api",
        "image": f"{REPOSITORY}@{digest}",
        "essential": True,
        "memory": 192,
        "user": "1000:1000",
        "readonlyRootFilesystem": True,
        "portMappings": [{"containerPort": 8443, "protocol": "tcp"}],
        "healthCheck": {"command": ["CMD", "healthy"]},
        "environment": [{"name": "TOKEN_TTL_SECONDS", "value": "300"}, {"name": "SLOT", "value": "green"}],
        "logConfiguration": {"logDriver": "awslogs", "options": log},
    }
    changes = different.pop("container", {})
    return {
        "family": "shop-api",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "taskRoleArn": ROLE,
        "executionRoleArn": f"{ROLE}-execution",
        "containerDefinitions": [{**container, **changes}],
        **different,
    }


def make_services(world: AccountWorld, tasks: int = 2) -> None:
    """Both services with names of their own in Cloud Map; green runs, blue is retired."""
    ecs, cloud_map = world.client("ecs"), world.client("servicediscovery")
    digest = world.made.get("digest", DIGEST)
    world.plane.register_image(digest, "1.0.0")
    ecs.create_cluster(clusterName=CLUSTER)
    revision = ecs.register_task_definition(**definition(digest))["taskDefinition"]["taskDefinitionArn"]
    space = cloud_map.create_private_dns_namespace(Name="shop.internal", Vpc=world.made["vpc"])["OperationId"]
    space = cloud_map.get_operation(OperationId=space)["Operation"]["Targets"]["NAMESPACE"]
    for slot in ("blue", "green"):
        registry = cloud_map.create_service(Name=f"shop-api-{slot}", NamespaceId=space)["Service"]
        world.made[f"registry-{slot}"] = registry["Id"]
        ecs.create_service(
            cluster=CLUSTER,
            serviceName=f"shop-api-{slot}",
            taskDefinition=revision,
            desiredCount=tasks if slot == "green" else 0,
            launchType="FARGATE",
            deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 200},
            networkConfiguration=placement(world),
            serviceRegistries=[{"registryArn": registry["Arn"]}],
            loadBalancers=[
                {
                    "targetGroupArn": world.declared.target_group_arns[slot],
                    "containerName": "shop-api",
                    "containerPort": 8443,
                }
            ],
        )
    names = {slot: f"shop-api-{slot}" for slot in ("blue", "green")}
    world.declared = replace(world.declared, cluster_name=CLUSTER, service_names=names)
    if tasks:
        wait_until(lambda: len(found(world)) == tasks, f"{tasks} tasks of green, registered")


def placement(world: AccountWorld, subnets: Sequence[str] = (), *, public: str = "DISABLED") -> dict[str, Any]:
    return {
        "awsvpcConfiguration": {
            "subnets": list(subnets) or world.made["private"],
            "securityGroups": [world.made["groups"]["service"]],
            "assignPublicIp": public,
        }
    }


def running(world: AccountWorld, slot: str = "green") -> list[str]:
    """Ids of a slot's running tasks."""
    ecs = world.client("ecs")
    arns = ecs.list_tasks(cluster=CLUSTER, serviceName=f"shop-api-{slot}", desiredStatus="RUNNING")["taskArns"]
    return [arn.rsplit("/", 1)[-1] for arn in arns]


def found(world: AccountWorld, slot: str = "green") -> list[str]:
    """Ids of a slot's instances in Cloud Map, where ECS registers every task that runs."""
    registry = world.made[f"registry-{slot}"]
    rows = world.client("servicediscovery").list_instances(ServiceId=registry)["Instances"]
    return [row["Id"] for row in rows]


def register_instance(world: AccountWorld, instance: str, slot: str) -> None:
    """What anybody may enter beside ECS."""
    world.client("servicediscovery").register_instance(
        ServiceId=world.made[f"registry-{slot}"],
        InstanceId=instance,
        Attributes={"AWS_INSTANCE_IPV4": "10.30.20.10"},
    )


def make_scaling(world: AccountWorld, slot: str = "green", *, low: int = 2, high: int = 20, without: str = "") -> None:
    scaling = world.client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{CLUSTER}/shop-api-{slot}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=low, MaxCapacity=high)
    signals = ("ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization", "ALBRequestCountPerTarget")
    for signal in signals:
        label = {"ResourceLabel": "app/shop-api/1/targetgroup/shop-api/1"} if signal.startswith("ALB") else {}
        if signal != without:
            scaling.put_scaling_policy(
                **target,
                PolicyName=f"{slot}-{signal}",
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration={
                    "TargetValue": 60.0,
                    "PredefinedMetricSpecification": {"PredefinedMetricType": signal, **label},
                },
            )


# ------------------------------------------------------------------------------------------------ registry


def make_registry(world: AccountWorld) -> None:
    """A repository that holds the image that runs, and rules that keep it."""
    ecr = world.client("ecr")
    key = {"encryptionType": "KMS", "kmsKey": key_of(world)}
    ecr.create_repository(
        repositoryName="shop-api",
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration=key,
    )
    world.made["digest"] = push(world, "1.0.0")
    puller, pusher = f"{ROLE}-execution", f"arn:aws:iam::{ACCOUNT_ID}:role/deploy"
    world.declared = replace(world.declared, pull_roles=frozenset({puller}), push_roles=frozenset({pusher}))
    put_repository_policy(world, puller=puller, pusher=pusher)
    put_lifecycle(world, tagStatus="untagged", countType="sinceImagePushed", countUnit="days", countNumber=14)


def push(world: AccountWorld, tag: str) -> str:
    """Digest of an image that was just pushed."""
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    config = {"digest": "sha256:" + hashlib.sha256(tag.encode()).hexdigest(), "size": 1, "mediaType": kind}
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}
    image = world.client("ecr").put_image(
        repositoryName="shop-api", imageManifest=json.dumps(manifest), imageManifestMediaType=kind, imageTag=tag
    )["image"]
    return str(image["imageId"]["imageDigest"])


def put_repository_policy(world: AccountWorld, *, puller: str, pusher: str) -> None:
    statements = [
        {"Sid": "Pull", "Effect": "Allow", "Principal": {"AWS": puller}, "Action": ["ecr:BatchGetImage"]},
        {"Sid": "Push", "Effect": "Allow", "Principal": {"AWS": pusher}, "Action": ["ecr:PutImage"]},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    world.client("ecr").set_repository_policy(repositoryName="shop-api", policyText=policy)


def put_lifecycle(world: AccountWorld, **selection: Any) -> None:
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    policy = json.dumps({"rules": [rule]})
    world.client("ecr").put_lifecycle_policy(repositoryName="shop-api", lifecyclePolicyText=policy)
