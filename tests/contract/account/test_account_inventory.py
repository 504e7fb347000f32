"""What an inventory names, and whose lock an apply has held, against the emulated account: good, changed, denied."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from infrastructure.backend_file import Backend
from infrastructure.change import State
from probes.account.asking import Unread
from probes.account.census import drift, inventory
from probes.account.population import View
from probes.account.state import locks_of, operation_of
from rollout.model import Verdict
from tests.contract.account import site_account as site
from tests.contract.account.account_world import AccountWorld, closed_to

pytest_plugins = ("tests.contract.account.account_fixtures",)

BUCKET, KEY = "state", "production.tfstate"
LOCK = f"{KEY}.tflock"


@pytest.fixture
def network(world: AccountWorld) -> AccountWorld:
    """A site with its balancer, both groups and the groups of security."""
    site.make_site(world)
    return world


def _views(world: AccountWorld) -> dict[str, View]:
    return {name: world.view(name) for name in ("security_groups", "balancer")}


def test_an_inventory_names_rules_by_what_they_allow(network: AccountWorld) -> None:
    kinds = inventory(_views(network))

    assert [name.rsplit("-", 1)[-1] for name in kinds["target group"]] == ["blue", "green"]
    assert kinds["security group rule"]
    assert all(" from " in name or " to " in name for name in kinds["security group rule"])


def test_a_rule_by_hand_is_drift_and_so_is_its_loss(network: AccountWorld) -> None:
    """PRE-01: the groups are the same, what they allow is not."""
    before = inventory(_views(network))
    site.allow(network, "database", 5433, site.from_group(network, "service"))
    after = inventory(_views(network))
    (added,) = set(after["security group rule"]) - set(before["security group rule"])

    assert "tcp 5433 from " in added
    for held, said in ((before, "not declared"), (after, "as declared")):
        found = {one.name: one for one in drift(_views(network), held)}
        assert said in found["drift.security group rule"].message
        assert found["drift.security group"].verdict is Verdict.PASS


def test_groups_that_may_not_be_listed_have_no_rules_either(network: AccountWorld) -> None:
    held = inventory(_views(network))
    with closed_to(network, "elasticloadbalancing:DescribeLoadBalancers"):
        closed = _views(network)

    assert inventory(closed)["security group rule"] is None
    found = {one.name: one.verdict for one in drift(closed, held)}
    assert found["drift.security group rule"] is Verdict.SOURCE_ERROR


# ------------------------------------------------------------------------------------------------ the state's lock


@pytest.fixture
def locked(world: AccountWorld) -> State:
    """A versioned bucket in which an apply has held the lock once."""
    s3 = world.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    backend = Backend(bucket=BUCKET, key=KEY, region="us-east-1", kms_key_id="alias/state")
    return State(world.account, backend)


def _held(world: AccountWorld, operation: str, number: str) -> None:
    """As Terraform does: the lock is written, and deleted when it is given back."""
    s3 = world.client("s3")
    s3.put_object(Bucket=BUCKET, Key=LOCK, Body=json.dumps({"ID": number, "Operation": operation, "Who": "ada@host"}))
    s3.delete_object(Bucket=BUCKET, Key=LOCK)


def test_the_lock_that_an_apply_held_is_found_again(world: AccountWorld, locked: State) -> None:
    _held(world, "OperationTypeApply", "of-last-week")
    before = locked.locks()
    _held(world, "OperationTypePlan", "of-a-plan")
    _held(world, "OperationTypeApply", "8d1f-22")

    assert locked.held_since(before) == "8d1f-22"


def test_an_apply_without_a_lock(world: AccountWorld, locked: State) -> None:
    _held(world, "OperationTypeApply", "of-last-week")
    before = locked.locks()
    _held(world, "OperationTypePlan", "of-a-plan")

    assert locked.held_since(before) == ""


def test_locks_that_nobody_may_read_are_not_none(world: AccountWorld, locked: State) -> None:
    before = locked.locks()
    _held(world, "OperationTypeApply", "8d1f")
    gone = replace(locked, backend=replace(locked.backend, bucket="elsewhere"))

    assert isinstance(gone.locks(), Unread)
    assert gone.held_since(before) is None
    assert locked.held_since(gone.locks()) is None


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"ID": "x"}'])
def test_a_lock_that_is_not_understood_is_unread(world: AccountWorld, locked: State, content: str) -> None:
    before = locked.locks()
    assert before == frozenset()
    world.client("s3").put_object(Bucket=BUCKET, Key=LOCK, Body=content.encode())
    found = locks_of(world.account, bucket=BUCKET, key=KEY)
    assert isinstance(found, frozenset)
    (version,) = found

    assert isinstance(operation_of(world.account, bucket=BUCKET, key=KEY, version=version), Unread)
    assert locked.held_since(before) is None
