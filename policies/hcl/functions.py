"""Terraform's functions that a configuration is likely to need; any other, or any Unknown argument, gives Unknown.

A function that only arranges its arguments (merge, concat, ...) works with Unknown leaves within them.
"""

from __future__ import annotations

import ipaddress
import itertools
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from policies.values import Encoded, Unknown, Value, decoded, is_known, joined

_CANNOT = (TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError, StopIteration, re.error)


def call(name: str, arguments: list[Value]) -> Value:
    """The result of a function. Never raises: what it cannot compute is Unknown with all its references."""
    arrange, compute = _ARRANGING.get(name), _COMPUTING.get(name)
    if arrange is None and compute is None:
        return joined(f"the result of {name}()", arguments)
    if any(isinstance(one, Unknown) for one in arguments) and name != "jsonencode":
        return joined(f"the result of {name}()", arguments)
    if arrange is None and not all(map(is_known, arguments)):
        return joined(f"the result of {name}()", arguments)
    function: Callable[..., Value] = arrange or compute  # type: ignore[assignment]  # one of them is there
    try:
        return function(*arguments)
    except _CANNOT:
        return Unknown(f"the result of {name}(), which refuses its arguments")


def _merge(*maps: dict[str, Value] | None) -> dict[str, Value]:
    return {key: value for one in maps if one is not None for key, value in one.items()}


def _concat(*lists: list[Value]) -> list[Value]:
    return [item for one in lists for item in one]


def _flatten(value: list[Value]) -> list[Value]:
    return [leaf for item in value for leaf in (_flatten(item) if isinstance(item, list) else [item])]


def _lookup(table: dict[str, Value], key: str, *default: Value) -> Value:
    if is_known(key) and key in table:
        return table[key]
    return default[0] if default else Unknown(f"no {key} in a map")


def _to_set(value: list[Value]) -> list[Value]:
    """A set in the order that Terraform walks it: sorted, once each; with unknown members as it stands."""
    if not is_known(value):
        return value
    unique = {repr(item): item for item in value}
    return [unique[key] for key in sorted(unique)]


def _values(table: dict[str, Value]) -> list[Value]:
    return [table[key] for key in sorted(table)]


def _element(items: list[Value], index: int) -> Value:
    return items[index % len(items)]


def _one(items: list[Value]) -> Value:
    if len(items) > 1:
        raise ValueError("one() of many")
    return items[0] if items else None


def _coalesce(*items: Value) -> Value:
    return next(item for item in items if item not in (None, ""))


def _zipmap(keys: list[str], values: list[Value]) -> dict[str, Value]:
    return dict(zip(keys, values, strict=True))


def _tobool(value: Value) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    return {"true": True, "false": False}[value]


def _tonumber(value: Value) -> float | int | None:
    if value is None:
        return None
    number = float(value)
    return int(number) if number.is_integer() else number


def _tostring(value: Value) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str | int | float):
        raise TypeError("no text")
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else f"{value:g}"


def _format(pattern: str, *values: Value) -> str:
    given = iter(values)
    made = re.sub(
        r"%(%|[-+0-9.]*[sdqvf])", lambda m: "%" if m.group(1) == "%" else _formatted(m.group(), given), pattern
    )
    if next(given, given) is not given:
        raise ValueError("too many values")
    return made


def _formatted(verb: str, given: Any) -> str:
    value = next(given, None)
    if value is None:
        raise ValueError("too few values")
    text = _tostring(value) or ""
    if verb[-1] in "svq":
        return f'"{text}"' if verb[-1] == "q" else text
    return verb % (int(value) if verb[-1] == "d" else float(value))


def _replace(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        return re.sub(old[1:-1], re.sub(r"\$(\d+)", r"\\\1", new), text)
    return text.replace(old, new)


def _cidrsubnet(prefix: str, bits: int, number: int) -> str:
    network = ipaddress.ip_network(prefix)
    return str(next(itertools.islice(network.subnets(prefixlen_diff=bits), number, None)))  # beyond the last: stops


def _cidrhost(prefix: str, number: int) -> str:
    return str(ipaddress.ip_network(prefix)[number])


def _setproduct(*lists: list[Value]) -> list[Value]:
    return [list(one) for one in itertools.product(*lists)]


def _chunks(items: list[Value], size: int) -> list[Value]:
    return [items[start : start + size] for start in range(0, len(items), size)]


_ARRANGING: Mapping[str, Callable[..., Value]] = {
    "merge": _merge, "concat": _concat, "flatten": _flatten, "lookup": _lookup, "values": _values, "toset": _to_set,
    "keys": sorted, "length": len, "element": _element, "one": _one, "coalesce": _coalesce, "zipmap": _zipmap,
    "tolist": list, "tomap": dict, "slice": lambda items, start, end: items[start:end],
    "reverse": lambda items: items[::-1], "jsonencode": Encoded, "jsondecode": decoded,
    "sensitive": lambda value: value, "nonsensitive": lambda value: value, "setproduct": _setproduct,
    "chunklist": _chunks, "compact": lambda items: [item for item in items if item not in (None, "")],
    "coalescelist": lambda *lists: next(one for one in lists if one),
}  # fmt: skip
_COMPUTING: Mapping[str, Callable[..., Value]] = {
    "tostring": _tostring, "tonumber": _tonumber, "tobool": _tobool, "format": _format,
    "formatlist": lambda pattern, items: [_format(pattern, item) for item in items],
    "join": lambda mark, items: mark.join(_tostring(item) or "" for item in items),
    "split": lambda mark, text: text.split(mark), "lower": str.lower, "upper": str.upper, "title": str.title,
    "replace": _replace, "trimspace": str.strip, "trim": lambda text, marks: text.strip(marks),
    "trimprefix": lambda text, mark: text.removeprefix(mark), "trimsuffix": lambda text, mark: text.removesuffix(mark),
    "startswith": lambda text, mark: text.startswith(mark), "endswith": lambda text, mark: text.endswith(mark),
    "substr": lambda text, start, length: text[start : None if length < 0 else start + length],
    "contains": lambda items, item: item in items, "distinct": lambda items: list({repr(i): i for i in items}.values()),
    "sort": sorted, "index": lambda items, item: items.index(item), "strcontains": lambda text, part: part in text,
    "setunion": lambda *sets: _to_set(_concat(*sets)),
    "setsubtract": lambda left, right: [item for item in left if item not in right],
    "setintersection": lambda left, right: [item for item in left if item in right],
    "range": lambda *numbers: list(range(*map(int, numbers))), "sum": sum, "min": min, "max": max, "abs": abs,
    "floor": math.floor, "ceil": math.ceil, "cidrsubnet": _cidrsubnet, "cidrhost": _cidrhost,
    "alltrue": all, "anytrue": any, "parseint": lambda text, base: int(text, base),
}  # fmt: skip
