"""What a person changes by hand in the account under release, past the code, and how it is taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from probes.account.session import account_of
from sandbox.client import Sandbox
from tests.defects.model import Undo

Deed = Callable[[Sandbox], Undo]
_WORLD = "0.0.0.0/0"


def client(sandbox: Sandbox, service: str) -> Any:
    return account_of(sandbox.outputs).client(service)


def _vpc(sandbox: Sandbox) -> str:
    arns = [str(sandbox.outputs["load_balancer_arn"])]
    found = client(sandbox, "elbv2").describe_load_balancers(LoadBalancerArns=arns)
    return str(found["LoadBalancers"][0]["VpcId"])


def _of_vpc(sandbox: Sandbox, **more: str) -> list[dict[str, Any]]:
    wanted = {"vpc-id": _vpc(sandbox), **{name.replace("_", "-"): value for name, value in more.items()}}
    return [{"Name": name, "Values": [value]} for name, value in wanted.items()]


def _named(sandbox: Sandbox, operation: str, *, key: str, name: str) -> dict[str, Any]:
    """One resource of the VPC by its Name tag."""
    rows = getattr(client(sandbox, "ec2"), operation)(Filters=_of_vpc(sandbox))[key]
    return next(row for row in rows if {"Key": "Name", "Value": name} in row.get("Tags", ()))


# ------------------------------------------------------------------------------------------------ outputs


def outputs_say(**values: object) -> Deed:
    """The outputs file, edited by hand: another value for these names."""

    def act(sandbox: Sandbox) -> Undo:
        path = sandbox.outputs_path
        before = path.read_text(encoding="utf-8")
        document = json.loads(before)
        for name, value in values.items():
            document[name]["value"] = value
        path.write_text(json.dumps(document), encoding="utf-8")
        return lambda: _write(path, before)

    return act


def _write(path: Any, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def stale_certificate(sandbox: Sandbox) -> Undo:
    """The certificate's ARN in the outputs is that of last year."""
    return outputs_say(certificate_arn=f"{str(sandbox.outputs['certificate_arn'])[:-12]}{'0' * 12}")(sandbox)


# ------------------------------------------------------------------------------------------------ network


def allow(group: str, *, ports: tuple[int, int] | None, source: str = "") -> Deed:
    """One more rule of a security group: from a group of ours, or from the world; no ports are all of them."""

    def act(sandbox: Sandbox) -> Undo:
        ec2 = client(sandbox, "ec2")
        ids = {
            row["GroupName"]: row["GroupId"]
            for row in ec2.describe_security_groups(Filters=_of_vpc(sandbox))["SecurityGroups"]
        }
        rule: dict[str, Any] = {"IpProtocol": "tcp" if ports else "-1"}
        if ports:
            rule |= {"FromPort": ports[0], "ToPort": ports[1]}
        rule |= {"UserIdGroupPairs": [{"GroupId": ids[source]}]} if source else {"IpRanges": [{"CidrIp": _WORLD}]}
        asked = {"GroupId": ids[group], "IpPermissions": [rule]}
        ec2.authorize_security_group_ingress(**asked)
        return lambda: _done(ec2.revoke_security_group_ingress(**asked))

    return act


def _done(_: object) -> None:
    """What the API answered is of no interest."""


def allow_all_in_acl(sandbox: Sandbox) -> Undo:
    """The ACL of the data subnets lets everything in."""
    ec2 = client(sandbox, "ec2")
    acl = _named(sandbox, "describe_network_acls", key="NetworkAcls", name="shop-api-data")["NetworkAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 50, "Egress": False}
    ec2.create_network_acl_entry(**entry, Protocol="-1", RuleAction="allow", CidrBlock=_WORLD)
    return lambda: _done(ec2.delete_network_acl_entry(**entry))


def route_to_the_internet(sandbox: Sandbox) -> Undo:
    """A private subnet goes out by the internet gateway."""
    ec2 = client(sandbox, "ec2")
    table = _named(sandbox, "describe_route_tables", key="RouteTables", name="shop-api-private-us-east-1a")
    nat = next(route["NatGatewayId"] for route in table["Routes"] if route.get("NatGatewayId"))
    igw = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [_vpc(sandbox)]}])
    way = {"RouteTableId": table["RouteTableId"], "DestinationCidrBlock": _WORLD}
    ec2.replace_route(**way, GatewayId=igw["InternetGateways"][0]["InternetGatewayId"])
    return lambda: _done(ec2.replace_route(**way, NatGatewayId=nat))


