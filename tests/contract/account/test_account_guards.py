"""Roles, trail, detector, gateway, secrets and state on the emulated account: good, and each break."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from probes.account import detector, secrets, trail
from probes.account.census import checks
from probes.account.session import Account
from rollout.model import Basis, Observation, Verdict
from tests.contract.account import data_account as data
from tests.contract.account import guard_account as guard
from tests.contract.account import site_account as site
from tests.contract.account.account_world import ACCOUNT_ID, REGION, AccountWorld, Change, demand_green, demand_red

pytest_plugins = ("tests.contract.account.account_fixtures",)

# ------------------------------------------------------------------------------------------------ roles


def test_good_roles(world: AccountWorld) -> None:
    guard.make_roles(world)

    seen = world.judge("roles")
    demand_green(seen)
    assert "3 of 3 roles" in seen["no_star_on_star"].message


def _star(world: AccountWorld) -> None:
    guard.make_role(world, "wide", guard.trusted_by_service("ec2.amazonaws.com"), guard.allow(["*"]))


def _star_of_a_service(world: AccountWorld) -> None:
    guard.make_role(world, "wide", guard.trusted_by_service("ec2.amazonaws.com"), guard.allow(["s3:*"]))


def _all_but(world: AccountWorld) -> None:
    statement = {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}
    guard.make_role(world, "wide", guard.trusted_by_service("ec2.amazonaws.com"), statement)


def _attached_star(world: AccountWorld) -> None:
    iam = world.client("iam")
    made = iam.create_policy(PolicyName="admin", PolicyDocument=guard.policy(guard.allow(["*"])))["Policy"]["Arn"]
    guard.make_role(world, "wide", guard.trusted_by_service("ec2.amazonaws.com"))
    iam.attach_role_policy(RoleName="wide", PolicyArn=made)


def _open_trust(world: AccountWorld) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    guard.make_role(world, "open", trust, guard.allow(["s3:GetObject"]))


def _trusts(trust: dict[str, Any]) -> Change:
    document = guard.policy(trust)
    return lambda w: w.client("iam").update_assume_role_policy(RoleName="deploy", PolicyDocument=document)


def _engine_may_more(world: AccountWorld) -> None:
    more = guard.policy(guard.allow([*guard.ENGINE_ACTIONS, "iam:PassRole"]))
    world.client("iam").put_role_policy(RoleName="engine", PolicyName="own", PolicyDocument=more)


def _engine_may_less(world: AccountWorld) -> None:
    less = guard.policy(guard.allow(["ecs:UpdateService"]))
    world.client("iam").put_role_policy(RoleName="engine", PolicyName="own", PolicyDocument=less)


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        (_star, "no_star_on_star", "wide: * on every resource by own"),
        (_star_of_a_service, "no_star_on_star", "s3:* on every resource"),
        (_all_but, "no_star_on_star", "every action but some"),
        (_attached_star, "no_star_on_star", "* on every resource by admin"),
        (_open_trust, "trusts_somebody", "open: trusts everybody"),
        (_trusts(guard.trusted_by_people()), "second_factor", "without a second factor"),
        (
            _trusts(guard.trusted_by_people(BoolIfExists={"aws:MultiFactorAuthPresent": "true"})),
            "second_factor",
            "without a second factor",
        ),
        (_trusts(guard.trusted_by_repository("*")), "second_factor", "without a second factor"),
        (_engine_may_more, "published_minimum", "more than published: iam:PassRole"),
        (_engine_may_less, "published_minimum", "not enough: elasticloadbalancing:ModifyRule"),
        (guard.unguard_root, "root_guarded", "root has no second factor"),
    ],
    ids=[
        *("star", "star-of-a-service", "all-but", "attached-star", "open-trust", "no-mfa", "mfa-if-exists"),
        *("any-repository", "engine-may-more", "engine-may-less", "root"),
    ],
)
def test_a_bad_role(world: AccountWorld, change: Change, name: str, word: str) -> None:
    guard.make_roles(world)
    change(world)

    demand_red(world.judge("roles"), name, word)


def test_a_person_with_a_second_factor_may_deploy(world: AccountWorld) -> None:
    guard.make_roles(world)
    _trusts(guard.trusted_by_people(Bool={"aws:MultiFactorAuthPresent": "true"}))(world)

    demand_green(world.judge("roles"))


def test_a_declared_role_that_is_gone(world: AccountWorld) -> None:
    guard.make_roles(world)
    world.declared = replace(world.declared, deploy_roles=frozenset({"deploy", "gone"}))

    found = world.judge("roles")["second_factor"]
    assert found.verdict is Verdict.NO_DATA
    assert "1 of 2 deploy roles" in found.message


def test_roles_that_only_aws_can_change_are_left_out(world: AccountWorld) -> None:
    guard.make_roles(world)
    world.client("iam").create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")

    assert "3 of 3 roles" in world.judge("roles")["no_star_on_star"].message


# ------------------------------------------------------------------------------------------------ trail


def test_a_good_trail(world: AccountWorld) -> None:
    guard.make_trail(world)

    seen = world.judge("trail")
    demand_green(seen)
    assert seen["delivers"].basis is Basis.EMULATED


def _reads_only(world: AccountWorld) -> None:
    selector = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True, "DataResources": []}
    world.client("cloudtrail").put_event_selectors(TrailName="audit", EventSelectors=[selector])


@pytest.mark.parametrize(
    ("different", "change", "name", "word"),
    [
        ({}, lambda w: w.client("cloudtrail").stop_logging(Name="audit"), "recording", "IsLogging is False"),
        ({"IsMultiRegionTrail": False}, None, "everywhere", "does not record every region"),
        ({"EnableLogFileValidation": False}, None, "validated", "LogFileValidationEnabled is False"),
        ({"KmsKeyId": ""}, None, "encrypted", "S3's own key"),
        ({}, _reads_only, "management_events", "not record all"),
    ],
    ids=["stopped", "one-region", "not-validated", "not-encrypted", "reads-only"],
)
def test_a_bad_trail(
    world: AccountWorld, different: dict[str, Any], change: Change | None, name: str, word: str
) -> None:
    guard.make_trail(world, **different)
    if change is not None:
        change(world)

    demand_red(world.judge("trail"), name, "audit", word)


# ------------------------------------------------------------------------------------------------ by documented answers


@dataclass
class Answering:
    """An account whose one service answers what was said, in the shapes of botocore's models."""

    service: str
    made: Any
    endpoint_url: str | None = None

    def client(self, service: str) -> Any:
        assert service == self.service
        return self.made


