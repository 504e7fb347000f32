"""MetricSource: the fake and CloudWatch on the plane say the same of the same minutes; then what the wire shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import pytest
from port_world import Account, assert_translates_errors, clients_of

from rollout.adapters.cloudwatch import CloudWatchMetrics
from rollout.adapters.metric_queries import Namespaces
from rollout.errors import SourceError
from rollout.ports import MetricSource
from rollout.seen import BalancerMinute, MetricQuery, SideMinute
from tests.fakes.metrics import FakeMetrics

pytest_plugins = ("port_fixtures",)
pytestmark = pytest.mark.xdist_group("ports")

MINUTE = 60
BALANCER, SERVICE = "AWS/ApplicationELB", "AWS/ECS"


class Source(Protocol):
    """A source with minutes that tests put; `start` is the first minute that a test may use."""

    start: float

    @property
    def metrics(self) -> MetricSource: ...

    def put(self, slot: str, minute: SideMinute, *, seconds: Sequence[float] = ()) -> None:
        """The counters of `minute`, response times `seconds` (their slow ones and p95 are already in `minute`)."""

    def put_balancer(self, minute: BalancerMinute) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.metrics = FakeMetrics()
        self.start = 1_800_000_000.0
        self.times: list[float] = []

    def put(self, slot: str, minute: SideMinute, *, seconds: Sequence[float] = ()) -> None:
        self.metrics.put(slot, minute)
        self.times += seconds
        if self.times:
            ordered = sorted(self.times)
            self.metrics.bake = (ordered[-(-len(ordered) * 95 // 100) - 1] * 1000, len(ordered))

    def put_balancer(self, minute: BalancerMinute) -> None:
        self.metrics.put_balancer(minute)


class OnPlane:
    """Every instance has ten hours of its own, so that tests share no minute."""

    used = 0

    def __init__(self, account: Account) -> None:
        OnPlane.used += 1
        self.account, self.metrics = account, CloudWatchMetrics(account.clients, account.target)
        self.account.cloud.clock.advance(36_000)
        self.start = self.account.cloud.clock.now() // MINUTE * MINUTE - 7200

    def put(self, slot: str, minute: SideMinute, *, seconds: Sequence[float] = ()) -> None:
        load_balancer = self.account.target.load_balancer_arn.partition("loadbalancer/")[2]
        group = {
            "LoadBalancer": load_balancer,
            "TargetGroup": self.account.target.target_group_arns[slot].rpartition(":")[2],
        }
        service = {
            "ClusterName": self.account.target.cluster_name,
            "ServiceName": self.account.target.service_names[slot],
        }
        self.datum(BALANCER, "RequestCount", group, minute.start, minute.requests)
        self.datum(BALANCER, "HTTPCode_Target_5XX_Count", group, minute.start, minute.target_errors or None)
        self.datum(BALANCER, "TargetConnectionErrorCount", group, minute.start, minute.connection_errors or None)
        self.datum(BALANCER, "HealthyHostCount", group, minute.start, minute.healthy)
        self.datum(BALANCER, "UnHealthyHostCount", group, minute.start, minute.unhealthy)
        self.datum(SERVICE, "CPUUtilization", service, minute.start, minute.cpu_percent)
        for value in {minute.memory_percent, minute.memory_percent_highest}:
            self.datum(SERVICE, "MemoryUtilization", service, minute.start, value)
        for value in seconds:
            self.datum(BALANCER, "TargetResponseTime", group, minute.start, value)

    def put_balancer(self, minute: BalancerMinute) -> None:
        whole = {"LoadBalancer": self.account.target.load_balancer_arn.partition("loadbalancer/")[2]}
        self.datum(BALANCER, "RequestCount", whole, minute.start, minute.requests)
        self.datum(BALANCER, "HTTPCode_ELB_5XX_Count", whole, minute.start, minute.own_errors or None)

    def datum(self, namespace: str, name: str, dimensions: Mapping[str, str], start: float, value: object) -> None:
        if value is not None:
            rows = [{"Name": key, "Value": one} for key, one in dimensions.items()]
            row = {"MetricName": name, "Dimensions": rows, "Timestamp": start + 7, "Value": value}
            self.account.cloud.plane.put_metrics(namespace, [row])


@pytest.fixture(params=["fake", "plane"])
def source(request: pytest.FixtureRequest) -> Source:
    return InMemory() if request.param == "fake" else OnPlane(request.getfixturevalue("account"))


@pytest.fixture
def plane_source(account: Account) -> OnPlane:
    return OnPlane(account)


def query(start: float, minutes: int = 1, **more: Any) -> MetricQuery:
    last = start + (minutes - 1) * MINUTE
    return MetricQuery(stable="green", candidate="blue", first=start, last=last, **more)


def test_minutes_without_data_say_nothing(source: Source) -> None:
    """One entry per minute, every value None: a gap is never a zero."""
    seen = source.metrics.read(query(source.start, 3))

    starts = [source.start + index * MINUTE for index in range(3)]
    assert seen.candidate == seen.stable == tuple(SideMinute(start=start) for start in starts)
    assert seen.balancer == tuple(BalancerMinute(start=start) for start in starts)
    assert (seen.before, seen.bake_p95_milliseconds, seen.bake_samples, seen.error) == ((), None, 0, None)


FULL = SideMinute(
    start=0,
    requests=4,
    target_errors=2,
    connection_errors=1,
    slow=1,
    p95_milliseconds=700.0,
    cpu_percent=12.5,
    memory_percent=40.0,
    memory_percent_highest=40.0,
    healthy=2,
    unhealthy=1,
)


@pytest.mark.parametrize("slot", ["blue", "green"])
def test_all_values_of_a_minute_are_read(source: Source, slot: str) -> None:
    minute = replace(FULL, start=source.start + MINUTE)
    source.put(slot, minute, seconds=(0.1, 0.5, 0.2, 0.7))

    seen = source.metrics.read(query(source.start, 3))

    side = seen.candidate if slot == "blue" else seen.stable
    assert side == (SideMinute(start=source.start), minute, SideMinute(start=source.start + 2 * MINUTE))


def test_counters_without_a_point_are_zero_where_requests_were_counted(source: Source) -> None:
    """Slow ones too, where response times were measured at all."""
    minute = SideMinute(start=source.start, requests=3, slow=0, p95_milliseconds=100.0)
    source.put("blue", minute, seconds=(0.1, 0.1, 0.1))

    assert source.metrics.read(query(source.start)).candidate == (minute,)


def test_a_minute_with_health_but_without_requests(source: Source) -> None:
    """No traffic, and the source has spoken: requests stay None."""
    minute = SideMinute(start=source.start, healthy=2, unhealthy=0)
    source.put("blue", minute)

    assert source.metrics.read(query(source.start)).candidate == (minute,)


def test_refused_connections_are_not_slow(source: Source) -> None:
    """No response time exists, and that is explained: slow is 0, not unknown."""
    minute = SideMinute(start=source.start, requests=5, connection_errors=5, slow=0)
    source.put("blue", minute)

    assert source.metrics.read(query(source.start)).candidate == (minute,)


def test_requests_without_any_response_time_are_of_unknown_speed(source: Source) -> None:
    """Timeouts of the target leave no response time: 0 slow requests would be a lie."""
    minute = SideMinute(start=source.start, requests=5)
    source.put("blue", minute)

    assert source.metrics.read(query(source.start)).candidate == (minute,)


def test_the_load_balancer_is_read_now_and_before(source: Source) -> None:
    during = BalancerMinute(start=source.start + 30 * MINUTE, requests=100, own_errors=3)
    earlier = BalancerMinute(start=source.start, requests=50)
    source.put_balancer(during)
    source.put_balancer(earlier)

    seen = source.metrics.read(query(during.start, before_first=earlier.start, before_last=earlier.start + MINUTE))

    assert seen.balancer == (during,)
    assert seen.before == (earlier, BalancerMinute(start=earlier.start + MINUTE))


def test_the_p95_of_a_bake_is_one_window(source: Source) -> None:
    """95 fast ones in the first minute, 5 slow ones in the second: the p95 of all is fast, that of the second slow."""
    first = SideMinute(start=source.start, requests=95, slow=0, p95_milliseconds=100.0)
    second = SideMinute(start=source.start + MINUTE, requests=5, slow=5, p95_milliseconds=900.0)
    source.put("blue", first, seconds=(0.1,) * 95)
    source.put("blue", second, seconds=(0.9,) * 5)

    seen = source.metrics.read(query(source.start, 2, bake_first=first.start, bake_last=second.start))

    assert (seen.bake_p95_milliseconds, seen.bake_samples) == (100.0, 100)
    assert [minute.p95_milliseconds for minute in seen.candidate] == [100.0, 900.0]


# ------------------------------------------------------------------------------------------------ the wire


def test_nothing_outside_of_the_asked_minutes_is_used(plane_source: OnPlane) -> None:
    for offset in (-1, 0, 1):
        plane_source.put("blue", SideMinute(start=plane_source.start + offset * MINUTE, requests=10 + offset))

    seen = plane_source.metrics.read(query(plane_source.start))

    assert [minute.requests for minute in seen.candidate] == [10]


def test_memory_is_told_by_mean_and_maximum(plane_source: OnPlane) -> None:
    minute = SideMinute(start=plane_source.start, memory_percent=30.0, memory_percent_highest=50.0)
    plane_source.put("blue", minute)

    seen = plane_source.metrics.read(query(plane_source.start)).candidate[0]

    assert (seen.memory_percent, seen.memory_percent_highest) == (40.0, 50.0)


def test_exactly_the_limit_is_not_slow(plane_source: OnPlane) -> None:
    plane_source.put("blue", SideMinute(start=plane_source.start, requests=2), seconds=(0.25, 0.2501))

    seen = plane_source.metrics.read(query(plane_source.start, slow_milliseconds=250.0))

    assert seen.candidate[0].slow == 1


def test_a_partial_answer_is_an_error_and_no_zero(plane_source: OnPlane) -> None:
    """Counters that may be missing are not told at all; what came is kept."""
    plane_source.put("blue", replace(FULL, start=plane_source.start), seconds=(0.1,))
    plane_source.account.cloud.plane.set_fault("cloudwatch", "partial")
    try:
        seen = plane_source.metrics.read(
            query(plane_source.start, 2, bake_first=plane_source.start, bake_last=plane_source.start + MINUTE)
        )
    finally:
        plane_source.account.cloud.plane.clear_faults()

    assert "PartialData" in str(seen.error)
    assert seen.candidate[0] == SideMinute(start=plane_source.start)
    assert (seen.bake_p95_milliseconds, seen.bake_samples) == (None, 0)


def test_all_pages_are_read(plane_source: OnPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    """PartialData while a NextToken leads on is no error: the last page's status counts."""
    for index in range(20):
        plane_source.put("blue", SideMinute(start=plane_source.start + index * MINUTE, requests=index + 1))
    monkeypatch.setattr("sandbox.cloud.cloudwatch.DATAPOINTS_PER_CALL_MAX", 7)
    since = plane_source.account.now()

    seen = plane_source.metrics.read(query(plane_source.start, 20))

    assert [minute.requests for minute in seen.candidate] == list(range(1, 21))
    assert seen.error is None
    assert plane_source.account.called(since).count("GetMetricData") > 1


