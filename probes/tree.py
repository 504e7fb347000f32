"""One digest for a set of files, so that a result says of what it is the result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_MADE_BY_TOOLS = frozenset({"__pycache__", ".ansible"})


def tree_digest(root: Path, paths: Iterable[str]) -> str:
    """SHA-256 over name and content of every file at or below `paths`, which are relative to `root`.

    Raises FileNotFoundError for a path that is not there: a digest of less than was asked for would fit less.
    """
    digest = hashlib.sha256()
    for path in sorted(set(_files(root, paths))):
        for part in (path.relative_to(root).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _files(root: Path, paths: Iterable[str]) -> Iterator[Path]:
    for name in paths:
        path = root / name
        if path.is_file():
            yield path
        elif path.is_dir():
            below = (entry for entry in path.rglob("*") if entry.is_file())
            yield from (entry for entry in below if _MADE_BY_TOOLS.isdisjoint(entry.parts))
        else:
            raise FileNotFoundError(f"{path} is not there")
