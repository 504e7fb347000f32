"""CloudWatch alarms against the rollback triggers: is there one that is at least as strict, and on the right thing?

An alarm counts for a subject (a target group, a service) when its metrics are about it and it measures what the trigger
measures; then each point in which it is laxer is named. AWS: PutMetricAlarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from policies.rule import Judged, deferred, fails, holds, number
from policies.tree import Resource, Tree
from policies.values import Unknown, Value, references

MINUTE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A rollback trigger as an alarm: its metrics, its limit, for how many minutes, and the statistic it needs."""

    says: str
    metrics: tuple[str, ...]
    limit: float
    minutes: int
    percent: bool = False
    statistics: tuple[str, ...] = ()


def mirrored(tree: Tree, subject: Resource, trigger: Trigger) -> Judged:
    """PASS when an alarm on the subject is at least as strict as the trigger; FAIL names what the nearest one lacks."""
    about = [alarm for alarm in tree.of("aws_cloudwatch_metric_alarm") if _is_about(alarm, subject)]
    fitting = [alarm for alarm in about if measures(alarm, trigger)]
    if not fitting:
        return fails(subject, f"no alarm on it watches: {trigger.says}")
    answers = [list(_laxities(alarm, trigger)) for alarm in fitting]
    nearest = min(answers, key=lambda points: len([point for point in points if isinstance(point, str)]))
    lax = [point for point in nearest if isinstance(point, str)]
    unknown = [point for point in nearest if isinstance(point, Unknown)]
    if lax:
        return fails(subject, f"its alarm for {trigger.says}: {', '.join(lax)}")
    return deferred(subject, unknown, "how strict its alarm is") if unknown else holds(subject)


def _is_about(alarm: Resource, subject: Resource) -> bool:
    """A dimension of the alarm, or of one of its queries, names the subject."""
    for dimensions in (*alarm.all("dimensions"), *alarm.all("metric_query.metric.dimensions")):
        if subject.address in references(dimensions):
            return True
        values = dimensions.values() if isinstance(dimensions, dict) else ()
        own = {subject.values.get(key) for key in ("name", "arn_suffix")} - {None}
        if any(value in own for value in values if isinstance(value, str)):
            return True
    return False


def measures(alarm: Resource, trigger: Trigger) -> bool:
    """The alarm reads every metric of the trigger, with the statistic that it needs."""
    read = {str(name) for name in (*alarm.all("metric_name"), *alarm.all("metric_query.metric.metric_name"))}
    if not read.issuperset(trigger.metrics):
        return False
    used = {str(s) for key in ("extended_statistic", "statistic", "metric_query.metric.stat") for s in alarm.all(key)}
    return not trigger.statistics or bool(used & set(trigger.statistics))


def _laxities(alarm: Resource, trigger: Trigger) -> Iterator[str | Unknown]:
    """Each point in which an alarm is laxer than the trigger; an Unknown for a point that is not known."""
    limit = trigger.limit
    if trigger.percent and not any("100" in str(text) for text in alarm.all("metric_query.expression")):
        limit /= 100 if alarm.all("metric_query.expression") else 1
    yield from _laxity(alarm, "threshold", lambda n: n <= limit, f"the threshold is over {limit:g}")
    periods = alarm.one("evaluation_periods")
    yield from _laxity(
        alarm, "evaluation_periods", lambda n: n <= trigger.minutes, f"it waits for more than {trigger.minutes} periods"
    )
    for period in (*alarm.all("period"), *alarm.all("metric_query.metric.period"), *alarm.all("metric_query.period")):
        if isinstance(period, Unknown):
            yield period
        elif number(period) != MINUTE_SECONDS:
            yield f"a period is {period} s, not {MINUTE_SECONDS}"
    wanted = alarm.one("datapoints_to_alarm")
    if wanted is not None and wanted != periods:
        yield wanted if isinstance(wanted, Unknown) else f"it needs {wanted} of {periods} datapoints, not every one"
    yield from _armed(alarm)


def _laxity(alarm: Resource, path: str, test: Callable[[float], bool], why: str) -> Iterator[str | Unknown]:
    value: Value = alarm.one(path)
    if isinstance(value, Unknown):
        yield value
    elif (read := number(value)) is None or not test(read):
        yield why


def _armed(alarm: Resource) -> Iterator[str | Unknown]:
    """It compares upwards, acts, and never takes missing data for good data."""
    comparison, missing = alarm.one("comparison_operator"), alarm.one("treat_missing_data")
    if isinstance(comparison, Unknown):
        yield comparison
    elif comparison not in ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold"):
        yield f"it compares by {comparison}"
    if isinstance(missing, Unknown):
        yield missing
    elif missing == "notBreaching":
        yield "missing data counts as good"
    if alarm.one("actions_enabled") is False:
        yield "its actions are off"
    if not alarm.all("alarm_actions"):
        yield "it tells nobody"
