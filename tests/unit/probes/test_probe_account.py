"""Questions to the account: what AWS is asked, and what is kept of its answers; botocore holds both to its models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from probes.account.balancer import certificate_pem, listener_certificate, rule_view, target_group_view, weights
from probes.account.containers import declared, differences, service_view
from probes.account.session import Account, account_of
from probes.account.zone import records

REAL = Account(region="us-east-1", endpoint_url="http://127.0.0.1:9")
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop-api/1"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop-api-blue/1"
LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/shop-api/1/2"
RULE = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/shop-api/1/2/3"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
TASK = "arn:aws:ecs:us-east-1:123456789012:task/production-cluster/1"
REVISION = "arn:aws:ecs:us-east-1:123456789012:task-definition/shop-api:7"


@dataclass
class Answering:
    """An account whose services answer what was said before, in that order, and to nothing else."""

    stack: ExitStack
    stubs: dict[str, tuple[Any, Stubber]] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self._stub(service)[0]

    def say(self, service: str, operation: str, answer: Mapping[str, Any], **asked: Any) -> None:
        self._stub(service)[1].add_response(operation, dict(answer), asked)

    def refuse(self, service: str, operation: str, code: str) -> None:
        self._stub(service)[1].add_client_error(operation, service_error_code=code)

    def _stub(self, service: str) -> tuple[Any, Stubber]:
        if service not in self.stubs:
            client = REAL.client(service)
            stub = self.stack.enter_context(Stubber(client))
            self.stubs[service] = client, stub
        return self.stubs[service]


@pytest.fixture
def account() -> Iterator[Any]:
    """Every answer that was said has to be asked for."""
    with ExitStack() as stack:
        answering = Answering(stack)
        yield answering
        for _, stub in answering.stubs.values():
            stub.assert_no_pending_responses()


# ------------------------------------------------------------------------------------------------ who is asked


def test_the_sandbox_is_asked_at_its_own_address_with_throw_away_credentials() -> None:
    found = account_of({"region": "us-east-1", "aws_endpoint_url": "http://127.0.0.1:9"})
    client = found.client("ecs")

    assert found == REAL
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    credentials = found._session.get_credentials()
    assert credentials is not None
    assert (credentials.access_key, credentials.secret_key) == ("sandbox", "sandbox")


def test_a_real_account_is_asked_at_its_own_address_with_whatever_credentials_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "else")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    found = account_of({"region": "eu-central-1"})
    client = found.client("elbv2")

    assert client.meta.endpoint_url == "https://elasticloadbalancing.eu-central-1.amazonaws.com"
    credentials = found._session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == "somebody"


@pytest.mark.parametrize("service", ["ecs", "elbv2", "route53", "acm"])
def test_no_question_waits_for_ever(service: str) -> None:
    """Two seconds to connect, five to answer, three tries; our name stands in the account's log."""
    config = REAL.client(service).meta.config

    assert (config.connect_timeout, config.read_timeout) == (2, 5)
    assert config.retries["total_max_attempts"] == 3
    assert "release-gates/probe" in config.user_agent_extra


def test_the_outputs_have_to_name_a_region() -> None:
    with pytest.raises(KeyError, match="region"):
        account_of({})


# ------------------------------------------------------------------------------------------------ the balancer


def test_a_target_group(account: Any) -> None:
    check = {
        "HealthCheckPath": "/health",
        "HealthCheckPort": "traffic-port",
        "HealthCheckProtocol": "HTTPS",
        "HealthCheckIntervalSeconds": 10,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200"},
    }
    group = check | {"TargetGroupArn": GROUP, "LoadBalancerArns": [BALANCER]}
    account.say("elbv2", "describe_target_groups", {"TargetGroups": [group]}, TargetGroupArns=[GROUP])
    rows = [
        {"Key": "deregistration_delay.timeout_seconds", "Value": "60"},
        {"Key": "stickiness.enabled", "Value": "false"},
    ]
    account.say("elbv2", "describe_target_group_attributes", {"Attributes": rows}, TargetGroupArn=GROUP)
    health = [{"TargetHealth": {"State": state}} for state in ("healthy", "draining")]
    account.say("elbv2", "describe_target_health", {"TargetHealthDescriptions": health}, TargetGroupArn=GROUP)

    assert target_group_view(account, GROUP) == {
        "check": check,
        "attributes": {"deregistration_delay.timeout_seconds": "60", "slow_start.duration_seconds": None},
        "targets": ["healthy", "draining"],
    }


