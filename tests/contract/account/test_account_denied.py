"""What may not be read is never clean: each service with nothing allowed, with its list alone allowed, throttled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from probes.account.asking import Asker, Unread
from probes.account.census import SERVICES, census, checks, service, views
from probes.account.declared import Declared
from rollout.model import Observation, Verdict
from tests.contract.account import data_account as data
from tests.contract.account import guard_account as guard
from tests.contract.account import site_account as site
from tests.contract.account.account_world import AccountWorld, closed_to

pytest_plugins = ("tests.contract.account.account_fixtures",)


def make_databases(world: AccountWorld) -> None:
    data.make_database(world)
    data.make_replica(world)


# The service's module -> how its account is made good, and the calls that list without telling more.
LISTS: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "database": (make_databases, ("rds:DescribeDBInstances",)),
    "tables": (data.make_table, ("dynamodb:ListTables",)),
    "storage": (data.make_bucket, ("s3:ListAllMyBuckets",)),
    "keys": (data.key_of, ("kms:ListKeys",)),
    "roles": (guard.make_roles, ("iam:ListRoles",)),
    "trail": (guard.make_trail, ("cloudtrail:DescribeTrails",)),
}


def everything(world: AccountWorld) -> Declared:
    """Names for all that is asked for by name, so that no population is empty for want of one."""
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
    return replace(
        world.declared,
        load_balancer_arn=f"{arn}loadbalancer/app/shop-api/1",
        rule_arn=f"{arn}listener-rule/app/shop-api/1/2/3",
        cluster_name=site.CLUSTER,
        service_names={"blue": "shop-api-blue", "green": "shop-api-green"},
        session_tables=frozenset({"sessions"}),
        deploy_roles=frozenset({"deploy"}),
        engine_role="engine",
        state_bucket="state",
        state_key="production.tfstate",
    )


def judged(world: AccountWorld, name: str, declared: Declared) -> dict[str, Observation]:
    view = service(name).view(world.account, declared)
    return {check.name: check(view) for check in checks(name)}


def test_an_account_that_lets_us_read_nothing(world: AccountWorld) -> None:
    """Every check of every service is SOURCE_ERROR and says what was denied; so is every line of the census."""
    declared = everything(world)
    with closed_to(world):
        seen = {name: one for service_name in SERVICES for name, one in judged(world, service_name, declared).items()}
        counted = census(views(world.account, declared))

    assert {name: one.message for name, one in seen.items() if one.verdict is not Verdict.SOURCE_ERROR} == {}
    assert {name for name, one in seen.items() if "denied (" not in one.message} == set()
    assert {one.name for one in counted if one.verdict is not Verdict.SOURCE_ERROR} == set()


@pytest.mark.parametrize("name", sorted(LISTS))
def test_a_list_alone_is_no_evidence(world: AccountWorld, name: str) -> None:
    """What the list itself tells may be judged; whatever needs one more call is SOURCE_ERROR, and nothing is FAIL."""
    make, allowed = LISTS[name]
    make(world)
    with closed_to(world, *allowed):
        seen = judged(world, name, world.declared)

    denied = {one: found for one, found in seen.items() if found.verdict is Verdict.SOURCE_ERROR}
    assert denied, {one: found.verdict for one, found in seen.items()}
    assert all("denied (" in found.message for found in denied.values())
    assert {found.verdict for found in seen.values()} <= {Verdict.SOURCE_ERROR, Verdict.PASS, Verdict.NO_DATA}


def test_one_resource_that_may_not_be_read_spoils_the_whole(world: AccountWorld) -> None:
    """Seven good ones and one unread are not seven of seven."""
    data.make_bucket(world)
    view = world.view("storage")
    hidden = replace(
        view.populations["bucket"].members[0], name="hidden", facts=dict.fromkeys(_facts(view), Unread("x"))
    )
    members = (*view.populations["bucket"].members, hidden)
    spoiled = replace(view, populations={"bucket": replace(view.populations["bucket"], members=members)})

    found = [check(spoiled) for check in checks("storage")]
    assert {one.verdict for one in found} == {Verdict.SOURCE_ERROR}
    assert all("1 of 2 buckets" in one.message and "hidden: x" in one.message for one in found)


def _facts(view: Any) -> tuple[str, ...]:
    return tuple(view.populations["bucket"].members[0].facts)


class Refusing:
    """An account whose every call is refused with one code."""

    endpoint_url = None

    def __init__(self, code: str, status: int) -> None:
        self._answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def client(self, service: str) -> Any:
        return self

    def can_paginate(self, operation: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> Any:
        def refuse(**_: Any) -> None:
            raise ClientError(self._answer, operation)  # type: ignore[arg-type]  # a part of the answer is enough

        return refuse


@pytest.mark.parametrize(
    ("code", "status", "word"),
    [
        ("ThrottlingException", 400, "throttled"),
        ("Throttling", 403, "throttled"),
        ("RequestLimitExceeded", 503, "throttled"),
        ("AccessDenied", 403, "denied"),
        ("UnauthorizedOperation", 403, "denied"),
        ("InternalFailure", 500, "unavailable"),
        ("UnknownOperationException", 400, "refused"),
    ],
)
def test_the_kind_of_refusal_is_told(code: str, status: int, word: str) -> None:
    found = Asker(Refusing(code, status)).all("rds", "describe_db_instances", "DBInstances")

    assert found == Unread(f"rds describe_db_instances {word} ({code}): no")


@pytest.mark.parametrize("name", SERVICES)
def test_a_throttled_service_is_a_source_error(name: str) -> None:
    declared = Declared(
        region="us-east-1",
        account_id="123456789012",
        load_balancer_arn="a",
        rule_arn="r",
        cluster_name="c",
        service_names={"blue": "b", "green": "g"},
        session_tables=frozenset({"sessions"}),
        deploy_roles=frozenset({"deploy"}),
        engine_role="engine",
        state_bucket="state",
        state_key="production.tfstate",
    )
    view = service(name).view(Refusing("ThrottlingException", 400), declared)

    assert {check(view).verdict for check in checks(name)} == {Verdict.SOURCE_ERROR}
    assert all("throttled" in check(view).message for check in checks(name))


@pytest.mark.parametrize("name", SERVICES)
def test_an_empty_region_is_no_data(world: AccountWorld, name: str) -> None:
    """Nothing exists: never PASS, and nothing that was not looked for is FAIL."""
    world.declared = everything(world)
    guard.unguard_root(world)
    verdicts = {found.verdict for found in world.judge(name).values()}

    allowed = {Verdict.NO_DATA, Verdict.SOURCE_ERROR}
    # The account itself and its entrance always exist, and here they are bad.
    always = {"firewall", "roles"}
    assert verdicts <= (allowed | {Verdict.FAIL} if name in always else allowed)
