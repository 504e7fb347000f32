"""A plan of Terraform (`terraform show -json`) as a tree: what is known after the apply only is Unknown, never absent.

Format: Terraform, "JSON Output Format", format_version 1.x. Three things that its documentation does not say loudly:

- `planned_values` leaves out what is unknown, so that an encryption key made by the same apply looks like no key.
  `after_unknown` has it, mixed with what the provider computes anyway; only what the configuration sets counts.
- A dynamic block has no expressions at all. Where its blocks are there, everything unknown in them was set.
- What is deleted stands in `resource_changes` only. A forgotten resource stands in `planned_values` without values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.plan_configuration import Configuration
from policies.settings import Unusable
from policies.tree import Mode, Origin, Place, Resource, Tree
from policies.values import Unknown, Value, references

Json = Mapping[str, Any]
_SENSITIVE_LENGTH_MIN = 4  # shorter texts would blacken half of a report and protect nothing


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan file: its tree, texts that must not be printed, and the paths known after the apply."""

    tree: Tree
    sensitive: frozenset[str]
    deferred_paths: tuple[str, ...]


def read_plan(path: Path, *, shown: str, code: Callable[[Mapping[str, Value]], Tree] | None = None) -> Plan:
    """The plan of a file. `code`: makes the tree of its source from the variables that it was planned with.

    The code says where unknown values come from, and what is known of a text that the plan calls unknown as a whole.
    Raises Unusable for a file that is missing, no plan, of another format, of an apply that failed, empty, or of
    another source than the code.
    """
    document = _document(path, shown)
    given = {name: one.get("value") for name, one in document.get("variables", {}).items()}
    tree_of_code = code(given) if code else None
    reader = _Reader(document, shown, tree_of_code)
    resources = tuple(reader.resources())
    if tree_of_code:
        _check_source(resources, tree_of_code, shown)
    changes = [change for change in document.get("resource_changes", []) if change.get("mode") != "data"]
    if not resources and not changes:
        raise Unusable(f"{shown} holds no resource. Plan the root that is to be applied, and scan that plan.")
    deletions = tuple(_deletions(changes, shown))
    name = f"{tree_of_code.name} (plan)" if tree_of_code else shown
    tree = Tree(name=name, origin=Origin.PLAN, resources=resources, files=(shown,), deletions=deletions)
    return Plan(
        tree=tree,
        sensitive=frozenset(_sensitive(document.get("resource_changes", []))),
        deferred_paths=tuple(reader.deferred),
    )


def _document(path: Path, shown: str) -> Json:
    try:
        document: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        what = "does not exist" if not path.exists() else f"is no JSON: {error}"
        raise Unusable(f"{shown} {what}. Make it with: terraform show -json PLAN > {path.name}") from None
    version = str(document.get("format_version", "")) if isinstance(document, dict) else ""
    if not version.startswith("1.") or "planned_values" not in document:
        raise Unusable(f"{shown} is no plan of format 1.x. Make it with: terraform show -json PLAN > {path.name}")
    if document.get("errored"):
        raise Unusable(f"{shown} is the plan of a run that failed. Correct the error and plan again.")
    if document.get("complete") is False or document.get("deferred_changes"):
        raise Unusable(f"{shown} leaves changes to a later plan. Scan a plan that is complete.")
    return document


def _check_source(resources: tuple[Resource, ...], code: Tree, shown: str) -> None:
    """Everything planned is declared: a plan of older code would be judged by what it no longer is."""
    declared = {without_indices(resource.address) for resource in code.resources}
    for resource in resources:
        if without_indices(resource.address) not in declared:
            what = f"{shown} holds {resource.address}, which {code.name} does not declare"
            raise Unusable(f"{what}. Plan this root again, and scan that plan.")


def _deletions(changes: list[Any], shown: str) -> Iterator[Resource]:
    for change in changes:
        actions = change["change"].get("actions", [])
        if "delete" in actions or "forget" in actions:
            yield Resource(
                address=change["address"],
                kind=change["type"],
                name=change["name"],
                values={"replaced": "create" in actions},
                place=Place(file=shown, line=1, end_line=1),
            )


def _sensitive(changes: list[Any]) -> Iterator[str]:
    """Texts that the plan itself calls sensitive, before and after: it holds them in plain text all the same."""
    for change in changes:
        for time in ("before", "after"):
            yield from _marked(change["change"].get(time), change["change"].get(f"{time}_sensitive"))


