"""A whole sandbox, seen by its customers: routing, weights, failures, metrics. One sandbox for the module."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sandbox_customer import Crowd, Customer, ask

from sandbox.client import Sandbox
from sandbox.fixture import start_sandbox
from sandbox.processes import wait_until


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Green is live, blue has two tasks of the same version."""
    with start_sandbox(name="edge") as started:
        Customer(started).scale("blue", 2)
        wait_until(lambda: healthy(started, "blue", 2), 20, "two healthy tasks of blue")
        yield started


@pytest.fixture
def customer(sandbox: Sandbox) -> Iterator[Customer]:
    """Faults removed and everybody on green before and after."""
    found = Customer(sandbox)
    yield found
    sandbox.clear()
    found.set_weights(0)
    sandbox.clock(60)  # so that a sick target is found well within a second
    wait_until(lambda: healthy(sandbox, "green", 2) and healthy(sandbox, "blue", 2), 20, "four healthy tasks")
    sandbox.clock(1)


def healthy(sandbox: Sandbox, slot: str, tasks: int) -> bool:
    """Whether a slot has exactly these healthy tasks."""
    states = [task["health"] for task in sandbox.status()["slots"][slot]["tasks"]]
    return states.count("healthy") == tasks


def slot_of(customer: Customer) -> str:
    """Who serves a customer now."""
    return customer.get().headers["x-slot"]


def test_customers_are_served_by_the_live_slot(customer: Customer) -> None:
    """TLS with a checked certificate, HTTP 200, and the live slot's name."""
    answer = customer.get()

    assert (answer.status, answer.headers["x-slot"]) == (200, "green")


def test_test_hosts_need_the_token(customer: Customer) -> None:
    """The test route serves its slot to who brings the header, and 404 to who does not."""
    outputs = customer.outputs
    header = {outputs["test_header_name"]: outputs["test_header_value"]}

    assert customer.get(host="blue.shop.example", **header).headers["x-slot"] == "blue"
    assert customer.get(host="blue.shop.example").status == 404


def test_plain_http_is_redirected(customer: Customer) -> None:
    """To https, host, path and query kept."""
    answer = customer.get_plain("/a?b=1")

    assert (answer.status, answer.headers["location"]) == (301, "https://api.shop.example:443/a?b=1")


def test_request_id_is_kept_or_made(customer: Customer) -> None:
    """A customer's x-request-id reaches the service; without one there is one."""
    assert customer.get(**{"x-request-id": "order-7"}).headers["x-request-id"] == "order-7"
    assert customer.get().headers["x-request-id"]


def test_weights_are_in_effect_when_the_call_returns(customer: Customer) -> None:
    """The first request after ModifyRule meets the new side, also on an old connection."""
    connection = customer.connect()
    for blue in (100, 0, 100, 0):
        customer.set_weights(blue)

        slot = ask(connection, "/health", {"host": "api.shop.example"}).headers["x-slot"]
        assert slot == ("blue" if blue else "green")
    connection.close()


def test_no_request_fails_over_weight_changes_and_new_tasks(customer: Customer, sandbox: Sandbox) -> None:
    """Sixty weight changes and the replacement of all tasks, under load with kept connections."""
    with Crowd(customer) as crowd:
        for blue in (5, 25, 50, 100, 50, 0) * 10:
            customer.set_weights(blue)
        before = task_ids(sandbox)
        sandbox.clock(60)
        for slot in ("blue", "green"):
            customer.scale(slot, 2, forceNewDeployment=True)
        wait_until(lambda: not before & task_ids(sandbox), 40, "the end of the old tasks")
        sandbox.clock(1)

    assert crowd.failures() == {}
    assert {"blue 200", "green 200"} <= set(crowd.seen)


def task_ids(sandbox: Sandbox) -> set[str]:
    """Of both slots."""
    return {task["id"] for side in sandbox.status()["slots"].values() for task in side["tasks"]}


def test_all_weights_zero_is_503(customer: Customer) -> None:
    """The load balancer answers itself."""
    arns = customer.outputs["target_group_arns"].values()
    groups = [{"TargetGroupArn": arn, "Weight": 0} for arn in arns]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    customer.client("elbv2").modify_rule(RuleArn=customer.outputs["rule_arn"], Actions=[action])

    assert customer.get().status == 503


