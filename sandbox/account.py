"""The sandbox's account: what infrastructure/ declares, and what only a sandbox adds to it.

The account comes from the recording of an apply (`sandbox.recorded`); it is at rest, with no task. `adopt` gives it a
certificate that the sandbox's customers trust, a mailbox, the live side and its tasks, through the same API calls that
a team would use on AWS wherever there are such.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config

from sandbox.account_names import LIVE_HOST, REGION, SLOTS, TEST_HOSTS
from sandbox.account_spec import AccountSpec
from sandbox.cloud.memory import load_memory
from sandbox.cloud.plane import CloudPlane
from sandbox.cloud.startup import claim_moto, release_moto
from sandbox.recorded.kept import account_memory, recorded

__all__ = ["AccountSpec", "account_of", "adopt", "preload"]

Client = Callable[[str], Any]  # boto3 client by service name
Outputs = dict[str, dict[str, Any]]  # {"key": {"value": ...}}, as `terraform output -json` has it
# Controllers run in the engine's own process here, so their image is in no registry.
_NO_IMAGE = "0" * 64
_NOT_YET = "set-when-a-sandbox-adopts-the-account"


def account_of(images: Mapping[str, str], *, live_version: str) -> bytes:
    """The memory of an account in which `live_version` is what both slots' first revision runs.

    `images` maps version to digest (`sha256:...`). For `CloudPlane(memory=...)`; moto has to be free while it is made.
    Raises SandboxError when there is no usable recording.
    """
    return account_memory(
        {
            "service_image_digest": images[live_version].removeprefix("sha256:"),
            "engine_image_digest": _NO_IMAGE,
            "test_header_value": _NOT_YET,
        }
    )


def preload(images: Mapping[str, str], *, live_version: str) -> None:
    """Import what such an account is made of, and leave moto empty: what a process has imported its forks have too."""
    memory = account_of(images, live_version=live_version)
    for content in (memory, None):  # whoever claims moto next empties it: once here, and not in each fork
        owner = object()
        claim_moto(owner)
        try:
            if content:
                load_memory(content)
        finally:
            release_moto(owner)


def adopt(plane: CloudPlane, endpoint_url: str, *, spec: AccountSpec) -> Outputs:
    """Make the account of a started plane this sandbox's; returns outputs.json.

    The keys that only the sandbox knows (connect_to, ca_file, ...) are the caller's to add. Raises botocore's
    ClientError if the account refuses a call.
    """
    outputs = recorded().outputs_with({"test_header_value": spec.test_header_value})
    known = {name: one["value"] for name, one in outputs.items()}
    client = _clients(endpoint_url)
    certificate = {"certificate": spec.certificate, "chain": spec.certificate_chain, "key": spec.certificate_key}
    plane.issue_certificate(known["certificate_arn"], **certificate)
    _admit(client("elbv2"), known)
    _go_live(client, known, spec=spec)
    protocol = spec.topic_subscriber_url.split(":", 1)[0]
    client("sns").subscribe(TopicArn=known["alert_topic_arn"], Protocol=protocol, Endpoint=spec.topic_subscriber_url)
    plane.settle()
    return {**outputs, "images": {"value": dict(spec.images)}}


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


def _admit(elbv2: Any, known: Mapping[str, Any]) -> None:
    """Let those into the slots' own hosts who send this sandbox's header, and nobody else."""
    for rule in elbv2.describe_rules(ListenerArn=known["listener_arn"])["Rules"]:
        headers = [one for one in rule["Conditions"] if one["Field"] == "http-header"]
        if headers:
            hosts = [
                {"Field": one["Field"], "HostHeaderConfig": one["HostHeaderConfig"]}
                for one in rule["Conditions"]
                if one["Field"] == "host-header"
            ]
            header = {"HttpHeaderName": known["test_header_name"], "Values": [known["test_header_value"]]}
            conditions = [*hosts, {"Field": "http-header", "HttpHeaderConfig": header}]
            elbv2.modify_rule(RuleArn=rule["RuleArn"], Conditions=conditions)


def _go_live(client: Client, known: Mapping[str, Any], *, spec: AccountSpec) -> None:
    """All customers to the live slot, tasks for it, the record that names it; and it alone may scale."""
    live = spec.live_slot
    groups = [
        {"TargetGroupArn": known["target_group_arns"][slot], "Weight": 100 if slot == live else 0} for slot in SLOTS
    ]
    client("elbv2").modify_rule(
        RuleArn=known["rule_arn"], Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
    )
    cluster, services = known["cluster_name"], known["service_names"]
    client("ecs").update_service(cluster=cluster, service=services[live], desiredCount=spec.live_tasks)
    suspensions = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    for slot in SLOTS:
        client("application-autoscaling").register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=f"service/{cluster}/{services[slot]}",
            ScalableDimension="ecs:service:DesiredCount",
            SuspendedState=dict.fromkeys(suspensions, slot != live),
        )
    record = {"Name": LIVE_HOST, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": TEST_HOSTS[live]}]}
    client("route53").change_resource_record_sets(
        HostedZoneId=known["hosted_zone_id"],
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
    )
