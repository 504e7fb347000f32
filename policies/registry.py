"""The rules of ours, one per file in policies/rules; a file that does not load is an error that names it."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from policies.rule import Rule
from policies.settings import Unusable

DIRECTORY = Path(__file__).parent / "rules"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Rules by id, each with the file that holds it."""

    rules: dict[str, Rule]
    files: dict[str, Path]


def load_rules(directory: Path = DIRECTORY) -> Registry:
    """Every rule. Raises Unusable for a file that does not load, holds no RULE, or repeats an id."""
    rules: dict[str, Rule] = {}
    files: dict[str, Path] = {}
    for path in sorted(directory.glob("ckv_rg_*.py")):
        rule = _rule(path)
        expected = path.stem.upper()
        if rule.id != expected:
            raise Unusable(f"{path.name} holds the rule {rule.id}. Name it {expected}, or rename the file.")
        rules[rule.id], files[rule.id] = rule, path
    if not rules:
        raise Unusable(f"{directory.name}/ holds no rule. Restore policies/rules from the repository.")
    return Registry(rules=rules, files=files)


def _rule(path: Path) -> Rule:
    name = f"policies.rules.{path.stem}" if path.parent == DIRECTORY else f"_rules_of_{abs(hash(path))}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise Unusable(f"{path.name} cannot be imported. Rename it to a Python file.")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except Exception as error:  # whatever a broken rule raises, the gate must name the file
        raise Unusable(f"{path.name} does not load: {type(error).__name__}: {error}. Correct that file.") from error
    rule = getattr(module, "RULE", None)
    if not isinstance(rule, Rule):
        raise Unusable(f"{path.name} defines no RULE. Add RULE = Rule(...), or move the file out of rules/.")
    return rule
