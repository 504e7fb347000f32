"""What Gherkin and pytest-bdd accept silently, but a release gate must not.

Pure: a file's text and the register in, problems out. Every problem has a line, what is wrong, and the remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gherkin.errors import CompositeParserException, ParserException
from gherkin.parser import Parser

from gate.register import Register

TITLE_WORDS_MAX = 12
_SHOULD = re.compile(r"\bshould\b", re.IGNORECASE)
_POSITION = re.compile(r"^\((\d+):\d+\):\s*")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One reason not to run a feature file."""

    line: int
    what: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A scenario as it stands in the file. `tags` are its own and the inherited ones, without the @."""

    name: str
    line: int
    tags: tuple[str, ...]
    steps: tuple[Mapping[str, Any], ...]
    examples: tuple[Mapping[str, Any], ...]
    templated: bool


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A feature file as the lint sees it."""

    name: str = ""
    description: str = ""
    scenarios: tuple[Outline, ...] = ()
    problems: tuple[Problem, ...] = field(default=())


def read_sheet(text: str, register: Register) -> Sheet:
    """Parse and lint one feature file. Never raises: what does not parse becomes a problem."""
    try:
        document: Any = Parser().parse(text)
    except CompositeParserException as error:
        return Sheet(problems=tuple(_syntax(single) for single in error.errors))
    except ParserException as error:
        return Sheet(problems=(_syntax(error),))
    feature = document.get("feature")
    if not feature:
        return Sheet(problems=(Problem(line=1, what="no Feature in the file", remedy="write one, or remove the file"),))
    scenarios = tuple(_scenarios(feature["children"], _tags(feature)))
    problems = [*_check_backgrounds(feature["children"])]
    if not scenarios:
        line = feature["location"]["line"]
        problems.append(Problem(line=line, what="no scenarios", remedy="write one, or remove the file"))
    reported: set[str] = set()
    for scenario in scenarios:
        problems += _check_title(scenario)
        problems += _check_steps(scenario)
        problems += _check_tags(scenario, register, reported)
    return Sheet(
        name=feature["name"],
        description=feature.get("description", "").strip("\n"),
        scenarios=scenarios,
        problems=tuple(sorted(problems, key=lambda problem: problem.line)),
    )


def repeated_names(sheet: Sheet, path: str, seen: dict[str, tuple[str, int]]) -> list[Problem]:
    """Problems for names used twice, in this file or in one seen before; adds this file's names to `seen`."""
    problems = []
    for scenario in sheet.scenarios:
        place = (path, scenario.line)
        first = seen.setdefault(scenario.name, place)
        if first != place:
            problems.append(
                Problem(
                    line=scenario.line,
                    what=f"scenario {scenario.name!r} has the name of {first[0]}:{first[1]}",
                    remedy="give each scenario its own name: only one of the two would run, or be found",
                )
            )
    return problems


def _syntax(error: Any) -> Problem:
    found = _POSITION.match(str(error))
    line = int(found[1]) if found else 1
    return Problem(line=line, what=f"not Gherkin: {_POSITION.sub('', str(error))}", remedy="correct this line")


def _tags(node: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(tag["name"].lstrip("@") for tag in node.get("tags", ()))


def _scenarios(children: Sequence[Mapping[str, Any]], inherited: tuple[str, ...]) -> Iterator[Outline]:
    for child in children:
        if "rule" in child:
            yield from _scenarios(child["rule"]["children"], (*inherited, *_tags(child["rule"])))
        if "scenario" in child:
            scenario = child["scenario"]
            yield Outline(
                name=scenario["name"],
                line=scenario["location"]["line"],
                tags=(*inherited, *_tags(scenario)),
                steps=tuple(scenario["steps"]),
                examples=tuple(scenario["examples"]),
                templated="Outline" in scenario["keyword"] or "Template" in scenario["keyword"],
            )


def _check_backgrounds(children: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for child in children:
        if "rule" in child:
            yield from _check_backgrounds(child["rule"]["children"])
        for step in child.get("background", {}).get("steps", ()):
            if step["keywordType"] in ("Action", "Outcome"):
                yield Problem(
                    line=step["location"]["line"],
                    what=f"{step['keyword'].strip()} in a Background",
                    remedy="a Background only says what the reader must remember: use Given",
                )


def _check_title(scenario: Outline) -> Iterator[Problem]:
    if not scenario.name:
        yield Problem(line=scenario.line, what="a scenario without a title", remedy="write the checklist sentence")
    words = len(scenario.name.split())
    if words > TITLE_WORDS_MAX:
        yield Problem(
            line=scenario.line,
            what=f"title of {words} words: {scenario.name!r}",
            remedy=f"say it in at most {TITLE_WORDS_MAX}",
        )
    if _SHOULD.search(scenario.name):
        yield Problem(
            line=scenario.line,
            what=f"'should' in the title {scenario.name!r}",
            remedy="state what is true when the scenario is green",
        )


def step_kinds(scenario: Outline) -> list[str]:
    """Kind of each step, `And` and `But` resolved: "Context", "Action", "Outcome" or "Unknown"."""
    kinds: list[str] = []
    for step in scenario.steps:
        kind = step["keywordType"]
        kinds.append((kinds[-1] if kinds else "Unknown") if kind == "Conjunction" else kind)
    return kinds


def _check_steps(scenario: Outline) -> Iterator[Problem]:
    at = f"scenario {scenario.name!r}"
    if not scenario.steps:
        yield Problem(line=scenario.line, what=f"{at} has no steps: it would pass", remedy="write them")
        return
    kinds = step_kinds(scenario)
    if kinds.count("Action") != 1:
        yield Problem(
            line=scenario.line,
            what=f"{at} has {kinds.count('Action')} When steps (And after When counts)",
            remedy="tell exactly one event; a second one is a second scenario",
        )
    if "Outcome" not in kinds:
        yield Problem(
            line=scenario.line, what=f"{at} has no Then: it asserts nothing", remedy="say what an outsider observes"
        )
    if scenario.templated or scenario.examples:
        yield from _check_examples(scenario)


def _check_examples(scenario: Outline) -> Iterator[Problem]:
    at = f"outline {scenario.name!r}"
    if not scenario.examples:
        yield Problem(line=scenario.line, what=f"{at} has no Examples", remedy="add rows, or make it a Scenario")
    for table in scenario.examples:
        if not table.get("tableBody"):
            yield Problem(
                line=table["location"]["line"],
                what=f"{at} has an Examples table without rows: it would run once with literal <names>",
                remedy="add rows",
            )


def _check_tags(scenario: Outline, register: Register, reported: set[str]) -> Iterator[Problem]:
    at = f"scenario {scenario.name!r}"
    row_tags = [tag for table in scenario.examples for tag in _tags(table)]
    for tag in dict.fromkeys((*scenario.tags, *row_tags)):
        if tag not in reported and tag not in register.controls and tag not in register.topics:
            reported.add(tag)  # an inherited tag is wrong once, not once per scenario
            yield Problem(
                line=scenario.line,
                what=f"unknown tag @{tag} on {at}",
                remedy="use a control or a topic of features/controls.toml",
            )
    controls = [tag for tag in dict.fromkeys(scenario.tags) if tag in register.controls]
    if len(controls) != 1:
        yield Problem(
            line=scenario.line,
            what=f"{at} carries {len(controls)} control tags ({', '.join(controls) or 'none'})",
            remedy="one scenario proves exactly one control: tag it with that control's id",
        )
