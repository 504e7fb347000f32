"""Counts finished requests per virtual minute: the arithmetic between access log and metrics, without any I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.edge.access_log import Request

MINUTE_SECONDS = 60
# What PutMetricData takes in one datum.
_VALUES_MAX = 150


@dataclass
class GroupMinute:
    """One target group's requests of one minute. `times` counts target response times in whole microseconds."""

    requests: int = 0
    by_class: Counter[int] = field(default_factory=Counter)
    connection_errors: int = 0
    times: Counter[int] = field(default_factory=Counter)


@dataclass
class Minute:
    """Everything of one virtual minute. `own` counts answers that the load balancer made itself, by code."""

    groups: dict[str, GroupMinute] = field(default_factory=dict)
    own: Counter[int] = field(default_factory=Counter)
    redirects: int = 0
    fixed_responses: int = 0
    own_by_group: Counter[str] = field(default_factory=Counter)


def count(minute: Minute, request: Request) -> None:
    """Add one request, by the reporting rules of Application Load Balancer metrics: RequestCount only where a target
    was chosen; target codes only from targets; the load balancer's 5xx apart."""
    if request.target and request.group:
        group = minute.groups.get(request.group)
        if group is None:
            group = minute.groups[request.group] = GroupMinute()
        group.requests += 1
        group.connection_errors += request.connection_failed
        if request.from_target:
            group.by_class[request.code // 100] += 1
        if request.target_seconds is not None:
            group.times[round(request.target_seconds * 1e6)] += 1
    elif request.route.startswith("fixed"):
        minute.fixed_responses += 1
        return
    elif request.route.startswith("redirect"):
        minute.redirects += 1
        return
    if not request.from_target and request.code >= 500:
        minute.own[request.code] += 1
        minute.own_by_group[request.group] += 1


def metrics(minute: Minute, start: float, load_balancer: str, groups: Mapping[str, str]) -> list[dict[str, Any]]:
    """The minute as PutMetricData takes it: counters only when not zero. `groups` maps a group's name to its
    TargetGroup dimension; `start` is the minute's first virtual second."""
    data: list[dict[str, Any]] = []
    whole = [{"Name": "LoadBalancer", "Value": load_balancer}]
    total = GroupMinute()
    for name, group in minute.groups.items():
        if name in groups:
            dimensions = [{"Name": "TargetGroup", "Value": groups[name]}, *whole]
            data += _group_metrics(group, start, dimensions)
        _add(total, group)
    data += _group_metrics(total, start, whole)
    own = {f"HTTPCode_ELB_{code}_Count": n for code, n in minute.own.items() if code in (500, 502, 503, 504)}
    own["HTTPCode_ELB_5XX_Count"] = sum(minute.own.values())
    own["HTTP_Redirect_Count"] = minute.redirects
    own["HTTP_Fixed_Response_Count"] = minute.fixed_responses
    return data + [_counter(name, value, start, whole) for name, value in own.items() if value]


def _add(total: GroupMinute, group: GroupMinute) -> None:
    total.requests += group.requests
    total.by_class.update(group.by_class)
    total.connection_errors += group.connection_errors
    total.times.update(group.times)


def _group_metrics(group: GroupMinute, start: float, dimensions: list[dict[str, str]]) -> list[dict[str, Any]]:
    counters = {
        "RequestCount": group.requests,
        "TargetConnectionErrorCount": group.connection_errors,
        **{f"HTTPCode_Target_{digit}XX_Count": group.by_class[digit] for digit in (2, 3, 4, 5)},
    }
    data = [_counter(name, value, start, dimensions) for name, value in counters.items() if value]
    values = sorted(group.times)
    for first in range(0, len(values), _VALUES_MAX):
        part = values[first : first + _VALUES_MAX]
        datum = _datum("TargetResponseTime", start, dimensions, "Seconds")
        datum |= {"Values": [value / 1e6 for value in part], "Counts": [float(group.times[value]) for value in part]}
        data.append(datum)
    return data


def _counter(name: str, value: float, start: float, dimensions: list[dict[str, str]]) -> dict[str, Any]:
    return {**_datum(name, start, dimensions, "Count"), "Value": float(value)}


def _datum(name: str, start: float, dimensions: list[dict[str, str]], unit: str) -> dict[str, Any]:
    return {"MetricName": name, "Dimensions": dimensions, "Timestamp": start, "Unit": unit}


def sample_metric(
    name: str, samples: list[float], start: float, *, dimensions: list[dict[str, str]], unit: str
) -> dict[str, Any]:
    """Samples of one minute as StatisticValues."""
    statistics = {
        "SampleCount": float(len(samples)),
        "Sum": float(sum(samples)),
        "Minimum": float(min(samples)),
        "Maximum": float(max(samples)),
    }
    return {**_datum(name, start, dimensions, unit), "StatisticValues": statistics}
