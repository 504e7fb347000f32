"""checkov's built-in rules, one resource at a time: the only module that imports checkov.

checkov is pinned in requirements/policies.lock and lives in .venv-policies, since its pins clash with everything else.
Only its registry of rules is used. Its own reading of Terraform loses inputs of modules, loops and functions, and an
exception in one rule ends its whole run; here a rule that raises is SOURCE_ERROR for that resource and nothing else.

What a rule would say with another value in place of an Unknown is asked too: where the answers differ, the verdict
depends on what is not known, and is DEFERRED. (checkov itself has two values only, bridgecrewio/checkov #5752.)
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

os.environ.setdefault("LOG_LEVEL", "CRITICAL")  # read when checkov is imported
os.environ.setdefault("CKV_SKIP_PACKAGE_UPDATE_CHECK", "true")

from checkov.common.graph.checks_infra.base_check import BaseGraphCheck as GraphCheck
from checkov.common.models.enums import CheckResult
from checkov.terraform.checks.resource import aws as _aws  # noqa: F401  # fills the registry
from checkov.terraform.checks.resource.registry import resource_registry

from policies.built_in import BuiltIn
from policies.rule import Judged, deferred, fails, holds
from policies.tree import Origin, Resource
from policies.values import Encoded, Partly, Unknown, Value, unknowns
from policies.verdict import Verdict

__all__ = ["GraphCheck", "checkov_version", "every_rule_of_aws", "graph_registry", "judge", "kinds_of", "known_ids"]

PLACEHOLDER = "__known_after_apply__"
# Arguments that hold JSON; checkov's rules expect them decoded (checkov.terraform.plan_parser, RESOURCE_TYPES_JSONIFY).
_JSON_ARGUMENTS = ("policy", "assume_role_policy", "container_definitions", "access_policies", "inline_policy")
# An absent value, a text, and the two values that rules most often ask for.
_SUBSTITUTES: tuple[Value, ...] = (None, PLACEHOLDER, True, False)

# They ask for create_before_destroy, which no plan holds (checkov.terraform.plan_runner, TF_LIFECYCLE_CHECK_IDS).
_OF_LIFECYCLE = ("CKV_AWS_217", "CKV_AWS_233", "CKV_AWS_237")

logging.disable(logging.CRITICAL)


def graph_registry() -> Any:
    """checkov's registry of checks over a whole configuration, as its command line uses it."""
    from checkov.common.checks_infra.registry import get_graph_checks_registry

    return get_graph_checks_registry("terraform")


def checkov_version() -> str:
    return version("checkov")


def known_ids() -> frozenset[str]:
    """Ids of every built-in rule for a resource of AWS."""
    return frozenset(check.id for checks in resource_registry.checks.values() for check in checks)


def every_rule_of_aws() -> list[BuiltIn]:
    """All built-in rules for single resources of AWS, named in the catalogue or not."""
    ids = sorted(one for one in known_ids() if one.startswith("CKV_AWS_"))
    titles = {one: check.name for one in ids if (check := resource_registry.get_check_by_id(one)) is not None}
    return [
        BuiltIn(id=one, meaning=title, remedy=f"See checkov's {one}.", controls=()) for one, title in titles.items()
    ]


def kinds_of(rule_id: str) -> tuple[str, ...]:
    """The kinds of resources that a rule judges; none for an id that does not exist."""
    check = resource_registry.get_check_by_id(rule_id)
    return tuple(check.supported_entities) if check else ()


def judge(rule_id: str, resource: Resource, origin: Origin) -> Judged | None:
    """A built-in rule's answer for one resource; None where the rule says that it does not speak of this one."""
    check = resource_registry.get_check_by_id(rule_id)
    assert check is not None, f"checkov has no rule {rule_id}; kinds_of() says so beforehand"
    if rule_id in _OF_LIFECYCLE and origin is Origin.PLAN:
        return None
    open_questions = [one for one in unknowns(dict(resource.values)) if _is_open(one, origin)]
    looked_at: set[str] = set()
    substitutes = (*_SUBSTITUTES, *_wanted(check)) if open_questions else (PLACEHOLDER,)
    answers = [_answer(check, resource, _arguments(resource, one, origin), looked_at) for one in substitutes]
    broken = next((answer for answer in answers if isinstance(answer, Exception)), None)
    if broken is not None and not open_questions:
        why = f"checkov's rule broke on it: {type(broken).__name__}: {broken}"
        return Judged(resource=resource, verdict=Verdict.SOURCE_ERROR, why=why)
    unseen = [one for one in open_questions if resource.values.get(_argument_of(one, resource)) is one]
    blind = not _wanted(check) and any(_argument_of(one, resource) in looked_at for one in unseen)
    if len(set(map(str, answers))) > 1 or broken is not None or blind:
        return deferred(resource, open_questions, "its answer depends on a value")
    if answers[0] is CheckResult.UNKNOWN:
        return None
    return holds(resource) if answers[0] is CheckResult.PASSED else fails(resource, f"not so: {check.name}")


