"""ECS services start, replace and stop real tasks, and say the truth about them."""

from __future__ import annotations

from typing import Any

import pytest
from cloud_world import CLUSTER, DIGESTS, CloudWorld, error_code, wait_until

pytest_plugins = ("cloud_fixtures",)


def _register(shop: CloudWorld, version: str = "1.1.0", image: str | None = None) -> dict[str, Any]:
    """A new revision of the family with another image."""
    ecs = shop.client("ecs")
    definition = ecs.describe_task_definition(taskDefinition="shop-api")["taskDefinition"]
    container = definition["containerDefinitions"][0]
    container["image"] = image or f"{shop.value('image_repository')}@{DIGESTS[version]}"
    names = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "containerDefinitions")
    answer = ecs.register_task_definition(**{name: definition[name] for name in names})
    return dict(answer["taskDefinition"])


def _update(shop: CloudWorld, slot: str, **changes: Any) -> dict[str, Any]:
    answer = shop.client("ecs").update_service(cluster=CLUSTER, service=f"shop-api-{slot}", **changes)
    return dict(answer["service"])


def test_the_live_slot_starts_two_tasks_in_two_zones(shop: CloudWorld) -> None:
    """Registered by (address, port); COMPLETED only once the targets are healthy."""
    wait_until(lambda: shop.service("green")["runningCount"] == 2, "two tasks run")
    assert shop.service("green")["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    service = shop.wait_steady("green", 2)
    tasks = shop.tasks("green")

    assert sorted(task["availabilityZone"] for task in tasks) == ["us-east-1a", "us-east-1b"]
    assert {task["containers"][0]["imageDigest"] for task in tasks} == {DIGESTS["1.0.0"]}
    assert {(task["lastStatus"], task["healthStatus"]) for task in tasks} == {("RUNNING", "HEALTHY")}
    assert "has reached a steady state." in service["events"][0]["message"]
    assert shop.service("blue")["runningCount"] == 0
    spec = shop.runner.starts[0]
    assert (spec.slot, spec.service_name, spec.version) == ("green", "shop-api-green", "1.0.0")


def test_boto3_waits_for_it(shop: CloudWorld) -> None:
    """The `services_stable` waiter ends; with moto it never does."""
    shop.wait_steady("green", 2)
    waiter = shop.client("ecs").get_waiter("services_stable")

    waiter.wait(cluster=CLUSTER, services=["shop-api-green"], WaiterConfig={"Delay": 1, "MaxAttempts": 1})


def test_one_zone(shop: CloudWorld) -> None:
    """The fault one_zone of the slot puts every task into one zone."""
    shop.plane.set_fault("one_zone", True, slot="blue")
    _update(shop, "blue", desiredCount=3)
    shop.wait_steady("blue", 3)

    assert {task["availabilityZone"] for task in shop.tasks("blue")} == {"us-east-1a"}


def test_a_new_revision_replaces_tasks_without_a_gap(shop: CloudWorld) -> None:
    """New ones first; old ones drain for the deregistration delay (virtual) and then get SIGTERM."""
    shop.wait_steady("green", 2)
    old = {task["taskArn"].rsplit("/", 1)[-1] for task in shop.tasks("green")}
    revision = _register(shop)
    answer = _update(shop, "green", taskDefinition=revision["taskDefinitionArn"])

    assert [one["status"] for one in answer["deployments"]] == ["PRIMARY", "ACTIVE"]
    wait_until(lambda: shop.service("green")["runningCount"] == 4, "old and new run together")
    assert shop.runner.stops == []
    shop.make_healthy("green")
    wait_until(lambda: shop.service("green")["runningCount"] == 2, "old tasks drain")
    states = {group.name: [target.draining for target in group.targets] for group in shop.plane.target_groups()}
    assert sorted(states["shop-api-green"]) == [False, False, True, True]
    assert shop.runner.stops == []
    shop.clock.advance(60)
    wait_until(lambda: len(shop.service("green")["deployments"]) == 1, "old deployment is gone")

    assert set(shop.runner.stops) == old
    assert {task["containers"][0]["imageDigest"] for task in shop.tasks("green")} == {DIGESTS["1.1.0"]}
    stopped = shop.tasks("green", "STOPPED")[0]
    assert (stopped["lastStatus"], stopped["stopCode"]) == ("STOPPED", "ServiceSchedulerInitiated")


def test_an_unhealthy_new_revision_never_completes(shop: CloudWorld) -> None:
    """Old tasks stay as long as the new ones are not healthy."""
    shop.wait_steady("green", 2)
    _update(shop, "green", taskDefinition=_register(shop)["taskDefinitionArn"])
    wait_until(lambda: shop.service("green")["runningCount"] == 4, "old and new run together")
    service = shop.service("green")

    assert service["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert service["deployments"][1]["runningCount"] == 2


def test_scaling_out_and_in(shop: CloudWorld) -> None:
    """Same deployment; the surplus drains before it stops."""
    shop.wait_steady("green", 2)
    deployment = shop.service("green")["deployments"][0]["id"]
    _update(shop, "green", desiredCount=3)
    assert shop.wait_steady("green", 3)["deployments"][0]["id"] == deployment
    _update(shop, "green", desiredCount=0)
    wait_until(lambda: shop.service("green")["runningCount"] == 0, "all drain")
    assert shop.runner.stops == []
    shop.clock.advance(60)
    wait_until(lambda: len(shop.runner.stops) == 3, "all stopped")


def test_a_reply_is_true_at_once(shop: CloudWorld) -> None:
    """UpdateService never answers COMPLETED about a count it has just changed."""
    shop.wait_steady("green", 2)
    answer = _update(shop, "green", desiredCount=4)

    assert (answer["desiredCount"], answer["runningCount"]) == (4, 2)
    assert answer["deployments"][0]["rolloutState"] == "IN_PROGRESS"


def test_a_crashed_task_is_replaced(shop: CloudWorld) -> None:
    """The failure is counted, the reason kept."""
    shop.wait_steady("green", 2)
    victim = shop.tasks("green")[0]["taskArn"]
    shop.runner.crash(victim.rsplit("/", 1)[-1])
    wait_until(lambda: shop.tasks("green", "STOPPED"), "the crash is seen")
    shop.wait_steady("green", 2)
    stopped = shop.tasks("green", "STOPPED")[0]

    assert stopped["taskArn"] == victim
    assert (stopped["stopCode"], stopped["containers"][0]["exitCode"]) == ("EssentialContainerExited", 137)
    assert shop.service("green")["deployments"][0]["failedTasks"] == 1


def test_a_crash_loop_backs_off(shop: CloudWorld) -> None:
    """Restarts go on, counted, ever more slowly; the rollout never completes."""
    shop.runner.crash_on_start = True
    _update(shop, "blue", desiredCount=1)
    wait_until(lambda: shop.service("blue")["deployments"][0]["failedTasks"] >= 2, "two failures")
    service = shop.service("blue")

    assert service["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert "unable to consistently start tasks" in service["events"][0]["message"]
    assert len([spec for spec in shop.runner.starts if spec.slot == "blue"]) <= 4


def test_a_circuit_breaker_gives_up(shop: CloudWorld) -> None:
    """FAILED after three failures in a row, if the service asks for it."""
    shop.runner.crash_on_start = True
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    _update(shop, "blue", desiredCount=2, deploymentConfiguration=breaker)
    wait_until(lambda: shop.service("blue")["deployments"][0]["rolloutState"] == "FAILED", "the breaker opens")

    assert shop.service("blue")["deploymentConfiguration"]["minimumHealthyPercent"] == 100


def test_an_unknown_image_cannot_be_pulled(shop: CloudWorld) -> None:
    """The task fails as ECS words it, and nothing is started."""
    revision = _register(shop, image=f"{shop.value('image_repository')}@sha256:{'f' * 64}")
    _update(shop, "blue", taskDefinition=revision["taskDefinitionArn"], desiredCount=1)
    wait_until(lambda: shop.tasks("blue", "STOPPED"), "the task fails")

    assert "CannotPullContainerError" in shop.tasks("blue", "STOPPED")[0]["stoppedReason"]
    assert [spec for spec in shop.runner.starts if spec.slot == "blue"] == []


def test_revisions_count_up(shop: CloudWorld) -> None:
    """RegisterTaskDefinition answers family:revision."""
    assert [_register(shop)["revision"] for _ in range(2)] == [2, 3]


def test_stop_task_and_force_new_deployment(shop: CloudWorld) -> None:
    """A stopped task is replaced; a forced deployment has a new id."""
    shop.wait_steady("green", 2)
    before = shop.service("green")["deployments"][0]["id"]
    shop.client("ecs").stop_task(cluster=CLUSTER, task=shop.tasks("green")[0]["taskArn"], reason="drill")
    shop.wait_steady("green", 2)
    assert shop.tasks("green", "STOPPED")[0]["stoppedReason"] == "drill"

    assert _update(shop, "green", forceNewDeployment=True)["deployments"][0]["id"] != before


def test_refusals(shop: CloudWorld) -> None:
    """A second service of one name, a group without load balancer, unknown names, deleting what runs."""
    ecs, elbv2 = shop.client("ecs"), shop.client("elbv2")
    vpc = elbv2.describe_load_balancers()["LoadBalancers"][0]["VpcId"]
    group = elbv2.create_target_group(Name="spare", Protocol="HTTPS", Port=443, VpcId=vpc, TargetType="ip")
    balancer = {"targetGroupArn": group["TargetGroups"][0]["TargetGroupArn"], "containerName": "x", "containerPort": 1}

    def create(name: str, **more: Any) -> None:
        ecs.create_service(cluster=CLUSTER, serviceName=name, taskDefinition="shop-api", desiredCount=0, **more)

    assert error_code(lambda: create("shop-api-blue")) == "InvalidParameterException"
    assert error_code(lambda: create("other", loadBalancers=[balancer])) == "InvalidParameterException"
    assert error_code(lambda: _update(shop, "red", desiredCount=1)) == "ServiceNotFoundException"
    assert error_code(lambda: _update(shop, "blue", taskDefinition="shop-api:99")) == "ClientException"
    running = {"cluster": CLUSTER, "service": "shop-api-green"}
    assert error_code(lambda: ecs.delete_service(**running)) == "InvalidParameterException"
    missing = ecs.describe_services(cluster=CLUSTER, services=["nobody"])["failures"]
    assert [one["reason"] for one in missing] == ["MISSING"]


def test_ecs_down_leaves_tasks_alone(shop: CloudWorld) -> None:
    """503 for every call; what runs keeps running and is still there afterwards."""
    shop.wait_steady("green", 2)
    shop.plane.set_fault("ecs", "down")

    assert error_code(lambda: shop.service("green")) == "ServiceUnavailable"
    assert error_code(lambda: _update(shop, "green", desiredCount=0)) == "ServiceUnavailable"
    shop.plane.clear_faults()
    assert (shop.service("green")["runningCount"], shop.runner.stops) == (2, [])


@pytest.mark.parametrize("calls", [20])
def test_describe_services_is_cheap(shop: CloudWorld, calls: int) -> None:
    """A controller polls it; 20 calls within a second, on a busy machine too."""
    shop.service("green")
    wait_until(lambda: [shop.service("green") for _ in range(calls)], "answers", seconds=1)
