"""The dead-man on the control plane: the alarm fires, the function's code is started, traffic is back."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cloud_world import CloudWorld, wait_until
from port_world import clients_of, target_of

from rollout import ledger
from rollout.adapters.dynamodb import DynamoStore
from rollout.adapters.elbv2 import ElbRouter
from rollout.codec import plan_document, plan_sha256
from rollout.compose import connect
from rollout.deadman import _NEEDED, handler
from rollout.errors import RolloutError
from rollout.model import Instant, Plan, Stage
from rollout.record import Record, State
from rollout.target import Target
from sandbox.clock import ClockWriter

pytest_plugins = ("cloud_fixtures",)

ROOT = Path(__file__).parents[2]
PLAN = Plan(stages=(Stage(share_percent=5, bake_seconds=900.0), Stage(share_percent=100, bake_seconds=0.0)))
ALARM = "release-heartbeat"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:release-deadman"
FIRED = {"source": "aws.cloudwatch", "alarmData": {"alarmName": ALARM, "state": {"value": "ALARM"}}}
ALLOWED = frozenset(
    action
    for one in json.loads((ROOT / "rollout" / "policies" / "deadman.json").read_text())["Statement"]
    if one["Effect"] == "Allow"
    for action in one["Action"]
)


@dataclasses.dataclass
class Orphan:
    """A rollout at 5 % on the seeded account; who led it is gone unless a test keeps it alive."""

    cloud: CloudWorld
    target: Target
    store: DynamoStore
    record: Record

    @property
    def environment(self) -> dict[str, str]:
        """What the function finds in its environment, and where the sandbox is."""
        given = {name: getattr(self.target, name) for name in (*_NEEDED, "aws_endpoint_url", "clock_file")}
        return {"DEADMAN_TARGET": json.dumps({name: value for name, value in given.items() if value is not None})}

    def share(self) -> float | None:
        router = ElbRouter(clients_of(self.cloud.url), self.target)
        return router.read(stable="green", candidate="blue").candidate_share

    def now(self) -> Record:
        found = self.store.load(self.target.key)
        assert found is not None
        return found

    def call(self, event: Mapping[str, Any] = FIRED) -> subprocess.CompletedProcess[str]:
        """The function as a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "rollout.deadman"],
            input=json.dumps(event),
            capture_output=True,
            text=True,
            timeout=120,
            cwd=ROOT,
            env={**os.environ, **self.environment},
            check=False,
        )


@pytest.fixture
def orphan(shop: CloudWorld, tmp_path: Path) -> Orphan:
    """The clock's file makes it a sandbox: a lease is two seconds."""
    ClockWriter(tmp_path / "clock", factor=1.0)
    target = dataclasses.replace(target_of(shop.outputs, shop.url), clock_file=str(tmp_path / "clock"))
    clients = clients_of(shop.url, rollout_id="r1")
    store, router = DynamoStore(clients, target), ElbRouter(clients, target)
    router.remember_roles(stable="green", candidate="blue")
    router.set_share(stable="green", candidate="blue", share_percent=5)
    shop.wait_steady("green", 2)
    now = Instant(shop.clock.now(), 0.0)
    record = store.create(_record(target, now), plan_document(PLAN), guards=("cluster/blue", "cluster/green"))
    record = ledger.write(store, record, record, payload={"kind": "lease", "reason": "one leads"}, now=now)
    return Orphan(cloud=shop, target=target, store=store, record=record)


def _record(target: Target, now: Instant) -> Record:
    return Record(
        schema=1,
        rollout_id="r1",
        environment=target.environment,
        rule_arn=target.key,
        plan_sha256=plan_sha256(PLAN),
        stable="green",
        candidate="blue",
        image=f"{target.image_repository}@sha256:{'b' * 64}",
        version_name="1.1.0",
        state=State.BAKING,
        created_at=now.wall,
        epoch=1,
        owner="one",
        stage=0,
        share_wanted=5,
        share_verified=5,
        entered_at=now.wall,
        entered_epoch=1,
        first_shift_at=now.wall,
        stable_size=2,
        stable_version="1.0.0",
    )


def test_when_the_heartbeat_stops_the_alarm_calls_and_traffic_is_back(orphan: Orphan) -> None:
    """The controller beats, is killed, and ten minutes later its customers are on the stable side."""
    cloud, called = orphan.cloud, threading.Event()
    events: list[Mapping[str, Any]] = []

    def run(arn: str, event: Mapping[str, Any]) -> None:
        assert arn == FUNCTION
        events.append(event)
        called.set()

    cloud.plane.on_function(run)
    _arm(cloud)
    connect(orphan.target).ports.heartbeat.beat("r1")
    wait_until(lambda: _state(cloud) == "OK", "a beating heart")
    cloud.clock.advance(11 * 60)  # the minute of the last beat, and ten silent ones
    assert called.wait(10), "the alarm called nobody"
    answer = orphan.call(events[0])

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["outcome"] == "TAKEN_BACK"
    assert orphan.share() == 0
    assert (orphan.now().state, orphan.now().epoch) == (State.VERIFYING, 2)
    entries = [one["payload"] for one in orphan.store.journal("r1")]
    assert [one["event"] for one in entries if one["kind"] == "decision"] == ["ABORT_REQUESTED", "SWITCHED"]


