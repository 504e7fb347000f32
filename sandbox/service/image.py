"""The image of the service: what would be built and pushed is here the tree of this directory and a version."""

from __future__ import annotations

import hashlib
from pathlib import Path

VERSIONS = ("1.0.0", "1.1.0")
DIRECTORY = Path(__file__).parent
_LEFT_OUT = frozenset({"__pycache__", "tests"})


def tree(directory: Path = DIRECTORY) -> list[Path]:
    """The files that belong to the image, sorted by path; no tests, nothing that Python made."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return sorted(path for path in files if not _LEFT_OUT.intersection(path.relative_to(directory).parts))


def digest(version: str, directory: Path = DIRECTORY) -> str:
    """`sha256:<64 hex digits>` over paths, contents and `version`. Raises ValueError for an unknown version."""
    if version not in VERSIONS:
        raise ValueError(f"version {version!r} does not exist; known are {', '.join(VERSIONS)}")
    total = hashlib.sha256(f"version {version}\n".encode())
    for path in tree(directory):
        content = path.read_bytes()
        total.update(f"{path.relative_to(directory).as_posix()} {len(content)}\n".encode())
        total.update(content)
    return f"sha256:{total.hexdigest()}"
