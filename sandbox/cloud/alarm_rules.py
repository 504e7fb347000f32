"""Alarm rules as pure functions: M of N with missing data, and the expressions of composite alarms.

Sources: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data" (its tables are the tests here)
and PutCompositeAlarm's AlarmRule grammar.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
STATES = (OK, ALARM, INSUFFICIENT_DATA)
# CloudWatch looks at more periods than it evaluates, so late datapoints count; its examples show two more.
EXTRA_PERIODS = 2

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class RuleError(ValueError):
    """A composite alarm's rule that cannot be parsed or names no known alarm."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """An alarm's condition: `needed` of `periods` datapoints must compare true with `threshold`."""

    comparison: str
    threshold: float
    periods: int
    needed: int
    missing: str  # breaching, notBreaching, ignore or missing

    def is_breached_by(self, value: float) -> bool:
        return COMPARISONS[self.comparison](value, self.threshold)


def judge(values: Sequence[float | None], limits: Limits, *, current: str) -> str:
    """The state that an evaluation range (newest first, None = no datapoint) puts an alarm into.

    With enough real datapoints in the range the missing ones do not count at all, whatever the setting.
    """
    real = [value for value in values if value is not None][: limits.periods]
    breaching = sum(1 for value in real if limits.is_breached_by(value))
    absent = limits.periods - len(real)
    if breaching >= limits.needed:
        return ALARM
    if absent == 0 or limits.missing == "notBreaching":
        return OK
    if limits.missing == "breaching":
        return ALARM if breaching + absent >= limits.needed else OK
    if breaching < len(real):
        return OK
    if limits.missing == "ignore":
        return current
    return ALARM if real else INSUFFICIENT_DATA


_TOKEN = re.compile(
    r"\s*(?:(?P<call>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*\"?(?P<name>[^\")]+?)\"?\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<paren>[()]))"
)


def judge_composite(rule: str, states: Mapping[str, str]) -> bool:
    """Whether a composite alarm's rule holds; `states` by alarm name. Raises RuleError."""
    return _Parser(_tokens(rule), states).whole()


def composite_children(rule: str) -> Sequence[str]:
    """The alarm names a rule mentions. Raises RuleError."""
    return [token[1] for token in _tokens(rule) if token[1]]


def _tokens(rule: str) -> list[tuple[str, str]]:
    found, position = [], 0
    text = rule.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise RuleError(f"cannot parse the alarm rule at {text[position : position + 20]!r}")
        name = (match["name"] or "").split(":alarm:")[-1]
        found.append((match["call"] or match["word"] or match["paren"], name))
        position = match.end()
    return found


class _Parser:
    """OR binds weaker than AND, AND weaker than NOT."""

    def __init__(self, tokens: list[tuple[str, str]], states: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._states = states

    def whole(self) -> bool:
        result = self._either()
        if self._tokens:
            raise RuleError(f"the alarm rule goes on unexpectedly at {self._tokens[0][0]!r}")
        return result

    def _next_is(self, kind: str) -> bool:
        return bool(self._tokens) and self._tokens[0][0] == kind

    def _either(self) -> bool:
        result = self._both()
        while self._next_is("OR"):
            self._tokens.pop(0)
            result = self._both() or result
        return result

    def _both(self) -> bool:
        result = self._one()
        while self._next_is("AND"):
            self._tokens.pop(0)
            result = self._one() and result
        return result

    def _one(self) -> bool:
        if not self._tokens:
            raise RuleError("the alarm rule ends too early")
        kind, name = self._tokens.pop(0)
        if kind == "NOT":
            return not self._one()
        if kind in ("TRUE", "FALSE"):
            return kind == "TRUE"
        if kind == "(":
            result = self._either()
            if not self._next_is(")"):
                raise RuleError("the alarm rule misses a closing parenthesis")
            self._tokens.pop(0)
            return result
        if kind in STATES:
            return self._state_of(name) == kind
        raise RuleError(f"unexpected {kind!r} in the alarm rule")

    def _state_of(self, name: str) -> str:
        if name not in self._states:
            raise RuleError(f"the alarm rule names {name!r}, which does not exist")
        return self._states[name]
