"""The tree as the house rules see it: tracked files, parsed modules, and findings that name place and remedy."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "rollout", "gate", "evidence", "probes", "rehearsal", "steps", "policies", "loadtests", "sandbox",
    "infrastructure", "docs",
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """A broken rule: where, what, and what to do."""

    path: str
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}. {self.remedy}"


def demand_none(findings: Iterable[Finding]) -> None:
    """Fail with one line for each finding."""
    lines = sorted(map(str, findings))
    assert not lines, f"{len(lines)} findings:\n" + "\n".join(lines)


@functools.cache
def files() -> tuple[str, ...]:
    """Relative paths of what is, or is about to be, under version control; ignored files are not."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(sorted(path for path in answer.stdout.splitlines() if (ROOT / path).is_file()))


@functools.cache
def modules(*packages: str) -> tuple[str, ...]:
    """Python files of these packages (all packages without any); a package that does not exist has none."""
    wanted = packages or PACKAGES
    return tuple(path for path in files() if path.endswith(".py") and path.split("/")[0] in wanted)


@functools.cache
def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@functools.cache
def tree(path: str) -> ast.Module:
    return ast.parse(text(path), filename=path)


def dotted(path: str) -> str:
    """The module's name: rollout/cli/__init__.py is rollout.cli."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(path: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of all that a module imports, `from a import b` as a.b; imports for types are left out."""
    for node in _outside_type_checking(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{start}.{alias.name}") for alias in node.names)


def _outside_type_checking(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _outside_type_checking(child)


def within(name: str, *roots: str) -> bool:
    """`name` is one of the modules `roots` or lies below one."""
    return any(name == root or name.startswith(root + ".") for root in roots)


def functions(path: str) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """Every function with whether it is a method."""
    methods = {
        id(item)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        for item in node.body
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, id(node) in methods
