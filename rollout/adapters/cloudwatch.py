"""Metrics by GetMetricData. Satisfies `ports.MetricSource`.

Trusted are only answers that say Complete, with points at the starts of the periods that were asked for. Source:
CloudWatch API reference, GetMetricData: at most 500 queries a call, StatusCode per result (PartialData also while a
NextToken leads to more of it), StartTime rounded down to the minute, EndTime exclusive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from rollout.adapters.clients import Clients, asking
from rollout.adapters.metric_queries import (
    Answer,
    Catalogue,
    Namespaces,
    Series,
    balancer_minutes,
    side_minutes,
)
from rollout.errors import SourceError
from rollout.model import MINUTE_SECONDS
from rollout.seen import BalancerMinute, MetricQuery, Metrics
from rollout.target import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import GetMetricDataInputTypeDef, MetricDataQueryTypeDef

QUERIES_MAX = 500
_PAGES_MAX = 100
# The level before a rollout does not change any more once CloudWatch had this long to complete it.
_BEFORE_SETTLED_SECONDS = 900.0

_Window = tuple[float, float]  # starts of the first and the last minute


@dataclass
class _Collected:
    """What came so far of one call: points, and each series' last status."""

    points: dict[str, dict[float, float]]
    status: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


class CloudWatchMetrics:
    """Minutes of the two sides and of the load balancer of `target`."""

    def __init__(self, clients: Clients, target: Target, *, namespaces: Namespaces | None = None) -> None:
        self._clients = clients
        self._catalogue = Catalogue(target=target, namespaces=namespaces or Namespaces())
        self._before: dict[_Window, tuple[BalancerMinute, ...]] = {}

    def read(self, query: MetricQuery) -> Metrics:
        """The asked minutes; `Metrics.error` says what was missing, and what could be told is told nevertheless.

        Raises SourceError only if the minutes themselves could not be asked for."""
        names, window = self._catalogue, (query.first, query.last)
        series = names.side(query.candidate, query.slow_milliseconds) + names.side(
            query.stable, query.slow_milliseconds
        )
        minutes = self._ask(series + names.balancer(), window)
        before, before_error = self._level_before(query)
        bake, bake_error = self._bake(query)
        errors = [text for text in (minutes.error, before_error, bake_error) if text]
        starts = _starts(window)
        return Metrics(
            candidate=side_minutes(minutes, starts, slot=query.candidate),
            stable=side_minutes(minutes, starts, slot=query.stable),
            balancer=balancer_minutes(minutes, starts),
            before=before,
            bake_p95_milliseconds=bake[0],
            bake_samples=bake[1],
            error="; ".join(errors) or None,
        )

    def _level_before(self, query: MetricQuery) -> tuple[tuple[BalancerMinute, ...], str | None]:
        if query.before_first is None or query.before_last is None:
            return (), None
        window = (query.before_first, query.before_last)
        if window in self._before:
            return self._before[window], None
        try:
            answer = self._ask(self._catalogue.balancer(), window)
        except SourceError as error:
            return (), str(error)
        minutes = balancer_minutes(answer, _starts(window))
        if answer.error is None and query.last - query.before_last >= _BEFORE_SETTLED_SECONDS:
            self._before = {window: minutes}
        return minutes, answer.error

    def _bake(self, query: MetricQuery) -> tuple[tuple[float | None, int], str | None]:
        """p95 (ms) and number of samples over the whole bake, asked as one period: the p95 of p95s is no p95."""
        if query.bake_first is None or query.bake_last is None:
            return (None, 0), None
        window = (query.bake_first, query.bake_last)
        seconds = round(query.bake_last - query.bake_first) + MINUTE_SECONDS
        try:
            answer = self._ask(self._catalogue.window(query.candidate, seconds), window)
        except SourceError as error:
            return (None, 0), str(error)
        p95 = answer.points[f"{query.candidate}_window_p95"].get(query.bake_first)
        samples = answer.points[f"{query.candidate}_window_samples"].get(query.bake_first)
        if answer.error is not None:
            return (None, 0), answer.error
        return (None if p95 is None else p95 * 1000, round(samples or 0)), None

    # ------------------------------------------------------------------------------------------- calls

    def _ask(self, series: Sequence[Series], window: _Window) -> Answer:
        """Every page of every batch, checked."""
        collected = _Collected(points={one.id: {} for one in series})
        for index in range(0, len(series), QUERIES_MAX):
            self._ask_batch(series[index : index + QUERIES_MAX], window, into=collected)
        for one in series:
            collected.faults += _misplaced(collected.points[one.id], one, window=window)
        incomplete = [one.id for one in series if collected.status.get(one.id) != "Complete"]
        faults = [f"{name} {collected.status.get(name, 'not answered')}" for name in incomplete] + collected.faults
        return Answer(
            points=collected.points,
            incomplete=frozenset(incomplete),
            error=_sentence(faults) if faults else None,
        )

    def _ask_batch(self, series: Sequence[Series], window: _Window, *, into: _Collected) -> None:
        request: GetMetricDataInputTypeDef = {
            "MetricDataQueries": [_query(one) for one in series],
            "StartTime": datetime.fromtimestamp(window[0], UTC),
            "EndTime": datetime.fromtimestamp(window[1] + MINUTE_SECONDS, UTC),
            "ScanBy": "TimestampAscending",
        }
        for _ in range(_PAGES_MAX):
            with asking("cloudwatch"):
                answer = self._clients.cloudwatch.get_metric_data(**request)
            for result in answer["MetricDataResults"]:
                _collect(into, cast("Mapping[str, object]", result))
            into.faults += [f"{one.get('Code')}: {one.get('Value')}" for one in answer.get("Messages", [])]
            if not answer.get("NextToken"):
                return
            request["NextToken"] = answer["NextToken"]
        raise SourceError(f"cloudwatch GetMetricData did not end after {_PAGES_MAX} pages", hint="Ask for less time.")


