"""A sandbox whose controller is killed at 5 %: its alarm calls the dead-man, and the customers are back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_customer import Customer

from sandbox.client import Sandbox
from sandbox.fixture import start_sandbox
from sandbox.processes import wait_until

ROOT = Path(__file__).parents[2]
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:release-deadman"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with start_sandbox(name="deadman") as started:
        yield started


def _arm(customer: Customer) -> None:
    """The alarm as infrastructure/modules/release declares it."""
    customer.client("cloudwatch").put_metric_alarm(
        AlarmName="release-heartbeat",
        Namespace="ReleaseGates",
        MetricName="Heartbeat",
        Statistic="SampleCount",
        Period=60,
        EvaluationPeriods=8,
        DatapointsToAlarm=8,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
        ActionsEnabled=True,
        AlarmActions=[FUNCTION],
    )


def _share(customer: Customer) -> int:
    arns = customer.outputs["target_group_arns"]
    rule = customer.client("elbv2").describe_rules(RuleArns=[customer.outputs["rule_arn"]])["Rules"][0]
    action = next(one for one in rule["Actions"] if one["Type"] == "forward")
    weights = {one["TargetGroupArn"]: one["Weight"] for one in action["ForwardConfig"]["TargetGroups"]}
    return int(weights.get(arns["blue"], 0))


def test_a_killed_controllers_customers_are_taken_back(sandbox: Sandbox, tmp_path: Path) -> None:
    customer = Customer(sandbox)
    sandbox.migrate("1.1.0")
    sandbox.clock(30.0)
    _arm(customer)
    log = tmp_path / "controller.log"
    with log.open("wb") as sink:
        controller = subprocess.Popen(
            [sys.executable, "-m", "rollout", "run", "--outputs", str(sandbox.outputs_path)],
            stdout=sink,
            stderr=sink,
            cwd=ROOT,
            env={**os.environ, "CI": ""},
        )
    try:
        wait_until(lambda: _share(customer) == 5 or controller.poll() is not None, 60.0, "5 % for the candidate")
        assert controller.poll() is None, log.read_text(encoding="utf-8")
    finally:
        controller.send_signal(signal.SIGKILL)
        controller.wait()

    wait_until(lambda: _share(customer) == 0, 60.0, "all customers back on green")

    def told() -> bool:
        return any("DEAD-MAN: TAKEN BACK" in str(letter) for letter in sandbox.mail())

    wait_until(told, 20.0, "people were told")
