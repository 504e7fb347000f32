"""CloudWatch metrics API over the metric store.

Corrects moto 5.2.5: percentiles answer 500, metric math answers an empty "Complete" result, buckets are not aligned,
no limit of queries, no paging, no StatusCode but Complete, metrics in the AWS/ namespaces accepted from anybody.
"""

from __future__ import annotations

import itertools
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterCombination, InvalidParameterValue, ValidationError
from moto.core.responses import ActionResult, EmptyResult

from sandbox.cloud.alarm_api import AlarmApi
from sandbox.cloud.alarms import Alarms
from sandbox.cloud.metric_queries import Query, QueryError, check_period, parse, run
from sandbox.cloud.metric_statistics import StatisticError
from sandbox.cloud.metric_store import MetricStore, Points, series_key
from sandbox.cloud.world import World

QUERIES_MAX = 500
DATAPOINTS_PER_CALL_MAX = 100_800
STATISTICS_DATAPOINTS_MAX = 1_440
LIST_PAGE = 500
_TOKENS_MAX = 100
_PAST_SECONDS = 14 * 24 * 3600.0
_FUTURE_SECONDS = 2 * 3600.0

Result = dict[str, Any]


class Metrics:
    """What the metric calls share: the store, alarms, and the pages that callers have not fetched yet."""

    def __init__(self, world: World, store: MetricStore, *, alarms: Alarms) -> None:
        self.world = world
        self.store = store
        self.alarms = alarms
        self._pages: OrderedDict[str, list[Any]] = OrderedDict()

    def keep(self, rest: list[Any]) -> str | None:
        """A token for the rows still to be fetched, None if there are none."""
        if not rest:
            return None
        token = uuid.uuid4().hex
        self._pages[token] = rest
        while len(self._pages) > _TOKENS_MAX:
            self._pages.popitem(last=False)
        return token

    def fetch(self, token: str) -> list[Any]:
        """The rows kept under a token, once."""
        if token not in self._pages:
            raise InvalidParameterValue("Request parameter NextToken is invalid")
        return self._pages.pop(token)


