"""Judges every example by the policy that its folder names: `python -m policies.judge_examples`, in .venv-policies.

Prints {"<id>/<file>": [[verdict, address], ...]} as JSON. What is right is known to the tests, not here.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from policies import checkov_adapter
from policies.hcl.files import Library
from policies.hcl.load import load
from policies.plan import read_plan
from policies.registry import Registry, load_rules
from policies.rule import Judged, combined
from policies.settings import Settings, Unusable, read_settings
from policies.tree import Tree

DIRECTORY = Path(__file__).parent / "examples"


def judged_examples(directory: Path = DIRECTORY) -> dict[str, list[list[str]]]:
    """Verdict and address of each resource that an example's policy judges. Raises Unusable for an unreadable one."""
    registry, settings = load_rules(), read_settings()
    made: dict[str, list[list[str]]] = {}
    for path in sorted([*directory.glob("*/*.tf"), *directory.glob("*/*.json")]):
        answers = _judged(path.parent.name, tree_of(path), registry, settings)
        made[f"{path.parent.name}/{path.name}"] = sorted([one.verdict.value, one.resource.address] for one in answers)
    return made


def tree_of(path: Path) -> Tree:
    """One example alone in a directory, as a root with a lock file; or a plan."""
    if path.suffix == ".json":
        return read_plan(path, shown=path.name).tree
    with tempfile.TemporaryDirectory() as place:
        root = Path(place).resolve()
        shutil.copy(path, root / "main.tf")
        (root / ".terraform.lock.hcl").touch()
        library = Library(base=root)
        tree = load(root, library)
    if library.gaps:
        raise Unusable(f"{path.parent.name}/{path.name}: {library.gaps[0]}")
    return tree


def _judged(policy: str, tree: Tree, registry: Registry, settings: Settings) -> list[Judged]:
    rule = registry.rules.get(policy)
    return combined(rule.judge(tree, settings)) if rule else list(_built_in(policy, tree))


def _built_in(policy: str, tree: Tree) -> Iterator[Judged]:
    for resource in tree.of(*checkov_adapter.kinds_of(policy)):
        answer = checkov_adapter.judge(policy, resource, tree.origin)
        if answer is not None:
            yield answer


if __name__ == "__main__":
    sys.stdout.write(json.dumps(judged_examples(), indent=1) + "\n")
