"""Release files as texts: the least that is one, how it is read, and what is wrong with others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rollout.plan_file import BadFile, read_release_file
from rollout.settings import ReleaseFile

HEAD = """
[release]
service = "shop-api"
version = "1.1.0"
[environments.sandbox]
outputs = "outputs.json"
"""

Read = Callable[[str], ReleaseFile]


def reader(directory: Path) -> Read:
    """Reads a text as release.toml of a directory."""

    def from_text(text: str) -> ReleaseFile:
        path = directory / "release.toml"
        path.write_text(text, encoding="utf-8")
        return read_release_file(path)

    return from_text


def problems(read: Read, text: str) -> dict[str, str]:
    """The message of each mistake by its key."""
    with pytest.raises(BadFile) as caught:
        read(text)
    for problem in caught.value.problems:
        assert f"{caught.value.file}: {problem}" in str(caught.value)
        assert problem.remedy, problem
    return {problem.key: str(problem) for problem in caught.value.problems}
