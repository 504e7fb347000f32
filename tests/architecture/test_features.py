"""Features, register and steps fit together: every tag is a control, every control stands once, every step is used."""

from __future__ import annotations

import ast
import re
import tomllib

from gherkin.parser import Parser
from house import ROOT, Finding, demand_none, files, modules, text, tree

CONTROL = re.compile(r"[A-Z]+(?:-[A-Z]+)*-\d{2}")
STEP_DECORATORS = {"given", "when", "then", "step"}


def register() -> dict[str, dict[str, object]]:
    with (ROOT / "features/controls.toml").open("rb") as file:
        return {entry["id"]: entry for entry in tomllib.load(file)["control"]}


def features() -> list[str]:
    return [path for path in files() if path.startswith("features/") and path.endswith(".feature")]


def test_the_register_is_whole() -> None:
    entries = register()

    assert len(entries) == 154, f"features/controls.toml: {len(entries)} controls, the guide has 154"
    bad = [
        name for name, entry in entries.items() if not (CONTROL.fullmatch(name) and entry["says"] and entry["proof"])
    ]
    assert bad == [], f"features/controls.toml: {bad} lack says or proof"


def test_every_control_tag_is_registered() -> None:
    known = register()
    demand_none(
        Finding(path, number, f"{tag} is not in the register", "Add it to features/controls.toml, or mend the tag.")
        for path in features()
        for number, line in enumerate(text(path).splitlines(), 1)
        if line.strip().startswith("@")
        for tag in re.findall(r"@(\S+)", line)
        if CONTROL.fullmatch(tag) and tag not in known
    )


def test_every_step_is_used() -> None:
    """A step that no feature says is dead glue; style.md, Gherkin 12."""
    said = [step for path in features() for step in _steps(text(path))]
    demand_none(
        Finding(path, line, f"no feature says {pattern!r}", "Delete the step, or say it.")
        for path in modules("steps")
        for line, pattern in _definitions(path)
        if not any(_matches(pattern, step) for step in said)
    )


def _steps(content: str) -> list[str]:
    document = Parser().parse(content)
    children = document["feature"]["children"] if document.get("feature") else []
    blocks = [block for child in children for block in child.values()]
    nested = [inner for block in blocks for child in block.get("children", ()) for inner in child.values()]
    return [step["text"] for block in blocks + nested for step in block.get("steps", ())]


def _definitions(path: str) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                pattern = _pattern(decorator)
                if pattern:
                    found.append((node.lineno, pattern))
    return found


def _pattern(decorator: ast.expr) -> str:
    """The first string of @given("..."), @when(parsers.parse("...")) and the like."""
    if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Name):
        return ""
    if decorator.func.id not in STEP_DECORATORS:
        return ""
    strings = [node.value for node in ast.walk(decorator) if isinstance(node, ast.Constant)]
    return next((value for value in strings if isinstance(value, str)), "")


def _matches(pattern: str, step: str) -> bool:
    """A definition as pytest-bdd's parse, cfparse or re reads it; <placeholders> of an outline fit any field."""
    loose = re.sub(r"\\\{[^}]*\\?\}", "(.+)", re.escape(pattern))
    if re.fullmatch(loose, step):
        return True
    try:
        return re.fullmatch(pattern, step) is not None
    except re.error:
        return False
