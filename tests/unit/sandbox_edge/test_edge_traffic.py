"""Access log lines become ALB metrics."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.edge.access_log import LogFollower, Request, parse
from sandbox.edge.traffic import Minute, count, metrics, sample_metric

LINE = (
    b"1795501866.100000\t2500\t1123\t200\tvia_upstream\t-\tshop-api-green\t127.0.0.2:80\tforward-rule-100\tid\tGET\t"
    b"api.shop.example\t/a"
)


def request(**changes: object) -> Request:
    """A good request to green, changed."""
    values = {
        "end": 1.0,
        "group": "green",
        "target": "127.0.0.2:80",
        "code": 200,
        "from_target": True,
        "connection_failed": False,
        "target_seconds": 0.001,
        "route": "forward-rule-100",
    }
    return Request(**(values | changes))  # type: ignore[arg-type]


def counted(*requests: Request) -> dict[tuple[str, bool], float]:
    """Counters by (name, with target group), of one minute."""
    minute = Minute()
    for one in requests:
        count(minute, one)
    data = metrics(minute, 60.0, "app/lb/1", {"green": "targetgroup/green/1"})
    return {(datum["MetricName"], len(datum["Dimensions"]) == 2): datum["Value"] for datum in data if "Value" in datum}


def test_line_of_a_served_request() -> None:
    """End is start plus duration; the target's time is in seconds."""
    parsed = parse(LINE)

    assert parsed is not None
    assert parsed.end == pytest.approx(1795501866.1025)
    assert (parsed.group, parsed.code, parsed.from_target) == ("shop-api-green", 200, True)
    assert parsed.target_seconds == pytest.approx(0.001123)


def test_line_of_a_refused_connection() -> None:
    """The flag UF is a connection error, and the answer was not the target's."""
    parsed = parse(LINE.replace(b"\t1123\t200\tvia_upstream\t-", b"\t-\t502\tremote_connection_failure\tUF,URX"))

    assert parsed is not None
    assert (parsed.connection_failed, parsed.from_target, parsed.target_seconds) == (True, False, None)


@pytest.mark.parametrize("line", [b"", b"a\tb", LINE.replace(b"200", b"abc")], ids=["empty", "short", "no code"])
def test_lines_of_another_kind_are_left_out(line: bytes) -> None:
    """A broken line is no request."""
    assert parse(line) is None


def test_served_request_counts_for_group_and_load_balancer() -> None:
    """Two dimensions and one; no zero counters."""
    expected = {(name, group): 1.0 for name in ("RequestCount", "HTTPCode_Target_2XX_Count") for group in (True, False)}

    assert counted(request()) == expected


def test_target_error_is_the_targets_and_not_the_load_balancers() -> None:
    """A 500 of the target is in HTTPCode_Target_5XX_Count only."""
    found = counted(request(code=500))

    assert found[("HTTPCode_Target_5XX_Count", True)] == 1
    assert ("HTTPCode_ELB_5XX_Count", False) not in found


def test_refused_connection_is_a_connection_error_and_a_502() -> None:
    """It counts as a request because a target was chosen."""
    found = counted(request(code=502, from_target=False, connection_failed=True, target_seconds=None))

    assert found[("RequestCount", True)] == 1
    assert found[("TargetConnectionErrorCount", True)] == 1
    assert found[("HTTPCode_ELB_502_Count", False)] == 1
    assert ("HTTPCode_Target_5XX_Count", True) not in found


def test_no_target_is_a_503_without_a_request() -> None:
    """RequestCount counts only where a target was chosen."""
    found = counted(request(target="", code=503, from_target=False, target_seconds=None))

    assert found == {("HTTPCode_ELB_503_Count", False): 1, ("HTTPCode_ELB_5XX_Count", False): 1}


def test_own_answers_are_neither_requests_nor_errors() -> None:
    """Redirects and fixed responses have counters of their own."""
    own = {"target": "", "group": "", "from_target": False, "target_seconds": None}
    found = counted(request(**own, code=301, route="redirect-rule-1"), request(**own, code=404, route="fixed-rule-2"))

    assert found == {("HTTP_Redirect_Count", False): 1, ("HTTP_Fixed_Response_Count", False): 1}


def test_response_times_are_exact_and_in_portions() -> None:
    """Every microsecond value with its count, at most 150 values in a datum."""
    minute = Minute()
    for microseconds in range(1, 301):
        count(minute, request(target_seconds=microseconds / 1e6))
    count(minute, request(target_seconds=1e-6))
    data = metrics(minute, 60.0, "app/lb/1", {"green": "targetgroup/green/1"})
    times = [datum for datum in data if datum["MetricName"] == "TargetResponseTime" and len(datum["Dimensions"]) == 2]

    assert [len(datum["Values"]) for datum in times] == [150, 150]
    assert times[0]["Values"][0] == pytest.approx(1e-6)
    assert times[0]["Counts"][0] == 2
    assert sum(sum(datum["Counts"]) for datum in times) == 301


def test_minute_without_traffic_publishes_nothing() -> None:
    """Sparse, as ALB's metrics are."""
    assert metrics(Minute(), 60.0, "app/lb/1", {}) == []


def test_samples_become_statistics() -> None:
    """Count, sum, lowest, highest."""
    datum = sample_metric("HealthyHostCount", [2, 1, 2], 60.0, dimensions=[], unit="Count")

    assert datum["StatisticValues"] == {"SampleCount": 3.0, "Sum": 5.0, "Minimum": 1.0, "Maximum": 2.0}


def test_follower_reads_whole_lines_only(tmp_path: Path) -> None:
    """Half a line waits for its other half."""
    path = tmp_path / "access.log"
    follower = LogFollower(path, lambda: None)
    path.write_bytes(LINE + b"\n" + LINE[:30])
    first = list(follower.requests())
    with path.open("ab") as file:
        file.write(LINE[30:] + b"\n")

    assert (len(first), len(list(follower.requests()))) == (1, 1)


def test_no_line_is_lost_over_a_rotation(tmp_path: Path) -> None:
    """What Envoy still writes to the renamed file is read before the new file."""
    path = tmp_path / "access.log"
    path.write_bytes((LINE + b"\n") * 3)
    writer = path.open("ab")
    reopened: list[bool] = []
    follower = LogFollower(path, lambda: reopened.append(True), rotate_bytes=len(LINE) * 2)
    seen = len(list(follower.requests()))
    writer.write(LINE + b"\n")
    writer.close()
    seen += len(list(follower.requests()))
    path.write_bytes(LINE + b"\n")
    seen += len(list(follower.requests())) + len(list(follower.requests()))

    assert reopened == [True]
    assert seen == 5
