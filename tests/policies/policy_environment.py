"""Where checkov is, and what to do where it is not."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-policies" / "bin" / "python"
MISSING = ".venv-policies is missing: `make test` and `make policies` set it up"
