"""The VPC of the sandbox's account: two zones, public subnets for the load balancer, private ones for tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.account_names import CONTAINER_PORT, ZONES

_VPC_CIDR = "10.20.0.0/16"


@dataclass(frozen=True, kw_only=True)
class Network:
    """Ids of what was created; subnets in the order of the zones."""

    vpc: str
    public_subnets: Sequence[str]
    private_subnets: Sequence[str]
    balancer_security_group: str
    service_security_group: str


def create_network(ec2: Any) -> Network:
    """Create the VPC. Tasks take traffic from the load balancer only."""
    vpc = ec2.create_vpc(CidrBlock=_VPC_CIDR)["Vpc"]["VpcId"]
    balancer = _security_group(ec2, vpc, name="shop-api-balancer")
    service = _security_group(ec2, vpc, name="shop-api-service")
    for port in (80, 443):
        _allow(ec2, balancer, port=port, source={"IpRanges": [{"CidrIp": "0.0.0.0/0"}]})
    _allow(ec2, service, port=CONTAINER_PORT, source={"UserIdGroupPairs": [{"GroupId": balancer}]})
    return Network(
        vpc=vpc,
        public_subnets=[_subnet(ec2, vpc, zone=zone, number=10 + index) for index, zone in enumerate(ZONES)],
        private_subnets=[_subnet(ec2, vpc, zone=zone, number=20 + index) for index, zone in enumerate(ZONES)],
        balancer_security_group=balancer,
        service_security_group=service,
    )


def _subnet(ec2: Any, vpc: str, *, zone: str, number: int) -> str:
    answer = ec2.create_subnet(VpcId=vpc, AvailabilityZone=zone, CidrBlock=f"10.20.{number}.0/24")
    return str(answer["Subnet"]["SubnetId"])


def _security_group(ec2: Any, vpc: str, *, name: str) -> str:
    return str(ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"])


def _allow(ec2: Any, group: str, *, port: int, source: dict[str, Any]) -> None:
    permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
