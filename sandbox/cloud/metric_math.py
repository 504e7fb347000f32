"""CloudWatch metric math: a whitelisted subset, interpreted, never executed.

moto 5.2.5 evaluates only a bare id and answers every other expression with an empty, "Complete" result: a guard built
on one would see no data. Here: + - * / % ^, comparisons, AND, OR, IF, FILL, SUM, AVG, MIN, MAX, ABS, CEIL, FLOOR,
METRICS. A datapoint missing on one side of an operator, or a division by zero, gives no datapoint.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence

from sandbox.cloud.metric_store import Points

Value = float | Points | list[Points]
_ID = re.compile(r"^[a-z][A-Za-z0-9_]*$")


class MathError(ValueError):
    """An expression outside the supported subset, or one that names an unknown id."""


def referenced_ids(expression: str) -> frozenset[str]:
    """The query ids an expression uses. Raises MathError if it cannot be parsed."""
    names = {node.id for node in ast.walk(_parse(expression)) if isinstance(node, ast.Name)}
    return frozenset(name for name in names if _ID.match(name))


def evaluate(expression: str, series: Mapping[str, Points], *, grid: Sequence[float]) -> Points:
    """The expression's value per period start. `grid` lists every period of the query, for FILL and constants."""
    result = _Interpreter(series, grid).value(_parse(expression))
    if isinstance(result, list):
        raise MathError(f"{expression} is a list of metrics; wrap it in SUM, AVG, MIN or MAX")
    return result if isinstance(result, dict) else dict.fromkeys(grid, result)


def _parse(expression: str) -> ast.expr:
    text = re.sub(r"\bAND\b|&&", " and ", re.sub(r"\bOR\b|\|\|", " or ", expression)).replace("^", "**")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise MathError(f"cannot parse the expression {expression!r}: {error.msg}") from error


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _modulo(left: float, right: float) -> float | None:
    return math.fmod(left, right) if right else None


_BINARY: dict[type[ast.operator], Callable[[float, float], float | None]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: _divide,
    ast.Mod: _modulo,
    ast.Pow: lambda left, right: float(left**right),
}
_COMPARE: dict[type[ast.cmpop], Callable[[float, float], float | None]] = {
    ast.Gt: lambda left, right: float(left > right),
    ast.GtE: lambda left, right: float(left >= right),
    ast.Lt: lambda left, right: float(left < right),
    ast.LtE: lambda left, right: float(left <= right),
    ast.Eq: lambda left, right: float(left == right),
    ast.NotEq: lambda left, right: float(left != right),
}
_SINGLE: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": lambda value: float(math.ceil(value)),
    "FLOOR": lambda value: float(math.floor(value)),
}
_AGGREGATE: dict[str, Callable[[Sequence[float]], float]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": lambda values: sum(values) / len(values),
}


class _Interpreter:
    def __init__(self, series: Mapping[str, Points], grid: Sequence[float]) -> None:
        self._series = series
        self._grid = grid

    def value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.Name):
            return self._metric(node.id)
        if isinstance(node, ast.List):
            return [self._series_of(element) for element in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return _map(self._plain(node.operand), lambda value: -value)
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            return _join(self._plain(node.left), self._plain(node.right), function=_BINARY[type(node.op)])
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARE:
            return _join(self._plain(node.left), self._plain(node.comparators[0]), function=_COMPARE[type(node.ops[0])])
        if isinstance(node, ast.BoolOp):
            return self._boolean(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node.func.id, node.args)
        raise MathError(f"unsupported in metric math: {ast.unparse(node)}")

    def _metric(self, name: str) -> Points:
        if name not in self._series:
            raise MathError(f"the expression uses the id {name}, which is not among the queries")
        return self._series[name]

    def _plain(self, node: ast.expr) -> float | Points:
        value = self.value(node)
        if isinstance(value, list):
            raise MathError("a list of metrics is only allowed inside SUM, AVG, MIN and MAX")
        return value

    def _series_of(self, node: ast.expr) -> Points:
        value = self._plain(node)
        return value if isinstance(value, dict) else dict.fromkeys(self._grid, value)

    def _boolean(self, node: ast.BoolOp) -> float | Points:
        combine: Callable[[float, float], float | None] = (
            (lambda left, right: float(bool(left) and bool(right)))
            if isinstance(node.op, ast.And)
            else (lambda left, right: float(bool(left) or bool(right)))
        )
        result = self._plain(node.values[0])
        for other in node.values[1:]:
            result = _join(result, self._plain(other), function=combine)
        return _map(result, lambda value: float(bool(value)))

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> Value:
        if name == "METRICS":
            return [points for key, points in self._series.items() if _selected(key, arguments)]
        if name == "IF" and len(arguments) in (2, 3):
            return self._if(arguments)
        if name == "FILL" and len(arguments) == 2:
            return self._fill(arguments)
        if name in _SINGLE and len(arguments) == 1:
            return _map(self._plain(arguments[0]), _SINGLE[name])
        if name in _AGGREGATE and len(arguments) == 1:
            return self._aggregate(_AGGREGATE[name], self.value(arguments[0]))
        raise MathError(f"metric math function {name} with {len(arguments)} arguments is not supported")

    def _aggregate(self, combine: Callable[[Sequence[float]], float], value: Value) -> float | Points:
        """Of a list: per period; of one series: a single number over all its periods, as CloudWatch does."""
        if isinstance(value, float):
            return value
        if isinstance(value, dict):
            return combine(list(value.values())) if value else {}
        present = {time: [one[time] for one in value if time in one] for time in self._grid}
        return {time: float(combine(values)) for time, values in present.items() if values}

    def _if(self, arguments: Sequence[ast.expr]) -> Points:
        condition, then = self._series_of(arguments[0]), self._series_of(arguments[1])
        otherwise = self._series_of(arguments[2]) if len(arguments) == 3 else {}
        chosen = ((time, then if truth else otherwise) for time, truth in condition.items())
        return {time: branch[time] for time, branch in chosen if time in branch}

    def _fill(self, arguments: Sequence[ast.expr]) -> Points:
        points = self._series_of(arguments[0])
        filler = arguments[1]
        if not (isinstance(filler, ast.Name) and filler.id == "REPEAT"):
            other = self._series_of(filler)
            return {
                time: points[time] if time in points else other[time]
                for time in self._grid
                if time in points or time in other
            }
        filled: Points = {}
        last: float | None = None
        for time in self._grid:
            last = points.get(time, last)
            if last is not None:
                filled[time] = last
        return filled


def _selected(key: str, arguments: Sequence[ast.expr]) -> bool:
    if not arguments:
        return True
    part = arguments[0]
    return isinstance(part, ast.Constant) and str(part.value) in key


def _map(value: float | Points, function: Callable[[float], float]) -> float | Points:
    if isinstance(value, dict):
        return {time: function(one) for time, one in value.items()}
    return function(value)


def _join(
    left: float | Points, right: float | Points, *, function: Callable[[float, float], float | None]
) -> float | Points:
    if not isinstance(left, dict) and not isinstance(right, dict):
        result = function(left, right)
        return {} if result is None else result
    times = left if isinstance(left, dict) else right
    assert isinstance(times, dict)
    pairs = ((time, _at(left, time), _at(right, time)) for time in times)
    joined = ((time, function(a, b)) for time, a, b in pairs if a is not None and b is not None)
    return {time: value for time, value in joined if value is not None}


def _at(value: float | Points, time: float) -> float | None:
    return value.get(time) if isinstance(value, dict) else value
