"""The version of the load tests that a process runs: workers of two versions would measure two things as one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def tree_digest(locustfiles: Iterable[str] = (), *, package: Path = PACKAGE) -> str:
    """SHA-256 over the names and contents of the package's modules, and over the contents of the locustfiles."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        _add(digest, path.relative_to(package).as_posix(), path.read_bytes())
    for content in sorted(Path(name).read_bytes() for name in locustfiles):
        _add(digest, "locustfile", content)
    return digest.hexdigest()


def _add(digest: hashlib._Hash, name: str, content: bytes) -> None:
    for part in (name.encode(), content):
        digest.update(len(part).to_bytes(8, "big") + part)
