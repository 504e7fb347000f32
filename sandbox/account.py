"""Creates the sandbox's world in the emulated account, through the same API calls a team would use on AWS."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

from sandbox.account_balancer import Balancer, create_balancer
from sandbox.account_names import (
    ACCOUNT_ID,
    ALERT_TOPIC,
    CLUSTER,
    CONTAINER,
    DOMAIN,
    FAMILY,
    HEARTBEAT_ALARM,
    HEARTBEAT_METRIC,
    HEARTBEAT_NAMESPACE,
    IMAGE_REPOSITORY,
    LIVE_HOST,
    LOG_GROUP,
    PUBLIC_HOST,
    REGION,
    SLOTS,
    STATE_TABLE,
    TAGS,
    TEST_HEADER,
    TEST_HOSTS,
    service_name,
)
from sandbox.account_network import create_network
from sandbox.account_services import create_scaling, create_services
from sandbox.account_spec import AccountSpec

__all__ = ["AccountSpec", "seed"]

Client = Callable[[str], Any]  # boto3 client by service name


def seed(endpoint_url: str, *, spec: AccountSpec) -> dict[str, Any]:
    """Create the sandbox's world; returns outputs.json ({"key": {"value": ...}}).

    The keys that only the sandbox knows (connect_to, ca_file, ...) are the caller's to add. Route 53 records are
    PENDING afterwards: call `CloudPlane.settle()`. Raises botocore's ClientError if the account refuses a call.
    """
    client = _clients(endpoint_url)
    network = create_network(client("ec2"))
    certificate_arn = _import_certificate(client("acm"), spec)
    balancer = create_balancer(client("elbv2"), network, certificate_arn=certificate_arn, spec=spec)
    client("logs").create_log_group(logGroupName=LOG_GROUP)
    create_services(client("ecs"), network, balancer=balancer, spec=spec)
    create_scaling(client("application-autoscaling"), balancer)
    _create_table(client("dynamodb"))
    topic_arn = _create_alerts(client, spec)
    zone_id = _create_dns(client("route53"), balancer, spec.live_slot)
    created = {
        "load_balancer_arn": balancer.arn,
        "load_balancer_dns_name": balancer.dns_name,
        "listener_arn": balancer.listener_arn,
        "rule_arn": balancer.rule_arn,
        "target_group_arns": dict(balancer.group_arns),
        "alert_topic_arn": topic_arn,
        "hosted_zone_id": zone_id,
        "certificate_arn": certificate_arn,
    }
    return {name: {"value": value} for name, value in {**created, **_fixed_outputs(spec)}.items()}


def _fixed_outputs(spec: AccountSpec) -> dict[str, Any]:
    return {
        "region": REGION,
        "account_id": ACCOUNT_ID,
        "cluster_name": CLUSTER,
        "service_names": {slot: service_name(slot) for slot in SLOTS},
        "task_definition_family": FAMILY,
        "container_name": CONTAINER,
        "image_repository": IMAGE_REPOSITORY,
        "images": dict(spec.images),
        "state_table": STATE_TABLE,
        "public_host": PUBLIC_HOST,
        "test_hosts": dict(TEST_HOSTS),
        "test_header_name": TEST_HEADER,
        "test_header_value": spec.test_header_value,
        "heartbeat_namespace": HEARTBEAT_NAMESPACE,
    }


@functools.cache
def _session() -> boto3.Session:
    """One for the process: each session parses botocore's files again."""
    return boto3.Session(aws_access_key_id="sandbox", aws_secret_access_key="sandbox", region_name=REGION)


def _clients(endpoint_url: str) -> Client:
    """Makes boto3 clients of one endpoint. No retry: a refusal here is a bug of the sandbox."""
    config = Config(
        retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10, user_agent_extra="sandbox-seed"
    )

    def make(name: str) -> Any:
        return _session().client(name, endpoint_url=endpoint_url, config=config)  # type: ignore[call-overload]

    return make


def _import_certificate(acm: Any, spec: AccountSpec) -> str:
    chain = {"CertificateChain": spec.certificate_chain} if spec.certificate_chain else {}
    answer = acm.import_certificate(Certificate=spec.certificate, PrivateKey=spec.certificate_key, Tags=TAGS, **chain)
    return str(answer["CertificateArn"])


def _create_table(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName=STATE_TABLE,
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.update_continuous_backups(
        TableName=STATE_TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def _create_alerts(client: Client, spec: AccountSpec) -> str:
    sns = client("sns")
    topic_arn = str(sns.create_topic(Name=ALERT_TOPIC)["TopicArn"])
    protocol = spec.topic_subscriber_url.split(":", 1)[0]
    sns.subscribe(TopicArn=topic_arn, Protocol=protocol, Endpoint=spec.topic_subscriber_url)
    client("cloudwatch").put_metric_alarm(
        AlarmName=HEARTBEAT_ALARM,
        AlarmDescription="No controller has reported for ten minutes of an active rollout",
        Namespace=HEARTBEAT_NAMESPACE,
        MetricName=HEARTBEAT_METRIC,
        Statistic="SampleCount",
        Period=60,
        EvaluationPeriods=spec.heartbeat_periods,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
        ActionsEnabled=spec.heartbeat_actions_enabled,
        AlarmActions=[topic_arn],
    )
    return topic_arn


def _create_dns(route53: Any, balancer: Balancer, live_slot: str) -> str:
    zone = route53.create_hosted_zone(Name=DOMAIN, CallerReference="sandbox")["HostedZone"]["Id"].rsplit("/", 1)[-1]
    alias = {"HostedZoneId": balancer.zone_id, "DNSName": balancer.dns_name, "EvaluateTargetHealth": True}
    records: list[dict[str, Any]] = [
        {"Name": host, "Type": "A", "AliasTarget": alias} for host in (PUBLIC_HOST, *TEST_HOSTS.values())
    ]
    # Names the live slot for callers inside; the engine moves it when a release has proven itself.
    live = {"Name": LIVE_HOST, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": TEST_HOSTS[live_slot]}]}
    records.append(live)
    records.append(
        {
            "Name": DOMAIN,
            "Type": "CAA",
            "TTL": 300,
            "ResourceRecords": [{"Value": '0 issue "amazon.com"'}],
        }
    )
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in records]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    return str(zone)
