"""ServiceController: the fake and the adapter on the plane do the same to services and their scaling."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

import pytest
from cloud_world import CLUSTER, DIGESTS, wait_until
from port_world import Account, assert_translates_errors, clients_of

from rollout.adapters.ecs import EcsServices
from rollout.adapters.scaling import USUAL_TAG
from rollout.errors import BadInput, SourceError
from rollout.ports import ServiceController
from tests.fakes.services import FakeServices, Limits

pytest_plugins = ("port_fixtures",)
pytestmark = pytest.mark.xdist_group("ports")

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-api"
OLD, NEW = (f"{REPOSITORY}@{DIGESTS[version]}" for version in ("1.0.0", "1.1.0"))


class Fleet(Protocol):
    """Services with green live at two tasks of the old image, scaling 2 to 20 on both."""

    @property
    def services(self) -> ServiceController: ...

    def settle(self, slot: str) -> None: ...

    def limits(self, slot: str) -> Limits | None: ...

    def no_scaling(self, slot: str) -> None: ...

    def revisions(self) -> int: ...


class InMemory:
    def __init__(self) -> None:
        self.services = FakeServices(image=OLD)

    def settle(self, slot: str) -> None:
        self.services.settle(slot)

    def limits(self, slot: str) -> Limits | None:
        return self.services.limits[slot]

    def no_scaling(self, slot: str) -> None:
        self.services.limits[slot] = None

    def revisions(self) -> int:
        return len(self.services.revisions)


class OnPlane:
    def __init__(self, account: Account) -> None:
        self.account = account
        self.services = EcsServices(account.clients, account.target)
        self.scaling = account.cloud.client("application-autoscaling")
        self.ecs = account.cloud.client("ecs")
        first = account.target.task_definition_family + ":1"
        for slot, desired in (("blue", 0), ("green", 2)):
            name = account.target.service_names[slot]
            self.ecs.update_service(cluster=CLUSTER, service=name, taskDefinition=first, desiredCount=desired)
            account.cloud.wait_steady(slot, desired)
            suspended = dict.fromkeys(
                ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False
            )
            made = self.scaling.register_scalable_target(
                **self.resource(slot), MinCapacity=2, MaxCapacity=20, SuspendedState=suspended
            )
            self.scaling.untag_resource(ResourceARN=made["ScalableTargetARN"], TagKeys=[USUAL_TAG])

    def resource(self, slot: str) -> dict[str, str]:
        name = f"service/{CLUSTER}/{self.account.target.service_names[slot]}"
        return {"ServiceNamespace": "ecs", "ResourceId": name, "ScalableDimension": "ecs:service:DesiredCount"}

    def settle(self, slot: str) -> None:
        self.account.cloud.wait_steady(slot, self.services.read(slot).desired)

    def limits(self, slot: str) -> Limits | None:
        resource = self.resource(slot)
        found = self.scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource["ResourceId"]])[
            "ScalableTargets"
        ]
        if not found:
            return None
        state: dict[str, Any] = found[0].get("SuspendedState", {})
        return Limits(
            found[0]["MinCapacity"],
            found[0]["MaxCapacity"],
            scale_in=not state.get("DynamicScalingInSuspended", False),
            scale_out=not state.get("DynamicScalingOutSuspended", False),
        )

    def no_scaling(self, slot: str) -> None:
        self.scaling.deregister_scalable_target(**self.resource(slot))

    def revisions(self) -> int:
        return len(self.ecs.list_task_definitions(familyPrefix="shop-api", status="ACTIVE")["taskDefinitionArns"])


@pytest.fixture(params=["fake", "plane"])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    return InMemory() if request.param == "fake" else OnPlane(request.getfixturevalue("account"))


@pytest.fixture
def plane_fleet(account: Account) -> OnPlane:
    return OnPlane(account)


def test_a_service_is_read(fleet: Fleet) -> None:
    seen = fleet.services.read("green")

    assert (seen.desired, seen.running, seen.rollout_state, seen.image) == (2, 2, "COMPLETED", OLD)
    assert seen.task_definition.endswith("shop-api:1")


def test_the_candidate_runs_the_new_image_and_stable_is_left_alone(fleet: Fleet) -> None:
    stable = fleet.services.read("green")

    revision = fleet.services.prepare("blue", image=NEW, desired=2, like="green")
    fleet.settle("blue")

    seen = fleet.services.read("blue")
    assert (seen.desired, seen.running, seen.image, seen.task_definition) == (2, 2, NEW, revision)
    assert fleet.services.read("green") == stable


def test_preparing_twice_registers_once(fleet: Fleet) -> None:
    first = fleet.services.prepare("blue", image=NEW, desired=2, like="green")
    count = fleet.revisions()

    again = fleet.services.prepare("blue", image=NEW, desired=2, like="green")

    assert (again, fleet.revisions()) == (first, count)


def test_more_tasks_than_wanted_are_kept(fleet: Fleet) -> None:
    fleet.services.prepare("blue", image=NEW, desired=3, like="green")

    fleet.services.prepare("blue", image=NEW, desired=2, like="green")

    assert fleet.services.read("blue").desired == 3


@pytest.mark.parametrize("image", [f"{REPOSITORY}:latest", "1.1.0", ""])
def test_an_image_without_digest_is_refused(fleet: Fleet, image: str) -> None:
    with pytest.raises(BadInput):
        fleet.services.prepare("blue", image=image, desired=2, like="green")


def test_a_slot_is_not_made_like_itself(fleet: Fleet) -> None:
    with pytest.raises(BadInput, match="blue"):
        fleet.services.prepare("blue", image=NEW, desired=2, like="blue")


def test_an_unknown_slot_is_named(fleet: Fleet) -> None:
    with pytest.raises(BadInput, match="purple"):
        fleet.services.read("purple")


@pytest.mark.parametrize("desired", [0, 3])
def test_the_size_is_set(fleet: Fleet, desired: int) -> None:
    fleet.services.scale("green", desired)
    fleet.settle("green")

    seen = fleet.services.read("green")
    assert (seen.desired, seen.running) == (desired, desired)


@pytest.mark.parametrize(("minimum", "held"), [(3, 3), (1, 2), (25, 25)], ids=["raised", "never-lowered", "over-max"])
def test_capacity_is_held(fleet: Fleet, minimum: int, held: int) -> None:
    fleet.services.hold_capacity("green", minimum)

    assert fleet.limits("green") == Limits(held, max(held, 20), scale_in=False)


def test_capacity_is_given_back(fleet: Fleet) -> None:
    """Held twice, released once: the first minimum is in force again, and the retired slot may stay at 0."""
    fleet.services.hold_capacity("green", 3)
    fleet.services.hold_capacity("green", 4)

    fleet.services.release_capacity(live="green", retired="blue")

    assert fleet.limits("green") == Limits(2, 20)
    assert fleet.limits("blue") == Limits(0, 20, scale_in=False, scale_out=False)


def test_a_retired_slot_gets_its_minimum_back_when_it_is_live_again(fleet: Fleet) -> None:
    fleet.services.release_capacity(live="green", retired="blue")
    fleet.services.release_capacity(live="green", retired="blue")
    fleet.services.prepare("blue", image=NEW, desired=3, like="green")
    prepared = fleet.limits("blue")

    fleet.services.release_capacity(live="blue", retired="green")

    assert prepared == Limits(3, 20, scale_in=False)
    assert (fleet.limits("blue"), fleet.limits("green")) == (Limits(2, 20), Limits(0, 20, False, False))


def test_a_service_that_nobody_scales_is_left_alone(fleet: Fleet) -> None:
    for slot in ("blue", "green"):
        fleet.no_scaling(slot)

    fleet.services.hold_capacity("green", 3)
    fleet.services.release_capacity(live="green", retired="blue")

    assert (fleet.limits("green"), fleet.limits("blue")) == (None, None)


# ------------------------------------------------------------------------------------------------ the wire


def test_a_missing_scalable_target_is_said(plane_fleet: OnPlane, caplog: pytest.LogCaptureFixture) -> None:
    plane_fleet.no_scaling("green")

    with caplog.at_level("INFO"):
        plane_fleet.services.hold_capacity("green", 3)

    assert "shop-api-green has no scalable target" in caplog.text


def test_repeated_commands_only_look(plane_fleet: OnPlane) -> None:
    services, account = plane_fleet.services, plane_fleet.account

    def all_commands() -> None:
        services.prepare("blue", image=NEW, desired=2, like="green")
        services.hold_capacity("green", 2)
        services.scale("green", 2)

    all_commands()
    since = account.now()
    all_commands()

    assert {name for name in account.called(since) if not name.startswith(("Describe", "List"))} == set()


def test_an_identical_older_revision_is_used_again(plane_fleet: OnPlane) -> None:
    """Going back to an image that ran before registers nothing."""
    services = plane_fleet.services
    newer = services.prepare("blue", image=NEW, desired=2, like="green")
    older = services.prepare("blue", image=OLD, desired=2, like="green")
    count = plane_fleet.revisions()

    assert services.prepare("blue", image=NEW, desired=2, like="green") == newer
    assert older.endswith("shop-api:1")
    assert plane_fleet.revisions() == count


def test_a_bare_digest_is_completed(plane_fleet: OnPlane) -> None:
    plane_fleet.services.prepare("blue", image=DIGESTS["1.1.0"], desired=1, like="green")

    assert plane_fleet.services.read("blue").image == NEW


def test_only_the_image_and_the_slots_own_environment_differ(plane_fleet: OnPlane) -> None:
    ecs, account = plane_fleet.ecs, plane_fleet.account
    definition = ecs.describe_task_definition(taskDefinition="shop-api:1")["taskDefinition"]
    names: dict[str, str] = {}
    for slot in ("blue", "green"):
        container = {
            **definition["containerDefinitions"][0],
            "environment": [
                {"name": "SLOT", "value": slot},
                {"name": "OTEL_SERVICE_NAME", "value": f"shop-api-{slot}"},
                {"name": "LIMIT", "value": "5" if slot == "green" else "7"},
            ],
        }
        fields = {name: definition[name] for name in ("networkMode", "cpu", "memory", "requiresCompatibilities")}
        made = ecs.register_task_definition(family="shop-api", containerDefinitions=[container], **fields)
        names[slot] = made["taskDefinition"]["taskDefinitionArn"]
        ecs.update_service(cluster=CLUSTER, service=account.target.service_names[slot], taskDefinition=names[slot])

    revision = plane_fleet.services.prepare("blue", image=NEW, desired=1, like="green")

    made = ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]["containerDefinitions"][0]
    like = ecs.describe_task_definition(taskDefinition=names["green"])["taskDefinition"]["containerDefinitions"][0]
    environment = {one["name"]: one["value"] for one in made["environment"]}
    assert environment == {"SLOT": "blue", "OTEL_SERVICE_NAME": "shop-api-blue", "LIMIT": "5"}
    assert {**made, "environment": 0, "image": 0} == {**like, "environment": 0, "image": 0}


def test_failed_tasks_are_those_of_the_new_deployment(plane_fleet: OnPlane) -> None:
    plane_fleet.account.cloud.runner.crash_on_start = True
    try:
        plane_fleet.services.prepare("blue", image=NEW, desired=1, like="green")
        wait_until(lambda: plane_fleet.services.read("blue").failed_tasks > 0, "a failed task")
    finally:
        plane_fleet.account.cloud.runner.crash_on_start = False
        plane_fleet.services.scale("blue", 0)


def test_zones_are_read_when_asked(account: Account) -> None:
    fleet = OnPlane(account)
    services = EcsServices(account.clients, account.target, with_zones=True)
    # Both tasks anew: who is left of an earlier test's scaling in depends on who was healthy first.
    for desired in (0, 2):
        services.scale("green", desired)
        fleet.settle("green")

    zones = services.read("green").zones
    assert len(zones) == len({"us-east-1a", "us-east-1b", "us-east-1c"} & set(zones)) == 2
    assert services.read("blue").zones == ()


@pytest.mark.parametrize("operation", ["read", "scale"])
def test_errors_of_the_service_are_ours(plane_fleet: OnPlane, operation: str) -> None:
    calls = {
        "read": lambda: plane_fleet.services.read("green"),
        "scale": lambda: plane_fleet.services.scale("green", 5),
    }

    assert_translates_errors(plane_fleet.account, "ecs", calls[operation], "DescribeServices")


def test_a_service_that_is_gone_is_no_reading(account: Account) -> None:
    gone = dataclasses.replace(account.target, service_names={"blue": "gone", "green": "gone"})

    with pytest.raises(SourceError, match="MISSING"):
        EcsServices(account.clients, gone).read("blue")


def test_a_wrong_container_name_is_told(account: Account) -> None:
    wrong = dataclasses.replace(account.target, container_name="sidecar")

    with pytest.raises(BadInput, match="no container 'sidecar'") as caught:
        EcsServices(account.clients, wrong).read("green")

    assert "shop-api" in caught.value.hint


def test_a_scalable_target_without_an_arn_is_told(account: Account) -> None:
    """Those registered before tags existed have none until they are registered again."""

    class Old:
        def describe_scalable_targets(self, **_: Any) -> dict[str, Any]:
            return {"ScalableTargets": [{"ResourceId": "service/c/s", "MinCapacity": 2, "MaxCapacity": 4}]}

        def list_tags_for_resource(self, **_: Any) -> dict[str, Any]:
            raise AssertionError("there is nothing to ask for")

    clients = clients_of(account.cloud.url)
    clients.__dict__["scaling"] = Old()

    with pytest.raises(SourceError, match="no ARN") as caught:
        EcsServices(clients, account.target).hold_capacity("green", 3)

    assert "register it once more" in caught.value.hint


def test_only_so_many_definitions_are_kept(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollout.adapters.ecs._DEFINITIONS_KEPT_MAX", 1)
    on_plane = OnPlane(account)

    on_plane.services.prepare("blue", image=NEW, desired=0, like="green")
    on_plane.services.read("green")

    assert len(on_plane.services._definitions) == 1