def test_a_target_group_without_a_check_of_its_own(account: Any) -> None:
    """What is not declared is None, and not left out: two groups stay comparable."""
    account.say(
        "elbv2", "describe_target_groups", {"TargetGroups": [{"TargetGroupArn": GROUP}]}, TargetGroupArns=[GROUP]
    )
    account.say("elbv2", "describe_target_group_attributes", {"Attributes": []}, TargetGroupArn=GROUP)
    account.say("elbv2", "describe_target_health", {"TargetHealthDescriptions": []}, TargetGroupArn=GROUP)

    view = target_group_view(account, GROUP)
    assert view["check"].pop("Matcher") == {}
    assert set(view["check"].values()) == {None}
    assert view["targets"] == []


def test_a_rule_is_answered_as_it_is(account: Any) -> None:
    rule = {"RuleArn": RULE, "Priority": "100", "Actions": [{"Type": "forward", "TargetGroupArn": GROUP}]}
    account.say("elbv2", "describe_rules", {"Rules": [rule]}, RuleArns=[RULE])

    assert rule_view(account, RULE) == rule


@pytest.mark.parametrize(
    ("actions", "seen"),
    [
        ([{"Type": "forward", "TargetGroupArn": "a"}], {"a": 1}),
        ([{"Type": "forward", "TargetGroupArn": "a", "ForwardConfig": {"TargetGroups": []}}], {"a": 1}),
        (
            [
                {"Type": "authenticate-oidc"},
                {
                    "Type": "forward",
                    "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "a", "Weight": 5}, {"TargetGroupArn": "b"}]},
                },
            ],
            {"a": 5, "b": 1},
        ),
        (
            [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "a", "Weight": 0}]}}],
            {"a": 0},
        ),
    ],
    ids=["one-group", "empty-config", "behind-login", "no-customer"],
)
def test_the_weights_of_a_rule(actions: list[dict[str, Any]], seen: dict[str, int]) -> None:
    assert weights({"Actions": actions}) == seen


def test_the_declared_certificate(account: Any) -> None:
    listener = {"ListenerArn": LISTENER, "Certificates": [{"CertificateArn": CERTIFICATE}]}
    account.say("elbv2", "describe_listeners", {"Listeners": [listener]}, ListenerArns=[LISTENER])
    account.say("acm", "get_certificate", {"Certificate": "-----BEGIN"}, CertificateArn=CERTIFICATE)

    assert listener_certificate(account, LISTENER) == CERTIFICATE
    assert certificate_pem(account, CERTIFICATE) == b"-----BEGIN"


@pytest.mark.parametrize("listener", [{}, {"Certificates": []}], ids=["http", "empty"])
def test_a_listener_without_a_certificate(account: Any, listener: dict[str, Any]) -> None:
    account.say("elbv2", "describe_listeners", {"Listeners": [listener]}, ListenerArns=[LISTENER])

    with pytest.raises(LookupError, match="declares no certificate"):
        listener_certificate(account, LISTENER)


# ------------------------------------------------------------------------------------------------ containers

DEFINITION = {
    "family": "shop-api",
    "taskDefinitionArn": REVISION,
    "revision": 7,
    "status": "ACTIVE",
    "compatibilities": ["EC2"],
    "requiresAttributes": [{"name": "ecs.capability.x"}],
    "containerDefinitions": [{"name": "shop-api", "image": "new", "cpu": 256}, {"name": "log", "image": "router"}],
}
SERVICE = {
    "desiredCount": 2,
    "runningCount": 1,
    "taskDefinition": REVISION,
    "deployments": [
        {"status": "ACTIVE", "rolloutState": "COMPLETED", "failedTasks": 9},
        {"status": "PRIMARY", "rolloutState": "IN_PROGRESS", "failedTasks": 1},
    ],
}


