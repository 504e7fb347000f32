"""TargetHealthReader: the fake and the adapter on the plane count alike."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import pytest
from port_world import Account, assert_translates_errors

from rollout.adapters.target_health import TargetHealth
from rollout.errors import BadInput, SourceError
from rollout.ports import TargetHealthReader
from sandbox.contracts import TargetHealth as PlaneHealth
from tests.fakes.clock import FakeClock
from tests.fakes.target_health import FakeTargetHealth

pytest_plugins = ("port_fixtures",)
pytestmark = pytest.mark.xdist_group("ports")

ADDRESS, FIRST_PORT, DRAIN_SECONDS = "127.31.7.9", 9000, 61


class Groups(Protocol):
    """Targets as tests set them, and a clock they move."""

    @property
    def reader(self) -> TargetHealthReader: ...

    def set(self, *states: str) -> None:
        """Replace the targets of blue."""

    def advance(self, seconds: float) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.reader = FakeTargetHealth(self.clock)

    def set(self, *states: str) -> None:
        self.reader.set("blue", *states)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)


class OnPlane:
    def __init__(self, account: Account) -> None:
        self.account, self.arn = account, account.group("blue")
        self.reader = TargetHealth(account.clients, account.target, account.clock)
        self.account.cloud.set_weights(0, 100)

    def set(self, *states: str) -> None:
        """Registered in order; `draining` ones are deregistered, `initial` ones never get a report."""
        elbv2 = self.account.cloud.client("elbv2")
        self.clear()
        ports = [FIRST_PORT + number for number in range(len(states))]
        for port, state in zip(ports, states, strict=True):
            elbv2.register_targets(TargetGroupArn=self.arn, Targets=[{"Id": ADDRESS, "Port": port}])
            if state == "draining":
                elbv2.deregister_targets(TargetGroupArn=self.arn, Targets=[{"Id": ADDRESS, "Port": port}])
            elif state != "initial":
                self.account.cloud.plane.set_target_health(self.arn, ADDRESS, port, PlaneHealth(state=state))

    def clear(self) -> None:
        """Deregister, and let the drain pass."""
        for group in self.account.cloud.plane.target_groups():
            present = [one for one in group.targets if not one.draining] if group.arn == self.arn else []
            rows = [{"Id": one.ip, "Port": one.port} for one in present]
            if rows:
                self.account.cloud.client("elbv2").deregister_targets(TargetGroupArn=self.arn, Targets=rows)
        self.account.cloud.clock.advance(DRAIN_SECONDS)

    def advance(self, seconds: float) -> None:
        self.account.cloud.clock.advance(seconds)


@pytest.fixture(params=["fake", "plane"])
def groups(request: pytest.FixtureRequest) -> Groups:
    return InMemory() if request.param == "fake" else OnPlane(request.getfixturevalue("account"))


@pytest.mark.parametrize(
    ("states", "counts"),
    [
        ((), (0, 0, 0)),
        (("healthy", "healthy"), (2, 2, 0)),
        (("healthy", "unhealthy", "unavailable"), (3, 1, 2)),
        (("healthy", "draining"), (1, 1, 0)),
        (("initial", "healthy"), (2, 1, 0)),
        (("unused", "healthy"), (2, 1, 0)),
        (("healthy", "unhealthy.draining"), (1, 1, 0)),
    ],
    ids=["nobody", "all-well", "failing", "draining", "initial", "unused", "unhealthy-draining"],
)
def test_targets_are_counted(groups: Groups, states: tuple[str, ...], counts: tuple[int, int, int]) -> None:
    """(registered, healthy, failing); draining ones are not registered any more."""
    groups.set(*states)

    seen = groups.reader.targets("blue")

    assert (seen.registered, seen.healthy, seen.failing) == counts


def test_initial_fails_after_the_grace_period(groups: Groups) -> None:
    groups.set("initial")

    first = groups.reader.targets("blue").failing
    groups.advance(120)
    at_the_end = groups.reader.targets("blue").failing
    groups.advance(1)
    after = groups.reader.targets("blue").failing

    assert (first, at_the_end, after) == (0, 0, 1)


def test_the_grace_period_starts_anew_after_another_state(groups: Groups) -> None:
    groups.set("initial")
    groups.reader.targets("blue")
    groups.advance(100)
    groups.set("healthy")
    groups.reader.targets("blue")
    groups.set("initial")
    groups.reader.targets("blue")
    groups.advance(100)

    assert groups.reader.targets("blue").failing == 0


def test_the_time_of_reading_is_told(groups: Groups) -> None:
    groups.set("healthy")
    before = groups.reader.targets("blue").read_at
    groups.advance(30)

    assert groups.reader.targets("blue").read_at == before + 30


def test_each_bad_target_is_named(groups: Groups) -> None:
    groups.set("healthy", "unhealthy")

    assert "unhealthy" in groups.reader.targets("blue").detail


def test_targets_of_an_unattached_group_are_unused(account: Account) -> None:
    """They are registered, and not healthy whatever a checker saw; the reason is in the detail."""
    on_plane = OnPlane(account)
    on_plane.set("healthy")
    elbv2 = account.cloud.client("elbv2")
    only_green = [{"Type": "forward", "TargetGroupArn": account.group("green")}]
    for rule in elbv2.describe_rules(ListenerArn=account.target.listener_arn)["Rules"]:
        if rule["Priority"] != "default" and on_plane.arn in str(rule["Actions"]):
            elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=only_green)

    seen = on_plane.reader.targets("blue")

    assert (seen.registered, seen.healthy, seen.failing) == (1, 0, 0)
    assert "Target.NotInUse" in seen.detail


def test_many_bad_targets_are_summed_up(account: Account) -> None:
    on_plane = OnPlane(account)
    on_plane.set(*["unhealthy"] * 8, "draining")

    assert "and 3 more; 1 draining" in on_plane.reader.targets("blue").detail


def test_errors_of_the_service_are_ours(account: Account) -> None:
    reader = TargetHealth(account.clients, account.target, account.clock)

    assert_translates_errors(account, "elbv2", lambda: reader.targets("blue"), "DescribeTargetHealth")


def test_an_unknown_slot_is_named(account: Account) -> None:
    with pytest.raises(BadInput, match="purple"):
        TargetHealth(account.clients, account.target, account.clock).targets("purple")


def test_a_group_that_is_gone_is_no_reading(account: Account) -> None:
    gone = dataclasses.replace(account.target, target_group_arns={"blue": account.group("blue")[:-4] + "0000"})
    with pytest.raises(SourceError, match="TargetGroupNotFound"):
        TargetHealth(account.clients, gone, account.clock).targets("blue")