def forward_plain_http(sandbox: Sandbox) -> Undo:
    """The listener on 80 forwards instead of redirecting."""
    elb = client(sandbox, "elbv2")
    listeners = elb.describe_listeners(LoadBalancerArn=str(sandbox.outputs["load_balancer_arn"]))["Listeners"]
    plain = next(one for one in listeners if one["Port"] == 80)
    arn, before = plain["ListenerArn"], plain["DefaultActions"]
    elb.modify_listener(
        ListenerArn=arn,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": sandbox.outputs["target_group_arns"]["green"]}],
    )
    return lambda: _done(elb.modify_listener(ListenerArn=arn, DefaultActions=before))


def register_the_public_door(sandbox: Sandbox) -> Undo:
    """A target that serves everybody stands among the tasks: the load balancer's own public address."""
    elb = client(sandbox, "elbv2")
    line = next(
        one for one in sandbox.outputs["connect_to"] if one.startswith(f"{sandbox.outputs['public_host']}:443:")
    )
    _, _, address, port = line.split(":")
    asked = {
        "TargetGroupArn": sandbox.outputs["target_group_arns"]["blue"],
        "Targets": [{"Id": address, "Port": int(port)}],
    }
    elb.register_targets(**asked)
    elb.get_waiter("target_in_service").wait(**asked, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return lambda: _done(elb.deregister_targets(**asked))


# ------------------------------------------------------------------------------------------------ compute


def _update(sandbox: Sandbox, slot: str, **values: object) -> dict[str, Any]:
    asked = {"cluster": sandbox.outputs["cluster_name"], "service": sandbox.outputs["service_names"][slot]}
    answer: dict[str, Any] = client(sandbox, "ecs").update_service(**asked, **values)["service"]
    return answer


def _service(sandbox: Sandbox, slot: str) -> dict[str, Any]:
    asked = {"cluster": sandbox.outputs["cluster_name"], "services": [sandbox.outputs["service_names"][slot]]}
    answer: dict[str, Any] = client(sandbox, "ecs").describe_services(**asked)["services"][0]
    return answer


def candidate_with(**values: object) -> Deed:
    """The candidate's service, which has no task yet, with other settings."""

    def act(sandbox: Sandbox) -> Undo:
        before = _service(sandbox, "blue")
        _update(sandbox, "blue", **values)
        return lambda: _done(_update(sandbox, "blue", **{name: before.get(name, []) for name in values}))

    return act


def _placed(sandbox: Sandbox, **values: object) -> Undo:
    before = _service(sandbox, "blue")["networkConfiguration"]
    place = {**before["awsvpcConfiguration"], **values}
    return candidate_with(networkConfiguration={"awsvpcConfiguration": place})(sandbox)


def in_public_subnets(sandbox: Sandbox) -> Undo:
    """The candidate's tasks run beside the load balancer."""
    names = [f"shop-api-public-us-east-1{letter}" for letter in "ab"]
    subnets = [_named(sandbox, "describe_subnets", key="Subnets", name=name)["SubnetId"] for name in names]
    return _placed(sandbox, subnets=subnets)


def with_public_address(sandbox: Sandbox) -> Undo:
    """The candidate's tasks get public addresses."""
    return _placed(sandbox, assignPublicIp="ENABLED")


def shares_the_name(sandbox: Sandbox) -> Undo:
    """The candidate registers under the live slot's name."""
    return candidate_with(serviceRegistries=_service(sandbox, "green")["serviceRegistries"])(sandbox)


def candidate_runs(**changes: object) -> Deed:
    """The candidate's revision has a container that differs in these."""

    def act(sandbox: Sandbox) -> Undo:
        ecs, before = client(sandbox, "ecs"), _service(sandbox, "blue")["taskDefinition"]
        definition = ecs.describe_task_definition(taskDefinition=before)["taskDefinition"]
        container = {**definition["containerDefinitions"][0], **changes}
        kept = {
            name: definition[name]
            for name in (
                "family",
                "networkMode",
                "requiresCompatibilities",
                "cpu",
                "memory",
                "executionRoleArn",
                "taskRoleArn",
            )
        }
        bare = {name: value for name, value in container.items() if value is not None}
        made = ecs.register_task_definition(**kept, containerDefinitions=[bare])["taskDefinition"]["taskDefinitionArn"]
        _update(sandbox, "blue", taskDefinition=made)

        def undo() -> None:
            _update(sandbox, "blue", taskDefinition=before)
            ecs.deregister_task_definition(taskDefinition=made)

        return undo

    return act


def _scaled(sandbox: Sandbox) -> dict[str, str]:
    names = sandbox.outputs["service_names"]
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{sandbox.outputs['cluster_name']}/{names['green']}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def scale_from_one(sandbox: Sandbox) -> Undo:
    """The live slot may go down to one task."""
    scaling, asked = client(sandbox, "application-autoscaling"), _scaled(sandbox)
    scaling.register_scalable_target(**asked, MinCapacity=1)
    return lambda: _done(scaling.register_scalable_target(**asked, MinCapacity=2))


def without_memory_signal(sandbox: Sandbox) -> Undo:
    """The live slot no longer scales on memory."""
    scaling, asked = client(sandbox, "application-autoscaling"), _scaled(sandbox)
    found = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=asked["ResourceId"])["ScalingPolicies"]
    policy = next(one for one in found if one["PolicyName"].endswith("-memory"))
    scaling.delete_scaling_policy(**asked, PolicyName=policy["PolicyName"])
    kept = {name: policy[name] for name in ("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration")}
    return lambda: _done(scaling.put_scaling_policy(**asked, **kept))


