"""A stranger's clone sets itself up: what `make gates` installs is enough for everything that it runs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.heavy
def test_a_fresh_clone_installs_and_answers(tmp_path: Path) -> None:
    """From `git clone` to a collected gate and a help text, with python3 and make alone."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTEST"))}

    made = subprocess.run(
        ["make", "gates", "ARGS=--collect-only -q -p no:cacheprovider"],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    helped = subprocess.run(["make", "help"], cwd=clone, capture_output=True, text=True, timeout=30, check=True)

    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
    assert "test_errors_over_1_for_five_consecutive_minutes" in made.stdout
    assert "make gates" in helped.stdout
