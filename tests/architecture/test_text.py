"""What must not stand in a file: swallowed errors, naps, places of one machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from house import Finding, demand_none, files, modules, text, tree

# Where waiting for real time is the thing itself, with the reason.
SLEEPS: dict[str, str] = {
    "probes/waiting.py": "the pause between two questions of every condition with a deadline outside of the engine",
}
BINARY = {".png", ".jpg", ".gz", ".xlsx", ".pdf", ".der", ".woff2", ".ico"}
ELSEWHERE = re.compile(
    r"(?<![\w./*}-])/(?:work|home/[a-z]\w*|root|Users/\w+|tmp/(?:plan|bash_jobs))/[\w.-]+"
    r"|[\w.-]*(?:artifactory|jfrog|nexus|devpi|pypiserver)[\w.-]*\.[a-z]{2,}|(?:--|\b)(?:extra-)?index-url\b"
)
ITSELF = "tests/architecture/test_text.py"


def test_no_error_is_swallowed() -> None:
    demand_none(_swallowed())


def _swallowed() -> Iterator[Finding]:
    for path in (*modules(), *(p for p in files() if p.startswith("tests/") and p.endswith(".py"))):
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            if node.type is None:
                yield Finding(path, node.lineno, "bare except", "Name the errors that are expected here.")
            elif all(isinstance(one, ast.Pass) or _is_ellipsis(one) for one in node.body):
                yield Finding(path, node.lineno, "empty except", "Handle it, or use contextlib.suppress with a reason.")


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...


def test_nobody_naps() -> None:
    """A condition is awaited with a deadline; the engine waits through its clock."""
    demand_none(
        Finding(path, node.lineno, "time.sleep", "Await a condition with a deadline (threading.Event().wait, poll).")
        for path in (*modules(), *(p for p in files() if p.startswith("tests/") and p.endswith(".py")))
        if path not in SLEEPS
        for node in ast.walk(tree(path))
        if _is_sleep(node)
    )


def _is_sleep(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "time" and any(alias.name == "sleep" for alias in node.names)
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "sleep"
        and isinstance(node.value, ast.Name)
        and node.value.id == "time"
    )


def test_no_file_names_a_place_of_one_machine() -> None:
    demand_none(
        Finding(path, number, f"names {match.group()}", "Use a path relative to the repository, and no index address.")
        for path in files()
        if PurePosixPath(path).suffix not in BINARY and path != ITSELF
        for number, line in enumerate(_lines(path), 1)
        for match in ELSEWHERE.finditer(line)
    )


def _lines(path: str) -> list[str]:
    try:
        return text(path).splitlines()
    except UnicodeDecodeError:
        return []
