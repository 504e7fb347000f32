"""Where the interpreter of the policies is."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-policies" / "bin" / "python"
MISSING = ".venv-policies is missing: make policies sets it up"
