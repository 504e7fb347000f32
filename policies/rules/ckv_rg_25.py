"""Traffic to AWS's own services need not leave through the NAT gateway."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.tree import Tree
from policies.values import Unknown


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for network in tree.of("aws_vpc"):
        names = [
            endpoint.values.get("service_name")
            for endpoint in tree.of("aws_vpc_endpoint")
            if network in tree.meant(endpoint.values.get("vpc_id"), "aws_vpc")
        ]
        known = [str(name) for name in names if not isinstance(name, Unknown)]
        missing = [one for one in settings.vpc_endpoints if not any(name.endswith(f".{one}") for name in known)]
        unknown = [name for name in names if isinstance(name, Unknown)]
        if missing and unknown:
            yield deferred(network, unknown, "which VPC endpoints it has")
        else:
            yield fails(network, f"it has no VPC endpoint for {', '.join(missing)}") if missing else holds(network)


RULE = Rule(
    id="CKV_RG_25",
    says="The network has VPC endpoints for the services that tasks use",
    remedy="Add an aws_vpc_endpoint for each (policies/settings.toml lists them).",
    controls=("NET-05",),
    judge=judge,
)
