"""GetMetricData's queries: statistics first, then expressions in the order of what they use."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.metric_math import MathError, evaluate, referenced_ids
from sandbox.cloud.metric_statistics import StatisticError
from sandbox.cloud.metric_store import MetricStore, Points, SeriesKey, aligned, series_key

SHORT_PERIODS_SECONDS = (1, 5, 10, 20, 30)
DEFAULT_PERIOD_SECONDS = 60


class QueryError(ValueError):
    """A query that CloudWatch refuses with ValidationError."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """One MetricDataQuery. Either `series` with `statistic`, or `expression`; `period` in virtual seconds."""

    id: str
    label: str
    return_data: bool = True
    period: int = DEFAULT_PERIOD_SECONDS
    series: SeriesKey | None = None
    statistic: str = ""
    expression: str = ""


def parse(queries: Sequence[Mapping[str, Any]]) -> Sequence[Query]:
    """The API's MetricDataQueries. Raises QueryError."""
    parsed = [_parse_one(query, number) for number, query in enumerate(queries, 1)]
    if len({query.id for query in parsed}) != len(parsed):
        raise QueryError("The values for parameter id in MetricDataQueries are not unique")
    return parsed


def _parse_one(query: Mapping[str, Any], number: int) -> Query:
    shown = query.get("ReturnData", True) not in (False, "false")
    stat = query.get("MetricStat")
    if stat:
        metric = stat["Metric"]
        period = int(stat["Period"])
        check_period(period)
        return Query(
            id=query["Id"],
            label=query.get("Label") or metric["MetricName"],
            return_data=shown,
            period=period,
            series=series_key(metric["Namespace"], metric["MetricName"], dimensions=metric.get("Dimensions")),
            statistic=stat["Stat"],
        )
    if not query.get("Expression"):
        raise QueryError(f"The parameter MetricDataQueries.member.{number}.MetricStat is required.")
    return Query(
        id=query["Id"],
        label=query.get("Label") or query["Id"],
        return_data=shown,
        period=int(query.get("Period") or 0),
        expression=query["Expression"],
    )


def check_period(period: int) -> None:
    """CloudWatch takes 1, 5, 10, 20, 30 or a multiple of 60 seconds. Raises QueryError."""
    if period not in SHORT_PERIODS_SECONDS and (period <= 0 or period % 60):
        raise QueryError(f"Period {period} is not valid: use 1, 5, 10, 20, 30 or a multiple of 60")


def run(store: MetricStore, queries: Sequence[Query], *, start: float, end: float) -> Mapping[str, Points]:
    """Every query's points by id, hidden ones too. Raises QueryError for what CloudWatch refuses."""
    results: dict[str, Points] = {}
    try:
        for query in queries:
            if query.series is not None:
                results[query.id] = store.query(
                    query.series, start=start, end=end, period=query.period, statistic=query.statistic
                )
        _run_expressions(queries, results, start=start, end=end)
    except (StatisticError, MathError) as error:
        raise QueryError(str(error)) from error
    return results


def _run_expressions(queries: Sequence[Query], results: dict[str, Points], *, start: float, end: float) -> None:
    periods = {query.id: query.period for query in queries if query.series is not None}
    fallback = max(periods.values(), default=DEFAULT_PERIOD_SECONDS)
    waiting = [query for query in queries if query.expression]
    while waiting:
        ready = [query for query in waiting if _uses(query) <= set(results)]
        if not ready:
            raise QueryError(f"Invalid expression {waiting[0].expression!r}: it uses an unknown id or itself")
        for query in ready:
            used = [periods[name] for name in _uses(query) if name in periods]
            period = query.period or max(used, default=fallback)
            periods[query.id] = period
            results[query.id] = evaluate(query.expression, dict(results), grid=grid(start, end, period=period))
        waiting = [query for query in waiting if query not in ready]


def _uses(query: Query) -> frozenset[str]:
    return referenced_ids(query.expression)


def grid(start: float, end: float, *, period: int) -> Sequence[float]:
    """Every period start of [start, end)."""
    origin = aligned(start, period)
    return [origin + index * period for index in range(max(0, math.ceil((end - origin) / period)))]
