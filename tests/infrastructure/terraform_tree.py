"""The Terraform tree as the tests read it: blocks by their first line, without Terraform.

The files are formatted (a test holds that), so a block at the left margin ends with the first `}` there.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TREE = ROOT / "infrastructure"
ENVIRONMENTS = ("production", "staging", "development")
MODULES = ("networking", "compute", "database", "security", "monitoring", "release")

_BLOCK = re.compile(r'^(?P<kind>\w+)(?: "(?P<first>[^"]+)")?(?: "(?P<second>[^"]+)")? \{$')
_SETTING = re.compile(r"^(?P<name>\w+)\s*=\s*(?P<value>.*)$")


@dataclass(frozen=True)
class Block:
    """One block: `kind "first" "second" {`, and the lines inside of it."""

    path: str
    kind: str
    first: str
    second: str
    body: str

    @property
    def name(self) -> str:
        return f"{self.path}: {self.kind} {self.first} {self.second}".rstrip()

    def has(self, pattern: str) -> bool:
        """Whether a line of the block matches a regular expression from its start (spaces left out)."""
        return any(re.match(pattern, line.strip()) for line in self.body.splitlines())


def configuration_files() -> tuple[Path, ...]:
    return tuple(sorted(TREE.rglob("*.tf")))


@functools.cache
def blocks(path: Path) -> tuple[Block, ...]:
    return tuple(_blocks(path))


def _blocks(path: Path) -> Iterator[Block]:
    head, body = None, []
    for line in path.read_text(encoding="utf-8").splitlines():
        if head is None:
            head = _BLOCK.match(line)
            if line.rstrip().endswith("{}") and not line.startswith(" "):
                raise AssertionError(f"{path}: an empty block on one line is not read: {line}")
        elif line == "}":
            name = str(path.relative_to(TREE))
            yield Block(name, head["kind"], head["first"] or "", head["second"] or "", "\n".join(body))
            head, body = None, []
        else:
            body.append(line)
    assert head is None, f"{path}: the last block does not end"


def all_blocks(kind: str) -> list[Block]:
    return [block for path in configuration_files() for block in blocks(path) if block.kind == kind]


def resources(type_name: str) -> list[Block]:
    """Every resource of a type. Asserts that there is one: a rule about nothing would always hold."""
    found = [block for block in all_blocks("resource") if block.first == type_name]
    assert found, f"no resource of type {type_name}"
    return found


def settings_of(path: Path) -> dict[str, str]:
    """`name = value` lines at the left margin of a file of variables; a value over several lines is joined."""
    found: dict[str, str] = {}
    open_name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        match = _SETTING.match(line)
        if match and not line.startswith((" ", "#")):
            found[match["name"]] = match["value"]
            open_name = match["name"] if match["value"].endswith(("{", "[")) else ""
        elif open_name:
            found[open_name] += "\n" + line
            open_name = "" if line in ("}", "]") else open_name
    return found
