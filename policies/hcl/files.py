"""Directories of Terraform files: what is declared where, and which variables the files beside it set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from policies.hcl.parser import parse
from policies.hcl.syntax import Block, Expression, File, Literal, Template, Unparsable

_VARIABLE_FILES = ("terraform.tfvars", "*.auto.tfvars")
_BACKEND_FILES = ("*.tfbackend", "backend.hcl")
# Terraform would read these too; a scan that leaves them out has not seen the configuration.
_UNREADABLE = ("*.tf.json", "*.tfvars.json", "override.tf", "*_override.tf", "*.tofu")


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A part of the configuration that was not read: where and why, and what to do about it."""

    file: str
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}. {self.remedy}"


@dataclass
class Library:
    """Every directory that a scan has read, each once; gaps are collected, never passed over."""

    base: Path
    directories: dict[Path, Directory] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    read: set[Path] = field(default_factory=set)

    def directory(self, path: Path) -> Directory:
        path = path.resolve()
        if path not in self.directories:
            self.directories[path] = Directory(path=path, library=self)
            self.directories[path].read()
        return self.directories[path]

    def text(self, path: Path) -> str | None:
        """A file that the configuration reads; None where it is missing, unreadable, or outside of the repository."""
        path = path.resolve()
        if not path.is_relative_to(self.base):
            return None
        self.read.add(path)
        if not path.is_file():
            return None
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def shown(self, path: Path) -> str:
        """A path as people are shown it: relative to where the scan was started, where it lies within."""
        return str(path.relative_to(self.base)) if path.is_relative_to(self.base) else str(path)

    def gap(self, file: Path, what: str, *, remedy: str, line: int = 1) -> None:
        self.gaps.append(Gap(file=self.shown(file), line=line, what=what, remedy=remedy))


@dataclass(kw_only=True)
class Directory:
    """The parsed files of one directory (not below it)."""

    path: Path
    library: Library
    files: list[File] = field(default_factory=list)
    values: dict[str, Expression] = field(default_factory=dict)
    given_at: dict[str, tuple[str, int]] = field(default_factory=dict)  # file and line of each of `values`
    backend: dict[str, Expression] = field(default_factory=dict)

    def read(self) -> None:
        """Parse everything; what cannot be parsed becomes a gap."""
        for path in sorted(self.path.glob("*.tf")):
            parsed = self._parsed(path)
            if parsed is not None:
                self.files.append(parsed)
        for path in self._matching(_UNREADABLE):
            self.library.gap(path, "is not read by this scan", remedy="Write it as a plain .tf or .tfvars file.")
        for names, into in ((_VARIABLE_FILES, self.values), (_BACKEND_FILES, self.backend)):
            for path in self._matching(names):
                parsed = self._parsed(path)
                arguments = parsed.body.arguments if parsed else {}
                into.update({key: one.expression for key, one in arguments.items()})
                if into is self.values:
                    self.given_at.update({key: (self.library.shown(path), one.line) for key, one in arguments.items()})

    def _matching(self, patterns: tuple[str, ...]) -> Iterator[Path]:
        return (path for pattern in patterns for path in sorted(self.path.glob(pattern)))

    def _parsed(self, path: Path) -> File | None:
        shown = self.library.shown(path)
        self.library.read.add(path)
        try:
            return parse(path.read_text(encoding="utf-8"), shown)
        except Unparsable as error:
            self.library.gap(path, f"cannot be parsed: {error.what}", remedy="Correct the file.", line=error.line)
        except (OSError, UnicodeDecodeError) as error:
            self.library.gap(path, f"cannot be read: {error}", remedy="Make it a readable UTF-8 file.")
        return None

    @cached_property
    def _index(self) -> dict[tuple[str, ...], tuple[Block, File]]:
        return {(block.kind, *block.labels): (block, file) for file in self.files for block in file.body.blocks}

    def block(self, *words: str) -> Block | None:
        """The block of this kind with these labels."""
        found = self._index.get(words)
        return found[0] if found else None

    def blocks(self, kind: str) -> list[Block]:
        return [block for file in self.files for block in file.body.of(kind)]

    def located(self) -> Iterator[tuple[File, Block]]:
        """Every block with the file it stands in."""
        return ((file, block) for file in self.files for block in file.body.blocks)

    def local(self, name: str) -> Expression | None:
        for block in self.blocks("locals"):
            if name in block.body.arguments:
                return block.body.arguments[name].expression
        return None

    def called(self, block: Block) -> Directory | None:
        """The directory that a module block calls; None, and a gap, where it is not on this machine."""
        source = block.body.arguments.get("source")
        expression = source.expression if source else Literal(None)
        text = "".join(map(str, expression.parts)) if isinstance(expression, Template) else ""
        file = self._index[(block.kind, *block.labels)][1]
        place = self.library.base / file.path
        if not text.startswith(("./", "../")):
            what = f"module {block.labels[0]} comes from {text or 'nowhere'}, whose code is not here"
            self.library.gap(place, what, remedy="Keep the module in this repository, or scan a plan.", line=block.line)
            return None
        path = (self.path / text).resolve()
        if not any(path.glob("*.tf")):
            what = f"module {block.labels[0]} names {text}, which holds no .tf file"
            self.library.gap(place, what, remedy="Correct the module's source.", line=block.line)
            return None
        return self.library.directory(path)