def _marked(value: Any, mark: Any) -> Iterator[str]:
    if mark is True:
        yield from (text for text in _texts(value) if len(text) >= _SENSITIVE_LENGTH_MIN)
    elif isinstance(mark, dict) and isinstance(value, dict):
        for key, inner in mark.items():
            yield from _marked(value.get(key), inner)
    elif isinstance(mark, list) and isinstance(value, list):
        for one, inner in zip(value, mark, strict=False):
            yield from _marked(one, inner)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


class _Reader:
    """Walks over a plan's modules."""

    def __init__(self, document: Json, shown: str, code: Tree | None) -> None:
        self._document, self._shown, self._code = document, shown, code
        self._configuration = Configuration(document)
        self._changes = {one["address"]: one["change"] for one in document.get("resource_changes", [])}
        self.deferred: list[str] = []

    def resources(self) -> Iterator[Resource]:
        waiting = [self._document["planned_values"].get("root_module", {})]
        while waiting:
            module = waiting.pop()
            waiting += module.get("child_modules", [])
            for resource in module.get("resources", []):
                if self._changes.get(resource["address"], {}).get("actions") != ["forget"]:
                    yield self._resource(resource)

    def _resource(self, resource: Json) -> Resource:
        address = resource["address"]
        configured = self._configuration.of(address)
        unknown = self._changes.get(address, {}).get("after_unknown") or {}
        values = self._filled(resource.get("values") or {}, unknown, configured.expressions, address)
        found = self._code.at(address) if self._code else None
        return Resource(
            address=address,
            kind=resource["type"],
            name=resource["name"],
            mode=Mode.DATA if resource.get("mode") == "data" else Mode.MANAGED,
            values=values,
            place=found.place if found else Place(file=self._shown, line=1, end_line=1),
            region=configured.region,
        )

    def _filled(self, values: Json, unknown: Json, expressions: Json | None, path: str) -> dict[str, Value]:
        """The values with an Unknown for each unknown one that the configuration sets."""
        made: dict[str, Value] = {key: value for key, value in values.items() if value is not None}
        for key, mark in unknown.items():
            expression = None if expressions is None else expressions.get(key)
            below = f"{path}.{key}"
            if mark is True:
                if expression is not None or expressions is None or self._is_set_in_code(below):
                    made[key] = self._unknown(below, expression)
            elif isinstance(mark, list | dict) and isinstance(made.get(key), list | dict):
                made[key] = self._inner(made[key], mark, expression, below)
        return made

    def _inner(self, value: Value, mark: Any, expression: Any, path: str) -> Value:
        """Blocks and elements. Blocks without an expression are dynamic: whatever is unknown in them was set (None)."""
        if isinstance(value, dict) and isinstance(mark, dict):
            plain = isinstance(expression, dict) and ("references" in expression or "constant_value" in expression)
            return self._filled(value, mark, None if plain or not isinstance(expression, dict) else expression, path)
        if not (isinstance(value, list) and isinstance(mark, list)):
            return value
        made = []
        for index, one in enumerate(value):
            inner = mark[index] if index < len(mark) else False
            told = expression[index] if isinstance(expression, list) and index < len(expression) else None
            if isinstance(expression, dict):
                told = expression
            below = f"{path}[{index}]"
            made.append(self._unknown(below, told) if inner is True else self._inner(one, inner, told, below))
        return made

    def _unknown(self, path: str, expression: Any) -> Value:
        """What the code knows of a value that the plan calls unknown; else an Unknown with its path."""
        address = self._configuration.address_of(path)
        resource = self._code.at(address) if self._code else None
        if resource is None:
            named = self._configuration.addresses(address, expression)
        else:
            # The order of blocks may differ: where there are several, all of them are meant.
            dotted = without_indices(path[len(address) + 1 :])
            whole = [resource.values.get(dotted)] if "." not in dotted else resource.all(dotted)
            if len(whole) == 1 and whole[0] is not None and type(whole[0]) is not Unknown:
                return whole[0]
            named = references(whole)
        self.deferred.append(path)
        return Unknown(path, named, computed=bool(named))

    def _is_set_in_code(self, path: str) -> bool:
        address = self._configuration.address_of(path)
        found = self._code.at(address) if self._code else None
        return found is not None and path[len(address) + 1 :] in found.values


def without_indices(path: str) -> str:
    """An address or path without the keys of loops and the positions of blocks."""
    kept, depth = [], 0
    for letter in path:
        depth += letter == "["
        if depth == 0:
            kept.append(letter)
        depth -= letter == "]"
    return "".join(kept)
