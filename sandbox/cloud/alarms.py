"""Alarms that evaluate: moto 5.2.5 stores alarms, calls every new one OK, and never looks at a datapoint.

Periods are virtual. A new alarm is INSUFFICIENT_DATA; a change of state is kept in the history and sent to SNS.
"""

from __future__ import annotations

import json
import logging
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends
from moto.core.exceptions import ServiceException

from sandbox.cloud.alarm_rules import (
    ALARM,
    EXTRA_PERIODS,
    INSUFFICIENT_DATA,
    OK,
    Limits,
    RuleError,
    judge,
    judge_composite,
)
from sandbox.cloud.metric_queries import Query, QueryError, run
from sandbox.cloud.metric_store import MetricStore, series_key
from sandbox.cloud.world import ACCOUNT_ID, REGION, World

log = logging.getLogger(__name__)

HISTORY_MAX = 1_000
Publish = Callable[[str, str, str], None]  # topic ARN, subject, message
History = deque[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one metric alarm is evaluated. `shown` is the id of the query that is compared."""

    queries: Sequence[Query]
    shown: str
    period: int
    limits: Limits


def new_history() -> History:
    """Of an account in which nothing has happened."""
    return deque(maxlen=HISTORY_MAX)


class Alarms:
    """Every alarm of the account with its history; methods are called with the world's lock held."""

    def __init__(self, world: World, store: MetricStore, *, publish: Publish, history: History | None = None) -> None:
        """`history` is the account's so far; what happens is added to it."""
        self._world = world
        self._store = store
        self._publish = publish
        self._history = new_history() if history is None else history
        self._evaluated: dict[str, tuple[object, ...]] = {}

    @property
    def backend(self) -> CloudWatchBackend:
        return cloudwatch_backends[ACCOUNT_ID][REGION]

    def evaluate(self) -> None:
        """Evaluate what could have changed: new visible datapoints, a new period, a changed alarm."""
        alarms = list(self.backend.alarms.values())
        if not alarms:
            return
        now, version = self._world.clock.now(), self._store.version()
        for alarm in (one for one in alarms if one.rule is None):
            plan = self._plan(alarm)
            if plan is None:
                continue
            stamp = (id(alarm), version, math.floor(now / plan.period))
            if self._evaluated.get(alarm.name) != stamp:
                self._evaluated[alarm.name] = stamp
                self._evaluate_metric(alarm, plan, now=now)
        for alarm in (one for one in alarms if one.rule is not None):
            self._evaluate_composite(alarm, {one.name: one.state_value for one in alarms})

    def _plan(self, alarm: Alarm) -> Plan | None:
        """None for an alarm that cannot be evaluated (auto scaling makes some without asking `adopt`)."""
        try:
            return plan_of(alarm)
        except (QueryError, TypeError, ValueError) as error:
            if alarm.name not in self._evaluated:
                self._evaluated[alarm.name] = ()
                log.info("alarm %s is not evaluated: %s", alarm.name, error)
            return None

    def adopt(self, alarm: Alarm, previous: Alarm | None) -> None:
        """Give a put alarm the state of the one it replaces, or INSUFFICIENT_DATA (moto: OK)."""
        if previous is not None:
            alarm.state_value, alarm.state_reason = previous.state_value, previous.state_reason
            alarm.state_updated_timestamp = previous.state_updated_timestamp
        else:
            alarm.state_value = INSUFFICIENT_DATA
            alarm.state_updated_timestamp = self._moment()
        alarm.configuration_updated_timestamp = self._moment()
        verb = "updated" if previous is not None else "created"
        self._remember(alarm, "ConfigurationUpdate", summary=f'Alarm "{alarm.name}" {verb}')

    def transition(self, alarm: Alarm, state: str, *, reason: str, reason_data: str = "{}") -> None:
        """Move an alarm, remember it, and run the actions of the new state."""
        old = alarm.state_value
        alarm.state_value, alarm.state_reason, alarm.state_reason_data = state, reason, reason_data
        alarm.state_updated_timestamp = self._moment()
        if state == old:
            return
        vars(alarm)["state_transitioned_timestamp"] = self._moment()  # moto does not know it, but serializes it
        summary = f"Alarm updated from {old} to {state}"
        self._remember(alarm, "StateUpdate", summary=summary, data={"old": old, "reason": reason})
        actions = {ALARM: alarm.alarm_actions, OK: alarm.ok_actions, INSUFFICIENT_DATA: alarm.insufficient_data_actions}
        if alarm.actions_enabled:
            for action in actions[state] or []:
                self._act(alarm, action, old=old)

    def history(self, name: str | None) -> Sequence[Mapping[str, Any]]:
        """Newest first, of one alarm or of all."""
        return [item for item in reversed(self._history) if name in (None, item["AlarmName"])]

    def _evaluate_metric(self, alarm: Alarm, plan: Plan, *, now: float) -> None:
        opened = math.floor(now / plan.period) * plan.period
        count = plan.limits.periods + EXTRA_PERIODS
        try:
            points = run(self._store, plan.queries, start=opened - count * plan.period, end=opened + plan.period)[
                plan.shown
            ]
        except QueryError as error:
            log.warning("alarm %s cannot be evaluated: %s", alarm.name, error)
            return
        closed: list[float | None] = [points.get(opened - index * plan.period) for index in range(1, count + 1)]
        still_open = points.get(opened)  # an open period counts once it has a datapoint, never as missing
        values = closed if still_open is None else [still_open, *closed[:-1]]
        state = judge(values, plan.limits, current=alarm.state_value)
        if state != alarm.state_value:
            self.transition(alarm, state, reason=_reason(values[: plan.limits.periods], plan.limits))

    def _evaluate_composite(self, alarm: Alarm, states: Mapping[str, str]) -> None:
        try:
            state = ALARM if judge_composite(alarm.rule or "", states) else OK
        except RuleError as error:
            log.warning("composite alarm %s cannot be evaluated: %s", alarm.name, error)
            return
        if state != alarm.state_value:
            self.transition(alarm, state, reason=f"{alarm.rule} is {state == ALARM}")

    def _act(self, alarm: Alarm, action: str, *, old: str) -> None:
        message = {
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.description,
            "AWSAccountId": ACCOUNT_ID,
            "AlarmArn": alarm.alarm_arn,
            "NewStateValue": alarm.state_value,
            "OldStateValue": old,
            "NewStateReason": alarm.state_reason,
            "StateChangeTime": self._moment().isoformat(),
            "Region": REGION,
        }
        try:
            self._publish(action, f'{alarm.state_value}: "{alarm.name}"'[:99], json.dumps(message))
        except ServiceException as error:
            self._remember(alarm, "Action", summary=f"Failed to execute action {action}. Received error: {error}")
        else:
            self._remember(alarm, "Action", summary=f"Successfully executed action {action}")

    def _remember(self, alarm: Alarm, kind: str, *, summary: str, data: Mapping[str, Any] | None = None) -> None:
        self._history.append(
            {
                "AlarmName": alarm.name,
                "AlarmType": "CompositeAlarm" if alarm.rule else "MetricAlarm",
                "Timestamp": self._moment(),
                "HistoryItemType": kind,
                "HistorySummary": summary,
                "HistoryData": json.dumps(data or {}),
            }
        )

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._world.clock.now(), UTC)


