"""Copies of the tree in which plans and engines may be spoilt: what git would commit, without build/."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.architecture.house import ROOT, files

PATCHES = ROOT / "tests" / "planted"
_POLICIES_ENVIRONMENT = ".venv-policies"  # asks checkov; where it is missing, scenarios say so
_LEFT_OUT = ("tests/", "docs/", "benchmarks/", "evidence/examples/")


def copy_tree(place: Path) -> Path:
    """What a watched run needs, with its compiled modules; the sandbox's cache and checkov's interpreter by links."""
    for name in files():
        if not name.startswith(_LEFT_OUT):
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    for compiled in ROOT.glob("[a-z]*/**/__pycache__"):
        target = place / compiled.relative_to(ROOT)
        if target.parent.is_dir():
            shutil.copytree(compiled, target, dirs_exist_ok=True)
    cache = ROOT / "build" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (place / "build").mkdir()
    (place / "build" / "cache").symlink_to(cache)
    (place / _POLICIES_ENVIRONMENT).symlink_to(ROOT / _POLICIES_ENVIRONMENT)
    return place


def edit_plan(place: Path, edits: Sequence[tuple[str, str]]) -> None:
    """Replace texts in release.toml of the copy. Fails the test for one that does not stand there exactly once."""
    edit_code(place, [("release.toml", old, new) for old, new in edits])


def edit_code(place: Path, edits: Sequence[tuple[str, str, str]]) -> None:
    """Replace texts in files of the copy, one after the other. Fails the test for one that does not stand there exactly
    once: the code has changed, and the defect has to follow."""
    for name, old, new in edits:
        path = place / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times; adapt the defect to it"
        path.write_text(text.replace(old, new), encoding="utf-8")


def apply_patch(place: Path, name: str) -> None:
    """Apply tests/planted/<name>.patch to the copy. Fails the test when it does not fit any more."""
    done = subprocess.run(
        ["git", "apply", "--recount", "-C1", "--whitespace=nowarn", str(PATCHES / f"{name}.patch")],
        cwd=place,
        env=os.environ | {"GIT_CEILING_DIRECTORIES": str(place.parent), "GIT_DIR": str(place / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (
        f"{name}.patch does not apply any more: make the same mistake in the present code by hand, and store its "
        f"`git diff -U2` there.\n{done.stderr}"
    )


def changed_paths() -> tuple[str, ...]:
    """What differs from the last commit, new files included; nothing where git cannot say."""
    found: list[str] = []
    for command in (["git", "diff", "--name-only", "HEAD"], ["git", "ls-files", "--others", "--exclude-standard"]):
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        found += answer.stdout.splitlines() if answer.returncode == 0 else []
    return tuple(found)
