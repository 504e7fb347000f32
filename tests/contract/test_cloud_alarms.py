"""Alarms evaluate by themselves, remember, and tell SNS."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cloud_world import ADDRESS, CloudWorld, error_code, wait_until

pytest_plugins = ("cloud_fixtures",)


@pytest.fixture
def mail() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An SNS subscriber: its URL and what arrived."""
    arrived: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            arrived.append({"headers": {name.lower(): value for name, value in self.headers.items()}, **body})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer((ADDRESS, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://{ADDRESS}:{server.server_address[1]}/alerts", arrived
    server.shutdown()
    thread.join()
    server.server_close()


def _state(cloud: CloudWorld, name: str) -> str:
    found = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return str((found["MetricAlarms"] + found["CompositeAlarms"])[0]["StateValue"])


def _wait_state(cloud: CloudWorld, name: str, state: str) -> None:
    wait_until(lambda: _state(cloud, name) == state, f"{name} is {state}")


def _beat(cloud: CloudWorld, value: float = 1.0) -> None:
    cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=[{"MetricName": "Beat", "Value": value}])


def _alarm(cloud: CloudWorld, name: str = "a", **changes: Any) -> None:
    arguments = {
        "AlarmName": name,
        "Namespace": "Test",
        "MetricName": "Beat",
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 2,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **changes,
    }
    cloud.client("cloudwatch").put_metric_alarm(**arguments)


def test_a_new_alarm_knows_nothing(cloud: CloudWorld) -> None:
    """moto calls it OK."""
    _alarm(cloud)

    assert _state(cloud, "a") == "INSUFFICIENT_DATA"


def test_two_of_two_bad_minutes(cloud: CloudWorld) -> None:
    """One bad minute is not enough, the second is; two good ones bring it back."""
    _alarm(cloud)
    _beat(cloud, 1.0)
    _wait_state(cloud, "a", "OK")
    cloud.clock.advance(60)
    _beat(cloud, 9.0)
    cloud.clock.advance(60)
    _beat(cloud, 9.0)
    _wait_state(cloud, "a", "ALARM")
    cloud.clock.advance(60)
    _beat(cloud, 1.0)
    _wait_state(cloud, "a", "OK")
    history = cloud.client("cloudwatch").describe_alarm_history(AlarmName="a", HistoryItemType="StateUpdate")
    summaries = [item["HistorySummary"] for item in history["AlarmHistoryItems"]]

    assert summaries[:2] == ["Alarm updated from ALARM to OK", "Alarm updated from OK to ALARM"]


def test_a_heartbeat_that_stops_is_an_alarm_that_is_mailed(cloud: CloudWorld, mail: Any) -> None:
    """Missing data as breaching; the action reaches an HTTP subscriber with SNS's headers."""
    url, arrived = mail
    topic = cloud.client("sns").create_topic(Name="release-alerts")["TopicArn"]
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
    _beat(cloud)
    _alarm(
        cloud,
        "heartbeat",
        Statistic="SampleCount",
        Threshold=1.0,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
        AlarmActions=[topic],
    )
    _wait_state(cloud, "heartbeat", "OK")
    cloud.clock.advance(60 * 5)
    _wait_state(cloud, "heartbeat", "ALARM")
    wait_until(lambda: arrived, "the alert arrives")
    message = json.loads(arrived[0]["Message"])

    assert (message["AlarmName"], message["NewStateValue"], message["OldStateValue"]) == ("heartbeat", "ALARM", "OK")
    assert arrived[0]["headers"]["x-amz-sns-topic-arn"] == topic
    assert arrived[0]["Subject"] == 'ALARM: "heartbeat"'


def test_a_percentile_alarm(cloud: CloudWorld) -> None:
    """ExtendedStatistic p95 over values and counts."""
    _alarm(cloud, "slow", Statistic="Sum", EvaluationPeriods=1)
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName="slow",
        Namespace="Test",
        MetricName="Beat",
        ExtendedStatistic="p95",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0.5,
        ComparisonOperator="GreaterThanThreshold",
    )
    datum = {"MetricName": "Beat", "Values": [0.1, 0.9], "Counts": [94.0, 6.0]}
    cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=[datum])

    _wait_state(cloud, "slow", "ALARM")


def test_math_and_composite_alarms(cloud: CloudWorld) -> None:
    """An alarm over an expression, and a composite one over it."""
    metric = {"Namespace": "Test", "MetricName": "Beat"}
    stat = {"Metric": metric, "Period": 60, "Stat": "Sum"}
    cloudwatch = cloud.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="math",
        EvaluationPeriods=1,
        Threshold=10.0,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[{"Id": "m", "MetricStat": stat, "ReturnData": False}, {"Id": "e", "Expression": "m * 100"}],
    )
    _alarm(cloud, "quiet")
    rule = 'ALARM("math") AND NOT ALARM("quiet")'
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule=rule)
    _beat(cloud, 1.0)
    _wait_state(cloud, "math", "ALARM")
    _wait_state(cloud, "both", "ALARM")

    assert cloudwatch.describe_alarms(AlarmNames=["both"])["CompositeAlarms"] == []


def test_what_cannot_be_evaluated_is_refused(cloud: CloudWorld) -> None:
    """An unknown child, an unknown statistic, two shown queries."""
    cloudwatch = cloud.client("cloudwatch")
    unknown = {"AlarmName": "x", "AlarmRule": "ALARM(nobody)"}

    assert error_code(lambda: cloudwatch.put_composite_alarm(**unknown)) == "ValidationError"
    assert error_code(lambda: _alarm(cloud, "y", Period=45)) == "ValidationError"
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_set_alarm_state_runs_the_actions(cloud: CloudWorld, mail: Any) -> None:
    """moto only stores the state."""
    url, arrived = mail
    topic = cloud.client("sns").create_topic(Name="release-alerts")["TopicArn"]
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
    _alarm(cloud, AlarmActions=[topic])
    cloud.client("cloudwatch").set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="drill")
    wait_until(lambda: arrived, "the alert arrives")

    assert json.loads(arrived[0]["Message"])["NewStateReason"] == "drill"


def test_an_updated_alarm_keeps_its_state(cloud: CloudWorld) -> None:
    """PutMetricAlarm over an existing one; disabled actions stay silent."""
    _alarm(cloud)
    _beat(cloud, 1.0)
    _wait_state(cloud, "a", "OK")
    _alarm(cloud, ActionsEnabled=False)

    assert _state(cloud, "a") == "OK"
