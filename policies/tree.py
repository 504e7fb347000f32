"""What rules are judged on: the resources of one configuration, from its code or from a plan, in one shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from policies.values import Text, Unknown, Value, listed, references


class Origin(StrEnum):
    """Where a tree was read from."""

    SOURCE = "source"
    PLAN = "plan"


class Mode(StrEnum):
    """What a block declares: something to be made, something to be looked up, or a setting of Terraform itself."""

    MANAGED = "managed"
    DATA = "data"
    SETTING = "setting"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Lines of a file, 1-based and both included; `file` relative to where the scan was started."""

    file: str
    line: int
    end_line: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """One instance of a resource, data source or setting.

    `values` are its arguments; nested blocks are lists of objects. `ignored`: attributes that an apply leaves alone
    (lifecycle.ignore_changes, "all" included); `lifecycle`: the other words of that block. `region`: of its provider.
    `uncertain`: its count is not known.
    """

    address: str
    kind: str
    name: str
    values: Mapping[str, Value]
    place: Place
    mode: Mode = Mode.MANAGED
    ignored: tuple[str, ...] = ()
    lifecycle: Mapping[str, Value] = field(default_factory=dict)
    region: Value = None
    uncertain: bool = False

    def all(self, path: str) -> list[Value]:
        """Every value at a dotted path, through all blocks and elements on the way; lists at its end are entered.

        An Unknown on the way is itself a value: what lies behind it cannot be known.
        """
        found = listed_deep([self.values])
        for word in path.split("."):
            found = listed_deep(_step(found, word))
        return found

    def one(self, path: str) -> Value:
        """The value at a path, None where nothing is set; the first of several."""
        found = self.all(path)
        return found[0] if found else None

    def blocks(self, path: str) -> list[Value]:
        """The blocks at a path; each an object, or Unknown."""
        return self.all(path)


def _step(values: Iterable[Value], word: str) -> Iterator[Value]:
    for value in values:
        if isinstance(value, Unknown):
            yield value
        elif isinstance(value, Mapping) and value.get(word) is not None:
            yield value[word]


def listed_deep(values: Iterable[Value]) -> list[Value]:
    """Values with every list among them entered."""
    return [leaf for value in values for leaf in (listed_deep(value) if isinstance(value, list) else listed(value))]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """One configuration: `name` is its directory or plan file, as the scan was given it.

    `deletions`: what a plan deletes, for good or to make it anew (values: {"replaced": bool}); it is in no other field.
    """

    name: str
    origin: Origin
    resources: tuple[Resource, ...]
    files: tuple[str, ...] = ()
    deletions: tuple[Resource, ...] = ()

    @cached_property
    def _by_kind(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            if resource.mode is not Mode.DATA:
                found.setdefault(resource.kind, []).append(resource)
        return found

    @cached_property
    def _by_address(self) -> dict[str, Resource]:
        return {resource.address: resource for resource in self.resources}

    def of(self, *kinds: str) -> list[Resource]:
        """The resources and settings of these kinds; data sources are not among them."""
        return [resource for kind in kinds for resource in self._by_kind.get(kind, [])]

    def data(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.mode is Mode.DATA and resource.kind == kind]

    def at(self, address: str) -> Resource | None:
        return self._by_address.get(address)

    @property
    def is_production(self) -> bool:
        """The variable `environment` says production, or, where there is none, the directory's name does."""
        variable = self._by_address.get("variable.environment")
        given = variable.values.get("given") if variable else None
        return (given if isinstance(given, str) else self.name.rstrip("/").rpartition("/")[2]).startswith("prod")

    def meant(self, value: Value, *kinds: str) -> list[Resource]:
        """The resources of these kinds that a value names: by reference, else by ARN, id or name in plain text."""
        addresses = references(value)
        by_reference = [resource for resource in self.of(*kinds) if resource.address in addresses]
        if by_reference or isinstance(value, Unknown):
            return by_reference
        texts = {str(leaf) for leaf in listed_deep([value]) if isinstance(leaf, str)}
        return [resource for resource in self.of(*kinds) if texts & _names(resource)]


def _names(resource: Resource) -> set[str]:
    """Texts by which another resource may name this one."""
    keys = ("arn", "id", "name", "identifier", "bucket", "arn_suffix", "key_id")
    return {str(value) for key in keys if isinstance(value := resource.values.get(key), str | Text) and value}
