"""Alerts and Heartbeat: what the fakes record is what arrives at SNS and CloudWatch."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

import pytest
from cloud_world import wait_until
from port_world import Account, assert_translates_errors, clients_of

from rollout.adapters.heartbeat import CloudWatchHeartbeat
from rollout.adapters.sns import TEXT_BYTES_MAX, SnsAlerts
from rollout.ports import Alerts, Heartbeat
from rollout.record import Alert
from tests.fakes.alerts import FakeAlerts, FakeHeartbeat

pytest_plugins = ("port_fixtures",)
pytestmark = pytest.mark.xdist_group("ports")


class Mailbox(Protocol):
    @property
    def alerts(self) -> Alerts: ...

    def newest(self) -> Alert: ...


class InMemory:
    def __init__(self) -> None:
        self.alerts = FakeAlerts()

    def newest(self) -> Alert:
        return self.alerts.received[-1]


class Recording:
    """The adapter's own client, with a copy of each request that SNS took."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.taken: list[dict[str, Any]] = []

    def publish(self, **request: Any) -> Any:
        answer = self.real.publish(**request)
        self.taken.append(request)
        return answer


class OnPlane:
    def __init__(self, account: Account) -> None:
        clients = clients_of(account.cloud.url)
        self.recording = Recording(clients.sns)
        clients.__dict__["sns"] = self.recording
        self.alerts = SnsAlerts(clients, account.target)

    def newest(self) -> Alert:
        taken = self.recording.taken[-1]
        identity = taken["MessageAttributes"]["identity"]["StringValue"]
        return Alert(identity=identity, subject=taken["Subject"], text=taken["Message"])


@pytest.fixture(params=["fake", "plane"])
def mailbox(request: pytest.FixtureRequest) -> Mailbox:
    return InMemory() if request.param == "fake" else OnPlane(request.getfixturevalue("account"))


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("ROLLBACK INITIATED (r1)", "ROLLBACK INITIATED (r1)"),
        ("x" * 130, "x" * 100),
        ("Bäume\n\tfallen", "B?ume fallen"),
        (" \n", "release-gates"),
    ],
    ids=["plain", "long", "letters", "empty"],
)
def test_a_subject_is_made_to_fit(mailbox: Mailbox, given: str, sent: str) -> None:
    """SNS refuses subjects with other letters, line breaks, or more than 100 characters."""
    mailbox.alerts.send(identity="r1/7/TRIGGER", subject=given, text="Bäume: 5 % > 1 %")

    assert mailbox.newest() == Alert(identity="r1/7/TRIGGER", subject=sent, text="Bäume: 5 % > 1 %")


def test_a_long_text_is_cut_between_two_letters(account: Account) -> None:
    on_plane = OnPlane(account)

    on_plane.alerts.send(identity="i", subject="s", text="ä" * TEXT_BYTES_MAX)

    assert on_plane.newest().text == "ä" * (TEXT_BYTES_MAX // 2)


def test_a_fifo_topic_drops_repeats_by_identity(account: Account) -> None:
    topic = account.cloud.client("sns").create_topic(Name="alerts.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    on_plane = OnPlane(account)
    on_plane.alerts._target = dataclasses.replace(account.target, alert_topic_arn=topic)

    for identity in ("a", "a", "b"):
        on_plane.alerts.send(identity=identity, subject="s", text="t")

    tokens = [request["MessageDeduplicationId"] for request in on_plane.recording.taken]
    assert (tokens[0] == tokens[1], tokens[1] == tokens[2]) == (True, False)


def test_errors_of_sns_are_ours(account: Account) -> None:
    alerts = SnsAlerts(account.clients, account.target)

    assert_translates_errors(account, "sns", lambda: alerts.send(identity="i", subject="s", text="t"), "Publish")


class Pulse(Protocol):
    @property
    def heartbeat(self) -> Heartbeat: ...

    def beats(self, rollout_id: str) -> int: ...


class FakePulse:
    def __init__(self) -> None:
        self.heartbeat = FakeHeartbeat()

    def beats(self, rollout_id: str) -> int:
        return self.heartbeat.beats.count(rollout_id)


class PlanePulse:
    def __init__(self, account: Account) -> None:
        self.account, self.heartbeat = account, CloudWatchHeartbeat(account.clients, account.target)

    def beats(self, rollout_id: str) -> int:
        dimensions = {"Environment": self.account.target.environment, "Rollout": rollout_id}
        return self.count([{"Name": name, "Value": value} for name, value in dimensions.items()])

    def count(self, dimensions: list[dict[str, str]]) -> int:
        answer = self.account.cloud.client("cloudwatch").get_metric_statistics(
            Namespace=self.account.target.heartbeat_namespace,
            MetricName="Heartbeat",
            Dimensions=dimensions,
            StartTime=self.account.cloud.moment(-600),
            EndTime=self.account.cloud.moment(600),
            Period=3600,
            Statistics=["SampleCount"],
        )
        return sum(int(point["SampleCount"]) for point in answer["Datapoints"])


@pytest.fixture(params=["fake", "plane"])
def pulse(request: pytest.FixtureRequest) -> Pulse:
    return FakePulse() if request.param == "fake" else PlanePulse(request.getfixturevalue("account"))


def test_each_rollout_beats(pulse: Pulse) -> None:
    pulse.heartbeat.beat("r1")
    pulse.heartbeat.beat("r1")
    pulse.heartbeat.beat("r2")

    assert (pulse.beats("r1"), pulse.beats("r2"), pulse.beats("r3")) == (2, 1, 0)


def test_the_alarm_of_the_environment_hears_it(account: Account) -> None:
    """The dead-man alarm watches the metric without dimensions."""
    account.cloud.clock.advance(3600)
    pulse = PlanePulse(account)

    pulse.heartbeat.beat("r9")

    wait_until(lambda: pulse.count([]) == 1, "one beat without dimensions")


def test_errors_of_cloudwatch_are_ours(account: Account) -> None:
    heartbeat = CloudWatchHeartbeat(account.clients, account.target)

    assert_translates_errors(account, "cloudwatch", lambda: heartbeat.beat("r1"), "PutMetricData")
