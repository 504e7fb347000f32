"""One seeded account per module, and what the port tests need of it. Fixtures are in `port_fixtures`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from cloud_world import CloudWorld, ManualClock

from rollout.adapters.clients import Clients, Timeouts
from rollout.errors import AccessDenied, SourceError
from rollout.target import Target

ADDRESS = "127.31.7.3"
ENVIRONMENT = "contract"
PATIENT = Timeouts(connect_seconds=5, read_seconds=30)  # a busy machine is no failure of an adapter


@dataclass
class PlaneClock:
    """The plane's virtual time as the engine's clock."""

    clock: ManualClock

    def wall(self) -> float:
        return self.clock.now()

    def monotonic(self) -> float:
        return self.clock.now() - 1_000_000.0

    def wait(self, real_seconds: float) -> None:
        self.clock.advance(real_seconds)


@dataclass
class Account:
    """The emulated account with the target that describes it and the adapters' clients."""

    cloud: CloudWorld
    target: Target
    clients: Clients
    extra_groups: dict[str, str] = field(default_factory=dict)

    @property
    def clock(self) -> PlaneClock:
        return PlaneClock(self.cloud.clock)

    def called(self, since: int) -> Sequence[str]:
        """Operations the adapters called after sequence number `since`."""
        return [row["operation"] for row in self.cloud.plane.operations(since) if row["client"] == self.user_agent]

    def now(self) -> int:
        """The sequence number of the newest operation."""
        rows = self.cloud.plane.operations()
        return int(rows[-1]["sequence"]) if rows else 0

    @property
    def user_agent(self) -> str:
        return f"release-gates/{self.clients.rollout_id}"

    def group(self, name: str) -> str:
        """ARN of a slot's group, or of a foreign one that is created when first named."""
        if name in self.target.target_group_arns:
            return self.target.target_group_arns[name]
        if name not in self.extra_groups:
            made = self.cloud.client("elbv2").create_target_group(
                Name=name, Protocol="HTTPS", Port=8443, TargetType="ip", VpcId=self._vpc()
            )
            self.extra_groups[name] = str(made["TargetGroups"][0]["TargetGroupArn"])
        return self.extra_groups[name]

    def _vpc(self) -> str:
        groups = self.cloud.client("elbv2").describe_target_groups(Names=["shop-api-blue"])["TargetGroups"]
        return str(groups[0]["VpcId"])


def target_of(outputs: Any, url: str) -> Target:
    """The target that a sandbox's outputs describe."""
    names = {one.name for one in dataclasses.fields(Target)}
    values = {name: one["value"] for name, one in outputs.items() if name in names}
    return Target(environment=ENVIRONMENT, aws_endpoint_url=url, **values)


def clients_of(url: str, *, rollout_id: str = "contract") -> Clients:
    return Clients(region="us-east-1", endpoint_url=url, rollout_id=rollout_id, timeouts=PATIENT)


def assert_translates_errors(account: Account, service: str, call: Callable[[], object], operation: str) -> None:
    """A throttled, a denied, and an absent service each become the right error of ours, naming the operation."""
    for value, kind, code in (
        ("throttled", SourceError, "Rate exceeded"),
        ("denied", AccessDenied, "AccessDenied"),
        ("down", SourceError, "ServiceUnavailable"),
    ):
        account.cloud.plane.set_fault(service, value)
        try:
            with pytest.raises(kind) as caught:
                call()
        finally:
            account.cloud.plane.clear_faults()

        assert (operation in str(caught.value), code in str(caught.value)) == (True, True), str(caught.value)
        assert caught.value.hint
        assert isinstance(caught.value, AccessDenied) == (value == "denied")
