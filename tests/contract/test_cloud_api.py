"""Faults by name, in each protocol; one plane per process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cloud_world import CloudWorld, ManualClock, RecordingRunner, error_code

from sandbox.cloud.api_faults import FaultError
from sandbox.cloud.plane import CloudPlane

pytest_plugins = ("cloud_fixtures",)

_CALLS: dict[str, Callable[[CloudWorld], Any]] = {
    "cloudwatch": lambda cloud: cloud.client("cloudwatch").describe_alarms(),
    "dynamodb": lambda cloud: cloud.client("dynamodb").list_tables(),
    "ecs": lambda cloud: cloud.client("ecs").list_clusters(),
    "elbv2": lambda cloud: cloud.client("elbv2").describe_load_balancers(),
    "route53": lambda cloud: cloud.client("route53").list_hosted_zones(),
    "sns": lambda cloud: cloud.client("sns").list_topics(),
}
_THROTTLING = {"dynamodb": "ThrottlingException", "ecs": "ThrottlingException", "sns": "Throttled"}


@pytest.mark.parametrize("service", sorted(_CALLS))
def test_faults_answer_in_each_service_s_protocol(cloud: CloudWorld, service: str) -> None:
    """JSON, query XML and REST XML: boto3 reads code and status from all of them."""
    cloud.plane.set_fault(service, "throttled")
    assert error_code(lambda: _CALLS[service](cloud)) == _THROTTLING.get(service, "Throttling")
    cloud.plane.set_fault(service, "down")
    with pytest.raises(cloud.client(service).exceptions.ClientError) as caught:
        _CALLS[service](cloud)
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("ServiceUnavailable", 503)
    cloud.plane.set_fault(service, "ok")

    assert _CALLS[service](cloud)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(("name", "value"), [("ec2", "down"), ("ecs", "silent"), ("publish_delay_seconds", -1)])
def test_unknown_faults_are_refused(cloud: CloudWorld, name: str, value: object) -> None:
    """A misspelt fault must not pass as a world without one."""
    with pytest.raises(FaultError):
        cloud.plane.set_fault(name, value)


def test_one_plane_per_process(cloud: CloudWorld) -> None:
    """moto keeps its state in modules: two planes would share an account."""
    with pytest.raises(RuntimeError, match="one control plane per process"):
        CloudPlane(ManualClock(), RecordingRunner(), address="127.31.7.3")