class CloudWatchApi(AlarmApi):
    """The API handler; one instance per call."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(metrics.alarms)
        self._metrics = metrics

    def put_metric_data(self) -> ActionResult:
        namespace, rows = self.params["Namespace"], _plain(self.params.get("MetricData", []))
        if namespace.startswith("AWS/"):
            raise InvalidParameterValue(f"The value {namespace} for parameter Namespace is invalid: AWS/ is reserved")
        for number, row in enumerate(rows, 1):
            self.cloudwatch_backend._validate_parameters_put_metric_data(row, number)
            self._check_timestamp(row.get("Timestamp"), number)
        stamped = [{**row, "Timestamp": _seconds(row["Timestamp"])} if row.get("Timestamp") else row for row in rows]
        self._metrics.store.put(namespace, stamped, delayed=False)
        return EmptyResult()

    def get_metric_data(self) -> ActionResult:
        if token := self.params.get("NextToken"):
            return self._page(self._metrics.fetch(token))
        queries = _plain(self.params.get("MetricDataQueries", []))
        if len(queries) > QUERIES_MAX:
            raise ValidationError(f"The collection MetricDataQueries must not have a size greater than {QUERIES_MAX}.")
        start, end = self._window()
        try:
            parsed = parse(queries)
            points = run(self._metrics.store, parsed, start=start, end=end)
        except QueryError as error:
            raise ValidationError(str(error)) from error
        newest_first = self.params.get("ScanBy") != "TimestampAscending"
        rows = [self._row(query, points[query.id], newest_first=newest_first) for query in parsed if query.return_data]
        return self._page(rows)

    def _row(self, query: Query, points: Points, *, newest_first: bool) -> Result:
        times = sorted(points, reverse=newest_first)
        partial = self._metrics.world.faults.get("cloud", "cloudwatch") == "partial"
        if partial and times:
            times.remove(max(times))  # what a partial answer typically lacks: the newest datapoint
        return {
            "Id": query.id,
            "Label": query.label,
            "Timestamps": [_moment(time) for time in times],
            "Values": [points[time] for time in times],
            "StatusCode": "PartialData" if partial else "Complete",
        }

    def _page(self, rows: list[Result]) -> ActionResult:
        """As many datapoints as MaxDatapoints allows; a result cut in two says PartialData until its last page."""
        limit = int(self.params.get("MaxDatapoints") or DATAPOINTS_PER_CALL_MAX)
        shown: list[Result] = []
        room = min(limit, DATAPOINTS_PER_CALL_MAX)
        for index, row in enumerate(rows):
            if len(row["Values"]) > room:
                cut, rest = _split(row, room)
                shown.extend([cut] if room else [])
                return self._answer(shown, [rest, *rows[index + 1 :]])
            shown.append(row)
            room -= len(row["Values"])
        return self._answer(shown, [])

    def _answer(self, shown: list[Result], rest: list[Result]) -> ActionResult:
        return ActionResult({"MetricDataResults": shown, "NextToken": self._metrics.keep(rest)})

    def get_metric_statistics(self) -> ActionResult:
        simple, extended = self.params.get("Statistics", []), self.params.get("ExtendedStatistics", [])
        if not simple and not extended:
            raise InvalidParameterCombination("Must specify either Statistics or ExtendedStatistics")
        start, end = self._window()
        period = int(self.params["Period"])
        if (end - start) / period > STATISTICS_DATAPOINTS_MAX:
            raise InvalidParameterCombination(f"More than {STATISTICS_DATAPOINTS_MAX} datapoints requested")
        dimensions = _plain(self.params.get("Dimensions", []))
        key = series_key(self.params["Namespace"], self.params["MetricName"], dimensions=dimensions)
        rows: dict[float, Result] = {}
        try:
            check_period(period)
            for name in itertools.chain(simple, extended):
                points = self._metrics.store.query(key, start=start, end=end, period=period, statistic=name)
                for time, value in points.items():
                    row = rows.setdefault(time, {"Timestamp": _moment(time)})
                    (row.setdefault("ExtendedStatistics", {}) if name in extended else row)[name] = value
        except (QueryError, StatisticError) as error:
            raise InvalidParameterValue(str(error)) from error
        unit = self._metrics.store.unit(key) or "None"
        datapoints = [{**rows[time], "Unit": unit} for time in sorted(rows)]
        return ActionResult({"Label": self.params["MetricName"], "Datapoints": datapoints})

    def list_metrics(self) -> ActionResult:
        if token := self.params.get("NextToken"):
            rows = self._metrics.fetch(token)
        else:
            rows = [_metric(key) for key in self._metrics.store.series() if self._is_wanted_metric(key)]
        rest = rows[LIST_PAGE:]
        return ActionResult({"Metrics": rows[:LIST_PAGE], "NextToken": self._metrics.keep(rest)})

    def _is_wanted_metric(self, key: tuple[str, str, Sequence[tuple[str, str]]]) -> bool:
        namespace, name, dimensions = key
        if self.params.get("Namespace") not in (None, namespace) or self.params.get("MetricName") not in (None, name):
            return False
        present = dict(dimensions)
        wanted = _plain(self.params.get("Dimensions", []))
        return all(one["Name"] in present and one.get("Value") in (None, present[one["Name"]]) for one in wanted)

    def _window(self) -> tuple[float, float]:
        start, end = _seconds(self.params["StartTime"]), _seconds(self.params["EndTime"])
        if start >= end:
            raise ValidationError("The parameter StartTime must be less than the parameter EndTime.")
        return start, end

    def _check_timestamp(self, given: Any, number: int) -> None:
        """CloudWatch takes datapoints from two weeks ago to two hours ahead, here of virtual time."""
        if given is None:
            return
        age = self._metrics.world.clock.now() - _seconds(given)
        if not -_FUTURE_SECONDS <= age <= _PAST_SECONDS:
            raise InvalidParameterValue(
                f"The parameter MetricData.member.{number}.Timestamp must specify a time no more than two weeks in the "
                "past and two hours in the future (of the sandbox's virtual clock)"
            )


def _split(row: Result, size: int) -> tuple[Result, Result]:
    first = {**row, "Timestamps": row["Timestamps"][:size], "Values": row["Values"][:size], "StatusCode": "PartialData"}
    rest = {**row, "Timestamps": row["Timestamps"][size:], "Values": row["Values"][size:]}
    return first, rest


def _metric(key: tuple[str, str, Sequence[tuple[str, str]]]) -> Mapping[str, Any]:
    namespace, name, dimensions = key
    named = [{"Name": one, "Value": value} for one, value in dimensions]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": named}


def _plain(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows]


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)


def _seconds(moment: Any) -> float:
    """Epoch seconds of a parsed timestamp; moto parses them without a zone, in UTC."""
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(moment)