def _starts(window: _Window) -> list[float]:
    count = round((window[1] - window[0]) / MINUTE_SECONDS) + 1
    return [window[0] + index * MINUTE_SECONDS for index in range(max(count, 0))]


def _query(series: Series) -> MetricDataQueryTypeDef:
    return {
        "Id": series.id,
        "ReturnData": True,
        "MetricStat": {
            "Metric": {
                "Namespace": series.namespace,
                "MetricName": series.metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
            },
            "Period": series.period_seconds,
            "Stat": series.statistic,
        },
    }


def _collect(collected: _Collected, result: Mapping[str, object]) -> None:
    name = str(result.get("Id"))
    times = cast("Sequence[datetime]", result.get("Timestamps", []))
    values = cast("Sequence[float]", result.get("Values", []))
    if name not in collected.points or len(times) != len(values):
        collected.faults.append(f"{name}: an answer to no question of ours, or times without values")
        return
    collected.points[name].update({time.timestamp(): value for time, value in zip(times, values, strict=True)})
    collected.status[name] = str(result.get("StatusCode", "Complete"))


def _misplaced(points: dict[float, float], series: Series, *, window: _Window) -> list[str]:
    """Points outside of the window or between two periods: dropped, and told. A whole-window period has one point."""
    allowed = {window[0] + step for step in range(0, round(window[1] - window[0]) + 1, series.period_seconds)}
    strange = [time for time in points if time not in allowed]
    for time in strange:
        del points[time]
    return [f"{series.id} has a point at {strange[0]:.0f}, asked from {window[0]:.0f} on"] if strange else []


def _sentence(faults: Sequence[str]) -> str:
    shown = ", ".join(faults[:3]) + (f" and {len(faults) - 3} more" if len(faults) > 3 else "")
    return f"CloudWatch did not answer completely: {shown}"