# ------------------------------------------------------------------------------------------------ settings


def setting(service: str, operation: str, *, wrong: Mapping[str, object], right: Mapping[str, object]) -> Deed:
    """One call with a wrong setting; the same call with the right one takes it back."""

    def act(sandbox: Sandbox) -> Undo:
        call = getattr(client(sandbox, service), operation)
        call(**wrong)
        return lambda: _done(call(**right))

    return act


def key_without_rotation(sandbox: Sandbox) -> Undo:
    """The key of customers' data stays the same for ever."""
    kms = client(sandbox, "kms")
    key = kms.describe_key(KeyId="alias/shop-api-data")["KeyMetadata"]["KeyId"]
    kms.disable_key_rotation(KeyId=key)
    return lambda: _done(kms.enable_key_rotation(KeyId=key))


def role_for_everything(sandbox: Sandbox) -> Undo:
    """The tasks' role may do everything."""
    iam = client(sandbox, "iam")
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="shop-api", PolicyName="by-hand", PolicyDocument=document)
    return lambda: _done(iam.delete_role_policy(RoleName="shop-api", PolicyName="by-hand"))


def firewall_counts(sandbox: Sandbox) -> Undo:
    """Every managed group of the web ACL only counts."""
    waf = client(sandbox, "wafv2")
    listed = waf.list_web_acls(Scope="REGIONAL")["WebACLs"][0]
    place = {"Name": listed["Name"], "Scope": "REGIONAL", "Id": listed["Id"]}
    acl = waf.get_web_acl(**place)["WebACL"]
    counting = [{**one, "OverrideAction": {"Count": {}}} if "OverrideAction" in one else one for one in acl["Rules"]]

    def put(rules: list[dict[str, Any]]) -> None:
        waf.update_web_acl(
            **place,
            DefaultAction=acl["DefaultAction"],
            VisibilityConfig=acl["VisibilityConfig"],
            Rules=rules,
            LockToken=waf.get_web_acl(**place)["LockToken"],
        )

    put(counting)
    return lambda: put(acl["Rules"])