@contextmanager
def answering(service: str, *answers: tuple[str, Mapping[str, Any]]) -> Iterator[Answering]:
    client = Account(region=REGION, endpoint_url="http://127.0.0.1:9").client(service)
    with Stubber(client) as stub:
        for operation, answer in answers:
            stub.add_response(operation, dict(answer))
        yield Answering(service, client)
        stub.assert_no_pending_responses()


DETECTOR = {"ServiceRole": "role", "Status": "ENABLED"}


def _finding(kind: str, severity: float) -> dict[str, Any]:
    return {
        "AccountId": ACCOUNT_ID,
        "Arn": "arn:aws:guardduty:us-east-1:123456789012:detector/1/finding/f1",
        "CreatedAt": "2026-01-01T00:00:00Z",
        "UpdatedAt": "2026-01-01T00:00:00Z",
        "Id": "f1",
        "Region": REGION,
        "Resource": {},
        "SchemaVersion": "2.0",
        "Severity": severity,
        "Type": kind,
    }


def _detected(world: AccountWorld, *answers: tuple[str, Mapping[str, Any]]) -> dict[str, Observation]:
    first = (("list_detectors", {"DetectorIds": ["d" * 32]}), ("get_detector", DETECTOR))
    with answering("guardduty", *first, *answers) as account:
        seen = detector.view(account, world.declared)
    return {check.name: check(seen) for check in checks("detector")}


