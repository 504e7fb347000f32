"""What a person changes by hand in outputs and network of the account under release, and how it is taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
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


def named(sandbox: Sandbox, operation: str, *, key: str, name: str) -> dict[str, Any]:
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
        return lambda: done(ec2.revoke_security_group_ingress(**asked))

    return act


def done(_: object) -> None:
    """What the API answered is of no interest."""


def allow_all_in_acl(sandbox: Sandbox) -> Undo:
    """The ACL of the data subnets lets everything in."""
    ec2 = client(sandbox, "ec2")
    acl = named(sandbox, "describe_network_acls", key="NetworkAcls", name="shop-api-data")["NetworkAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 50, "Egress": False}
    ec2.create_network_acl_entry(**entry, Protocol="-1", RuleAction="allow", CidrBlock=_WORLD)
    return lambda: done(ec2.delete_network_acl_entry(**entry))


def route_to_the_internet(sandbox: Sandbox) -> Undo:
    """A private subnet goes out by the internet gateway."""
    ec2 = client(sandbox, "ec2")
    table = named(sandbox, "describe_route_tables", key="RouteTables", name="shop-api-private-us-east-1a")
    nat = next(route["NatGatewayId"] for route in table["Routes"] if route.get("NatGatewayId"))
    igw = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [_vpc(sandbox)]}])
    way = {"RouteTableId": table["RouteTableId"], "DestinationCidrBlock": _WORLD}
    ec2.replace_route(**way, GatewayId=igw["InternetGateways"][0]["InternetGatewayId"])
    return lambda: done(ec2.replace_route(**way, NatGatewayId=nat))


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
    return lambda: done(elb.modify_listener(ListenerArn=arn, DefaultActions=before))