def _wanted(check: Any) -> tuple[Value, ...]:
    """The values that a rule says it asks for or refuses; none for a rule that reads its resource in its own way."""
    found: list[Value] = []
    for name in ("get_expected_values", "get_forbidden_values"):
        if hasattr(check, name):
            found += [one for one in getattr(check, name)() if not (isinstance(one, str) and one.startswith("CKV_"))]
            found.append(PLACEHOLDER)
    return tuple(found)


def _argument_of(unknown: Unknown, resource: Resource) -> str:
    """The argument whose whole value this Unknown is, "" where it is only a part of one."""
    return next((name for name, value in resource.values.items() if value is unknown), "")


class _Watched(dict[str, Any]):
    """Arguments that note which of them a rule reads."""

    def __init__(self, arguments: dict[str, Any], looked_at: set[str]) -> None:
        super().__init__(arguments)
        self._looked_at = looked_at

    def __getitem__(self, key: str) -> Any:
        self._looked_at.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._looked_at.add(str(key))
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._looked_at.add(key)
        return super().get(key, default)


def _answer(check: Any, resource: Resource, arguments: dict[str, Any], looked_at: set[str]) -> CheckResult | Exception:
    try:
        result = check.run("", _Watched(arguments, looked_at), resource.name, resource.kind, {})["result"]
    except Exception as error:  # noqa: BLE001  # rules of checkov raise whatever an unusual value makes them raise
        return error
    return result if isinstance(result, CheckResult) else CheckResult(result[0])


def _is_open(value: Unknown, origin: Origin) -> bool:
    """In code, a reference to what another resource will compute is certainly a value; in a plan it is to be seen."""
    return not isinstance(value, Partly) and (origin is Origin.PLAN or not value.computed)


def _arguments(resource: Resource, substitute: Value, origin: Origin) -> dict[str, Any]:
    """The resource in the shape in which checkov's parsers leave it: everything within lists of one."""

    def filled(value: Value) -> Value:
        if isinstance(value, Partly):
            return str(value)  # certainly a text, and no empty one
        if isinstance(value, Unknown):
            certain = value.computed and origin is Origin.SOURCE
            # Different for each origin, else two roles of one apply would look like one role.
            return f"{PLACEHOLDER}:{value.what}" if certain or substitute == PLACEHOLDER else substitute
        return value

    arguments = _listed(resource.values, filled)
    for name in _JSON_ARGUMENTS:
        value = resource.values.get(name)
        if isinstance(value, Encoded):
            inner = _plain(value.value, filled)
            arguments[name] = inner if isinstance(inner, list) else [inner]
    if resource.lifecycle:
        arguments["lifecycle"] = [_listed(resource.lifecycle, filled)]
    return {**arguments, "__address__": resource.address}


def _listed(values: Mapping[str, Value], filled: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in values.items():
        inner = filled(value)
        if inner is None:
            continue
        if isinstance(inner, Mapping):
            made[key] = [_plain(inner, filled) if key == "tags" else _listed(inner, filled)]
        elif (
            isinstance(inner, Sequence)
            and not isinstance(inner, str)
            and any(isinstance(one, Mapping) for one in inner)
        ):
            made[key] = [_listed(one, filled) for one in inner if isinstance(one, Mapping)]
        else:
            made[key] = [_plain(inner, filled)]
    return made


def _plain(value: Value, filled: Any) -> Any:
    inner = filled(value)
    if isinstance(inner, Encoded):
        return _plain(inner.value, filled)
    if isinstance(inner, Mapping):
        return {key: _plain(one, filled) for key, one in inner.items()}
    if isinstance(inner, Sequence) and not isinstance(inner, str):
        return [_plain(one, filled) for one in inner]
    return str(inner) if isinstance(inner, str) else inner