def test_many_queries_go_in_batches(plane_source: OnPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollout.adapters.cloudwatch.QUERIES_MAX", 5)
    plane_source.put("green", SideMinute(start=plane_source.start, requests=3))
    since = plane_source.account.now()

    seen = plane_source.metrics.read(query(plane_source.start))

    assert seen.stable[0].requests == 3
    assert plane_source.account.called(since) == ["GetMetricData"] * 5


def test_the_level_before_is_asked_until_it_is_settled(plane_source: OnPlane) -> None:
    start = plane_source.start
    asked = query(start + 30 * MINUTE, before_first=start, before_last=start + 29 * MINUTE)
    since = plane_source.account.now()
    plane_source.metrics.read(asked)
    plane_source.metrics.read(asked)
    later = replace(asked, last=start + 50 * MINUTE)
    plane_source.metrics.read(later)
    plane_source.metrics.read(later)

    assert len(plane_source.account.called(since)) == 7  # twice both, once both to remember, then the minutes alone


def test_a_custom_namespace_is_an_explicit_choice(account: Account) -> None:
    on_plane = OnPlane(account)
    group = {
        "LoadBalancer": account.target.load_balancer_arn.partition("loadbalancer/")[2],
        "TargetGroup": account.target.target_group_arns["blue"].rpartition(":")[2],
    }
    on_plane.datum("Shop/Edge", "RequestCount", group, on_plane.start, 9)
    custom = CloudWatchMetrics(account.clients, account.target, namespaces=Namespaces(balancer="Shop/Edge"))

    assert custom.read(query(on_plane.start)).candidate[0].requests == 9
    assert on_plane.metrics.read(query(on_plane.start)).candidate[0].requests is None


def test_errors_of_the_service_are_ours(plane_source: OnPlane) -> None:
    asked = query(plane_source.start)

    assert_translates_errors(
        plane_source.account, "cloudwatch", lambda: plane_source.metrics.read(asked), "GetMetricData"
    )


def test_an_empty_answer_for_silence(plane_source: OnPlane) -> None:
    """A silent publisher is not an error of the source: the minutes stay empty and the engine counts them."""
    plane_source.account.cloud.plane.set_fault("cloudwatch", "silent")
    try:
        plane_source.put("blue", replace(FULL, start=plane_source.start))
    finally:
        plane_source.account.cloud.plane.clear_faults()

    seen = plane_source.metrics.read(query(plane_source.start))

    assert (seen.candidate, seen.error) == ((SideMinute(start=plane_source.start),), None)


# ------------------------------------------------------------------------------------------------ nonsense


class Nonsense:
    """Answers of a CloudWatch that cannot be trusted, in the adapter's own client's place."""

    def __init__(self, account: Account, *answers: Mapping[str, Any] | Exception) -> None:
        self.clients = clients_of(account.cloud.url)
        self.clients.__dict__["cloudwatch"] = self
        self.answers = list(answers)

    def get_metric_data(self, **request: Any) -> Mapping[str, Any]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        asked = [one["Id"] for one in request["MetricDataQueries"]]
        rows = {one: {"Id": one, "Timestamps": [], "Values": [], "StatusCode": "Complete"} for one in asked}
        for row in answer.get("MetricDataResults", []):
            rows[row["Id"]] = {**rows.get(row["Id"], {}), **row}
        return {**answer, "MetricDataResults": list(rows.values())}


def _points(name: str, *times: float) -> Mapping[str, Any]:
    stamps = [dt.datetime.fromtimestamp(time, dt.UTC) for time in times]
    return {"MetricDataResults": [{"Id": name, "Timestamps": stamps, "Values": [1.0] * len(times)}]}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (_points("blue_requests", 1_800_000_060.0), "blue_requests has a point at 1800000060"),
        (_points("blue_requests", 1_799_999_940.0), "blue_requests has a point at 1799999940"),
        (_points("blue_requests", 1_800_000_001.0), "blue_requests has a point at 1800000001"),
        (_points("somebody_else", 1_800_000_000.0), "an answer to no question of ours"),
        (
            {"MetricDataResults": [{"Id": "blue_requests", "Values": [1.0]}]},
            "an answer to no question of ours, or times without values",
        ),
        ({"MetricDataResults": [{"Id": "green_cpu", "StatusCode": "InternalError"}]}, "green_cpu InternalError"),
        ({"MetricDataResults": [{"Id": "green_cpu", "StatusCode": "Forbidden"}]}, "green_cpu Forbidden"),
        ({"Messages": [{"Code": "Strange", "Value": "something"}]}, "Strange: something"),
    ],
    ids=["after", "before", "between", "unasked", "no-times", "internal", "forbidden", "message"],
)
def test_an_untrustworthy_answer_is_an_error(account: Account, answer: Mapping[str, Any], told: str) -> None:
    nonsense = Nonsense(account, answer)

    seen = CloudWatchMetrics(nonsense.clients, account.target).read(query(1_800_000_000.0))

    assert told in str(seen.error)
    assert seen.candidate[0].requests is None


