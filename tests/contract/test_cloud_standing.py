"""What an account has by itself, on AWS and here: each test names what moto 5.2.5 lacks."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cloud_world import CLUSTER, DIGESTS, CloudWorld, error_code, wait_until

pytest_plugins = ("cloud_fixtures",)

OPEN_AND_HIGH = {"Criterion": {"service.archived": {"Equals": ["false"]}, "severity": {"GreaterThanOrEqual": 7}}}


def _elsewhere(cloud: CloudWorld, service: Any) -> Any:
    session = boto3.Session(aws_access_key_id="t", aws_secret_access_key="t", region_name="us-west-2")
    return session.client(service, endpoint_url=cloud.url)


# ---------------------------------------------------------------------------------------------- GuardDuty


def _detector(cloud: CloudWorld, *, enable: bool = True) -> str:
    return str(cloud.client("guardduty").create_detector(Enable=enable)["DetectorId"])


def _findings(cloud: CloudWorld, detector: str, criteria: Any = OPEN_AND_HIGH) -> list[str]:
    return list(cloud.client("guardduty").list_findings(DetectorId=detector, FindingCriteria=criteria)["FindingIds"])


def test_a_detector_finds_nothing_until_somebody_plants_a_finding(cloud: CloudWorld) -> None:
    guardduty, detector = cloud.client("guardduty"), _detector(cloud)
    before = _findings(cloud, detector)
    cloud.plane.set_fault("high_finding", True, slot="account")
    (found,) = _findings(cloud, detector)
    (finding,) = guardduty.get_findings(DetectorId=detector, FindingIds=[found, "another"])["Findings"]
    cloud.plane.set_fault("high_finding", False, slot="account")

    assert before == []
    assert (finding["Id"], finding["Severity"], finding["Service"]["Archived"]) == (found, 8.0, False)
    assert _findings(cloud, detector) == []
    assert guardduty.get_findings(DetectorId=detector, FindingIds=[found])["Findings"] == []


@pytest.mark.parametrize(
    ("criteria", "count"),
    [
        ({}, 1),
        ({"severity": {"GreaterThan": 8}}, 0),
        ({"severity": {"LessThanOrEqual": 8}}, 1),
        ({"service.archived": {"Equals": ["true"]}}, 0),
        ({"service.archived": {"NotEquals": ["true"]}}, 1),
        ({"region": {"Equals": ["us-east-1", "us-west-2"]}, "severity": {"LessThan": 8}}, 0),
    ],
    ids=["none", "over", "at most", "archived", "not archived", "two"],
)
def test_findings_are_listed_by_every_criterion(cloud: CloudWorld, criteria: Any, count: int) -> None:
    detector = _detector(cloud)
    cloud.plane.set_fault("high_finding", True, slot="account")

    assert len(_findings(cloud, detector, {"Criterion": criteria})) == count


def test_a_criterion_that_is_not_understood_is_refused(cloud: CloudWorld) -> None:
    detector = _detector(cloud)
    cloud.plane.set_fault("high_finding", True, slot="account")
    unknown = {"Criterion": {"resource.bucket": {"Equals": ["a"]}}}

    assert error_code(lambda: _findings(cloud, detector, unknown)) == "BadRequestException"
    assert error_code(lambda: _findings(cloud, "another")) == "BadRequestException"


def test_a_detector_can_be_suspended_by_a_call_and_by_a_fault(cloud: CloudWorld) -> None:
    guardduty, detector = cloud.client("guardduty"), _detector(cloud)

    def status() -> str:
        return str(guardduty.get_detector(DetectorId=detector)["Status"])

    cloud.plane.set_fault("detector_suspended", True, slot="account")
    by_fault = status()
    cloud.plane.set_fault("detector_suspended", False, slot="account")
    without = status()
    guardduty.update_detector(DetectorId=detector, Enable=False)
    cloud.plane.set_fault("high_finding", True, slot="account")

    assert (by_fault, without, status()) == ("DISABLED", "ENABLED", "DISABLED")
    assert _findings(cloud, detector) == []


# ---------------------------------------------------------------------------------------------- IAM, KMS


def test_the_root_has_a_second_factor_unless_a_fault_says_otherwise(cloud: CloudWorld) -> None:
    def enabled() -> int:
        return int(cloud.client("iam").get_account_summary()["SummaryMap"]["AccountMFAEnabled"])

    before = enabled()
    cloud.plane.set_fault("root_without_second_factor", True, slot="account")

    assert (before, enabled()) == (1, 0)


def test_a_default_key_is_managed_and_rotated_by_aws(cloud: CloudWorld) -> None:
    kms = cloud.client("kms")
    own = kms.create_key(Description="ours")["KeyMetadata"]["KeyId"]
    default = kms.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]["KeyId"]

    managers = {key: kms.describe_key(KeyId=key)["KeyMetadata"]["KeyManager"] for key in (own, default)}

    assert managers == {own: "CUSTOMER", default: "AWS"}
    assert kms.get_key_rotation_status(KeyId=default)["KeyRotationEnabled"]
    assert not kms.get_key_rotation_status(KeyId=own)["KeyRotationEnabled"]


# ---------------------------------------------------------------------------------------------- ECR, ELB


def test_a_registered_image_is_in_the_repository_it_was_pushed_to(cloud: CloudWorld) -> None:
    ecr = cloud.client("ecr")
    for name in ("shop-api", "release-gates"):
        ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")

    found = {
        one["imageDigest"]: one["imageTags"] for one in ecr.describe_images(repositoryName="shop-api")["imageDetails"]
    }

    assert found == {digest: [f"release-{version}"] for version, digest in DIGESTS.items()}
    assert ecr.describe_images(repositoryName="release-gates")["imageDetails"] == []
    (again,) = ecr.batch_get_image(repositoryName="shop-api", imageIds=[{"imageTag": "release-1.0.0"}])["images"]
    assert again["imageId"]["imageDigest"] == DIGESTS["1.0.0"]


@pytest.mark.parametrize(("asked", "scheme"), [({}, "internet-facing"), ({"Scheme": "internal"}, "internal")])
def test_a_load_balancer_says_which_side_it_faces(cloud: CloudWorld, asked: dict[str, str], scheme: str) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]

    (made,) = cloud.client("elbv2").create_load_balancer(Name="a", Subnets=[subnet], **asked)["LoadBalancers"]

    assert made["Scheme"] == scheme
    assert cloud.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["Scheme"] == scheme


# ---------------------------------------------------------------------------------------------- Cloud Map


def _registry(cloud: CloudWorld) -> str:
    """Id of a registry that the live service is told to register with, beside its target group."""
    discovery = cloud.client("servicediscovery")
    discovery.create_http_namespace(Name="shop.internal")
    namespace = discovery.list_namespaces()["Namespaces"][0]["Id"]
    made = discovery.create_service(
        Name="green", NamespaceId=namespace, HealthCheckCustomConfig={"FailureThreshold": 1}
    )
    return str(made["Service"]["Id"])


def _serve(cloud: CloudWorld, registry: str) -> str:
    """A service of one task that names the registry; its name."""
    definition = cloud.client("ecs").describe_services(cluster=CLUSTER, services=["shop-api-green"])["services"][0]
    cloud.client("ecs").create_service(
        cluster=CLUSTER,
        serviceName="found-green",
        taskDefinition=definition["taskDefinition"],
        desiredCount=1,
        serviceRegistries=[{"registryArn": f"arn:aws:servicediscovery:us-east-1:123456789012:service/{registry}"}],
    )
    return "found-green"


def _instances(cloud: CloudWorld, registry: str) -> dict[str, Any]:
    rows = cloud.client("servicediscovery").list_instances(ServiceId=registry)["Instances"]
    return {row["Id"]: row["Attributes"] for row in rows}


def _running(cloud: CloudWorld, service: str) -> list[str]:
    ecs = cloud.client("ecs")
    arns = ecs.list_tasks(cluster=CLUSTER, serviceName=service)["taskArns"]
    tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
    return [one["taskArn"].rsplit("/", 1)[-1] for one in tasks if one["lastStatus"] == "RUNNING"]


def test_a_running_task_is_an_instance_of_its_registry_under_its_id(shop: CloudWorld) -> None:
    registry = _registry(shop)
    service = _serve(shop, registry)
    wait_until(lambda: _running(shop, service), "a running task")
    (task,) = _running(shop, service)

    (instance,) = _instances(shop, registry).items()

    assert instance[0] == task
    assert instance[1]["AWS_INSTANCE_IPV4"]
    assert instance[1]["ECS_SERVICE_NAME"] == service
    assert instance[1]["ECS_CLUSTER_NAME"] == CLUSTER


@pytest.mark.parametrize("way", ["scaled to none", "crashed"])
def test_a_task_that_ends_is_found_no_more(shop: CloudWorld, way: str) -> None:
    registry = _registry(shop)
    service = _serve(shop, registry)
    wait_until(lambda: _running(shop, service), "a running task")
    (before,) = _running(shop, service)

    if way == "crashed":
        shop.runner.crash(before)
    else:
        shop.client("ecs").update_service(cluster=CLUSTER, service=service, desiredCount=0)

    wait_until(lambda: before not in _instances(shop, registry), "no instance of that task")
    wait_until(lambda: sorted(_instances(shop, registry)) == sorted(_running(shop, service)), "exactly what runs")


def test_a_registry_that_is_gone_is_an_event_of_the_service(shop: CloudWorld) -> None:
    service = _serve(shop, "srv-gone")
    wait_until(lambda: _running(shop, service), "a running task")

    events = shop.client("ecs").describe_services(cluster=CLUSTER, services=[service])["services"][0]["events"]

    assert any("there is no registry srv-gone" in event["message"] for event in events)


# ---------------------------------------------------------------------------------------------- RDS


@pytest.fixture
def replicated(cloud: CloudWorld) -> CloudWorld:
    """An account with a database, and a replica of it in another region that names no group of its own."""
    primary = cloud.client("rds")
    primary.create_db_parameter_group(DBParameterGroupName="own", DBParameterGroupFamily="postgres16", Description="d")
    made = primary.create_db_instance(
        DBInstanceIdentifier="shop",
        DBInstanceClass="db.m6g.large",
        Engine="postgres",
        EngineVersion="16.8",
        AllocatedStorage=20,
        MasterUsername="administrator",
        ManageMasterUserPassword=True,
        DBParameterGroupName="own",
    )["DBInstance"]
    _elsewhere(cloud, "rds").create_db_instance_read_replica(
        DBInstanceIdentifier="shop-replica", SourceDBInstanceIdentifier=made["DBInstanceArn"]
    )
    return cloud


def _lag(cloud: CloudWorld) -> list[float]:
    rows = _elsewhere(cloud, "cloudwatch").get_metric_statistics(
        Namespace="AWS/RDS",
        MetricName="ReplicaLag",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "shop-replica"}],
        StartTime=cloud.moment(-600),
        EndTime=cloud.moment(1),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return [float(row["Maximum"]) for row in rows]


def test_a_replica_says_every_minute_how_far_it_lags(replicated: CloudWorld) -> None:
    wait_until(lambda: _lag(replicated) == [0.0], "the first minute's lag")
    replicated.clock.advance(60)

    wait_until(lambda: _lag(replicated) == [0.0, 0.0], "the second minute's lag")


def test_a_lag_is_what_the_fault_says_and_was_so_all_along(replicated: CloudWorld) -> None:
    wait_until(lambda: _lag(replicated) == [0.0], "no lag")
    for lag in (400.0, -1.0):
        replicated.plane.set_fault("replica_lag_seconds", lag, slot="account")
        wait_until(lambda lag=lag: _lag(replicated) == [lag], f"a lag of {lag}")
    replicated.plane.clear_faults()

    wait_until(lambda: _lag(replicated) == [0.0], "no lag again")


def test_a_lag_that_nobody_reports_is_no_datapoint(replicated: CloudWorld) -> None:
    wait_until(lambda: _lag(replicated) == [0.0], "no lag")
    replicated.plane.set_fault("replica_lag", "absent", slot="account")

    wait_until(lambda: _lag(replicated) == [], "no metric")
    replicated.plane.set_fault("replica_lag", "published", slot="account")
    wait_until(lambda: _lag(replicated) == [0.0], "the metric again")


def test_a_replica_elsewhere_has_the_default_group_of_its_region(replicated: CloudWorld) -> None:
    (replica,) = _elsewhere(replicated, "rds").describe_db_instances()["DBInstances"]
    (primary,) = replicated.client("rds").describe_db_instances()["DBInstances"]

    groups = [one["DBParameterGroups"][0]["DBParameterGroupName"] for one in (primary, replica)]

    assert groups == ["own", "default.postgres16"]


def test_the_password_that_rds_manages_is_rotated_every_seven_days(replicated: CloudWorld) -> None:
    (secret,) = replicated.client("secretsmanager").list_secrets()["SecretList"]

    assert secret["OwningService"] == "rds"
    assert (secret["RotationEnabled"], secret["RotationRules"]) == (True, {"AutomaticallyAfterDays": 7})
    assert (secret["NextRotationDate"] - secret["LastRotatedDate"]).days == 7


# ---------------------------------------------------------------------------------------------- S3


def test_the_states_lock_is_taken_once_and_leaves_a_version_behind(cloud: CloudWorld) -> None:
    """Terraform's S3 backend locks by an object that nobody may overwrite, and gives the lock back by deleting it."""
    s3, lock = cloud.client("s3"), {"Bucket": "state", "Key": "production.tfstate.tflock"}
    s3.create_bucket(Bucket="state")
    s3.put_bucket_versioning(Bucket="state", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(**lock, Body=b"first", IfNoneMatch="*")

    second = error_code(lambda: s3.put_object(**lock, Body=b"second", IfNoneMatch="*"))
    s3.delete_object(**lock)

    versions = s3.list_object_versions(Bucket="state", Prefix=lock["Key"])["Versions"]
    assert second == "PreconditionFailed"
    assert [one["Key"] for one in versions] == [lock["Key"]]
    s3.put_object(**lock, Body=b"third", IfNoneMatch="*")


# ---------------------------------------------------------------------------------------------- what moto cannot


@pytest.mark.parametrize(
    ("service", "operation", "asked", "named"),
    [
        ("athena", "batch_get_query_execution", {"QueryExecutionIds": ["a"]}, "athena BatchGetQueryExecution"),
        ("cloudformation", "describe_account_limits", {}, "cloudformation DescribeAccountLimits"),
    ],
    ids=["json", "query"],
)
def test_a_call_that_moto_fails_at_is_answered_with_its_name(
    cloud: CloudWorld, service: str, operation: str, asked: dict[str, Any], named: str
) -> None:
    """A client that is hung up on tries again for minutes, and says nothing of why."""
    with pytest.raises(ClientError) as caught:
        getattr(cloud.client(service), operation)(**asked)

    assert caught.value.response["Error"]["Code"] == "InternalFailure"
    assert named in caught.value.response["Error"]["Message"]
