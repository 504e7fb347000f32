"""What infrastructure as code needs of the account: each test names a behaviour of AWS that moto 5.2.5 lacks."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from cloud_world import CloudWorld, error_code

pytest_plugins = ("cloud_fixtures",)

BUCKET = "shop-logs"
LOG_SERVICE = {"Service": "logging.s3.amazonaws.com"}


def _elsewhere(cloud: CloudWorld, service: Any) -> Any:
    session = boto3.Session(aws_access_key_id="t", aws_secret_access_key="t", region_name="us-west-2")
    return session.client(service, endpoint_url=cloud.url)


# ---------------------------------------------------------------------------------------------- S3


def _statement(effect: str, **more: Any) -> dict[str, Any]:
    resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    return {"Effect": effect, "Principal": "*", "Action": "s3:*", "Resource": resources, **more}


def _bucket(cloud: CloudWorld, *statements: dict[str, Any]) -> Any:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    return s3


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": "1"}}, True),
        ({}, False),
    ],
    ids=["refuses plain HTTP", "refuses TLS", "about something that is not emulated", "refuses everybody"],
)
def test_a_statement_of_a_bucket_policy_holds_under_its_condition(
    cloud: CloudWorld, condition: dict[str, Any], allowed: bool
) -> None:
    s3 = _bucket(cloud, _statement("Deny", Condition=condition) if condition else _statement("Deny"))

    if allowed:
        s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")
        assert s3.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"1"
    else:
        refused = error_code(lambda: s3.put_object(Bucket=BUCKET, Key="a", Body=b"1"))
        assert refused == "403"  # moto says so without a document


@pytest.mark.parametrize(
    ("resource", "code"), [("buckets/*", ""), ("other/*", "InvalidTargetBucketForLogging")], ids=["may", "may not"]
)
def test_access_logs_need_a_policy_that_covers_their_prefix(cloud: CloudWorld, resource: str, code: str) -> None:
    writes = _statement("Allow", Principal=LOG_SERVICE, Action="s3:PutObject")
    writes["Resource"] = f"arn:aws:s3:::{BUCKET}/{resource}"
    s3 = _bucket(cloud, _statement("Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}), writes)
    wanted = {"LoggingEnabled": {"TargetBucket": BUCKET, "TargetPrefix": "buckets/a/"}}

    if code:
        assert error_code(lambda: s3.put_bucket_logging(Bucket=BUCKET, BucketLoggingStatus=wanted)) == code
    else:
        s3.put_bucket_logging(Bucket=BUCKET, BucketLoggingStatus=wanted)
        assert s3.get_bucket_logging(Bucket=BUCKET)["LoggingEnabled"]["TargetPrefix"] == "buckets/a/"


# ---------------------------------------------------------------------------------------------- ElastiCache


def _users(cloud: CloudWorld) -> Any:
    cache = cloud.client("elasticache")
    for user_id, name in (("nobody", "default"), ("shop", "shop")):
        cache.create_user(
            UserId=user_id,
            UserName=name,
            Engine="redis",
            AccessString="off -@all",
            AuthenticationMode={"Type": "no-password-required"},
        )
    return cache


def test_a_group_of_cache_users_is_made_changed_and_deleted(cloud: CloudWorld) -> None:
    cache = _users(cloud)
    tags = [{"Key": "a", "Value": "1"}]
    made = cache.create_user_group(UserGroupId="shop", Engine="redis", UserIds=["nobody"], Tags=tags)
    changed = cache.modify_user_group(UserGroupId="shop", UserIdsToAdd=["shop"])

    assert made["Status"] == "active"
    assert changed["UserIds"] == ["nobody", "shop"]
    assert cache.list_tags_for_resource(ResourceName=made["ARN"])["TagList"] == tags
    assert [one["UserGroupId"] for one in cache.describe_user_groups()["UserGroups"]] == ["shop"]
    cache.delete_user_group(UserGroupId="shop")
    assert error_code(lambda: cache.describe_user_groups(UserGroupId="shop")) == "UserGroupNotFound"


def test_a_group_of_cache_users_needs_the_default_user(cloud: CloudWorld) -> None:
    cache = _users(cloud)

    code = error_code(lambda: cache.create_user_group(UserGroupId="g", Engine="redis", UserIds=["shop"]))

    assert code == "DefaultUserRequired"
    assert error_code(lambda: cache.create_user_group(UserGroupId="g", Engine="redis", UserIds=["x"])) == "UserNotFound"


@pytest.mark.parametrize("asked", [{"TransitEncryptionMode": "preferred"}, {"TransitEncryptionEnabled": False}])
def test_encryption_in_transit_can_be_taken_back(cloud: CloudWorld, asked: dict[str, Any]) -> None:
    cache = cloud.client("elasticache")
    encrypted = {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "required"}
    cache.create_replication_group(ReplicationGroupId="shop", ReplicationGroupDescription="limits", **encrypted)

    cache.modify_replication_group(ReplicationGroupId="shop", ApplyImmediately=True, **asked)

    seen = cache.describe_replication_groups(ReplicationGroupId="shop")["ReplicationGroups"][0]
    assert {name: seen[name] for name in asked} == asked


def test_a_replication_group_has_the_members_that_were_asked_for(cloud: CloudWorld) -> None:
    cache = cloud.client("elasticache")
    group = cache.create_replication_group(
        ReplicationGroupId="shop",
        ReplicationGroupDescription="limits",
        Engine="redis",
        NumCacheClusters=2,
        AutomaticFailoverEnabled=True,
        AtRestEncryptionEnabled=True,
        SecurityGroupIds=["sg-1"],
    )["ReplicationGroup"]
    members = [cache.describe_cache_clusters(CacheClusterId=one)["CacheClusters"][0] for one in group["MemberClusters"]]

    assert len(members) == 2
    assert {one["ReplicationGroupId"] for one in members} == {"shop"}
    assert all(one["AtRestEncryptionEnabled"] for one in members)
    assert members[0]["SecurityGroups"] == [{"SecurityGroupId": "sg-1", "Status": "active"}]
    cache.delete_replication_group(ReplicationGroupId="shop")
    gone = error_code(lambda: cache.describe_replication_groups(ReplicationGroupId="shop"))
    assert gone == "ReplicationGroupNotFoundFault"


def test_a_subnet_group_of_the_cache_is_deleted_once(cloud: CloudWorld) -> None:
    cache, ec2 = cloud.client("elasticache"), cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    cache.create_cache_subnet_group(CacheSubnetGroupName="g", CacheSubnetGroupDescription="d", SubnetIds=[subnet])

    cache.delete_cache_subnet_group(CacheSubnetGroupName="g")

    again = error_code(lambda: cache.delete_cache_subnet_group(CacheSubnetGroupName="g"))
    assert again == "CacheSubnetGroupNotFoundFault"


# ---------------------------------------------------------------------------------------------- RDS


def _database(cloud: CloudWorld) -> dict[str, Any]:
    answer = cloud.client("rds").create_db_instance(
        DBInstanceIdentifier="shop",
        DBInstanceClass="db.m6g.large",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="administrator",
        ManageMasterUserPassword=True,
        EnablePerformanceInsights=True,
        BackupRetentionPeriod=14,
        Tags=[{"Key": "role", "Value": "primary"}],
    )
    found: dict[str, Any] = answer["DBInstance"]
    return found


def _replica(cloud: CloudWorld, primary: dict[str, Any]) -> dict[str, Any]:
    rds = _elsewhere(cloud, "rds")
    rds.create_db_parameter_group(
        DBParameterGroupName="elsewhere", DBParameterGroupFamily="postgres16", Description="of the replica's region"
    )
    answer = rds.create_db_instance_read_replica(
        DBInstanceIdentifier="shop-replica",
        SourceDBInstanceIdentifier=primary["DBInstanceArn"],
        DBParameterGroupName="elsewhere",
        Tags=[{"Key": "role", "Value": "replica"}],
    )
    found: dict[str, Any] = answer["DBInstance"]
    return found


def test_a_replica_in_another_region_is_an_instance_of_its_own(cloud: CloudWorld) -> None:
    primary = _database(cloud)
    replica = _replica(cloud, primary)

    assert replica["DBInstanceArn"].startswith("arn:aws:rds:us-west-2:")
    assert replica["DbiResourceId"] != primary["DbiResourceId"]
    assert (replica["BackupRetentionPeriod"], primary["BackupRetentionPeriod"]) == (0, 14)
    assert replica["TagList"] == [{"Key": "role", "Value": "replica"}]
    assert "MasterUserSecret" not in replica
    assert (primary["PerformanceInsightsEnabled"], replica["PerformanceInsightsEnabled"]) == (True, False)


def test_deleting_a_replica_leaves_the_primary_and_its_secret(cloud: CloudWorld) -> None:
    primary = _database(cloud)
    _replica(cloud, primary)

    _elsewhere(cloud, "rds").delete_db_instance(DBInstanceIdentifier="shop-replica", SkipFinalSnapshot=True)

    left = cloud.client("rds").describe_db_instances()["DBInstances"]
    assert [one["DBInstanceIdentifier"] for one in left] == ["shop"]
    assert left[0]["ReadReplicaDBInstanceIdentifiers"] == []
    secret = cloud.client("secretsmanager").describe_secret(SecretId=primary["MasterUserSecret"]["SecretArn"])
    assert "DeletedDate" not in secret


def test_a_parameter_that_was_set_says_so(cloud: CloudWorld) -> None:
    rds = cloud.client("rds")
    rds.create_db_parameter_group(DBParameterGroupName="g", DBParameterGroupFamily="postgres16", Description="d")
    wanted = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="g", Parameters=[wanted])

    (found,) = rds.describe_db_parameters(DBParameterGroupName="g", Source="user")["Parameters"]

    assert (found["ParameterName"], found["ParameterValue"], found["Source"]) == ("rds.force_ssl", "1", "user")


# ---------------------------------------------------------------------------------------------- EC2


def test_every_rule_of_a_security_group_keeps_its_description(cloud: CloudWorld) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    prefix_list = ec2.describe_managed_prefix_lists()["PrefixLists"][0]["PrefixListId"]
    sources: list[dict[str, Any]] = [
        {"IpRanges": [{"CidrIp": "192.0.2.0/24", "Description": "addresses"}]},
        {"UserIdGroupPairs": [{"GroupId": group, "Description": "group"}]},
        {"PrefixListIds": [{"PrefixListId": prefix_list, "Description": "prefix list"}]},
    ]
    for source in sources:
        permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **source}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])

    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]

    described = {rule.get("Description") for rule in rules if not rule["IsEgress"]}
    assert described == {"addresses", "group", "prefix list"}


def test_the_tags_of_a_launch_template_are_its_own(cloud: CloudWorld) -> None:
    ec2 = cloud.client("ec2")
    tags = [{"Key": "a", "Value": "1"}]
    ec2.create_launch_template(
        LaunchTemplateName="load",
        LaunchTemplateData={"TagSpecifications": [{"ResourceType": "instance", "Tags": tags}]},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags}],
    )

    (template,) = ec2.describe_launch_templates(LaunchTemplateNames=["load"])["LaunchTemplates"]
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateName="load")["LaunchTemplateVersions"]

    assert template["Tags"] == tags
    assert [one["ResourceType"] for one in version["LaunchTemplateData"]["TagSpecifications"]] == ["instance"]


# ---------------------------------------------------------------------------------------------- API Gateway


def test_a_domain_of_the_gateway_is_available_and_has_an_address(cloud: CloudWorld) -> None:
    gateway = cloud.client("apigatewayv2")
    wanted = {"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1", "SecurityPolicy": "TLS_1_2"}
    gateway.create_domain_name(DomainName="api.shop.example", DomainNameConfigurations=[wanted])

    domain = gateway.get_domain_name(DomainName="api.shop.example")
    (found,) = domain["DomainNameConfigurations"]

    assert found["DomainNameStatus"] == "AVAILABLE"
    assert found["ApiGatewayDomainName"].endswith(".execute-api.us-east-1.amazonaws.com")
    assert found["HostedZoneId"]
    assert found["SecurityPolicy"] == "TLS_1_2"
    assert "MutualTlsAuthentication" not in domain


# ---------------------------------------------------------------------------------------------- secrets, X-Ray


TARGET = {"TargetArn": "arn:aws:sns:us-east-1:123456789012:alerts"}


def _function(cloud: CloudWorld) -> str:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = cloud.client("iam").create_role(RoleName="rotation", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/engine@sha256:{'a' * 64}"
    made = cloud.client("lambda").create_function(
        FunctionName="rotation", Role=role, PackageType="Image", Code={"ImageUri": image}, DeadLetterConfig=TARGET
    )
    return str(made["FunctionArn"])


def test_a_function_knows_where_its_failures_go(cloud: CloudWorld) -> None:
    functions, name = cloud.client("lambda"), _function(cloud)

    assert functions.get_function_configuration(FunctionName=name)["DeadLetterConfig"] == TARGET
    other = {"TargetArn": TARGET["TargetArn"] + "-other"}
    functions.update_function_configuration(FunctionName=name, DeadLetterConfig=other)
    assert functions.get_function(FunctionName=name)["Configuration"]["DeadLetterConfig"] == other


@pytest.mark.parametrize("value", ["the old key", ""], ids=["with a value", "without one yet"])
def test_a_rotation_is_noted_and_changes_no_value(cloud: CloudWorld, value: str) -> None:
    secrets = cloud.client("secretsmanager")
    secrets.create_secret(Name="key", **({"SecretString": value} if value else {}))

    secrets.rotate_secret(
        SecretId="key", RotationLambdaARN=_function(cloud), RotationRules={"AutomaticallyAfterDays": 30}
    )

    found = secrets.describe_secret(SecretId="key")
    assert found["RotationEnabled"]
    assert found["RotationRules"]["AutomaticallyAfterDays"] == 30
    if value:
        assert secrets.get_secret_value(SecretId="key")["SecretString"] == value
    else:
        assert error_code(lambda: secrets.get_secret_value(SecretId="key")) == "ResourceNotFoundException"


def test_a_rotation_needs_a_function_that_exists(cloud: CloudWorld) -> None:
    secrets = cloud.client("secretsmanager")
    secrets.create_secret(Name="key")
    missing = "arn:aws:lambda:us-east-1:123456789012:function:missing"

    code = error_code(lambda: secrets.rotate_secret(SecretId="key", RotationLambdaARN=missing))

    assert code == "ResourceNotFoundException"


def _rule(name: str) -> dict[str, Any]:
    any_of = dict.fromkeys(("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath", "ResourceARN"), "*")
    return {"RuleName": name, "Priority": 100, "FixedRate": 0.05, "ReservoirSize": 1, "Version": 1, **any_of}


def test_a_sampling_rule_is_made_changed_and_deleted(cloud: CloudWorld) -> None:
    xray = cloud.client("xray")
    tags = [{"Key": "a", "Value": "1"}]
    made = xray.create_sampling_rule(SamplingRule=_rule("shop"), Tags=tags)["SamplingRuleRecord"]["SamplingRule"]
    xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": "shop", "FixedRate": 0.5})
    (found,) = xray.get_sampling_rules()["SamplingRuleRecords"]

    assert found["SamplingRule"]["FixedRate"] == 0.5
    assert xray.list_tags_for_resource(ResourceARN=made["RuleARN"])["Tags"] == tags
    again = error_code(lambda: xray.create_sampling_rule(SamplingRule=_rule("shop")))
    assert again == "InvalidRequestException"
    xray.delete_sampling_rule(RuleName="shop")
    assert xray.get_sampling_rules()["SamplingRuleRecords"] == []


def test_a_group_of_traces_is_made_changed_and_deleted(cloud: CloudWorld) -> None:
    xray = cloud.client("xray")
    xray.create_group(GroupName="shop", FilterExpression='service("shop")')
    xray.update_group(GroupName="shop", FilterExpression='service("other")')

    assert xray.get_group(GroupName="shop")["Group"]["FilterExpression"] == 'service("other")'
    xray.delete_group(GroupName="shop")
    assert error_code(lambda: xray.get_group(GroupName="shop")) == "InvalidRequestException"