def _arm(cloud: CloudWorld) -> None:
    """The alarm of infrastructure/modules/release/deadman.tf."""
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=ALARM,
        Namespace="ReleaseGates",
        MetricName="Heartbeat",
        Statistic="SampleCount",
        Period=60,
        EvaluationPeriods=8,
        DatapointsToAlarm=8,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
        AlarmActions=[FUNCTION],
    )


def _state(cloud: CloudWorld) -> str:
    return str(cloud.client("cloudwatch").describe_alarms(AlarmNames=[ALARM])["MetricAlarms"][0]["StateValue"])


def test_a_second_call_changes_nothing(orphan: Orphan) -> None:
    orphan.call()
    before, sequence = orphan.now(), orphan.cloud.plane.operations()[-1]["sequence"]

    second = orphan.call()

    assert json.loads(second.stdout)["outcome"] == "NOTHING_TO_TAKE"
    assert orphan.now() == before
    later = {row["operation"] for row in orphan.cloud.plane.operations(sequence)}
    assert later & {"ModifyRule", "TransactWriteItems", "UpdateItem", "PutItem", "Publish", "UpdateService"} == set()


def test_while_a_controller_lives_it_does_nothing(orphan: Orphan) -> None:
    """Another process renews the lease; that its heartbeat is lost does not make it dead."""
    stop = threading.Event()

    def live() -> None:
        record = orphan.record
        while not stop.wait(0.2):
            record = orphan.store.renew(record)

    controller = threading.Thread(target=live)
    controller.start()
    try:
        found = orphan.call()
    finally:
        stop.set()
        controller.join()

    assert json.loads(found.stdout)["outcome"] == "CONTROLLER_LIVES"
    assert orphan.share() == 5
    assert (orphan.now().owner, orphan.now().state) == ("one", State.BAKING)


def test_without_the_state_table_the_load_balancer_is_enough(orphan: Orphan) -> None:
    orphan.cloud.plane.set_fault("dynamodb", "down")

    found = orphan.call()

    assert json.loads(found.stdout)["outcome"] == "TAKEN_BACK", found.stderr
    assert orphan.share() == 0


def test_a_load_balancer_that_refuses_is_no_success(orphan: Orphan) -> None:
    orphan.cloud.plane.set_fault("dynamodb", "down")
    orphan.cloud.plane.set_fault("elbv2", "denied")

    found = orphan.call()

    assert found.returncode not in (0, 1), found.stdout
    assert "AccessDenied" in found.stderr


def test_an_alert_that_cannot_be_sent_does_not_keep_customers(orphan: Orphan) -> None:
    orphan.cloud.plane.set_fault("sns", "down")

    found = json.loads(orphan.call().stdout)

    assert (found["outcome"], found["alert"][:8]) == ("TAKEN_BACK", "not sent")
    assert orphan.share() == 0


# What DynamoDB asks for each part of a transaction. Source: developer guide, "IAM for transactions".
PARTS = {"Put": "dynamodb:PutItem", "Update": "dynamodb:UpdateItem", "Delete": "dynamodb:DeleteItem"}
PREFIX = {"elbv2": "elasticloadbalancing"}


def test_its_role_may_do_exactly_what_it_does(orphan: Orphan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all ways: with the table, a waiting pause, a dead stable side; and without the table."""
    parts: set[str] = set()
    transact = DynamoStore._transact

    def noted(store: DynamoStore, transaction: Any, given: Any) -> None:
        parts.update(PARTS[name] for one in given for name in one)
        transact(store, transaction, given)

    monkeypatch.setattr(DynamoStore, "_transact", noted)
    monkeypatch.setenv("DEADMAN_TARGET", orphan.environment["DEADMAN_TARGET"])
    cloud, since = orphan.cloud, orphan.cloud.plane.operations()[-1]["sequence"]
    pause = {"pk": {"S": f"rule#{orphan.target.key}"}, "sk": {"S": "request"}, "kind": {"S": "pause"}}
    body = {"at": 1.0, "by": "ada", "kind": "pause", "reason": "lunch", "seconds": 0.0}
    item = {**pause, "body": {"S": json.dumps(body, separators=(",", ":"))}, "rollout_id": {"S": "r1"}}
    cloud.client("dynamodb").put_item(TableName=orphan.target.state_table, Item=item)
    cloud.client("ecs").update_service(cluster="production-cluster", service="shop-api-green", desiredCount=0)
    _as_long_as_it_takes(orphan)
    router = ElbRouter(clients_of(cloud.url), orphan.target)
    router.set_share(stable="green", candidate="blue", share_percent=5)
    cloud.plane.set_fault("dynamodb", "down")
    handler(FIRED, None)

    used = {
        f"{PREFIX.get(row['service'], row['service'])}:{row['operation']}"
        for row in cloud.plane.operations(since)
        if row["client"] == "release-gates/-"
    }
    assert (used - {"dynamodb:TransactWriteItems"}) | parts == ALLOWED


def _as_long_as_it_takes(orphan: Orphan) -> None:
    """Until the stable side has tasks again, which a test's clock has to make healthy, and the customers."""
    stop = threading.Event()

    def heal() -> None:
        while not stop.wait(0.1):
            orphan.cloud.make_healthy("green")

    nurse = threading.Thread(target=heal)
    nurse.start()
    try:
        handler(FIRED, None)
    finally:
        stop.set()
        nurse.join()
    assert orphan.share() == 0


def test_an_event_of_anything_else_is_refused(orphan: Orphan) -> None:
    with pytest.raises(RolloutError, match="no alarm that fired"):
        handler({"source": "aws.s3"}, None)
    assert orphan.share() == 5