def test_more_than_one_point_of_a_bake_is_an_error_never_an_average(account: Account) -> None:
    start = 1_800_000_000.0
    nonsense = Nonsense(account, {}, _points("blue_window_p95", start, start + 60))

    seen = CloudWatchMetrics(nonsense.clients, account.target).read(
        query(start, 2, bake_first=start, bake_last=start + 60)
    )

    assert "blue_window_p95 has a point at" in str(seen.error)
    assert (seen.bake_p95_milliseconds, seen.bake_samples) == (None, 0)


def test_minutes_survive_a_bake_and_a_level_that_cannot_be_asked(account: Account) -> None:
    start = 1_800_000_000.0
    nonsense = Nonsense(account, _points("blue_requests", start), SourceError("no answer"))

    seen = CloudWatchMetrics(nonsense.clients, account.target).read(
        query(start, bake_first=start, bake_last=start, before_first=start - 120, before_last=start - 60)
    )

    assert (seen.candidate[0].requests, seen.error) == (1, "no answer; no answer")


def test_pages_without_end_are_an_error(account: Account) -> None:
    nonsense = Nonsense(account, {"NextToken": "again"})

    with pytest.raises(SourceError, match="did not end"):
        CloudWatchMetrics(nonsense.clients, account.target).read(query(1_800_000_000.0))