def test_a_detector_that_found_nothing(world: AccountWorld) -> None:
    """moto has no ListFindings: judged by answers as AWS documents them."""
    seen = _detected(world, ("list_findings", {"FindingIds": []}))

    demand_green(seen)
    assert seen["detector.no_high_findings"].basis is Basis.LIVE


def test_an_open_high_finding_on_the_second_page(world: AccountWorld) -> None:
    seen = _detected(
        world,
        ("list_findings", {"FindingIds": [], "NextToken": "more"}),
        ("list_findings", {"FindingIds": ["f1"]}),
        ("get_findings", {"Findings": [_finding("CryptoCurrency:EC2/BitcoinTool.B!DNS", 8.0)]}),
    )

    demand_red(seen, "detector.no_high_findings", "1 open finding(s): CryptoCurrency:EC2/BitcoinTool.B!DNS")


def test_a_finding_that_cannot_be_described_is_still_one(world: AccountWorld) -> None:
    seen = _detected(world, ("list_findings", {"FindingIds": ["f1"]}), ("get_findings", {"Findings": []}))

    demand_red(seen, "detector.no_high_findings", "1 open finding(s): unknown")


def test_a_suspended_detector(world: AccountWorld) -> None:
    world.client("guardduty").create_detector(Enable=False)
    seen = world.judge("detector")

    assert seen["enabled"].verdict is Verdict.FAIL
    assert "is DISABLED" in seen["enabled"].message


def test_the_sandboxs_detector_finds_nothing(world: AccountWorld) -> None:
    """Here nothing is ever detected: that nothing was found is an imitation."""
    world.client("guardduty").create_detector(Enable=True)
    seen = world.judge("detector")

    demand_green(seen)
    assert {name: one.basis for name, one in seen.items()} == {
        "enabled": Basis.LIVE,
        "no_high_findings": Basis.EMULATED,
    }


@pytest.mark.parametrize(
    ("fault", "name", "word"),
    [
        ("high_finding", "no_high_findings", "1 open finding(s): UnauthorizedAccess"),
        ("detector_suspended", "enabled", "is DISABLED"),
    ],
)
def test_a_fault_of_the_detector_comes_and_goes(world: AccountWorld, fault: str, name: str, word: str) -> None:
    world.client("guardduty").create_detector(Enable=True)
    world.plane.set_fault(fault, True, slot="account")

    demand_red(world.judge("detector"), name, word)
    world.plane.set_fault(fault, False, slot="account")
    demand_green(world.judge("detector"))


def _delivered(world: AccountWorld, **status: Any) -> Observation:
    row = {"Name": "audit", "TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT_ID}:trail/audit"}
    answers = (
        ("describe_trails", {"trailList": [row]}),
        ("get_trail_status", {"IsLogging": True, **status}),
        ("get_event_selectors", {"EventSelectors": []}),
    )
    with answering("cloudtrail", *answers) as account:
        return trail.delivers(trail.view(account, world.declared))


@pytest.mark.parametrize(
    ("hours", "error", "verdict", "word"),
    [
        (1.0, "", Verdict.PASS, "1 of 1 trail"),
        (25.0, "", Verdict.FAIL, "delivered nothing for 25 hours"),
        (1.0, "AccessDenied", Verdict.FAIL, "its last delivery failed: AccessDenied"),
        (None, "", Verdict.NO_DATA, "did not say when"),
    ],
    ids=["young", "old", "refused", "never"],
)
def test_what_a_trail_delivers(
    world: AccountWorld, hours: float | None, error: str, verdict: Verdict, word: str
) -> None:
    """moto delivers at once and never fails: judged by answers as AWS documents them."""
    status: dict[str, Any] = {"LatestDeliveryError": error} if error else {}
    if hours is not None:
        status["LatestDeliveryTime"] = datetime.now(UTC) - timedelta(hours=hours)

    found = _delivered(world, **status)
    assert found.verdict is verdict
    assert word in found.message


