"""Collects *.feature files below features/ as if each was a test module, after linting it.

Node ids read `features/pre_deployment/tls.feature::test_certificate_is_valid[blue]`; tags are marks (`-m PRE-03`),
the directory is a phase mark (`-m pre`), and `-k` sees words of feature, scenario, tags and steps.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.feature import get_feature
from pytest_bdd.parser import ScenarioTemplate
from pytest_bdd.scenario import get_python_name_generator, scenario, scenario_wrapper_template_registry

from gate.lint import Problem, read_sheet, repeated_names
from gate.preflight import check_steps
from gate.recorder import SCENARIO, ScenarioFacts
from gate.register import Register
from gate.settings import RUN

PHASES = ("pre", "deployment", "rollback", "post")
PHASE_OF_DIRECTORY = {
    "pre_deployment": "pre",
    "infrastructure": "pre",
    "compliance": "pre",
    "pipeline": "pre",
    "deployment": "deployment",
    "rollback": "rollback",
    "post_deployment": "post",
    "emergency": "post",
}


@dataclass
class Collection:
    """What was found while collecting, before anything was deselected."""

    names: dict[str, tuple[str, int]] = field(default_factory=dict)
    files: list[dict[str, str]] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)


REGISTER = pytest.StashKey[Register]()
COLLECTION = pytest.StashKey[Collection]()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A feature file below features/, in a gate run, is a collector; everything else is not ours."""
    run = parent.config.stash.get(RUN, None)
    if run is None or file_path.suffix != ".feature" or run.features not in file_path.parents:
        return None
    return FeatureFile.from_parent(parent, path=file_path)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give `-k` and `-m` their words, before anything is selected by them."""
    facts = item.stash.get(SCENARIO, None)
    if facts is None:
        return
    words = {facts.name, facts.feature, *facts.tags, *(text for _, text in facts.steps)}
    item.extra_keyword_matches.update(words)
    item.add_marker(facts.phase)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> Iterator[None]:
    """Phases in order, whatever else sorted the items; other tests stay behind the scenarios."""
    yield
    if session.testsfailed and hasattr(session.config, "workerinput"):
        items.clear()  # xdist would run what could be collected; a broken collection runs nothing
    items.sort(key=_phase_rank)


def _phase_rank(item: pytest.Item) -> int:
    facts = item.stash.get(SCENARIO, None)
    return PHASES.index(facts.phase) if facts else len(PHASES)


class FeatureFile(pytest.Module):
    """A feature file that behaves like a test module: fixtures, marks, rows, xdist and --lf are pytest's own."""

    def _getobj(self) -> types.ModuleType:
        # The one private hook of pytest.Module that is needed: it makes the module object.
        relative = self.path.relative_to(self.config.rootpath)
        self._refuse(self._lint(relative))
        module = types.ModuleType("feature_" + "_".join(relative.with_suffix("").parts))
        module.__file__ = str(self.path)
        try:
            templates = self._add_scenarios(module)
        except GherkinParseError as error:
            self._refuse([Problem(line=1, what=f"not accepted by pytest-bdd: {error}", remedy="correct it")])
        self._refuse(check_steps(self, templates))
        return module

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """The scenarios of the file, each with its facts."""
        items = list(super().collect())
        collection = self.config.stash[COLLECTION]
        for item in items:
            template = scenario_wrapper_template_registry.get(item.obj) if isinstance(item, pytest.Function) else None
            if isinstance(item, pytest.Function) and template is not None:
                facts = self._facts(item, template)
                item.stash[SCENARIO] = facts
                item.location = (facts.feature, facts.line - 1, facts.name)
                collection.offered.append(facts.id)
        return items

    def _lint(self, relative: Path) -> list[Problem]:
        collection = self.config.stash[COLLECTION]
        sheet = read_sheet(self.path.read_text(encoding="utf-8"), self.config.stash[REGISTER])
        collection.files.append({"path": relative.as_posix(), "name": sheet.name, "description": sheet.description})
        problems = [*sheet.problems, *repeated_names(sheet, relative.as_posix(), collection.names)]
        if self._phase(relative) is None:
            known = ", ".join(PHASE_OF_DIRECTORY)
            problems.append(Problem(line=1, what="no phase for this directory", remedy=f"move it to one of {known}"))
        return sorted(problems, key=lambda problem: problem.line)

    @staticmethod
    def _phase(relative: Path) -> str | None:
        return PHASE_OF_DIRECTORY.get(relative.parts[1]) if len(relative.parts) > 2 else None

    def _refuse(self, problems: list[Problem]) -> None:
        if problems:
            shown = self.path.relative_to(self.config.rootpath).as_posix()
            lines = [f"{shown}:{problem.line}: {problem.what}; {problem.remedy}" for problem in problems]
            raise self.CollectError("\n".join(lines))

    def _add_scenarios(self, module: types.ModuleType) -> list[ScenarioTemplate]:
        base, name = str(self.path.parent), self.path.name
        feature = get_feature(base, name)
        for title in feature.scenarios:
            wrapped = scenario(name, title, features_base_dir=base)(_nothing())
            free = next(n for n in get_python_name_generator(title) if not hasattr(module, n))
            setattr(module, free, wrapped)
        return list(feature.scenarios.values())

    def _facts(self, item: pytest.Function, template: ScenarioTemplate) -> ScenarioFacts:
        example: dict[str, str] | None = None
        if hasattr(item, "callspec"):
            example = cast(dict[str, str] | None, item.callspec.params.get("_pytest_bdd_example"))
        rendered = template.render(example or {})
        register = self.config.stash[REGISTER]
        tags = tuple(sorted({mark.name for mark in item.iter_markers()} & _known_tags(register)))
        relative = self.path.relative_to(self.config.rootpath)
        phase = self._phase(relative)
        assert phase is not None, f"{relative}: the lint lets no file without a phase through"
        return ScenarioFacts(
            id=item.nodeid,
            feature=relative.as_posix(),
            line=template.line_number,
            name=rendered.name,
            example=dict(example) if example else None,
            tags=tags,
            phase=phase,
            control=next(tag for tag in tags if tag in register.controls),
            steps=tuple((step.type, step_text(step)) for step in rendered.steps),
        )


def _known_tags(register: Register) -> set[str]:
    return {*register.controls, *register.topics}


def _nothing() -> Any:
    def _scenario() -> None:
        """All of a scenario happens in its steps."""

    return _scenario


def step_text(step: Any) -> str:
    """The step as it stands in the file, with its table and text block below it."""
    lines = [f"{step.keyword.strip()} {step.name}"]
    if step.datatable is not None:
        lines += ["| " + " | ".join(row) + " |" for row in step.datatable.raw()]
    if step.docstring is not None:
        lines += step.docstring.splitlines()
    return "\n".join(lines)
