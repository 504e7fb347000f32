"""Undefined and ambiguous steps are found before anything runs: a release must not learn it half way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from pytest_bdd.compat import get_fixture_names, getfixturedefs
from pytest_bdd.parser import ScenarioTemplate, Step
from pytest_bdd.steps import StepFunctionContext, StepNamePrefix, step_function_context_registry

from gate.lint import Problem

_PREFIX = StepNamePrefix.step_def.value


def check_steps(node: pytest.Module, templates: Iterable[ScenarioTemplate]) -> list[Problem]:
    """Problems for steps of the scenarios that no definition, or more than one, visible from `node` matches."""
    definitions = _definitions(node)
    seen: set[tuple[str, str, int]] = set()
    problems: list[Problem] = []
    for template in templates:
        for step in _rendered(template):
            key = (step.type, step.name, step.line_number)
            if key in seen:
                continue
            seen.add(key)
            problem = _judge(step, [d for d in definitions if _matches(d, step)], node.config.rootpath)
            problems += [problem] if problem else []
    return problems


def _definitions(node: pytest.Module) -> list[StepFunctionContext]:
    # pytest has no public way to list fixtures; pytest_bdd.compat holds the private one for each pytest version.
    manager = node.session._fixturemanager
    names = [name for name in get_fixture_names(manager) if name.startswith(_PREFIX)]
    found = (step_function_context_registry.get(d.func) for n in names for d in getfixturedefs(manager, n, node) or ())
    return [context for context in found if context is not None]


def _rendered(template: ScenarioTemplate) -> Iterator[Step]:
    rows = [row for table in template.examples for row in table.as_contexts()] or [{}]
    for row in rows:
        yield from template.render(row).steps


def _matches(definition: StepFunctionContext, step: Step) -> bool:
    if definition.type is not None and definition.type != step.type:
        return False
    return bool(definition.parser.is_matching(step.name))


def _judge(step: Step, matching: list[StepFunctionContext], root: Path) -> Problem | None:
    text = f"{step.type.capitalize()} {step.name}"
    if not matching:
        return Problem(
            line=step.line_number,
            what=f"undefined step: {text}",
            remedy=f"use a step of features/README.md, or define @{step.type} in steps/ and list its module",
        )
    if len(matching) > 1:
        places = ", ".join(sorted(_place(definition, root) for definition in matching))
        return Problem(
            line=step.line_number,
            what=f"ambiguous step: {text} is defined at {places}",
            remedy="make the texts differ",
        )
    return None


def _place(definition: StepFunctionContext, root: Path) -> str:
    code = getattr(definition.step_func, "__code__", None)
    if code is None:
        return repr(definition.step_func)
    path = Path(code.co_filename)
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return f"{shown}:{code.co_firstlineno}"