def firewall_away(sandbox: Sandbox) -> Undo:
    """The web ACL is taken off the load balancer."""
    waf, arn = client(sandbox, "wafv2"), str(sandbox.outputs["load_balancer_arn"])
    acl = waf.get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["ARN"]
    waf.disassociate_web_acl(ResourceArn=arn)
    return lambda: _done(waf.associate_web_acl(WebACLArn=acl, ResourceArn=arn))


def logs_for_ever(sandbox: Sandbox) -> Undo:
    """The tasks' logs are never deleted."""
    logs = client(sandbox, "logs")
    group = logs.describe_log_groups(logGroupNamePrefix="/ecs/shop-api")["logGroups"][0]
    name, days = group["logGroupName"], group["retentionInDays"]
    logs.delete_retention_policy(logGroupName=name)
    return lambda: _done(logs.put_retention_policy(logGroupName=name, retentionInDays=days))


def bucket_open(sandbox: Sandbox) -> Undo:
    """What customers store may become public."""
    s3, bucket = client(sandbox, "s3"), f"shop-api-documents-{sandbox.outputs['account_id']}"
    before = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    s3.delete_public_access_block(Bucket=bucket)
    return lambda: _done(s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=before))


def state_gone(sandbox: Sandbox) -> Undo:
    """The state lies somewhere else: its object is not in the bucket."""
    s3, bucket = client(sandbox, "s3"), f"shop-api-terraform-state-{sandbox.outputs['account_id']}"
    key = "production/terraform.tfstate"
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.delete_object(Bucket=bucket, Key=key)
    return lambda: _done(s3.put_object(Bucket=bucket, Key=key, Body=content))


# ------------------------------------------------------------------------------------------------ registry


def foreign_puller(sandbox: Sandbox) -> Undo:
    """Another account may pull the service's image."""
    ecr = client(sandbox, "ecr")
    before = ecr.get_repository_policy(repositoryName="shop-api")["policyText"]
    document = json.loads(before)
    document["Statement"].append(
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}, "Action": "ecr:BatchGetImage"}
    )
    ecr.set_repository_policy(repositoryName="shop-api", policyText=json.dumps(document))
    return lambda: _done(ecr.set_repository_policy(repositoryName="shop-api", policyText=before))


def expire_everything(sandbox: Sandbox) -> Undo:
    """Images go after a day, whoever runs them."""
    ecr = client(sandbox, "ecr")
    before = ecr.get_lifecycle_policy(repositoryName="shop-api")["lifecyclePolicyText"]
    selection = {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    ecr.put_lifecycle_policy(repositoryName="shop-api", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    return lambda: _done(ecr.put_lifecycle_policy(repositoryName="shop-api", lifecyclePolicyText=before))


# ------------------------------------------------------------------------------------------------ gateway


def gateway_by_hand(*, endpoint_open: bool = False, stage: bool = False, route: bool = False) -> Deed:
    """Somebody makes an API: its own endpoint open, a stage that nothing throttles, or a route that asks nobody."""

    def act(sandbox: Sandbox) -> Undo:
        gateway = client(sandbox, "apigatewayv2")
        api = gateway.create_api(Name="by-hand", ProtocolType="HTTP", DisableExecuteApiEndpoint=not endpoint_open)[
            "ApiId"
        ]
        if stage:
            logs = {
                "DestinationArn": f"arn:aws:logs:us-east-1:{sandbox.outputs['account_id']}:log-group:by-hand",
                "Format": "{}",
            }
            gateway.create_stage(ApiId=api, StageName="by-hand", AccessLogSettings=logs)
        if route:
            gateway.create_route(ApiId=api, RouteKey="GET /by-hand", AuthorizationType="NONE")
        return lambda: _done(gateway.delete_api(ApiId=api))

    return act
