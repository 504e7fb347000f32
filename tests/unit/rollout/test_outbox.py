"""Alerts leave at least once, off the decision path; a mailbox that is down does not stop the pulse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from worlds import eventually

from rollout import outbox as outbox_module
from rollout.errors import SourceError
from rollout.outbox import Outbox, drained
from rollout.record import Alert
from tests.fakes.alerts import FakeAlerts, FakeHeartbeat

ALERT = Alert(identity="r1/1/X", subject="S", text="T")


@pytest.fixture
def alerts() -> FakeAlerts:
    return FakeAlerts()


@pytest.fixture
def pulse() -> FakeHeartbeat:
    return FakeHeartbeat()


@pytest.fixture
def outbox(alerts: FakeAlerts, pulse: FakeHeartbeat, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    monkeypatch.setattr(outbox_module, "_RETRY_SECONDS", 0.01)
    made = Outbox(alerts, pulse)
    yield made
    made.close(1.0)


def test_an_alert_is_sent_once_however_often_it_is_offered(outbox: Outbox, alerts: FakeAlerts) -> None:
    outbox.offer([ALERT])
    outbox.offer([ALERT])
    outbox.close(1.0)

    assert [alert.identity for alert in alerts.received] == ["r1/1/X"]
    assert outbox.sent() == {"r1/1/X"}


def test_a_receiver_that_fails_is_tried_again_with_the_same_identity(outbox: Outbox, alerts: FakeAlerts) -> None:
    alerts.fault = SourceError("sns is down")
    outbox.offer([ALERT])
    eventually(lambda: len(outbox.errors) >= 2)
    alerts.fault = None
    outbox.close(1.0)

    assert outbox.sent() == {"r1/1/X"}


def test_the_pulse_goes_on_while_the_mailbox_is_down(outbox: Outbox, alerts: FakeAlerts, pulse: FakeHeartbeat) -> None:
    """Silence is what the dead-man takes for death."""
    alerts.fault = SourceError("sns is down")
    outbox.offer([ALERT])
    outbox.beat("r1")

    eventually(lambda: pulse.beats == ["r1"])


def test_a_pulse_that_fails_is_noted_and_not_repeated(outbox: Outbox, pulse: FakeHeartbeat) -> None:
    pulse.fault = SourceError("cloudwatch is down")
    outbox.beat("r1")

    eventually(lambda: "cloudwatch is down" in " ".join(outbox.errors))
    assert pulse.beats == []


def test_drained_waits_for_what_leaves_and_names_what_does_not(outbox: Outbox, alerts: FakeAlerts) -> None:
    outbox.offer([ALERT])
    assert drained(outbox, (ALERT,), 2.0) == ()
    alerts.fault = SourceError("sns is down")
    other = Alert(identity="r1/2/Y", subject="S", text="T")
    outbox.offer([other])

    assert drained(outbox, (ALERT, other), 0.05) == (other,)