def say_service(account: Any, service: Mapping[str, Any], tasks: list[str]) -> None:
    account.say("ecs", "describe_services", {"services": [service]}, cluster="c", services=["s"])
    account.say("ecs", "list_tasks", {"taskArns": tasks}, cluster="c", serviceName="s", desiredStatus="RUNNING")


def test_a_service(account: Any) -> None:
    """Deaths are those of the newest deployment; a zone per running task."""
    say_service(account, SERVICE, [TASK])
    account.say("ecs", "describe_tasks", {"tasks": [{"availabilityZone": "us-east-1b"}, {}]}, cluster="c", tasks=[TASK])
    account.say("ecs", "describe_task_definition", {"taskDefinition": DEFINITION}, taskDefinition=REVISION)

    assert service_view(account, "c", "s") == {
        "desired": 2,
        "running": 1,
        "task_definition": REVISION,
        "rollout_state": "IN_PROGRESS",
        "failed_tasks": 1,
        "zones": ["us-east-1b", ""],
        "definition": {"family": "shop-api", "containerDefinitions": DEFINITION["containerDefinitions"]},
        "images": ["new", "router"],
    }


def test_a_service_without_tasks_and_without_a_deployment(account: Any) -> None:
    """No task is no question about tasks: DescribeTasks refuses an empty list."""
    say_service(account, SERVICE | {"deployments": []}, [])
    account.say("ecs", "describe_task_definition", {"taskDefinition": DEFINITION}, taskDefinition=REVISION)

    view = service_view(account, "c", "s")
    assert (view["zones"], view["rollout_state"], view["failed_tasks"]) == ([], "", 0)


def test_a_service_that_does_not_exist(account: Any) -> None:
    account.say("ecs", "describe_services", {"services": [], "failures": []}, cluster="c", services=["s"])

    with pytest.raises(LookupError, match="no service s in c"):
        service_view(account, "c", "s")


def test_a_refusal_is_not_an_answer(account: Any) -> None:
    """Denied is told as denied, never as a clean view."""
    account.refuse("ecs", "describe_services", "AccessDeniedException")

    with pytest.raises(ClientError, match="AccessDeniedException"):
        service_view(account, "c", "s")


def test_what_ecs_assigns_is_not_declared() -> None:
    assigned = {"registeredAt": 1, "registeredBy": "us", "deregisteredAt": 2}

    assert declared({**DEFINITION, **assigned}) == {
        "family": "shop-api",
        "containerDefinitions": DEFINITION["containerDefinitions"],
    }


@pytest.mark.parametrize(
    ("one", "other", "paths"),
    [
        ({"a": 1}, {"a": 1}, ()),
        ({"a": 1}, {"a": 2}, ("a",)),
        ({"a": 1}, {}, ("a",)),
        ({}, {"a": 1}, ("a",)),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, ("a[1].b",)),
        ({"a": [1]}, {"a": [1, 2]}, ("a",)),
        ({"a": {"b": {"c": 1}}, "d": 0}, {"a": {"b": {"c": 2}}, "d": 1}, ("a.b.c", "d")),
        ({"a": [1]}, {"a": {"0": 1}}, ("a",)),
        ([1, 2], [1, 3], ("[1]",)),
    ],
    ids=["alike", "value", "gone", "new", "in-a-list", "longer", "deep", "another-kind", "a-list"],
)
def test_differences_name_their_places(one: Any, other: Any, paths: tuple[str, ...]) -> None:
    assert differences(one, other) == paths
    assert len(differences(other, one)) == len(paths)


# ------------------------------------------------------------------------------------------------ the zone


def test_every_page_of_a_zone_is_read(account: Any) -> None:
    def row(name: str) -> dict[str, Any]:
        return {"Name": name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "x"}]}

    more = {"IsTruncated": True, "NextRecordName": "b.", "NextRecordType": "CNAME", "MaxItems": "1"}
    account.say("route53", "list_resource_record_sets", {"ResourceRecordSets": [row("a.")], **more}, HostedZoneId="Z1")
    account.say(
        "route53",
        "list_resource_record_sets",
        {"ResourceRecordSets": [row("b.")], "IsTruncated": False, "MaxItems": "1"},
        HostedZoneId="Z1",
        StartRecordName="b.",
        StartRecordType="CNAME",
    )

    assert records(account, "Z1") == [row("a."), row("b.")]
