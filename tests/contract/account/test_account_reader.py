"""The reading identity of `pytest features/`: exactly the actions that the checks of the account use, and no more."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from probes.account import balancer, containers, place, targets, zone
from probes.account.census import judged, views
from probes.account.session import Account
from tests.contract.account import data_account as data
from tests.contract.account import guard_account as guard
from tests.contract.account import site_account as site
from tests.contract.account.account_world import AccountWorld

pytest_plugins = ("tests.contract.account.account_fixtures",)

POLICY = Path(__file__).parents[3] / "rollout" / "policies" / "reader.json"
ASKING = frozenset({"one", "field", "all"})  # of probes.account.asking.Asker
# IAM's prefix where it is not the client's name. Source: service authorization reference.
PREFIXES = {"elbv2": "elasticloadbalancing"}
# Actions that are not called as the operation is. Source: S3 user guide, "Policy actions for Amazon S3"; API Gateway
# developer guide, "Actions, resources, and condition keys" (V2 knows the verbs of HTTP only).
NAMES = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
}


# Everybody may ask who they are, whatever a policy says. Source: STS API reference, GetCallerIdentity.
FREE = frozenset({"sts:GetCallerIdentity"})
# Asked by who applies a change, of the lock that Terraform left, and never by the reader: states hold secrets.
OF_WHO_APPLIES = frozenset({"s3:GetObject"})


@dataclass(frozen=True, kw_only=True)
class NotingAccount(Account):
    """The probes' account, with a note of every operation that is sent."""

    sent: set[str] = field(default_factory=set)

    def client(self, service: str) -> Any:
        client = super().client(service)
        client.meta.events.register("before-call", lambda model, **_: self.sent.add(_action(service, model.name)))
        return client


def _action(service: str, operation: str) -> str:
    if service in ("apigateway", "apigatewayv2"):
        return "apigateway:GET"
    named = f"{PREFIXES.get(service, service)}:{operation}"
    return NAMES.get(named, named)


@pytest.fixture
def everything(world: AccountWorld) -> AccountWorld:
    """One of each kind of resource that any check looks at: what does not exist is not asked about."""
    site.make_site(world)
    site.make_firewall(world, world.declared.load_balancer_arn)
    data.make_database(world)
    data.make_replica(world)
    data.make_cache(world)
    data.make_table(world)
    data.make_bucket(world)
    data.make_secret(world)
    data.make_log_group(world)
    guard.make_roles(world)
    guard.make_trail(world)
    guard.make_gateway(world)
    guard.make_state(world)
    world.client("guardduty").create_detector(Enable=True)
    world.plane.set_fault("high_finding", True, slot="account")
    made = world.client("route53").create_hosted_zone(Name="shop.example", CallerReference="reader")
    world.made["zone"] = made["HostedZone"]["Id"].rsplit("/", 1)[-1]
    return world


def _ask_everything(world: AccountWorld, account: Account) -> None:
    """All checks, and the views that steps take of what a release moves."""
    judged(views(account, world.declared))
    for arn in world.declared.target_group_arns.values():
        balancer.target_group_view(account, arn)
    balancer.rule_view(account, world.declared.rule_arn)
    certificate = balancer.listener_certificate(account, world.declared.listener_arn)
    balancer.certificate_pem(account, certificate)
    containers.service_view(account, world.declared.cluster_name, world.declared.service_names["green"])
    zone.records(account, world.made["zone"])
    targets.healthy_targets(account, world.declared.target_group_arns.values())
    place.right_account(account, world.declared)
    role = world.client("iam").list_roles()["Roles"][0]["Arn"]
    topic = world.client("sns").create_topic(Name="reader")["TopicArn"]
    named = {"listener": world.declared.listener_arn, "rule": world.declared.rule_arn, "certificate": certificate}
    place.outputs_lead(account, world.declared, {**named, "role": role, "topic": topic})


def _allowed() -> frozenset[str]:
    statements = json.loads(POLICY.read_text(encoding="utf-8"))["Statement"]
    return frozenset(action for one in statements for action in one["Action"])


def _named_in_code() -> set[str]:
    """What the modules ask by name, so that a call on a way that no test goes is not forgotten."""
    found = set()
    for path in sorted(Path(balancer.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKING:
                texts = [str(one.value) for one in node.args[:2] if isinstance(one, ast.Constant)]
                if len(texts) == 2:
                    found.add(_action(texts[0], _operation(*texts)))
    return found


def _operation(service: str, method: str) -> str:
    model = botocore.session.get_session().get_service_model(service)
    return next(one for one in model.operation_names if xform_name(one) == method)


def test_the_reader_may_do_exactly_what_is_asked(everything: AccountWorld) -> None:
    account = NotingAccount(region="us-east-1", endpoint_url=everything.url, wall=everything.clock.now)
    _ask_everything(everything, account)

    assert account.sent - FREE == _allowed()
    assert _named_in_code() - OF_WHO_APPLIES <= account.sent


def test_the_reader_reads_settings_and_never_what_customers_gave_us() -> None:
    verbs = {action for action in _allowed() if not re.match(r"[\w-]+:(Describe|Get|List|GET)", action)}
    contents = {"s3:GetObject", "secretsmanager:GetSecretValue", "dynamodb:GetItem", "dynamodb:Query", "kms:Decrypt"}

    assert verbs == set()
    assert not contents & _allowed()
    assert not [action for action in _allowed() if "*" in action]
