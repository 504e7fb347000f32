"""What the tests of policies share: trees of a text, and one run of every example in .venv-policies."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from policy_environment import MISSING, PYTHON, ROOT

from policies.hcl.files import Library
from policies.hcl.load import load
from policies.tree import Tree

Files = dict[str, str]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Files], Path]:
    """Write files below a fresh directory; that directory."""

    def written(files: Files) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return written


@pytest.fixture
def tree(write: Callable[[Files], Path]) -> Callable[..., Tree]:
    """The tree of files (or of one main.tf); a gap fails the test."""

    def read(files: Files | str, root: str = ".") -> Tree:
        base = write({"main.tf": files} if isinstance(files, str) else files)
        library = Library(base=base)
        made = load(base / root, library)
        assert library.gaps == []
        return made

    return read


@pytest.fixture(scope="session")
def in_environment() -> Callable[[str], Any]:
    """Run Python in .venv-policies; what it prints as JSON."""

    def run(code: str) -> Any:
        assert PYTHON.exists(), MISSING
        done = subprocess.run([PYTHON, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def judged() -> dict[str, list[list[str]]]:
    """Every example as judged by its policy: {"<id>/<file>": [[verdict, address], ...]}."""
    assert PYTHON.exists(), MISSING
    command = [PYTHON, "-m", "policies.judge_examples"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    answers: dict[str, list[list[str]]] = json.loads(done.stdout)
    return answers