def _advanced(world: AccountWorld, *fields: Mapping[str, Any]) -> Observation:
    row = {"Name": "audit", "TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT_ID}:trail/audit"}
    selector = {"Name": "s", "FieldSelectors": [dict(one) for one in fields]}
    answers = (
        ("describe_trails", {"trailList": [row]}),
        ("get_trail_status", {"IsLogging": True}),
        ("get_event_selectors", {"AdvancedEventSelectors": [selector]}),
    )
    with answering("cloudtrail", *answers) as account:
        return trail.management_events(trail.view(account, world.declared))


MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ([MANAGEMENT], Verdict.PASS),
        ([MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}], Verdict.FAIL),
        ([{"Field": "eventCategory", "Equals": ["Data"]}], Verdict.FAIL),
    ],
    ids=["all", "reads", "data-only"],
)
def test_advanced_selectors(world: AccountWorld, fields: Sequence[Mapping[str, Any]], verdict: Verdict) -> None:
    assert _advanced(world, *fields).verdict is verdict


# ------------------------------------------------------------------------------------------------ gateway


def test_a_good_gateway(world: AccountWorld) -> None:
    guard.make_gateway(world)

    demand_green(world.judge("gateway"))


def _open_endpoint(world: AccountWorld) -> None:
    world.client("apigatewayv2").update_api(ApiId=world.made["api"], DisableExecuteApiEndpoint=False)


def _silent_stage(world: AccountWorld) -> None:
    world.client("apigatewayv2").create_stage(
        ApiId=world.made["api"],
        StageName="quiet",
        DefaultRouteSettings={"ThrottlingRateLimit": 5.0, "ThrottlingBurstLimit": 5},
    )


def _unthrottled(world: AccountWorld) -> None:
    log = {"DestinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:/gateway", "Format": "x"}
    world.client("apigatewayv2").create_stage(ApiId=world.made["api"], StageName="loud", AccessLogSettings=log)


def _open_route(world: AccountWorld) -> None:
    world.client("apigatewayv2").create_route(ApiId=world.made["api"], RouteKey="GET /admin")


def _public_integration(world: AccountWorld) -> None:
    world.client("apigatewayv2").create_integration(
        ApiId=world.made["api"],
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        IntegrationUri="https://api.shop.example",
        ConnectionType="INTERNET",
        TimeoutInMillis=15_000,
    )


def _hasty(world: AccountWorld) -> None:
    world.client("apigatewayv2").update_integration(
        ApiId=world.made["api"], IntegrationId=world.made["integration"], TimeoutInMillis=10_000
    )


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        (_open_endpoint, "default_endpoint_off", "its default endpoint is open"),
        (_silent_stage, "access_logs", "shop quiet: writes no access log"),
        (_unthrottled, "throttled", "shop loud: does not throttle"),
        (_open_route, "authorised", "shop GET /admin: has no authorizer"),
        (
            lambda w: guard.make_domain(w, "old.shop.example", "TLS_1_0"),
            "tls_policy",
            "old.shop.example: allows TLS 1.0",
        ),
        (_public_integration, "private_integration", "connects by INTERNET"),
        (_hasty, "outlasts_service", "gives up after 10 s"),
    ],
    ids=["open-endpoint", "no-log", "no-throttling", "no-authorizer", "old-tls", "public", "hasty"],
)
def test_a_bad_gateway(world: AccountWorld, change: Change, name: str, word: str) -> None:
    guard.make_gateway(world)
    change(world)

    demand_red(world.judge("gateway"), name, word)


def test_a_rest_api_is_not_overlooked(world: AccountWorld) -> None:
    guard.make_gateway(world)
    world.client("apigateway").create_rest_api(name="old")

    found = world.judge("gateway")["default_endpoint_off"]
    assert found.verdict is Verdict.NO_DATA
    assert "old (a REST API: this check reads HTTP APIs only)" in found.message


# ------------------------------------------------------------------------------------------------ secrets


