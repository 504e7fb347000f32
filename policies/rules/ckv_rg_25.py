"""Traffic to AWS's own services need not leave through the NAT gateway."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.tree import Resource, Tree
from policies.values import Unknown, known_end


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for network in _networks_of_services(tree):
        names = [
            endpoint.values.get("service_name")
            for endpoint in tree.of("aws_vpc_endpoint")
            if network in tree.meant(endpoint.values.get("vpc_id"), "aws_vpc")
        ]
        known = [known_end(name) for name in names]
        missing = [one for one in settings.vpc_endpoints if not any(name.endswith(f".{one}") for name in known)]
        unknown = [name for name in names if isinstance(name, Unknown) and not known_end(name)]
        if missing and unknown:
            yield deferred(network, unknown, "which VPC endpoints it has")
        else:
            yield fails(network, f"it has no VPC endpoint for {', '.join(missing)}") if missing else holds(network)


def _networks_of_services(tree: Tree) -> list[Resource]:
    """The networks in which tasks run; any other has no task that would talk to AWS."""
    subnets = [
        subnet
        for service in tree.of("aws_ecs_service")
        for subnet in tree.meant(service.all("network_configuration.subnets"), "aws_subnet")
    ]
    found = [network for subnet in subnets for network in tree.meant(subnet.values.get("vpc_id"), "aws_vpc")]
    return list({network.address: network for network in found}.values())


RULE = Rule(
    id="CKV_RG_25",
    says="The network has VPC endpoints for the services that tasks use",
    remedy="Add an aws_vpc_endpoint for each (policies/settings.toml lists them).",
    controls=("NET-05",),
    judge=judge,
)
