"""The alarm calls of CloudWatch.

Corrects moto 5.2.5: PutCompositeAlarm and DescribeAlarmHistory answer 500, SetAlarmState runs no action, DescribeAlarms
returns composite alarms unasked (CloudWatch does so only when AlarmTypes says so) and ignores all but one filter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from moto.cloudwatch.exceptions import InvalidFormat, ResourceNotFound, ValidationError
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult

from sandbox.cloud.alarm_rules import COMPARISONS, STATES, RuleError, composite_children
from sandbox.cloud.alarms import Alarms, plan_of
from sandbox.cloud.metric_queries import QueryError, check_period
from sandbox.cloud.metric_statistics import StatisticError, compute_of

_PAGE = 100
_TYPES = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}


class AlarmApi(CloudWatchResponse):
    """Alarm operations; `alarms` is the account's evaluator."""

    def __init__(self, alarms: Alarms) -> None:
        super().__init__()
        self.alarms = alarms

    def put_metric_alarm(self) -> ActionResult:
        if self.params.get("ComparisonOperator") not in COMPARISONS:
            raise ValidationError(f"ComparisonOperator must be one of {', '.join(COMPARISONS)}")
        return self._put(self._check_metric_alarm)

    def put_composite_alarm(self) -> ActionResult:
        return self._put(self._check_composite_alarm)

    def _put(self, check: Callable[[Any], None]) -> ActionResult:
        stored, name = self.cloudwatch_backend.alarms, self.params["AlarmName"]
        previous = stored.get(name)
        result = super().put_metric_alarm()
        try:
            check(stored[name])
        except (QueryError, StatisticError, RuleError) as error:
            del stored[name]
            stored.update({name: previous} if previous else {})
            raise ValidationError(str(error)) from error
        self.alarms.adopt(stored[name], previous)
        return result

    def _check_metric_alarm(self, alarm: Any) -> None:
        for query in plan_of(alarm).queries:
            if query.series is not None:
                check_period(query.period)
                compute_of(query.statistic)

    def _check_composite_alarm(self, alarm: Any) -> None:
        for name in composite_children(alarm.rule):
            if name not in self.cloudwatch_backend.alarms:
                raise RuleError(f"AlarmRule names the alarm {name}, which does not exist")

    def describe_alarms(self) -> ActionResult:
        wanted = self.params.get("AlarmTypes") or ["MetricAlarm"]
        found = [alarm for alarm in self.cloudwatch_backend.alarms.values() if self._is_wanted_alarm(alarm, wanted)]
        start = int(self.params.get("NextToken") or 0)
        size = int(self.params.get("MaxRecords") or _PAGE)
        page = found[start : start + size]
        result: dict[str, Any] = {shown: [] for shown in _TYPES.values()}
        for alarm in page:
            result[_TYPES[_type_of(alarm)]].append(alarm)
        result["NextToken"] = str(start + size) if len(found) > start + size else None
        return ActionResult(result)

    def _is_wanted_alarm(self, alarm: Any, types: Sequence[str]) -> bool:
        get = self.params.get
        actions = [*alarm.alarm_actions, *alarm.ok_actions, *alarm.insufficient_data_actions]
        return (
            _type_of(alarm) in types
            and (not get("AlarmNames") or alarm.name in get("AlarmNames"))
            and alarm.name.startswith(get("AlarmNamePrefix") or "")
            and get("StateValue") in (None, alarm.state_value)
            and (not get("ActionPrefix") or any(action.startswith(get("ActionPrefix")) for action in actions))
        )

    def describe_alarm_history(self) -> ActionResult:
        kind = self.params.get("HistoryItemType")
        items = [
            item
            for item in self.alarms.history(self.params.get("AlarmName"))
            if kind in (None, item["HistoryItemType"])
        ]
        if self.params.get("ScanBy") == "TimestampAscending":
            items.reverse()
        return ActionResult({"AlarmHistoryItems": items[: int(self.params.get("MaxRecords") or _PAGE)]})

    def set_alarm_state(self) -> ActionResult:
        alarm = self.cloudwatch_backend.alarms.get(self.params["AlarmName"])
        if alarm is None:
            raise ResourceNotFound(f"The alarm {self.params['AlarmName']} does not exist")
        state = self.params["StateValue"]
        if state not in STATES:
            raise ValidationError(f"Value '{state}' at 'stateValue' must be one of {', '.join(STATES)}")
        data = self.params.get("StateReasonData") or "{}"
        try:
            json.loads(data)
        except ValueError as error:
            raise InvalidFormat("StateReasonData must be JSON") from error
        self.alarms.transition(alarm, state, reason=self.params["StateReason"], reason_data=data)
        return EmptyResult()


def _type_of(alarm: Any) -> str:
    return "CompositeAlarm" if alarm.rule is not None else "MetricAlarm"