def _with_secret(world: AccountWorld, arn: str) -> None:
    site.make_network(world)
    site.make_balancer(world)
    site.make_services(world, tasks=0)
    container = {"secrets": [{"name": "DATABASE", "valueFrom": arn}]}
    ecs = world.client("ecs")
    made = ecs.register_task_definition(**site.definition(container=container))["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=site.CLUSTER, service="shop-api-blue", taskDefinition=made)


def test_good_secrets(world: AccountWorld) -> None:
    arn = data.make_secret(world)
    _with_secret(world, f"{arn}:password::")

    demand_green(world.judge("secrets"))


def test_a_reference_to_nothing(world: AccountWorld) -> None:
    data.make_secret(world)
    _with_secret(world, f"arn:aws:secretsmanager:{REGION}:{ACCOUNT_ID}:secret:gone-abcdef")

    demand_red(world.judge("secrets"), "by_reference", "is no secret of this account")


@pytest.mark.parametrize(
    ("days", "different", "name", "word"),
    [
        (None, {"KmsKeyId": "key"}, "rotation", "is not rotated"),
        (91.0, {"KmsKeyId": "key"}, "rotation", "was last rotated 91 days ago"),
        (1.0, {}, "own_key", "the account's default key"),
    ],
    ids=["rotation-off", "overdue", "default-key"],
)
def test_a_bad_secret(world: AccountWorld, days: float | None, different: dict[str, Any], name: str, word: str) -> None:
    """By answers as AWS documents them: moto's rotation happens now, and cannot be overdue."""
    row: dict[str, Any] = {"ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x", "Name": "x", **different}
    if days is not None:
        row |= {"RotationEnabled": True, "LastRotatedDate": datetime.now(UTC) - timedelta(days=days)}
    with answering("secretsmanager", ("list_secrets", {"SecretList": [row]})) as account:
        seen = secrets.view(account, world.declared)

    verdicts = {"rotation": secrets.rotation(seen), "own_key": secrets.own_key(seen)}
    demand_red(verdicts, name, word)


# ------------------------------------------------------------------------------------------------ state


def test_a_good_state(world: AccountWorld) -> None:
    guard.make_state(world)

    demand_green(world.judge("state"))


def _never_locked(world: AccountWorld) -> None:
    s3 = world.client("s3")
    for row in s3.list_object_versions(Bucket="state", Prefix="production.tfstate.tflock")["Versions"]:
        s3.delete_object(Bucket="state", Key=row["Key"], VersionId=row["VersionId"])


def _unblocked(world: AccountWorld) -> None:
    world.client("s3").delete_public_access_block(Bucket="state")


def _unversioned(world: AccountWorld) -> None:
    off = {"Status": "Suspended"}
    world.client("s3").put_bucket_versioning(Bucket="state", VersioningConfiguration=off)


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        (lambda w: w.client("s3").delete_object(Bucket="state", Key="production.tfstate"), "holds_state", "not hold"),
        (_never_locked, "locked", "no lock was ever taken"),
        (_unblocked, "private", "BlockPublicAcls"),
        (_unversioned, "versioned", "versioning is Suspended"),
        (lambda w: w.client("s3").delete_bucket_encryption(Bucket="state"), "encrypted", "is encrypted with"),
    ],
    ids=["local-state", "no-lock", "public", "no-versions", "not-encrypted"],
)
def test_a_bad_state(world: AccountWorld, change: Change, name: str, word: str) -> None:
    guard.make_state(world)
    change(world)

    demand_red(world.judge("state"), name, "state", word)


def test_a_lock_table(world: AccountWorld) -> None:
    guard.make_state(world)
    _never_locked(world)
    lock = {"AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}]}
    data.make_table(world, "locks", KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}], **lock)
    world.declared = replace(world.declared, state_lock_table="locks")

    demand_green(world.judge("state"))


def test_a_table_that_cannot_lock(world: AccountWorld) -> None:
    guard.make_state(world)
    data.make_table(world, "other")
    world.declared = replace(world.declared, state_lock_table="other")

    demand_red(world.judge("state"), "locked", "there is no lock table")
