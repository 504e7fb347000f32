"""Judges every policy on source and plan, once, in one process: `python -m policies.scan SOURCE... --output FILE`.

Runs in .venv-policies, since checkov's built-in rules are among the policies. It knows no suppressions, no dates and
no exit codes that say good or bad: it writes what each rule says of each resource, and `policies.gate` decides.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from policies.built_in import BuiltIn, read_built_ins
from policies.hcl.files import Library
from policies.hcl.load import load
from policies.plan import Plan, read_plan
from policies.registry import load_rules
from policies.rule import Judged, combined
from policies.settings import Settings, Unusable, read_settings
from policies.skips import inline_skips
from policies.tree import Tree
from policies.verdict import EXIT_UNUSABLE

SCHEMA = 1
REDACTED = "(sensitive)"


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What is scanned: root directories, and the plan of one of them; all below `base`."""

    sources: tuple[Path, ...]
    plan: Path | None
    base: Path


def scan(inputs: Inputs, *, rules: Path | None = None, every: bool = False) -> dict[str, Any]:
    """Everything that the policies say of the inputs, as plain JSON. Raises Unusable with one sentence.

    `every`: instead of the named policies, every built-in rule of checkov that has something to judge.
    """
    library = Library(base=inputs.base)
    trees = [_tree(source, library) for source in inputs.sources]
    plan = _plan(inputs, library) if inputs.plan else None
    settings = read_settings()
    if every:
        policies = [
            one for one in _built_ins(trees, plan, _adapter().every_rule_of_aws()) if any(one["judged"].values())
        ]
    else:
        policies = [*_ours(trees, plan, settings, rules), *_built_ins(trees, plan, read_built_ins().values())]
    return {
        "schema": SCHEMA,
        "every_built_in": every,
        "checkov": _adapter().checkov_version(),
        "python": platform.python_version(),
        "inputs": [_input(tree) for tree in _all(trees, plan)],
        "gaps": [str(gap) for gap in library.gaps],
        "read": {library.shown(path): digest(path) for path in sorted(library.read)},
        "skips": [vars(skip) for skip in inline_skips(library)],
        "deferred_paths": list(plan.deferred_paths) if plan else [],
        "policies": _redacted(policies, plan.sensitive if plan else frozenset()),
    }


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, "" where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _adapter() -> Any:
    """checkov, imported when the inputs have been read: a typing error need not wait for it."""
    from policies import checkov_adapter

    return checkov_adapter


def _tree(source: Path, library: Library) -> Tree:
    if not source.is_dir():
        raise Unusable(
            f"{library.shown(source)} is no directory. Name a root module, such as infrastructure/environments/staging."
        )
    tree = load(source, library)
    if not tree.resources and not library.gaps:
        raise Unusable(f"{library.shown(source)} declares nothing. Name a directory with .tf files.")
    return tree


def _plan(inputs: Inputs, library: Library) -> Plan:
    """The plan beside its code: alone it names all instances of a loop at once, and knows no locals."""
    assert inputs.plan is not None
    if len(inputs.sources) != 1:
        raise Unusable("a plan is judged together with the one root that it was made of. Name that root, and no other.")
    (source,) = inputs.sources
    code = partial(load, source, library)
    return read_plan(inputs.plan, shown=library.shown(inputs.plan), code=lambda given: code(variables=given))


def _all(trees: Sequence[Tree], plan: Plan | None) -> list[Tree]:
    return [*trees, *([plan.tree] if plan else [])]


def _input(tree: Tree) -> dict[str, Any]:
    return {"name": tree.name, "origin": tree.origin.value, "resources": len(tree.resources), "files": list(tree.files)}


def _ours(trees: Sequence[Tree], plan: Plan | None, settings: Settings, rules: Path | None) -> Iterator[dict[str, Any]]:
    registry = load_rules(rules) if rules else load_rules()
    for rule in registry.rules.values():
        read_from = [tree for tree in _all(trees, plan) if tree.origin in rule.origins]
        judged = {tree.name: combined(rule.judge(tree, settings)) for tree in read_from}
        if judged:  # without a plan, nothing is said about what only a plan can show
            yield _policy(rule.id, (rule.says, rule.remedy), rule.controls, judged)


def _built_ins(trees: Sequence[Tree], plan: Plan | None, rules: Iterable[BuiltIn]) -> Iterator[dict[str, Any]]:
    adapter = _adapter()
    for built_in in rules:
        kinds = adapter.kinds_of(built_in.id)
        if not kinds:
            which = f"checkov {adapter.checkov_version()} has no rule {built_in.id}"
            raise Unusable(f"{which}. Correct policies/catalogue/built_in.toml.")
        judged = {
            tree.name: [
                answer
                for resource in tree.of(*kinds)
                if (answer := adapter.judge(built_in.id, resource, tree.origin)) is not None
            ]
            for tree in _all(trees, plan)
        }
        yield _policy(built_in.id, (built_in.meaning, built_in.remedy), built_in.controls, judged)


def _policy(
    policy_id: str, texts: tuple[str, str], controls: tuple[str, ...], judged: Mapping[str, list[Judged]]
) -> dict[str, Any]:
    says, remedy = texts
    return {
        "id": policy_id,
        "says": says,
        "remedy": remedy,
        "controls": list(controls),
        "judged": {name: [_answer(one) for one in sorted(many, key=_address)] for name, many in judged.items()},
    }


def _address(judged: Judged) -> str:
    return judged.resource.address


def _answer(judged: Judged) -> dict[str, Any]:
    place = judged.resource.place
    return {
        "resource": judged.resource.address,
        "verdict": judged.verdict.value,
        "why": judged.why,
        "file": place.file,
        "line": place.line,
        "end_line": place.end_line,
    }


def _redacted(value: Any, sensitive: frozenset[str]) -> Any:
    """The value without any text that the plan calls sensitive; longest first, since one may hold another."""
    if isinstance(value, dict):
        return {key: _redacted(one, sensitive) for key, one in value.items()}
    if isinstance(value, list):
        return [_redacted(one, sensitive) for one in value]
    if isinstance(value, str):
        for text in sorted(sensitive, key=len, reverse=True):
            value = value.replace(text, REDACTED)
    return value


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write JSON in one step: a reader sees nothing or all of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the scan was carried out, whatever it found; 2 with one sentence when it was not."""
    parser = argparse.ArgumentParser(prog="python -m policies.scan", description=__doc__)
    parser.add_argument("sources", nargs="*", type=Path, help="root directories of Terraform")
    parser.add_argument("--plan", type=Path, help="output of terraform show -json")
    parser.add_argument("--rules", type=Path, help="another directory of rules")
    parser.add_argument("--every-built-in", action="store_true", help="judge by all of checkov's rules instead")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--base", type=Path, default=Path.cwd(), help="what paths are shown relative to")
    given = parser.parse_args(arguments)
    inputs = Inputs(
        sources=tuple(source.resolve() for source in given.sources),
        plan=given.plan.resolve() if given.plan else None,
        base=given.base.resolve(),
    )
    try:
        write(given.output, scan(inputs, rules=given.rules, every=given.every_built_in))
    except Unusable as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNUSABLE
    return 0


if __name__ == "__main__":
    gc.disable()  # a tenth of the time: checkov's import makes a million objects that stay, and the process ends soon
    sys.exit(main())
