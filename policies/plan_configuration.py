"""The configuration part of a plan: which arguments are set, in which region, and which resources they refer to.

References are relative to their module, pass through its variables and outputs, and name no instance of a loop; locals
are not in it at all. So what comes from here names all instances of a resource.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.values import Unknown, Value

_INDEX = re.compile(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]")
_DEPTH_MAX = 30


@dataclass(frozen=True, kw_only=True)
class Configured:
    """A resource's expressions (None where the plan has none for it) and the region of its provider."""

    expressions: Mapping[str, Any] | None
    region: Value


class Configuration:
    """Look-ups in a plan's `configuration`."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._root = document.get("configuration", {}).get("root_module", {})
        self._providers = document.get("configuration", {}).get("provider_config", {})
        self._variables = document.get("variables", {})
        self._instances: dict[str, list[str]] = {}
        for change in document.get("resource_changes", []):
            self._instances.setdefault(_INDEX.sub("", change["address"]), []).append(change["address"])
        self._addresses = sorted((one for many in self._instances.values() for one in many), key=len, reverse=True)

    def of(self, address: str) -> Configured:
        """What is configured for an instance of a resource."""
        words, module = self._module(address)
        resource = next((one for one in module.get("resources", []) if one["address"] == words), None)
        if resource is None:
            return Configured(expressions=None, region=Unknown(f"the provider of {address}"))
        return Configured(
            expressions=resource.get("expressions", {}), region=self._region(resource.get("provider_config_key", ""))
        )

    def _module(self, address: str) -> tuple[str, Mapping[str, Any]]:
        """The address within its module, and that module's configuration."""
        words, module = _INDEX.sub("", address), self._root
        while words.startswith("module."):
            _, name, words = words.split(".", 2)
            module = module.get("module_calls", {}).get(name, {}).get("module", {})
        return words, module

    def _region(self, key: str) -> Value:
        expression = self._providers.get(key, {}).get("expressions", {}).get("region", {})
        if "constant_value" in expression:
            return expression["constant_value"]
        for name in expression.get("references", []):
            if name.startswith("var.") and name[4:] in self._variables:
                return self._variables[name[4:]].get("value")
        return Unknown(f"the region of provider {key}")

    def address_of(self, path: str) -> str:
        """The address that a path of an argument starts with."""
        return next((one for one in self._addresses if path == one or path.startswith(f"{one}.")), path.split(".")[0])

    def addresses(self, address: str, expression: Any) -> frozenset[str]:
        """Addresses of every instance of every resource that an expression of this resource refers to."""
        names = expression.get("references", []) if isinstance(expression, Mapping) else []
        modules = re.findall(r"module\.([^.\[]+)", _INDEX.sub("", address))
        found = {instance for name in names for instance in self._resolved(name, tuple(modules), 0)}
        return frozenset(found)

    def _resolved(self, name: str, modules: tuple[str, ...], depth: int) -> list[str]:
        if depth > _DEPTH_MAX:
            return []
        words = _INDEX.sub("", name).split(".")
        if words[0] == "var" and modules:
            call = self._at(modules[:-1]).get("module_calls", {}).get(modules[-1], {})
            return self._through(call.get("expressions", {}).get(words[1]), modules[:-1], depth)
        if words[0] == "module" and len(words) > 2:
            inner = (*modules, words[1])
            output = self._at(inner).get("outputs", {}).get(words[2], {})
            return self._through(output.get("expression"), inner, depth)
        size = 3 if words[0] == "data" else 2
        prefix = "".join(f"module.{one}." for one in modules)
        return self._instances.get(prefix + ".".join(words[:size]), [])

    def _through(self, expression: Any, modules: tuple[str, ...], depth: int) -> list[str]:
        names = expression.get("references", []) if isinstance(expression, Mapping) else []
        return [address for name in names for address in self._resolved(name, modules, depth + 1)]

    def _at(self, modules: tuple[str, ...]) -> Mapping[str, Any]:
        module: Mapping[str, Any] = self._root
        for name in modules:
            module = module.get("module_calls", {}).get(name, {}).get("module", {})
        return module
