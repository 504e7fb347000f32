"""Which series CloudWatch is asked for, and what its points say. Pure; see `cloudwatch`.

Load balancer metrics exist only for minutes with something to count, and counters only when they are over zero
(research: "ALB publishes every 60 s and only when requests flow"): a missing 5xx is 0 only where the same minute and
group has a RequestCount. Source: ELB user guide, "CloudWatch metrics for your Application Load Balancer".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from rollout.model import MINUTE_SECONDS
from rollout.seen import BalancerMinute, SideMinute
from rollout.target import Target

Points = Mapping[float, float]  # period start (epoch seconds) -> value
P95 = "p95"
_COUNTERS = {
    "requests": "RequestCount",
    "errors": "HTTPCode_Target_5XX_Count",
    "connections": "TargetConnectionErrorCount",
}


@dataclass(frozen=True, kw_only=True)
class Series:
    """One statistic of one metric. `id` is unique in a call: letters, digits and _, a small letter first."""

    id: str
    namespace: str
    metric: str
    statistic: str
    dimensions: tuple[tuple[str, str], ...]
    period_seconds: int = MINUTE_SECONDS


@dataclass(frozen=True, kw_only=True)
class Namespaces:
    """Where the metrics are. Anybody with PutMetricData can forge what is not in an `AWS/` namespace, so another
    one is a choice that the caller has to write down."""

    balancer: str = "AWS/ApplicationELB"
    service: str = "AWS/ECS"


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Names the series of one environment."""

    target: Target
    namespaces: Namespaces

    def side(self, slot: str, slow_milliseconds: float) -> list[Series]:
        """Ten series of one side, each id beginning with the slot."""
        slow = f"TC({slow_milliseconds / 1000:g}:)"  # how many answers took longer; the lower bound is exclusive
        times = "TargetResponseTime"
        return [
            *(self._group(slot, name, metric=metric, statistic="Sum") for name, metric in _COUNTERS.items()),
            self._group(slot, "slow", metric=times, statistic=slow),
            self._group(slot, "p95", metric=times, statistic=P95),
            self._group(slot, "healthy", metric="HealthyHostCount", statistic="Minimum"),
            self._group(slot, "unhealthy", metric="UnHealthyHostCount", statistic="Maximum"),
            self._service(slot, "cpu", metric="CPUUtilization", statistic="Average"),
            self._service(slot, "memory", metric="MemoryUtilization", statistic="Average"),
            self._service(slot, "memory_highest", metric="MemoryUtilization", statistic="Maximum"),
        ]

    def balancer(self) -> list[Series]:
        """All requests of the load balancer, and its own 5xx answers."""
        metrics = {"balancer_requests": "RequestCount", "balancer_errors": "HTTPCode_ELB_5XX_Count"}
        return [
            Series(
                id=name,
                namespace=self.namespaces.balancer,
                metric=metric,
                statistic="Sum",
                dimensions=(("LoadBalancer", self._load_balancer),),
            )
            for name, metric in metrics.items()
        ]

    def window(self, slot: str, seconds: int) -> list[Series]:
        """Response times of one side asked as one period of `seconds`: p95 and how many there were."""
        asked = (("window_p95", P95), ("window_samples", "SampleCount"))
        series = [self._group(slot, name, metric="TargetResponseTime", statistic=which) for name, which in asked]
        return [replace(one, period_seconds=seconds) for one in series]

    def _group(self, slot: str, name: str, *, metric: str, statistic: str) -> Series:
        group = self.target.target_group_arns[slot].rpartition(":")[2]
        return Series(
            id=f"{slot}_{name}",
            namespace=self.namespaces.balancer,
            metric=metric,
            statistic=statistic,
            dimensions=(("TargetGroup", group), ("LoadBalancer", self._load_balancer)),
        )

    def _service(self, slot: str, name: str, *, metric: str, statistic: str) -> Series:
        return Series(
            id=f"{slot}_{name}",
            namespace=self.namespaces.service,
            metric=metric,
            statistic=statistic,
            dimensions=(("ClusterName", self.target.cluster_name), ("ServiceName", self.target.service_names[slot])),
        )

    @property
    def _load_balancer(self) -> str:
        return self.target.load_balancer_arn.partition("loadbalancer/")[2]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All points by series id; `incomplete` series may lack points that CloudWatch has; `error` says so in words."""

    points: Mapping[str, Points]
    incomplete: frozenset[str] = frozenset()
    error: str | None = None


def side_minutes(answer: Answer, starts: Iterable[float], *, slot: str) -> tuple[SideMinute, ...]:
    """One SideMinute per start, also for minutes without any point."""
    return tuple(_side_minute(_Side(answer, slot, start)) for start in starts)


def balancer_minutes(answer: Answer, starts: Iterable[float]) -> tuple[BalancerMinute, ...]:
    """One BalancerMinute per start; own errors without a RequestCount are kept: a 5xx may be all there is."""
    requests, errors = answer.points["balancer_requests"], answer.points["balancer_errors"]
    return tuple(
        BalancerMinute(
            start=start,
            requests=round(requests[start]) if start in requests else None,
            own_errors=round(errors.get(start, 0.0)),
        )
        for start in starts
    )


@dataclass(frozen=True)
class _Side:
    """The points of one side at one minute."""

    answer: Answer
    slot: str
    start: float

    def value(self, name: str) -> float | None:
        return self.answer.points[f"{self.slot}_{name}"].get(self.start)

    def count(self, name: str) -> int | None:
        value = self.value(name)
        return None if value is None else round(value)

    def doubtful(self, name: str) -> bool:
        """No point, and CloudWatch did not say that it showed all it has: not a zero."""
        return f"{self.slot}_{name}" in self.answer.incomplete and self.value(name) is None


def _side_minute(side: _Side) -> SideMinute:
    minute = SideMinute(
        start=side.start,
        cpu_percent=side.value("cpu"),
        memory_percent=side.value("memory"),
        memory_percent_highest=side.value("memory_highest"),
    )
    if any(side.doubtful(name) for name in ("requests", "errors", "connections")):
        return minute  # counters cannot be told from zeros: nothing is said of them
    seconds = side.value("p95")
    return replace(
        minute,
        requests=side.count("requests"),
        target_errors=side.count("errors") or 0,
        connection_errors=side.count("connections") or 0,
        slow=_slow(side),
        p95_milliseconds=None if seconds is None else seconds * 1000,
        healthy=side.count("healthy"),
        unhealthy=side.count("unhealthy"),
    )


def _slow(side: _Side) -> int | None:
    """Slow answers; 0 without a point only where no answer was timed because none was given, or all were in time."""
    slow, requests = side.count("slow"), side.count("requests")
    if slow is not None or requests is None or side.doubtful("slow"):
        return slow
    every_one_refused = (side.count("connections") or 0) >= requests
    return 0 if every_one_refused or side.value("p95") is not None else None