def test_refused_connections_are_502_and_counted(customer: Customer, sandbox: Sandbox) -> None:
    """A side that refuses has no 5xx of its own, but connection errors."""
    customer.set_weights(100)
    sandbox.fault("blue", refuse_connections=True)
    start = sandbox.status()["clock"]["virtual_now"]
    wait_until(lambda: customer.get().status == 502, 10, "a 502")
    sandbox.clock(60)
    rows = closed_rows(sandbox, start, "blue")
    sandbox.clock(1)

    assert sum(row["connection_errors"] for row in rows) > 0
    assert sum(row["target_5xx"] for row in rows) == 0


def closed_rows(sandbox: Sandbox, start: float, slot: str) -> list[dict[str, Any]]:
    """A slot's traffic of the minutes from `start`'s own on, once it has closed."""
    minute = start // 60 * 60

    def rows() -> list[dict[str, Any]]:
        if sandbox.status()["clock"]["virtual_now"] < minute + 120:
            return []
        return [row for row in sandbox.traffic(minute) if row["slot"] == slot]

    return wait_until(rows, 10, f"traffic of {slot}")


def test_unhealthy_targets_are_found_and_said_why(customer: Customer, sandbox: Sandbox) -> None:
    """DescribeTargetHealth tells the reason; the edge sends nobody there while another one is healthy."""
    sandbox.clock(60)
    sandbox.fault("green", unhealthy_tasks=1)
    elb = customer.client("elbv2")
    arn = customer.outputs["target_group_arns"]["green"]

    def reasons() -> list[str]:
        found = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return [one["TargetHealth"]["Reason"] for one in found if one["TargetHealth"]["State"] == "unhealthy"]

    assert wait_until(reasons, 10, "an unhealthy target") == ["Target.ResponseCodeMismatch"]


def test_metrics_count_every_request(customer: Customer, sandbox: Sandbox) -> None:
    """What the customers sent is what CloudWatch says, by group and by load balancer."""
    start = sandbox.status()["clock"]["virtual_now"]
    for _ in range(25):
        customer.get("/api/v1/status")
    sandbox.clock(60)
    # First all of them, then the rows: requests on both sides of a minute's end close in two minutes.
    wait_until(lambda: published(customer, start) >= 25, 10, "25 requests in CloudWatch")
    rows = closed_rows(sandbox, start, "green")
    sandbox.clock(1)

    assert sum(row["requests"] for row in rows) == published(customer, start)


def published(customer: Customer, start: float) -> float:
    """RequestCount of green since the minute of a virtual instant."""
    outputs = customer.outputs
    dimensions = [
        {"Name": "TargetGroup", "Value": outputs["target_group_arns"]["green"].rsplit(":", 1)[1]},
        {"Name": "LoadBalancer", "Value": outputs["load_balancer_arn"].split(":loadbalancer/", 1)[1]},
    ]
    points = customer.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/ApplicationELB",
        MetricName="RequestCount",
        Dimensions=dimensions,
        StartTime=datetime.fromtimestamp(start // 60 * 60, UTC),
        EndTime=datetime.fromtimestamp(start + 3600, UTC),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)


def test_tasks_refuse_who_is_not_the_load_balancer(customer: Customer, sandbox: Sandbox) -> None:
    """Without the client certificate there is no answer, only the end of the connection."""
    task = sandbox.status()["slots"]["green"]["tasks"][0]
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    received = b""
    try:
        with socket.create_connection((task["ip"], task["port"]), timeout=5) as raw, context.wrap_socket(raw) as secure:
            secure.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
            received = secure.recv(1)
    except ssl.SSLError as error:
        assert "CERTIFICATE_REQUIRED" in str(error)  # noqa: PT017 - a plain end of the connection is a refusal too

    assert received == b""


def test_public_address_listens_on_three_ports_only(sandbox: Sandbox, customer: Customer) -> None:
    """https, http and DNS; everything else lives on the internal address."""
    address = sandbox.status()["address"]
    expected = {customer.place("api.shop.example")[1], customer.place("api.shop.example", 80)[1]}
    expected.add(int(customer.outputs["dns_server"].rsplit(":", 1)[1]))
    packed = "".join(f"{int(part):02X}" for part in reversed(address.split(".")))
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [line[1] for line in lines if line[1].startswith(packed) and line[3] == "0A"]

    assert {int(place.split(":")[1], 16) for place in listening} == expected