def plan_of(alarm: Alarm) -> Plan:
    """How to evaluate a metric alarm as moto stores it. Raises QueryError for what cannot be evaluated."""
    queries = [_query_of(one) for one in alarm.metric_data_queries] or [
        Query(
            id="m",
            label=alarm.metric_name,
            period=int(alarm.period),
            series=_series_of(alarm.namespace, alarm.metric_name, dimensions=alarm.dimensions),
            statistic=alarm.statistic or alarm.extended_statistic or "",
        )
    ]
    shown = [query for query in queries if query.return_data]
    if len(shown) != 1:
        raise QueryError("Exactly one element of the metrics list should return data")
    periods = int(alarm.evaluation_periods)
    limits = Limits(
        comparison=alarm.comparison_operator,
        threshold=float(alarm.threshold),
        periods=periods,
        needed=int(alarm.datapoints_to_alarm or periods),
        missing=alarm.treat_missing_data or "missing",
    )
    period = max((query.period for query in queries if query.series is not None), default=60)
    return Plan(queries=queries, shown=shown[0].id, period=period, limits=limits)


def _query_of(query: Any) -> Query:
    shown = query.return_data not in (False, "false")
    if query.metric_stat is None:
        return Query(
            id=query.id, label=query.id, return_data=shown, expression=query.expression, period=int(query.period or 0)
        )
    metric = query.metric_stat.metric
    return Query(
        id=query.id,
        label=query.id,
        return_data=shown,
        period=int(query.metric_stat.period),
        series=_series_of(metric.namespace, metric.metric_name, dimensions=metric.dimensions),
        statistic=query.metric_stat.stat,
    )


def _series_of(namespace: str, name: str, *, dimensions: Sequence[Any]) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return series_key(namespace, name, dimensions=[{"Name": one.name, "Value": one.value} for one in dimensions])


def _reason(values: Sequence[float | None], limits: Limits) -> str:
    shown = ["-" if value is None else f"{value:g}" for value in values]
    breaching = sum(1 for value in values if value is not None and limits.is_breached_by(value))
    return (
        f"Threshold Crossed: {breaching} of the last {limits.periods} datapoints [{', '.join(shown)}] (newest first, "
        f"- is missing and treated as {limits.missing}) were {limits.comparison} {limits.threshold:g}; "
        f"{limits.needed} are needed"
    )
